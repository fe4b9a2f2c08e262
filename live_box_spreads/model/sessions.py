"""Sessions of the New York Stock Exchange (XNYS) and the days on which cash settles.

The calendar is the open ``exchange_calendars``. Of its two that could serve index options, XCBF
misses the early closes of July 3 and December 24; XNYS has them. It is loaded when the first date
is asked for, because importing it takes seconds.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np

from live_box_spreads.model.closures import SETTLING_CLOSURES
from live_box_spreads.model.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

NEW_YORK = ZoneInfo("America/New_York")
REGULAR_CLOSE = time(16)

# Both are sessions. Before 1998 the exchange was open on Martin Luther King Day, a bank holiday.
FIRST_DAY = date(1998, 1, 2)
LAST_DAY = date(2045, 12, 29)

_MONDAY = 0
_OCTOBER, _NOVEMBER = 10, 11
_SECOND_WEEK = range(8, 15)
_VETERANS_DAY, _DAY_AFTER = 11, 12
_ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class _Calendar:
    """What we keep of the exchange's calendar.

    Attributes:
        sessions: every session, ascending, as ``datetime64[D]``.
        early_closes: New York closing time by day, of the days that close early.
    """

    sessions: NDArray[np.datetime64]
    early_closes: Mapping[date, time]

    def on_or_after(self, day: date) -> date:
        return _to_date(self.sessions[np.searchsorted(self.sessions, np.datetime64(day, "D"))])

    def on_or_before(self, day: date) -> date:
        after = np.searchsorted(self.sessions, np.datetime64(day, "D"), side="right")
        return _to_date(self.sessions[after - 1])


def is_session(day: date) -> bool:
    """Tell whether the exchange trades on this day.

    Raises:
        ModelError: the day is outside the calendar (1998 to 2045); so for every function here.
    """
    return session_on_or_after(day) == day


def session_on_or_after(day: date) -> date:
    """Return this day if it is a session, else the next session."""
    return _calendar().on_or_after(_checked(day))


def session_on_or_before(day: date) -> date:
    """Return this day if it is a session, else the last session before it."""
    return _calendar().on_or_before(_checked(day))


def session_after(day: date) -> date:
    """Return the first session strictly after this day."""
    return session_on_or_after(day + _ONE_DAY)


def close_time(day: date) -> datetime:
    """Return when the exchange closes on a session, in New York time: 16:00 or the early close.

    Raises:
        ModelError: the day is no session.
    """
    if not is_session(day):
        raise ModelError(f"no close on {day}: the New York Stock Exchange has no session that day")
    return datetime.combine(day, _calendar().early_closes.get(day, REGULAR_CLOSE), NEW_YORK)


def is_settlement_day(day: date) -> bool:
    """Tell whether cash moves on this day: the clearing house and the banks are open.

    These are the sessions without the bank holidays on which the exchange is open, and the days on
    which the exchange alone was closed (``model/closures.py``).
    """
    if is_session(day):
        return not _is_columbus_day(day) and not _is_veterans_day(day)
    return day in SETTLING_CLOSURES


def settlement_day_after(day: date) -> date:
    """Return the first settlement day strictly after this day."""
    found = day + _ONE_DAY
    while not is_settlement_day(found):
        found += _ONE_DAY
    return found


def _is_columbus_day(day: date) -> bool:
    """Tell whether it is the second Monday of October."""
    return day.month == _OCTOBER and day.weekday() == _MONDAY and day.day in _SECOND_WEEK


def _is_veterans_day(day: date) -> bool:
    """Tell whether it is November 11, or Monday the 12th after a Sunday.

    After a Saturday nothing moves: Federal Reserve Banks open on the Friday before it. Source:
    the Federal Reserve's holiday schedule.
    """
    moved = day.day == _DAY_AFTER and day.weekday() == _MONDAY
    return day.month == _NOVEMBER and (day.day == _VETERANS_DAY or moved)


def _checked(day: date) -> date:
    if day < FIRST_DAY:
        raise ModelError(f"day {day} is before {FIRST_DAY}, the first day of the session calendar")
    if day > LAST_DAY:
        raise ModelError(f"day {day} is after {LAST_DAY}, the last day of the session calendar")
    return day


_loading = Lock()


def _calendar() -> _Calendar:
    """Return the calendar, loaded once, also when threads ask for it at the same time."""
    with _loading:
        return _loaded_calendar()


@cache
def _loaded_calendar() -> _Calendar:
    import exchange_calendars  # noqa: PLC0415 - takes about two seconds, so only when it is needed

    with warnings.catch_warnings():  # it calls parts of pandas that the next pandas will change
        warnings.simplefilter("ignore", DeprecationWarning)
        xnys = exchange_calendars.get_calendar(
            "XNYS", start=FIRST_DAY.isoformat(), end=LAST_DAY.isoformat()
        )
    early: Any = xnys.closes[xnys.early_closes].dt.tz_convert(NEW_YORK)
    return _Calendar(
        sessions=xnys.sessions.to_numpy().astype("datetime64[D]"),
        early_closes={close.date(): close.time() for close in early},
    )


def _to_date(day: Any) -> date:
    found: date = day.item()
    return found
