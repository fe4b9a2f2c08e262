"""The box table: every usable box of one root and expiry, one row each. Derived, never stored."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, partial
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from live_box_spreads.books.boxes.filters import (
    BoxFilters,
    Removals,
    count_widths,
    usable_boxes,
    usable_strikes,
)
from live_box_spreads.books.boxes.prices import StrikePairs, box_prices
from live_box_spreads.model.chain import TIME_TYPE
from live_box_spreads.model.quality import LegFlag, describe_flags
from live_box_spreads.model.rates import Compounding
from live_box_spreads.model.settlement import TimeBasis, years_to_payment

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from datetime import date, datetime

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


@dataclass(frozen=True, slots=True)
class BoxTable:
    """Boxes of one root and expiry at one instant.

    Attributes:
        root: option root.
        expiry: expiration date.
        snapshot_time: the instant of the quotes (UTC).
        tte_years: years to the payment, on the basis asked for; NaN when nothing is left.
        frame: ``BOX_COLUMNS``, or those asked for, ordered by ``kl``, then ``ks``.
        removed: boxes left out, by the first reason that applied (see ``books/boxes/filters.py``);
            with the rows of ``frame`` they make up all pairs of listed strikes.
    """

    root: str
    expiry: date
    snapshot_time: datetime
    tte_years: float
    frame: pl.DataFrame
    removed: Mapping[str, int]


def box_table(
    synthetic: Synthetics,
    snapshot_time: datetime,
    *,
    basis: TimeBasis = TimeBasis.SETTLEMENT,
    compounding: Compounding = Compounding.EFFECTIVE,
    filters: BoxFilters = BoxFilters(),  # noqa: B008 # frozen
    columns: Sequence[str] = BOX_COLUMNS,
) -> BoxTable:
    """Price every box of one root and expiry.

    Args:
        synthetic: the strikes of the expiry.
        snapshot_time: the instant of their quotes (UTC).
        basis: how years are counted.
        compounding: convention of the rates.
        filters: which boxes to keep.
        columns: of ``BOX_COLUMNS`` and ``LEG_QUOTE_COLUMNS``, those that the frame is to have, in
            that order; the fewer, the less memory a table of millions of boxes takes.
    """
    root, expiry = synthetic.root, synthetic.expiry
    removals = Removals()
    usable = np.flatnonzero(usable_strikes(synthetic, filters, removals))
    forwards = synthetic.forwards.take(usable)
    pairs = StrikePairs.within(forwards.strike, filters.min_strike_gap, filters.max_strike_gap)
    count_widths(pairs, removals)
    years = years_to_payment(snapshot_time, expiry, synthetic.settlement, basis)
    prices = box_prices(forwards, pairs, years, compounding)
    keep = usable_boxes(prices, filters, years, removals)
    low, high = (usable[index[keep]] for index in pairs.indices())
    frame = _box_frame(synthetic, low, high, prices.where(keep), columns)
    constants = {
        "ticker": pl.lit(root),
        "expiry": pl.lit(expiry, pl.Date),
        "snapshot_time": pl.lit(snapshot_time, TIME_TYPE),
        "tte_years": pl.lit(years),
        "spot_price": pl.lit(synthetic.spot),
    }
    constants = {name: value for name, value in constants.items() if name in columns}
    return BoxTable(
        root=root,
        expiry=expiry,
        snapshot_time=snapshot_time,
        tte_years=years,
        frame=frame.with_columns(**constants).select(columns),
        removed=MappingProxyType(removals.boxes),
    )


def _box_frame(
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
    """Return the quotes of each leg, and least and total volume of the four (null if unknown)."""
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
    """Return the values of a leg at the strike of each box."""
    values: Floats = getattr(getattr(synthetic, leg), name)
    return (_counts(values) if name in _COUNTS else pl.Series(values))[strikes]


def _counts(values: Floats) -> pl.Series:
    """Return whole numbers, null where unknown."""
    return pl.Series(values).fill_nan(None).cast(pl.Int64)


def quality_in_words(frame: pl.DataFrame) -> pl.DataFrame:
    """Return a box table with ``quality`` as text instead of flags, for programs and people."""
    words = {flags: describe_flags(LegFlag(flags)) for flags in frame["quality"].unique()}
    quality = pl.col("quality").replace_strict(words, return_dtype=pl.String)
    return frame.with_columns(quality)
