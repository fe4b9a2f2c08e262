"""Bodies of the market-data and market-time calls."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from live_box_spreads.model.sessions import (
    NEW_YORK,
    REGULAR_CLOSE,
    close_time,
    is_session,
    session_after,
    session_on_or_after,
    session_on_or_before,
)
from live_box_spreads.simulator.rest.responses import decimal

if TYPE_CHECKING:
    from live_box_spreads.simulator.market.market import Market

_START, _OPEN, _EXTENDED_CLOSE = time(8, 15), time(9, 30), time(20, 0)
_SATURDAY = 5


def instrument_item(market: Market, row: int, symbol: str, kind: str) -> dict[str, Any]:
    """Return an instrument's quote, last trade and slow fields.

    What is unknown is left out, but for the sizes: a side that is not quoted has size 0.

    Args:
        market: where they come from.
        row: number of the instrument.
        symbol: what the caller calls it (an OCC symbol or an index).
        kind: the vendor's instrument type.
    """
    book = market.book
    bid, ask = float(book.bid[row]), float(book.ask[row])
    mid = (bid + ask) / 2
    last = float(book.last[row])
    numbers = {
        "bid": bid,
        "bid-size": _size(float(book.bid_size[row])),
        "ask": ask,
        "ask-size": _size(float(book.ask_size[row])),
        "mid": mid,
        "mark": last if math.isnan(mid) else mid,
        "last": last,
        "last-mkt": last,
        "prev-close": float(book.close[row]),
        "volume": float(book.volume[row]),
        "open-interest": float(book.open_interest[row]),
    }
    today = session_on_or_before(market.now.astimezone(NEW_YORK).date())
    before = session_on_or_before(today - timedelta(days=1))
    return {
        "symbol": symbol,
        "instrument-type": kind,
        "updated-at": _updated_at(market, row),
        **{name: decimal(value) for name, value in numbers.items() if not math.isnan(value)},
        "close-price-type": "Unknown",
        "prev-close-date": before.isoformat(),
        "prev-close-price-type": "Final",
        "summary-date": today.isoformat(),
        "is-trading-halted": False,
        "halt-start-time": -1,
        "halt-end-time": -1,
    }


def _updated_at(market: Market, row: int) -> str:
    """Return when a contract was last quoted; for what has no quote of its own, now."""
    quoted_at_secs = float(market.book.quoted_at_secs[row])
    known = not math.isnan(quoted_at_secs)
    instant = datetime.fromtimestamp(quoted_at_secs, UTC) if known else market.now.astimezone(UTC)
    return instant.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _size(contracts: float) -> float:
    return 0.0 if math.isnan(contracts) else contracts


def current_session(now: datetime) -> dict[str, Any]:
    """Return the state of the equity market, with its session and the ones beside it."""
    local = now.astimezone(NEW_YORK)
    today = session_on_or_after(local.date())
    session = _session(today)
    return {
        **session,
        "state": _state(local, today),
        "next-session": _session(session_after(today)),
        "previous-session": _session(session_on_or_before(today - timedelta(1))),
    }


def holidays(year: int) -> dict[str, list[str]]:
    """Return the weekdays of a year and the next on which the market is closed or closes early."""
    first = date(year, 1, 1)
    days = [first + timedelta(number) for number in range((date(year + 2, 1, 1) - first).days)]
    weekdays = [day for day in days if day.weekday() < _SATURDAY]
    closed = [day for day in weekdays if not is_session(day)]
    half = [day for day in weekdays if is_session(day) and close_time(day).time() < REGULAR_CLOSE]
    return {
        "market-holidays": [day.isoformat() for day in closed],
        "market-half-days": [day.isoformat() for day in half],
    }


def _session(day: date) -> dict[str, Any]:
    return {
        "instrument-collection": "Equity",
        "session-date": day.isoformat(),
        "start-at": _instant(datetime.combine(day, _START, NEW_YORK)),
        "open-at": _instant(datetime.combine(day, _OPEN, NEW_YORK)),
        "close-at": _instant(close_time(day)),
        "close-at-ext": _instant(datetime.combine(day, _EXTENDED_CLOSE, NEW_YORK)),
    }


def _state(local: datetime, session: date) -> str:
    if local.date() != session:
        return "Closed"
    if local < datetime.combine(session, _OPEN, NEW_YORK):
        return "Pre-market" if local.time() >= _START else "Closed"
    if local < close_time(session):
        return "Open"
    return "Extended" if local.time() < _EXTENDED_CLOSE else "Closed"


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")
