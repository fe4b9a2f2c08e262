"""Which instant the delayed quotes of an index stand for."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Final

from live_box_spreads.feeds.importers.download_time import QUOTE_DELAY, quote_time_of_download
from live_box_spreads.model.sessions import NEW_YORK, is_session

_TRADED_AT_NIGHT: Final = frozenset({"SPX", "XSP", "VIX"})
"""Indices whose options Cboe trades in its global trading hours (cboe.com, hours and holidays)."""

_NIGHT_FROM: Final = time(20, 15)
_NIGHT_UNTIL: Final = time(9, 25)
_REGULAR_FROM: Final = time(9, 30)
_ONE_DAY: Final = timedelta(days=1)


def quoted_at(told_at: datetime, underlying: str) -> datetime:
    """Return the instant (UTC) of the quotes that were told at an instant.

    That is the last moment, at or before 15 minutes earlier, at which the options traded: in the
    regular session (09:30 to 16:15 New York), or at night (20:15 to 09:25) where Cboe has one.

    Args:
        told_at: when the page was made, with a time zone.
        underlying: symbol of the index.

    Raises:
        ModelError: the day is outside the session calendar.
    """
    shown = (told_at.astimezone(UTC) - QUOTE_DELAY).astimezone(NEW_YORK)
    if underlying in _TRADED_AT_NIGHT:
        if shown.time() >= _NIGHT_FROM and is_session(shown.date() + _ONE_DAY):
            return shown.astimezone(UTC)
        if shown.time() < _REGULAR_FROM and is_session(shown.date()):
            end = datetime.combine(shown.date(), _NIGHT_UNTIL, NEW_YORK)
            return min(shown, end).astimezone(UTC)
    return quote_time_of_download(told_at)
