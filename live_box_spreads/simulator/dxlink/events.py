"""DXLink market events: which fields exist, and their values out of the market's book."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from live_box_spreads.simulator.market.book import NEVER
from live_box_spreads.simulator.market.market import Market

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

Rows = NDArray[np.intp]
Column = Callable[[Market, Rows], list[Any]]


def _constant(value: object) -> Column:
    return lambda _market, rows: [value] * len(rows)


def _symbol(market: Market, rows: Rows) -> list[Any]:
    return [market.symbols[row] for row in rows.tolist()]


def _book(name: str) -> Column:
    def column(market: Market, rows: Rows) -> list[Any]:
        return json_doubles(getattr(market.book, name)[rows])

    return column


def _open_interest(market: Market, rows: Rows) -> list[Any]:
    held: list[Any] = np.nan_to_num(market.book.open_interest[rows]).astype(np.int64).tolist()
    return held


def _change(market: Market, rows: Rows) -> list[Any]:
    return json_doubles(np.round(market.book.last[rows] - market.book.close[rows], 2))


def _day_id(days_before: int) -> Column:
    def column(market: Market, rows: Rows) -> list[Any]:
        return [int(market.now.timestamp()) // 86_400 - days_before] * len(rows)

    return column


def json_doubles(values: NDArray[np.float64]) -> list[Any]:
    """Return JSON values; DXLink writes what is not a number as the string ``"NaN"``."""
    plain: list[Any] = values.tolist()
    if np.isnan(values).any():
        plain = ["NaN" if value != value else value for value in plain]  # noqa: PLR0124 - NaN test
    return plain


_NAN = _constant("NaN")
_ZERO = _constant(0)  # times and sequences are always 0 on this feed
_NO_TEXT = _constant("")

FIELDS: dict[str, dict[str, Column]] = {
    "Quote": {
        "eventSymbol": _symbol,
        "eventType": _constant("Quote"),
        "eventTime": _ZERO,
        "sequence": _ZERO,
        "timeNanoPart": _ZERO,
        "bidTime": _ZERO,
        "bidExchangeCode": _NO_TEXT,
        "bidPrice": _book("bid"),
        "bidSize": _book("bid_size"),
        "askTime": _ZERO,
        "askExchangeCode": _NO_TEXT,
        "askPrice": _book("ask"),
        "askSize": _book("ask_size"),
    },
    "Trade": {
        "eventSymbol": _symbol,
        "eventType": _constant("Trade"),
        "eventTime": _ZERO,
        "time": _ZERO,
        "timeNanoPart": _ZERO,
        "sequence": _ZERO,
        "exchangeCode": _NO_TEXT,
        "price": _book("last"),
        "change": _change,
        "size": _book("last_size"),
        "dayId": _day_id(0),
        "dayVolume": _book("volume"),
        "dayTurnover": _NAN,
        "tickDirection": _constant("UNDEFINED"),
        "extendedTradingHours": _constant(value=False),
    },
    "Summary": {
        "eventSymbol": _symbol,
        "eventType": _constant("Summary"),
        "eventTime": _ZERO,
        "dayId": _day_id(0),
        "dayOpenPrice": _NAN,
        "dayHighPrice": _NAN,
        "dayLowPrice": _NAN,
        "dayClosePrice": _NAN,
        "dayClosePriceType": _constant("REGULAR"),
        "prevDayId": _day_id(1),
        "prevDayClosePrice": _book("close"),
        "prevDayClosePriceType": _constant("FINAL"),
        "prevDayVolume": _NAN,
        "openInterest": _open_interest,
    },
}
"""Known fields by event type, in the order in which they are sent unless asked otherwise."""


def changed_steps(market: Market, event_type: str) -> NDArray[np.int64]:
    """Return the market step of each instrument's last event of a type; ``book.NEVER`` for none."""
    if event_type == "Quote":
        return market.book.quote_step
    if event_type == "Trade":
        return market.book.trade_step
    traded = market.book.trade_step != NEVER
    return np.where(traded, market.book.day_step, NEVER)


def event_columns(
    market: Market, event_type: str, fields: Sequence[str], rows: Rows, unknown: Collection[str]
) -> list[list[Any]]:
    """Return one list a field with the values of some instruments; ``unknown`` fields are NaN."""
    columns = FIELDS[event_type]
    return [(_NAN if name in unknown else columns[name])(market, rows) for name in fields]


def compact(columns: list[list[Any]]) -> list[Any]:
    """Return events as DXLink's flat COMPACT array: all fields of the first one, and so on."""
    return list(chain.from_iterable(zip(*columns, strict=True)))


def full(event_type: str, fields: Sequence[str], columns: list[list[Any]]) -> list[Any]:
    """Return events as objects, empty fields left out.

    Each has its ``eventType``, asked for or not: it is how the specification distinguishes events.
    """
    return [
        {"eventType": event_type}
        | {name: value for name, value in zip(fields, values, strict=True) if value != ""}
        for values in zip(*columns, strict=True)
    ]
