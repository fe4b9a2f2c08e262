"""``boxes best``: the best boxes of a snapshot to lend or to borrow with."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import polars as pl
import typer

from live_box_spreads.books.boxes.search import Search
from live_box_spreads.books.desk import Desk
from live_box_spreads.cli.conventions import conventions
from live_box_spreads.cli.options import (
    CompoundingOption,
    ConfigOption,
    FitOption,
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
from live_box_spreads.settings import load_settings
from live_box_spreads.stores.snapshots import read_snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date

    from rich.table import Table

app = typer.Typer(add_completion=False)

SideName = Literal["lend", "borrow"]

_SHOWN = {
    "side": ("side", "{}"),
    "root": ("root", "{}"),
    "expiry": ("expiry", "{}"),
    "kl": ("low", "{:g}"),
    "ks": ("high", "{:g}"),
    "price": ("price", "{:.2f}"),
    "fair_price": ("fair", "{:.2f}"),
    "net_rate": ("net rate", "{:.3%}"),
    "spread_bps": ("bp", "{:+.1f}"),
    "spread_std_errors": ("s.e.", "{:+.0f}"),
    "size": ("size", "{:g}"),
    "oldest_quote_secs": ("age s", "{:.0f}"),
    "min_leg_volume": ("vol", "{:g}"),
    "min_leg_open_interest": ("OI", "{:g}"),
    "quality": ("quality", "{}"),
    "why": ("why", "{}"),
}
"""Columns that the table shows: their heading, and the format of their values."""


@app.command(
    epilog=examples(
        "boxes best snapshot_20250904_181500.parquet",
        "boxes best S.parquet --side borrow --root SPX --min-size 5 --limit 10",
        "boxes best S.parquet --side lend --format csv --out best.csv",
    ),
)
def best(  # noqa: PLR0913 # one argument an option
    snapshot: Annotated[Path, typer.Argument(help="Snapshot file, parquet or csv.")],
    *,
    side: Annotated[SideName | None, typer.Option(help="One side only; both if not given.")] = None,
    root: Annotated[
        str | None, typer.Option(help="Option root, such as SPX; all of them if not given.")
    ] = None,
    min_size: Annotated[
        float, typer.Option(min=0.0, help="Boxes to be had at the quoted sizes, at least.")
    ] = 0.0,
    limit: Annotated[int, typer.Option(min=1, help="Boxes of each side.")] = 20,
    format_: FormatOption = "table",
    out: OutOption = None,
    compounding: CompoundingOption = None,
    time_basis: TimeBasisOption = None,
    fit: FitOption = None,
    config: ConfigOption = None,
) -> None:
    """Rank the boxes of a snapshot, net of fees, by how far they are from the fair rate.

    Thresholds, quality rules and conventions are those of the configuration. Boxes left out and
    expiries without a box are counted by reason on stderr.
    """
    refuse_binary_terminal(format_, out)
    settings = load_settings(config)
    sides: tuple[SideName, ...] = (side,) if side else ("lend", "borrow")
    with progress_bar() as progress:
        progress("ranking boxes", 0, len(sides))
        desk = Desk(read_snapshot(snapshot), conventions(settings, compounding, time_basis, fit))
        found = [desk.best(Search(one, min_size, limit), root) for one in sides]
    frame = pl.concat([item.frame for item in found])
    give(frame, format_, out, lambda: _table(frame, f"{snapshot.name}: {quoted(desk.chain)}"))
    for one, item in zip(sides, found, strict=True):
        for reason, boxes in item.removed.items():
            tell(f"{one}: {boxes:,} boxes left out: {reason}")
        for line in _without_a_box(item.unranked):
            tell(f"{one}: no box in {line}")
    tell_caveat(desk.chain)


def _without_a_box(unranked: Mapping[tuple[str, date], str]) -> Iterator[str]:
    """Say which expiries have no box, a line a root and reason."""
    by_reason: dict[tuple[str, str], list[date]] = {}
    for (root, expiry), reason in unranked.items():
        by_reason.setdefault((root, reason), []).append(expiry)
    for (root, reason), expiries in by_reason.items():
        if len(expiries) == 1:
            yield f"{root} {expiries[0]}: {reason}"
        else:
            first_to_last = f"{expiries[0]} to {expiries[-1]}"
            yield f"{len(expiries)} expiries of {root}, {first_to_last}: {reason}"


def _table(frame: pl.DataFrame, name: str) -> Table:
    rows = frame.select(_SHOWN.keys()).rename(
        {column: word for column, (word, _) in _SHOWN.items()}
    )
    caption = (
        "price: index points, hit now; fair: the same at the fair rate; net rate: after fees; "
        "bp and s.e.: net rate less fair rate"
    )
    return people_table(rows, dict(_SHOWN.values()), f"best boxes of {name}", caption)
