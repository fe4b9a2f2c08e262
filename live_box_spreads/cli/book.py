"""``boxes book``: the box table of one root and expiry of a snapshot."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import polars as pl
import typer

from live_box_spreads.books.boxes.filters import BoxFilters
from live_box_spreads.books.boxes.table import quality_in_words
from live_box_spreads.books.desk import Desk
from live_box_spreads.cli.conventions import conventions
from live_box_spreads.cli.options import (
    CompoundingOption,
    FiltersOption,
    FormatOption,
    OutOption,
    TimeBasisOption,
    examples,
)
from live_box_spreads.cli.output import (
    give,
    people_table,
    quoted,
    refuse_binary_terminal,
    tell,
    tell_caveat,
)
from live_box_spreads.cli.progress import progress_bar
from live_box_spreads.settings import Settings, load_settings
from live_box_spreads.stores.snapshots import read_snapshot

if TYPE_CHECKING:
    from rich.table import Table

app = typer.Typer(add_completion=False)

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


@app.command(
    epilog=examples(
        "boxes book snapshot_20250904_181500.parquet --root SPX --expiry 2025-12-19",
        "boxes book S.parquet --root SPX --expiry 2025-12-19 --format csv --out boxes.csv",
        "boxes book S.parquet --root XSP --expiry 2025-12-19 --filters --limit 50",
    ),
)
def book(  # noqa: PLR0913 # one argument an option
    snapshot: Annotated[Path, typer.Argument(help="Snapshot file, parquet or csv.")],
    *,
    root: Annotated[str, typer.Option(help="Option root, such as SPX or SPXW.")],
    expiry: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="Expiration date.")],
    format_: FormatOption = "table",
    out: OutOption = None,
    compounding: CompoundingOption = None,
    time_basis: TimeBasisOption = None,
    config: Annotated[
        Path | None,
        typer.Option(metavar="F", help="Apply the thresholds and conventions of this file."),
    ] = None,
    filters: FiltersOption = False,
    min_strike_gap: Annotated[
        float | None, typer.Option(min=0.0, help="Narrowest box, in index points.")
    ] = None,
    max_strike_gap: Annotated[
        float | None, typer.Option(min=0.0, help="Widest box, in index points.")
    ] = None,
    allow_american: Annotated[
        bool,
        typer.Option("--allow-american", help="Take an American-style root, where it is no loan."),
    ] = False,
    limit: Annotated[int, typer.Option(min=0, help="Rows that the table shows; 0 shows all.")] = 20,
) -> None:
    """Show every box of one root and expiry: costs, lending and borrowing rates.

    Without --filters or --config there are no thresholds: each pair of strikes that can be
    executed is there. Boxes that were left out are counted by reason on stderr.
    """
    refuse_binary_terminal(format_, out)
    configured = load_settings(config) if filters or config else None
    settings = configured or Settings()
    day = expiry.date()
    with progress_bar() as progress:
        progress(f"boxes of {root} {day}", 0, 1)
        desk = Desk(
            read_snapshot(snapshot),
            conventions(
                settings,
                compounding,
                time_basis,
                filters=_filters(root, configured, min_strike_gap, max_strike_gap),
            ),
        )
        table = desk.boxes(root, day, allow_american=allow_american)
    title = f"{root} {day}: {quoted(desk.chain)}"
    give(
        quality_in_words(table.frame),
        format_,
        out,
        lambda: _tightest(table.frame, title, limit),
    )
    for reason, boxes in table.removed.items():
        tell(f"{boxes:,} boxes left out: {reason}")
    tell_caveat(desk.chain)


def _filters(
    root: str, configured: Settings | None, min_gap: float | None, max_gap: float | None
) -> BoxFilters:
    """Return the configured thresholds, or none, with the gaps of the command line on top."""
    base = configured.box_filters(root) if configured else BoxFilters()
    return replace(
        base,
        min_strike_gap=base.min_strike_gap if min_gap is None else min_gap,
        max_strike_gap=base.max_strike_gap if max_gap is None else max_gap,
    )


def _tightest(frame: pl.DataFrame, title: str, limit: int) -> Table:
    """Return the tightest boxes as a rich table: rates in per cent, a dash for NaN.

    Args:
        frame: the box table.
        title: what stands above it.
        limit: number of rows shown; 0 shows all.
    """
    spread = (pl.col("bid_rate") - pl.col("ask_rate")).fill_nan(None)
    shown = frame.sort(spread, nulls_last=True, maintain_order=True).head(limit or len(frame))
    caption = f"{len(shown):,} of {len(frame):,} boxes, tightest first"
    return people_table(quality_in_words(shown), _SHOWN, title, caption)
