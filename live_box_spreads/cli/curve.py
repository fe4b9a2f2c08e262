"""``boxes curve``: the fair rate of each expiry of a snapshot, and what it is compared with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import polars as pl
import typer

from live_box_spreads.books.boxes.filters import BoxFilters
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
from live_box_spreads.model.settlement import trade_date
from live_box_spreads.reference import Reference, read_reference
from live_box_spreads.settings import Settings, load_settings, make_reference
from live_box_spreads.stores.snapshots import read_snapshot

if TYPE_CHECKING:
    from rich.table import Table

    from live_box_spreads.model.chain import Chain

app = typer.Typer(add_completion=False)

_SHOWN = {
    "root": "{}",
    "expiry": "{}",
    "days": "{:,}",
    "fair_rate": "{:.3%}",
    "std_error_bps": "{:.2f}",
    "lend_rate": "{:.3%}",
    "borrow_rate": "{:.3%}",
    "reference_rate": "{:.3%}",
    "spread_bps": "{:+.1f}",
    "discount": "{:.6f}",
    "forward": "{:,.2f}",
    "strikes_used": "{:,}",
    "note": "{}",
}
"""Columns that the table shows where they are there, and how."""


@app.command(
    epilog=examples(
        "boxes curve snapshot_20250904_181500.parquet",
        "boxes curve S.parquet --root SPX --reference treasury_2025.csv",
        "boxes curve S.parquet --compounding bond_equivalent --format csv --out curve.csv",
    ),
)
def curve(  # noqa: PLR0913 # one argument an option
    snapshot: Annotated[Path, typer.Argument(help="Snapshot file, parquet or csv.")],
    *,
    root: Annotated[
        str | None, typer.Option(help="Option root, such as SPX; all of them if not given.")
    ] = None,
    compounding: CompoundingOption = None,
    time_basis: TimeBasisOption = None,
    reference: Annotated[
        Path | None,
        typer.Option(metavar="F", help="Compare with the rates of this file (CSV, XML, JSON)."),
    ] = None,
    format_: FormatOption = "table",
    out: OutOption = None,
    config: Annotated[
        Path | None,
        typer.Option(
            metavar="F", help="Apply the thresholds, conventions and reference of this file."
        ),
    ] = None,
    filters: FiltersOption = False,
) -> None:
    """Show the fair rate of each expiry, its standard error and the best executable rates.

    With a reference, its rate for the same loan and the spread to it are there too.
    """
    refuse_binary_terminal(format_, out)
    configured = load_settings(config) if filters or config else None
    settings = configured or Settings()
    with progress_bar() as progress:
        progress(f"curve of {snapshot.name}", 0, 1)
        chain = read_snapshot(snapshot)
        compared = _reference(chain, reference, settings)
        how = conventions(
            settings,
            compounding,
            time_basis,
            filters=configured.box_filters if configured else BoxFilters(),
            reference=compared.curve,
        )
        frame = Desk(chain, how).curve(root)
    label = f"reference: {compared.curve.name}, {compared.curve.as_of}" if compared.curve else ""
    title = f"{quoted(chain)}, {how.compounding.value} rates"
    give(frame, format_, out, lambda: _table(frame, title, label))
    for line in filter(
        None, (compared.reason and f"no reference: {compared.reason}", compared.notice)
    ):
        tell(line)
    tell_caveat(chain)


def _reference(chain: Chain, file: Path | None, settings: Settings) -> Reference:
    """Return the reference of a file, else the configured one."""
    day = trade_date(chain.snapshot_time)
    if file is not None:
        history = read_reference(file)
        for reason, count in history.rejected.items():
            tell(f"{file}: {count:,} left out: {reason}")
        return history.on(day, settings.reference.max_age_days)
    configured = make_reference(settings)
    return configured.on(day) if configured else Reference(None)


def _table(frame: pl.DataFrame, title: str, compared: str) -> Table:
    """Return the curve for people; ``note`` is why there is no rate, and what is wrong with it."""
    notes = pl.concat_list(pl.col("reason", "band_note").replace("", None)).list.drop_nulls()
    noted = frame.with_columns(note=notes.list.unique(maintain_order=True).list.join("; "))
    shown = {name: form for name, form in _SHOWN.items() if name in noted.columns}
    return people_table(noted, shown, title, compared)
