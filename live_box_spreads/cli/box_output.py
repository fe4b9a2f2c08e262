"""A box table for programs and for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from live_box_spreads.cli.output import people_table
from live_box_spreads.model.quality import LegFlag, describe_flags

if TYPE_CHECKING:
    from rich.table import Table

_SHOWN = {
    "kl": "{:g}",
    "ks": "{:g}",
    "width": "{:g}",
    "bid_cost": "{:.2f}",
    "mid_cost": "{:.2f}",
    "ask_cost": "{:.2f}",
    "ask_rate": "{:.3%}",
    "mid_rate": "{:.3%}",
    "bid_rate": "{:.3%}",
    "size": "{:g}",
    "min_leg_volume": "{:,}",
    "quality": "{}",
}
"""Columns that the table shows, and how."""


def for_programs(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the table with quality as text; rates stay fractions."""
    words = {flags: describe_flags(LegFlag(flags)) for flags in frame["quality"].unique()}
    quality = pl.col("quality").replace_strict(words, return_dtype=pl.String)
    return frame.with_columns(quality)


def for_people(frame: pl.DataFrame, title: str, limit: int) -> Table:
    """Return the tightest boxes as a rich table: rates in per cent, a dash for NaN.

    Args:
        frame: the box table.
        title: what stands above it.
        limit: number of rows shown; 0 shows all.
    """
    spread = (pl.col("bid_rate") - pl.col("ask_rate")).fill_nan(None)
    shown = frame.sort(spread, nulls_last=True, maintain_order=True).head(limit or len(frame))
    caption = f"{len(shown):,} of {len(frame):,} boxes, tightest first"
    return people_table(for_programs(shown), _SHOWN, title, caption)
