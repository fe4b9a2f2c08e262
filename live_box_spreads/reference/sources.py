"""Where reference rates come from, and looking them up for a day."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Protocol

from live_box_spreads.model.errors import BoxSpreadsError
from live_box_spreads.reference.history import Reference

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from live_box_spreads.reference.history import History

DEFAULT_MAX_AGE_DAYS = 7
LOOK_AGAIN_AFTER_SECS = 300.0


class ReferenceSource(Protocol):
    """Something that has reference rates."""

    def history(self, day: date, days_back: int) -> History:
        """Return rates by date; at least those of the ``days_back`` days up to a day it has."""
        ...


class ReferenceDesk:
    """Looks up the reference of a day, and remembers what it found. Safe for many threads.

    It never raises for rates that cannot be had: a chain without a reference is still a chain.
    """

    def __init__(
        self,
        source: ReferenceSource,
        *,
        max_age_days: int = DEFAULT_MAX_AGE_DAYS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take a source; nothing is asked yet.

        Args:
            source: where the rates come from.
            max_age_days: how much older than the day they may be, in calendar days.
            clock: seconds that only grow.
        """
        self._source = source
        self._max_age_days = max_age_days
        self._clock = clock
        self._lock = threading.Lock()
        self._found: dict[date, tuple[float, Reference]] = {}

    def on(self, day: date) -> Reference:
        """Return the reference for a trade date, or why there is none.

        What was found is asked for again after ``LOOK_AGAIN_AFTER_SECS``: the day's own rates may
        have come out, or the network be back.
        """
        with self._lock:
            told_at, found = self._found.get(day, (float("-inf"), Reference(None)))
            if self._clock() - told_at >= LOOK_AGAIN_AFTER_SECS:
                found = self._look_up(day)
                self._found[day] = self._clock(), found
            return found

    def _look_up(self, day: date) -> Reference:
        try:
            return self._source.history(day, self._max_age_days).on(day, self._max_age_days)
        except BoxSpreadsError as error:
            return Reference(None, str(error))
