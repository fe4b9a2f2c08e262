"""A box table for programs (CSV, JSON, Parquet) and for people."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import polars as pl
from rich.console import Console
from rich.table import Table

from live_box_spreads.model.quality import LegFlag, describe_flags

if TYPE_CHECKING:
    from collections.abc import Callable

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

_WIDTH = 160  # in characters, where there is no terminal that says its own


def for_programs(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the table with quality as text; rates stay fractions. Null is no finite number."""
    words = {flags: describe_flags(LegFlag(flags)) for flags in frame["quality"].unique()}
    quality = pl.col("quality").replace_strict(words, return_dtype=pl.String)
    floats = pl.selectors.float()
    return frame.with_columns(quality, pl.when(floats.is_finite()).then(floats))


def to_csv(frame: pl.DataFrame) -> bytes:
    """Return CSV with a header; ISO dates, instants in UTC with a Z, an empty field for NaN."""
    return _iso_instants(for_programs(frame)).write_csv().encode()


def to_json(frame: pl.DataFrame) -> bytes:
    """Return a JSON list of records; ISO dates, instants in UTC with a Z, null for NaN."""
    return _iso_instants(for_programs(frame)).write_json().encode() + b"\n"


def to_parquet(frame: pl.DataFrame) -> bytes:
    """Return Parquet with the types of the table, NaN as null, quality as text."""
    buffer = io.BytesIO()
    for_programs(frame).write_parquet(buffer)
    return buffer.getvalue()


ENCODERS: dict[str, Callable[[pl.DataFrame], bytes]] = {
    "csv": to_csv,
    "json": to_json,
    "parquet": to_parquet,
}


def print_table(frame: pl.DataFrame, title: str, limit: int) -> None:
    """Print the tightest boxes for a person; rates in per cent, a dash for NaN.

    Args:
        frame: the box table.
        title: what stands above it.
        limit: number of rows shown; 0 shows all.
    """
    console = Console()
    if not console.is_terminal:
        console.width = _WIDTH
    console.print(_table(frame, title, limit))


def table_text(frame: pl.DataFrame, title: str, limit: int) -> str:
    """Return what ``print_table`` prints, without colours."""
    console = Console(file=io.StringIO(), width=_WIDTH, record=True)
    console.print(_table(frame, title, limit))
    return console.export_text()


def _table(frame: pl.DataFrame, title: str, limit: int) -> Table:
    spread = (pl.col("bid_rate") - pl.col("ask_rate")).fill_nan(None)
    shown = frame.sort(spread, nulls_last=True, maintain_order=True).head(limit or len(frame))
    table = Table(title=title, caption=f"{len(shown):,} of {len(frame):,} boxes, tightest first")
    for name in _SHOWN:
        table.add_column(name, justify="left" if name == "quality" else "right", no_wrap=True)
    for row in for_programs(shown).select(_SHOWN.keys()).iter_rows():
        table.add_row(*map(_cell, _SHOWN.values(), row))
    return table


def _cell(form: str, value: Any) -> str:
    return "-" if value is None else form.format(value)


def _iso_instants(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(pl.selectors.datetime().dt.strftime("%Y-%m-%dT%H:%M:%S%.3fZ"))
