"""Which expiries an exchange lists for a root on a day.

The patterns are those of Cboe's and Nasdaq's listings as seen in their chains: dailies and
weeklies near by, month and quarter ends, third Fridays, and Junes and Decembers far out.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from live_box_spreads.model.sessions import session_on_or_after, session_on_or_before

_FRIDAY = 4
_JUNE, _DECEMBER = 6, 12


@dataclass(frozen=True, slots=True)
class ExpiryPattern:
    """How many expiries of each kind are listed, counted from today.

    Attributes:
        dailies: sessions, one after the other.
        fridays: weeks ahead in which Friday (or the session before it) expires.
        month_ends: months ahead whose last session expires.
        quarter_ends: quarters ahead whose last session expires.
        third_fridays: months ahead whose third Friday expires.
        june_years: years after this one with a June expiry.
        december_years: years after this one with a December expiry.
    """

    dailies: int = 0
    fridays: int = 0
    month_ends: int = 0
    quarter_ends: int = 0
    third_fridays: int = 0
    june_years: int = 0
    december_years: int = 0


PATTERNS = {
    "SPX": ExpiryPattern(third_fridays=13, june_years=2, december_years=5),
    "SPXW": ExpiryPattern(dailies=23, fridays=8, month_ends=6, quarter_ends=4, third_fridays=5),
    "XSP": ExpiryPattern(
        dailies=10, fridays=5, month_ends=3, third_fridays=7, june_years=1, december_years=2
    ),
    "NDX": ExpiryPattern(third_fridays=9, june_years=1, december_years=3),
    "NDXP": ExpiryPattern(dailies=6, fridays=5, quarter_ends=2),
}


def third_friday(year: int, month: int) -> date:
    """Return the expiry of a month: its third Friday, or the session before a holiday there."""
    first = date(year, month, 1)
    friday = first + timedelta((_FRIDAY - first.weekday()) % 7 + 14)
    return session_on_or_before(friday)


def month_end(year: int, month: int) -> date:
    """Return the last session of a month."""
    return session_on_or_before(_month(year, month, 1) - timedelta(1))


def listed_expiries(pattern: ExpiryPattern, today: date) -> list[date]:
    """Return the expiry dates of a pattern from ``today`` on, soonest first, without repeats."""
    months = [_month(today.year, today.month, ahead) for ahead in range(25)]
    third = [third_friday(first.year, first.month) for first in months]
    ends = [month_end(first.year, first.month) for first in months]
    quarters = [end for end in ends if end.month % 3 == 0]
    found = [
        *_dailies(today, pattern.dailies),
        *_fridays(today, pattern.fridays),
        *_from(ends, today)[: pattern.month_ends],
        *_from(quarters, today)[: pattern.quarter_ends],
        *_from(third, today)[: pattern.third_fridays],
        *(third_friday(today.year + year, _JUNE) for year in range(1, pattern.june_years + 1)),
        *(
            third_friday(today.year + year, _DECEMBER)
            for year in range(1, pattern.december_years + 1)
        ),
    ]
    return sorted(set(found))


def is_standard(expiry: date) -> bool:
    """Return whether an expiry is its month's third Friday, or the session in its place."""
    return expiry == third_friday(expiry.year, expiry.month)


def _month(year: int, month: int, ahead: int) -> date:
    """Return the first day of the month ``ahead`` months after the given one."""
    count = year * 12 + month - 1 + ahead
    return date(count // 12, count % 12 + 1, 1)


def _from(days: list[date], today: date) -> list[date]:
    return [day for day in days if day >= today]


def _dailies(today: date, count: int) -> list[date]:
    found: list[date] = []
    day = today
    while len(found) < count:
        found.append(session_on_or_after(day))
        day = found[-1] + timedelta(1)
    return found


def _fridays(today: date, weeks: int) -> list[date]:
    first = today + timedelta((_FRIDAY - today.weekday()) % 7)
    fridays = [session_on_or_before(first + timedelta(7 * week)) for week in range(weeks)]
    return _from(fridays, today)
