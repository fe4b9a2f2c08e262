"""The term structure: one rate an expiry, from the boxes near a chosen moneyness."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Iterable

    from live_box_spreads.books.boxes.table import BoxTable

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


def term_structure(
    tables: Iterable[BoxTable],
    *,
    centre: float,
    band: float,
    price: Literal["mid", "bid", "ask"] = "mid",
) -> pl.DataFrame:
    """Return a row for each table, in their order.

    Args:
        tables: boxes of one expiry each; gone through once, and no table is kept.
        centre: moneyness (middle strike / spot) in the middle of the band.
        band: a box counts where its ``moneyness_mid`` is within ``centre`` ± ``band``. Without a
            spot there is no moneyness, and no box counts.
        price: whose rates: mid, bid (borrow) or ask (lend).

    Returns:
        ``expiry``, ``tte_years``; ``rate``: median of the boxes; ``low`` and ``high``: their 10 %
        and 90 % quantiles; ``best_lend_rate``: highest ``ask_rate``; ``best_borrow_rate``: lowest
        ``bid_rate``; ``boxes``: how many have the rate asked for. Rates are fractions, NaN where
        no box has one.
    """
    return pl.DataFrame([_row(table, centre, band, price) for table in tables], schema=_SCHEMA)


def _row(table: BoxTable, centre: float, band: float, price: str) -> dict[str, Any]:
    near = table.frame.filter((pl.col("moneyness_mid") - centre).abs() <= band)
    rate = pl.col(f"{price}_rate")
    rate = rate.filter(rate.is_finite())
    lend, borrow = pl.col("ask_rate"), pl.col("bid_rate")
    found: dict[str, Any] = (
        near.select(
            rate=rate.median(),
            low=rate.quantile(0.1, "linear"),
            high=rate.quantile(0.9, "linear"),
            best_lend_rate=lend.filter(lend.is_finite()).max(),
            best_borrow_rate=borrow.filter(borrow.is_finite()).min(),
        )
        .fill_null(float("nan"))
        .row(0, named=True)
    )
    boxes = near.select(rate.len()).item()
    return {"expiry": table.expiry, "tte_years": table.tte_years, **found, "boxes": boxes}
