"""The columns of a box table: what four legs and their strikes say about each box."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from live_box_spreads.books.box_kernel import BoxPrices
    from live_box_spreads.books.synthetics import Legs, Synthetics

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
    strike = synthetic.forwards.strike
    width = strike[high] - strike[low]
    mid_strike = 0.5 * (strike[high] + strike[low])
    least = np.minimum(synthetic.call.volume, synthetic.put.volume)
    flags = synthetic.call.flags | synthetic.put.flags
    names = _COUNTS + (_QUOTES if leg_quotes else ())
    legs = pl.concat(
        [_legs(leg, getattr(synthetic, leg), names) for leg in ("call", "put")],
        how="horizontal",
    )
    return (
        pl.DataFrame(
            {
                "kl": strike[low],
                "ks": strike[high],
                "width": width,
                "mid_strike": mid_strike,
                "payoff": width,
                **{name: getattr(prices, name) for name in _PRICES},
                "lend_borrow": np.nan_to_num(np.sign(prices.mid_cost)).astype(np.int8),
                "moneyness_kl": strike[low] / synthetic.spot,
                "moneyness_ks": strike[high] / synthetic.spot,
                "moneyness_mid": mid_strike / synthetic.spot,
                "min_leg_volume": _counts(np.minimum(least[low], least[high])),
                **_sizes(synthetic, low, high, prices),
                "quality": flags[low] | flags[high],
            }
        )
        .hstack(_at(legs, low, "kl"))
        .hstack(_at(legs, high, "ks"))
        .with_columns(
            total_leg_volume=pl.sum_horizontal(
                *(f"{leg}_volume" for leg in _LEGS), ignore_nulls=False
            )
        )
    )


def _sizes(
    synthetic: Synthetics, low: Indices, high: Indices, prices: BoxPrices
) -> dict[str, Floats]:
    """Return how many boxes the top of the book has: the smallest of the legs used by a side.

    Lending buys the synthetic forward at ``kl`` and sells the one at ``ks``; borrowing the reverse.
    """
    call, put = synthetic.call, synthetic.put
    buy = np.minimum(call.ask_size, put.bid_size)
    sell = np.minimum(call.bid_size, put.ask_size)
    can_lend, can_borrow = ~np.isnan(prices.ask_cost), ~np.isnan(prices.bid_cost)
    lend = np.where(can_lend, np.minimum(buy[low], sell[high]), np.nan)
    borrow = np.where(can_borrow, np.minimum(sell[low], buy[high]), np.nan)
    either = np.where(can_lend, lend, borrow)
    size = np.where(can_lend & can_borrow, np.minimum(lend, borrow), either)
    return {"lend_size": lend, "borrow_size": borrow, "size": size}


def _legs(leg: str, legs: Legs, names: tuple[str, ...]) -> pl.DataFrame:
    values = {name: getattr(legs, name) for name in names}
    return pl.DataFrame(
        {
            f"{leg}_{{}}_{name}": _counts(value) if name in _COUNTS else value
            for name, value in values.items()
        }
    )


def _at(legs: pl.DataFrame, index: Indices, strike: str) -> pl.DataFrame:
    """Return the legs at the strike of each box, named after it (``kl`` or ``ks``)."""
    return legs.select(
        pl.col(name).gather(pl.lit(pl.Series(index, dtype=pl.UInt32))).alias(name.format(strike))
        for name in legs.columns
    )


def _counts(values: Floats) -> pl.Series:
    """Return counts as integers, null where unknown."""
    return pl.Series(values).fill_nan(None).cast(pl.Int64)
