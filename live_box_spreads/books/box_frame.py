"""The columns of a box table: what four legs and their strikes say about each box."""

from __future__ import annotations

from functools import reduce
from operator import add
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from live_box_spreads.books.box_kernel import BoxPrices
    from live_box_spreads.books.synthetics import Synthetics

    Floats = NDArray[np.float64]
    Indices = NDArray[np.intp]

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

_VOLUMES = [pl.col(f"{leg}_volume") for leg in _LEGS]
_TOTAL_VOLUME = reduce(add, _VOLUMES)  # null if one is
_MIN_VOLUME = pl.when(_TOTAL_VOLUME.is_not_null()).then(pl.min_horizontal(_VOLUMES))


def box_frame(
    synthetic: Synthetics, low: Indices, high: Indices, prices: BoxPrices, *, leg_quotes: bool
) -> pl.DataFrame:
    """Lay out boxes, without the columns that are the same in each row.

    Args:
        synthetic: strikes and legs.
        low: (boxes,) index of each box's ``kl``.
        high: (boxes,) index of its ``ks``.
        prices: (boxes,) costs and rates.
        leg_quotes: add ``LEG_QUOTE_COLUMNS``.
    """
    strike, spot = synthetic.forwards.strike, synthetic.spot
    kl, ks = strike[low], strike[high]
    width, mid_strike = ks - kl, 0.5 * (kl + ks)
    flags = synthetic.call.flags | synthetic.put.flags
    per_box = {
        "kl": kl,
        "ks": ks,
        "width": width,
        "mid_strike": mid_strike,
        "payoff": width,
        **{name: getattr(prices, name) for name in _PRICES},
        "lend_borrow": np.nan_to_num(np.sign(prices.mid_cost)).astype(np.int8),
        "moneyness_kl": (strike / spot)[low],
        "moneyness_ks": (strike / spot)[high],
        "moneyness_mid": mid_strike / spot,
        **_sizes(synthetic, low, high, prices),
        "quality": flags[low] | flags[high],
    }
    legs = _legs_by_strike(synthetic, _COUNTS + (_QUOTES if leg_quotes else ()))
    frame = pl.DataFrame(per_box).hstack(_at(legs, low, "kl")).hstack(_at(legs, high, "ks"))
    return frame.with_columns(min_leg_volume=_MIN_VOLUME, total_leg_volume=_TOTAL_VOLUME)


def _sizes(
    synthetic: Synthetics, low: Indices, high: Indices, prices: BoxPrices
) -> dict[str, Floats]:
    """Return how many boxes the top of the book has: the smallest of the legs used by a side.

    Lending buys the synthetic forward at ``kl`` and sells the one at ``ks``; borrowing the reverse.
    """
    buy, sell = synthetic.buy_size, synthetic.sell_size
    can_lend, can_borrow = ~np.isnan(prices.ask_cost), ~np.isnan(prices.bid_cost)
    lend = np.where(can_lend, np.minimum(buy[low], sell[high]), np.nan)
    borrow = np.where(can_borrow, np.minimum(sell[low], buy[high]), np.nan)
    either = np.where(can_lend, lend, borrow)
    size = np.where(can_lend & can_borrow, np.minimum(lend, borrow), either)
    return {"lend_size": lend, "borrow_size": borrow, "size": size}


def _legs_by_strike(synthetic: Synthetics, names: tuple[str, ...]) -> pl.DataFrame:
    """Return the legs of each strike; ``{}`` in a column's name stands for ``kl`` or ``ks``."""
    columns = {
        f"{leg}_{{}}_{name}": getattr(getattr(synthetic, leg), name)
        for leg in ("call", "put")
        for name in names
    }
    counts = [pl.col(f"^.*_{name}$").fill_nan(None).cast(pl.Int64) for name in _COUNTS]
    return pl.DataFrame(columns).with_columns(counts)


def _at(legs: pl.DataFrame, index: Indices, strike: str) -> pl.DataFrame:
    """Return the legs at the strike of each box, named after it (``kl`` or ``ks``)."""
    found = legs[pl.Series(index, dtype=pl.UInt32)]
    return found.rename(lambda name: name.format(strike))
