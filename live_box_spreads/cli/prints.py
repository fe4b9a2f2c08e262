"""``boxes prints``: the boxes that traded, found in a file of trade prints."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from live_box_spreads.books.conventions import Conventions
from live_box_spreads.books.desk import Desk
from live_box_spreads.books.prints import printed_boxes
from live_box_spreads.cli.options import CompoundingOption, FormatOption, OutOption, examples
from live_box_spreads.cli.output import give, people_table, refuse_binary_terminal, tell
from live_box_spreads.cli.progress import progress_bar
from live_box_spreads.feeds.importers.prints import read_prints
from live_box_spreads.model.rates import Compounding
from live_box_spreads.stores.snapshots import read_snapshot

if TYPE_CHECKING:
    import polars as pl
    from rich.table import Table

app = typer.Typer(add_completion=False)

_SHOWN = {
    "time": "{:%Y-%m-%d %H:%M:%S}",
    "root": "{}",
    "expiry": "{}",
    "kl": "{:g}",
    "ks": "{:g}",
    "width": "{:g}",
    "size": "{:,}",
    "price": "{:.2f}",
    "rate": "{:.3%}",
    "fair_rate": "{:.3%}",
    "distance_bps": "{:+.1f}",
    "fair_source": "{}",
    "note": "{}",
}


@app.command(
    epilog=examples(
        "boxes prints spx_option_prints_20240920.csv.gz",
        "boxes prints prints.csv --snapshot snapshot_20240920_170000.parquet",
        "boxes prints prints.csv --compounding simple --format csv --out printed_boxes.csv",
    ),
)
def prints(
    file: Annotated[Path, typer.Argument(help="CSV of trade prints, plain or gzip.")],
    *,
    snapshot: Annotated[
        Path | None,
        typer.Option(
            metavar="F", help="Compare with the fair curve of this snapshot, of the same day."
        ),
    ] = None,
    compounding: CompoundingOption = None,
    format_: FormatOption = "table",
    out: OutOption = None,
    limit: Annotated[int, typer.Option(min=0, help="Rows that the table shows; 0 shows all.")] = 20,
) -> None:
    """Find box trades in a file of option prints: four legs of one time and one size.

    Each comes with its rate, from payment to payment, and its distance to the fair curve of a
    snapshot, or to the other boxes of its expiry. Prints that could only be guessed to be a box
    are counted on stderr.
    """
    refuse_binary_terminal(format_, out)
    with progress_bar() as progress:
        progress(f"boxes in {file.name}", 0, 1)
        how = Conventions(compounding=Compounding(compounding or "effective"))
        read = read_prints(file)
        if snapshot:
            found = Desk(read_snapshot(snapshot), how).prints(read.frame)
        else:
            found = printed_boxes(read.frame, compounding=how.compounding)
    give(found.frame, format_, out, lambda: _table(found.frame, file.name, limit))
    tell(f"{found.prints:,} prints, {found.used:,} of them in {len(found.frame):,} boxes")
    for reason, groups in found.unassigned.items():
        tell(f"{groups:,} groups of prints not assigned: {reason}")
    for reason, rows in read.rejected.items():
        tell(f"{rows:,} rows rejected: {reason}")


def _table(frame: pl.DataFrame, name: str, limit: int) -> Table:
    shown = frame.head(limit or len(frame))
    caption = f"{len(shown):,} of {len(frame):,} boxes, in the order of their time (UTC)"
    return people_table(shown, _SHOWN, f"boxes in {name}", caption)
