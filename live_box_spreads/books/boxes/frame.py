"""The columns of a box table: what four legs and their strikes say about each box."""

from __future__ import annotations

from functools import cache, partial
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from numpy.typing import NDArray

    from live_box_spreads.books.boxes.prices import BoxPrices
    from live_box_spreads.books.strikes.synthetics import Synthetics

    Floats = NDArray[np.float64]
    Indices = NDArray[np.intp]
    Columns = dict[str, Callable[[], NDArray[np.generic] | pl.Series]]

_COUNTS = ("volume", "open_interest")
_QUOTES = ("bid", "ask", "bid_size", "ask_size")
_PRICES = ("mid_cost", "bid_cost", "ask_cost", "mid_rate", "bid_rate", "ask_rate")
_LEGS = ("call_kl", "call_ks", "put_kl", "put_ks")

BOX_COLUMNS = [
    *("ticker", "expiry", "snapshot_time", "kl", "ks", "width", "mid_strike", "tte_years"),
    *("payoff", *_PRICES),
    *("lend_borrow", "spot_price", "moneyness_kl", "moneyness_ks", "moneyness_mid"),
    *(f"{leg}_{count}" for count in _COUNTS for leg in _LEGS),
    *("min_leg_volume", "total_leg_volume", "lend_size", "borrow_size", "size", "quality"),
]
"""Columns of a box table, in order. Points: strikes, width, payoff, costs. Fractions: rates, and
moneyness (strike / spot). Contracts: volumes, open interest (null unknown) and sizes (NaN
unknown, or the side cannot be executed). NaN: a side that cannot be executed, an unknown spot."""

LEG_QUOTE_COLUMNS = [f"{leg}_{quote}" for leg in _LEGS for quote in _QUOTES]
"""Further columns on request: index points and contracts, NaN where absent."""


def box_frame(
    synthetic: Synthetics, low: Indices, high: Indices, prices: BoxPrices, wanted: Collection[str]
) -> pl.DataFrame:
    """Lay out boxes, without the columns that are the same in each row.

    Args:
        synthetic: strikes and legs.
        low: (boxes,) index of each box's ``kl``.
        high: (boxes,) index of its ``ks``.
        prices: (boxes,) costs and rates.
        wanted: names of ``BOX_COLUMNS`` and ``LEG_QUOTE_COLUMNS``; no other is computed, because
            a table of millions of boxes is as large as its columns are many. ``kl`` is always
            there.
    """
    # A column that others need too is computed once, and forgotten when this returns.
    columns: Columns = {
        **_of_strikes(synthetic, low, high),
        **{name: partial(getattr, prices, name) for name in _PRICES},
        "lend_borrow": lambda: np.nan_to_num(np.sign(prices.mid_cost)).astype(np.int8),
        **_of_sizes(synthetic, low, high, prices),
        **_of_legs(synthetic, low, high),
    }
    return pl.DataFrame(
        {name: compute() for name, compute in columns.items() if name in wanted or name == "kl"}
    )


def _of_strikes(synthetic: Synthetics, low: Indices, high: Indices) -> Columns:
    strike = synthetic.forwards.strike
    spot = synthetic.spot if synthetic.spot > 0.0 else np.nan
    flags = synthetic.call.flags | synthetic.put.flags

    @cache
    def width() -> Floats:
        return strike[high] - strike[low]

    @cache
    def middle() -> Floats:
        return 0.5 * (strike[low] + strike[high])

    return {
        "kl": lambda: strike[low],
        "ks": lambda: strike[high],
        "width": width,
        "mid_strike": middle,
        "payoff": width,
        "moneyness_kl": lambda: (strike / spot)[low],
        "moneyness_ks": lambda: (strike / spot)[high],
        "moneyness_mid": lambda: middle() / spot,
        "quality": lambda: flags[low] | flags[high],
    }


def _of_sizes(synthetic: Synthetics, low: Indices, high: Indices, prices: BoxPrices) -> Columns:
    """Return how many boxes the top of the book has: the smallest of the legs used by a side.

    Lending buys the synthetic forward at ``kl`` and sells the one at ``ks``; borrowing the reverse.
    """
    buy, sell = synthetic.buy_size, synthetic.sell_size

    @cache
    def lend() -> Floats:
        return np.where(np.isnan(prices.ask_cost), np.nan, np.minimum(buy[low], sell[high]))

    @cache
    def borrow() -> Floats:
        return np.where(np.isnan(prices.bid_cost), np.nan, np.minimum(sell[low], buy[high]))

    def size() -> Floats:
        can_lend, can_borrow = ~np.isnan(prices.ask_cost), ~np.isnan(prices.bid_cost)
        either = np.where(can_lend, lend(), borrow())
        return np.where(can_lend & can_borrow, np.minimum(lend(), borrow()), either)

    return {"lend_size": lend, "borrow_size": borrow, "size": size}


def _of_legs(synthetic: Synthetics, low: Indices, high: Indices) -> Columns:
    """Return what each leg says, and the least and total volume of the four (null if unknown)."""
    ends = {end: pl.Series(at, dtype=pl.UInt32) for end, at in (("kl", low), ("ks", high))}
    columns: Columns = {
        f"{leg}_{end}_{name}": partial(_at, synthetic, leg, name, at)
        for leg in ("call", "put")
        for end, at in ends.items()
        for name in (*_COUNTS, *_QUOTES)
    }
    call, put = synthetic.call.volume, synthetic.put.volume
    least, total = np.minimum(call, put), _counts(call + put)  # unknown if one is
    columns["min_leg_volume"] = lambda: _counts(np.minimum(least[low], least[high]))
    columns["total_leg_volume"] = lambda: total[ends["kl"]] + total[ends["ks"]]
    return columns


def _at(synthetic: Synthetics, leg: str, name: str, strikes: pl.Series) -> pl.Series:
    """Return what a leg says at the strike of each box."""
    values: Floats = getattr(getattr(synthetic, leg), name)
    return (_counts(values) if name in _COUNTS else pl.Series(values))[strikes]


def _counts(values: Floats) -> pl.Series:
    """Return whole numbers, null where unknown."""
    return pl.Series(values).fill_nan(None).cast(pl.Int64)
