"""The moment whose quotes a delayed page showed when it was downloaded."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

from live_box_spreads.model.sessions import NEW_YORK, close_time, session_on_or_before

QUOTE_DELAY = timedelta(minutes=15)
"""Cboe shows quotes this old."""

_OPEN = time(9, 30)
_INDEX_OPTIONS_AFTER_CLOSE = timedelta(minutes=15)
_ONE_DAY = timedelta(days=1)


def quote_time_of_download(downloaded: datetime) -> datetime:
    """Return the instant (UTC) of the quotes on a page downloaded at an instant.

    That is the last moment, at or before the download less the delay, at which index options
    traded in the regular session: 09:30 to 16:15 New York, or 15 minutes past an early close.
    Downloads at night, at weekends and on holidays fall back to the session before.

    Args:
        downloaded: when the page was downloaded, with a time zone.

    Raises:
        ModelError: the day is outside the session calendar.
    """
    shown = (downloaded.astimezone(UTC) - QUOTE_DELAY).astimezone(NEW_YORK)
    day = shown.date() if shown.time() >= _OPEN else shown.date() - _ONE_DAY
    last = close_time(session_on_or_before(day)) + _INDEX_OPTIONS_AFTER_CLOSE
    return min(shown, last).astimezone(UTC)
