"""When the money of a box moves, and how many years lie between.

Premium is paid on the settlement day after the trade date, the exercise amount on the settlement
day after the expiration date, AM and PM alike (OCC: options settle on the next business day).
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from math import nan
from typing import TYPE_CHECKING

from live_box_spreads.model.errors import ModelError
from live_box_spreads.model.sessions import (
    FIRST_DAY,
    LAST_DAY,
    NEW_YORK,
    close_time,
    session_after,
    session_on_or_after,
    session_on_or_before,
    settlement_day_after,
)

if TYPE_CHECKING:
    from live_box_spreads.model.products import Settlement

__all__ = [
    "DAYS_PER_YEAR",
    "FIRST_SERVED_DAY",
    "LAST_SERVED_DAY",
    "NEW_YORK",
    "TimeBasis",
    "expiry_instant",
    "payment_date",
    "premium_date",
    "trade_date",
    "years_to_payment",
]

DAYS_PER_YEAR = 365
FIRST_SERVED_DAY = FIRST_DAY
LAST_SERVED_DAY = LAST_DAY - timedelta(weeks=2)
"""Expiries and trade dates for which every function here has an answer: the session calendar,
less the days at its end that have no settlement day in it."""

_SECS_PER_YEAR = DAYS_PER_YEAR * 86_400
_NEXT_TRADE_DATE_FROM = time(17)
_AM_SETTLEMENT = time(9, 30)


class TimeBasis(StrEnum):
    """How the life of a loan is measured, in years of 365 days."""

    SETTLEMENT = "settlement"
    """Days between the two payments."""
    EXPIRY_INSTANT = "expiry_instant"
    """Seconds from the quote to the instant that fixes the exercise amount."""


def trade_date(instant: datetime) -> date:
    """Return the trade date of a quote: its New York date; from 17:00 on, the next session.

    On a day without a session it is the next session too.

    Raises:
        ModelError: the instant has no time zone, or is outside the session calendar.
    """
    local = _aware(instant).astimezone(NEW_YORK)
    if local.time() >= _NEXT_TRADE_DATE_FROM:
        return session_after(local.date())
    return session_on_or_after(local.date())


def premium_date(instant: datetime) -> date:
    """Return when the premium of a trade at this instant is paid.

    Raises:
        ModelError: the instant has no time zone, or is outside the session calendar.
    """
    return settlement_day_after(trade_date(instant))


def payment_date(expiry: date) -> date:
    """Return when the exercise amount of options expiring on this date is paid.

    Raises:
        ModelError: the date is outside the session calendar.
    """
    return settlement_day_after(expiry)


def expiry_instant(expiry: date, settlement: Settlement) -> datetime:
    """Return the instant (UTC) that fixes the exercise amount.

    AM: 09:30 New York; PM: 16:00 or the early close. An expiration date without a session (options
    dated Saturday before 2015) uses the last session before it.

    Raises:
        ModelError: the date is outside the session calendar.
    """
    last_session = session_on_or_before(expiry)
    if settlement == "AM":
        return datetime.combine(last_session, _AM_SETTLEMENT, NEW_YORK).astimezone(UTC)
    return close_time(last_session).astimezone(UTC)


def years_to_payment(
    instant: datetime,
    expiry: date,
    settlement: Settlement,
    basis: TimeBasis = TimeBasis.SETTLEMENT,
) -> float:
    """Return the life of a loan made at this instant, in years of 365 days.

    Args:
        instant: when the quotes stood, with a time zone.
        expiry: expiration date of the options.
        settlement: AM or PM.
        basis: between the two payments, or to the expiry instant.

    Returns:
        Years, or NaN where nothing is left (the options have expired, or both payments fall on
        one day).

    Raises:
        ModelError: the instant has no time zone, or a date is outside the session calendar.
    """
    # In UTC, because two New York times an hour apart compare as equal when clocks go back.
    return _years(_aware(instant).astimezone(UTC), expiry, settlement, basis)


@lru_cache(maxsize=4096)
def _years(instant: datetime, expiry: date, settlement: Settlement, basis: TimeBasis) -> float:
    if basis is TimeBasis.SETTLEMENT:
        years = (payment_date(expiry) - premium_date(instant)).days / DAYS_PER_YEAR
    else:
        years = (expiry_instant(expiry, settlement) - instant).total_seconds() / _SECS_PER_YEAR
    return years if years > 0 else nan


def _aware(instant: datetime) -> datetime:
    if instant.utcoffset() is None:
        raise ModelError(
            f"instant {instant.isoformat()} has no time zone; give it one, such as UTC"
        )
    return instant
