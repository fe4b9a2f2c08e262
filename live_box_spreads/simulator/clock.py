"""The exchange's time: the computer's, or one that begins elsewhere, runs fast, or skips nights."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta


class ExchangeClock:
    """Runs from an instant on; call it for the time now (UTC)."""

    def __init__(self, start: datetime | None = None, speed: float = 1.0) -> None:
        """Start.

        Args:
            start: the time now, with a time zone; None is the computer's.
            speed: seconds of the exchange in one of the computer.
        """
        self._start = datetime.now(UTC) if start is None else start.astimezone(UTC)
        self._speed = speed
        self._began_secs = time.monotonic()
        self._follows_computer = start is None and speed == 1.0

    def __call__(self) -> datetime:
        """Return the exchange's time."""
        if self._follows_computer:
            return datetime.now(UTC)
        elapsed_secs = time.monotonic() - self._began_secs
        return self._start + timedelta(seconds=elapsed_secs * self._speed)

    def skip_to(self, instant: datetime) -> None:
        """Go to a later instant at once; an earlier one is no matter.

        Args:
            instant: with a time zone.
        """
        now = self()
        self._follows_computer = False
        self._start = max(now, instant.astimezone(UTC))
        self._began_secs = time.monotonic()
