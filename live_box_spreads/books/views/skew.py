"""The skew of an expiry: the rates of its boxes over their middle strikes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from live_box_spreads.books.views.liquid import RATE_SPREAD

if TYPE_CHECKING:
    from live_box_spreads.books.boxes.table import BoxTable

SKEW_COLUMNS = [
    *("mid_strike", "moneyness_mid", "kl", "ks", "width"),
    *("mid_rate", "bid_rate", "ask_rate", "min_leg_volume"),
]


def skew(table: BoxTable, *, limit: int = 400) -> pl.DataFrame:
    """Return the tightest box of each middle strike: that with the least ``bid_rate - ask_rate``.

    Where there are more middle strikes than ``limit``, the range between the lowest and the
    highest is cut into ``limit`` equal cells and each gives its tightest box. Boxes of which only
    one side can be executed have no spread and are left out.

    Args:
        table: boxes of one expiry.
        limit: most rows to return.

    Returns:
        ``SKEW_COLUMNS``, ordered by ``mid_strike``; units as in the box table.
    """
    strike = pl.col("mid_strike")
    boxes = table.frame.select(SKEW_COLUMNS).filter(RATE_SPREAD.is_finite())
    if boxes["mid_strike"].n_unique() > limit:
        position = (strike - strike.min()) / (strike.max() - strike.min())
        cell = (position * limit).floor().clip(upper_bound=limit - 1)
    else:
        cell = strike
    tightest = (
        boxes.with_columns(cell=cell)
        .group_by("cell")
        .agg(pl.all().sort_by(RATE_SPREAD, "width", descending=[False, True]).first())
    )
    return tightest.select(SKEW_COLUMNS).sort("mid_strike")
