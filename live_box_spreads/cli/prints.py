"""``boxes prints``: the boxes that traded, found in a file of trade prints."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from live_box_spreads.cli.options import CompoundingOption, FormatOption, OutOption, examples
from live_box_spreads.cli.output import give, people_table, refuse_binary_terminal, tell

if TYPE_CHECKING:
    import polars as pl
    from rich.table import Table

    from live_box_spreads.books.prints import FairCurve
    from live_box_spreads.model.rates import Compounding

app = typer.Typer()

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
    """Find box trades in a file of option prints: four legs of one millisecond and one size.

    Each comes with its rate, from payment to payment, and its distance to the fair curve of a
    snapshot, or to the other boxes of its expiry. Prints that could only be guessed to be a box
    are counted on stderr.
    """
    refuse_binary_terminal(format_, out)
    from live_box_spreads.books.prints import printed_boxes  # noqa: PLC0415
    from live_box_spreads.cli.progress import progress_bar  # noqa: PLC0415
    from live_box_spreads.feeds.importers.prints import read_prints  # noqa: PLC0415
    from live_box_spreads.model.rates import Compounding  # noqa: PLC0415

    with progress_bar() as progress:
        progress(f"boxes in {file.name}", 0, 1)
        said = Compounding(compounding or "effective")
        read = read_prints(file)
        fair = _fair_curve(snapshot, said) if snapshot else None
        found = printed_boxes(read.frame, compounding=said, curve=fair)
    give(found.frame, format_, out, lambda: _table(found.frame, file.name, limit))
    tell(f"{found.prints:,} prints, {found.used:,} of them in {len(found.frame):,} boxes")
    for reason, groups in found.unassigned.items():
        tell(f"{groups:,} groups of prints not assigned: {reason}")
    for reason, rows in read.rejected.items():
        tell(f"{rows:,} rows rejected: {reason}")


def _fair_curve(snapshot: Path, compounding: Compounding) -> FairCurve:
    from live_box_spreads.books.curves.curve import curve  # noqa: PLC0415
    from live_box_spreads.books.prints import FairCurve  # noqa: PLC0415
    from live_box_spreads.model.settlement import trade_date  # noqa: PLC0415
    from live_box_spreads.stores.snapshots import read_snapshot  # noqa: PLC0415

    chain = read_snapshot(snapshot)
    rates = curve(chain, compounding=compounding).select("root", "expiry", "fair_rate")
    return FairCurve(
        {(root, expiry): rate for root, expiry, rate in rates.iter_rows()},
        trade_date(chain.snapshot_time),
        f"curve of {chain.snapshot_time:%Y-%m-%d %H:%M} UTC",
    )


def _table(frame: pl.DataFrame, name: str, limit: int) -> Table:
    shown = frame.head(limit or len(frame))
    caption = f"{len(shown):,} of {len(frame):,} boxes, in the order of their time (UTC)"
    return people_table(shown, _SHOWN, f"boxes in {name}", caption)
