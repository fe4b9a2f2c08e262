"""How often a public server may be asked. Pure: the time is an argument."""

from __future__ import annotations

from typing import Final

MIN_INTERVAL_SECS: Final = 30.0
"""No page is asked for more often than this, whoever asks."""


class Pace:
    """When each page may be asked for again."""

    def __init__(self, min_interval_secs: float = MIN_INTERVAL_SECS) -> None:
        """Keep at least this many seconds between two requests of one page."""
        self._min_interval_secs = min_interval_secs
        self._next: dict[str, float] = {}

    def is_due(self, page: str, now_secs: float) -> bool:
        """Tell whether a page may be asked for."""
        return now_secs >= self._next.get(page, now_secs)

    def asked(self, page: str, now_secs: float, hold_secs: float = 0.0) -> None:
        """Note a request, and the seconds that the server told us to stay away."""
        self._next[page] = now_secs + max(self._min_interval_secs, hold_secs)
