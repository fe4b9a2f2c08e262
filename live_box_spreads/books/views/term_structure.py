"""The term structure: one rate an expiry, from the boxes near a chosen moneyness."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from numpy.typing import NDArray

    from live_box_spreads.books.boxes.table import BoxTable
    from live_box_spreads.boxspread import QuoteSide

_SCHEMA = pl.Schema(
    {
        "expiry": pl.Date(),
        "tte_years": pl.Float64(),
        "rate": pl.Float64(),
        "low": pl.Float64(),
        "high": pl.Float64(),
        "best_lend_rate": pl.Float64(),
        "best_borrow_rate": pl.Float64(),
        "boxes": pl.UInt32(),
    }
)
_LOW, _HIGH = 0.1, 0.9


class TermRow(NamedTuple):
    """One expiry of a term structure; rates are fractions, NaN where no box has one.

    Attributes:
        expiry: expiration date.
        tte_years: years to the payment; NaN where nothing is left.
        rate: median of the boxes.
        low: their 10 % quantile.
        high: their 90 % quantile.
        best_lend_rate: highest ``ask_rate``.
        best_borrow_rate: lowest ``bid_rate``.
        boxes: how many have the rate asked for.
    """

    expiry: date
    tte_years: float
    rate: float
    low: float
    high: float
    best_lend_rate: float
    best_borrow_rate: float
    boxes: int


def term_row(table: BoxTable, *, centre: float, band: float, price: QuoteSide = "mid") -> TermRow:
    """Return the rate of one expiry.

    Args:
        table: its boxes, with ``moneyness_mid`` and the three rates.
        centre: moneyness (middle strike / spot) in the middle of the band.
        band: a box counts where its ``moneyness_mid`` is within ``centre`` ± ``band``. Without a
            spot there is no moneyness, and no box counts.
        price: whose rates: mid, bid (borrow) or ask (lend).
    """
    frame = table.frame
    near = np.abs(frame["moneyness_mid"].to_numpy() - centre) <= band

    def finite(name: str) -> NDArray[np.float64]:
        rates: NDArray[np.float64] = frame[name].to_numpy()[near]
        return rates[np.isfinite(rates)]

    rates, lend, borrow = finite(f"{price}_rate"), finite("ask_rate"), finite("bid_rate")
    low, middle, high = (
        np.quantile(rates, [_LOW, 0.5, _HIGH]) if rates.size else (np.nan, np.nan, np.nan)
    )
    return TermRow(
        expiry=table.expiry,
        tte_years=table.tte_years,
        rate=float(middle),
        low=float(low),
        high=float(high),
        best_lend_rate=float(lend.max()) if lend.size else np.nan,
        best_borrow_rate=float(borrow.min()) if borrow.size else np.nan,
        boxes=int(rates.size),
    )


def term_structure(rows: Iterable[TermRow]) -> pl.DataFrame:
    """Return the fields of ``TermRow`` as columns, in the order given."""
    return pl.DataFrame([row._asdict() for row in rows], schema=_SCHEMA)
