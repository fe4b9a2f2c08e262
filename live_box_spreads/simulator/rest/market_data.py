"""Bodies of the market-data calls."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from live_box_spreads.model.sessions import NEW_YORK, session_on_or_before
from live_box_spreads.simulator.rest.responses import decimal

if TYPE_CHECKING:
    from live_box_spreads.simulator.market.market import Market


def instrument_item(market: Market, row: int, symbol: str, kind: str) -> dict[str, Any]:
    """Return an instrument's quote, last trade and slow fields.

    What is unknown is left out, but for the sizes: a side that nobody quotes has size 0.

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
        "updated-at": market.now.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        **{name: decimal(value) for name, value in numbers.items() if not math.isnan(value)},
        "close-price-type": "Unknown",
        "prev-close-date": before.isoformat(),
        "prev-close-price-type": "Final",
        "summary-date": today.isoformat(),
        "is-trading-halted": False,
        "halt-start-time": -1,
        "halt-end-time": -1,
    }


def _size(contracts: float) -> float:
    return 0.0 if math.isnan(contracts) else contracts
