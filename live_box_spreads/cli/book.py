"""``boxes book``: the box table of one root and expiry of a snapshot."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from live_box_spreads.cli.options import (
    CompoundingOption,
    FiltersOption,
    FormatOption,
    OutOption,
    TimeBasisOption,
    examples,
)
from live_box_spreads.cli.output import give, quoted, refuse_binary_terminal, tell, tell_caveat

if TYPE_CHECKING:
    from live_box_spreads.books.boxes.filters import BoxFilters
    from live_box_spreads.settings import Settings

app = typer.Typer()


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
    """Show every box of one root and expiry of a snapshot: costs and lending and borrowing rates.

    Without --filters or --config there are no thresholds: each pair of strikes that can be
    executed is there. Boxes that were left out are counted by reason on stderr.
    """
    refuse_binary_terminal(format_, out)
    from live_box_spreads.books.boxes.table import box_table  # noqa: PLC0415
    from live_box_spreads.cli import box_output  # noqa: PLC0415
    from live_box_spreads.cli.progress import progress_bar  # noqa: PLC0415
    from live_box_spreads.model.rates import Compounding  # noqa: PLC0415
    from live_box_spreads.model.settlement import TimeBasis  # noqa: PLC0415
    from live_box_spreads.settings import Settings, load_settings  # noqa: PLC0415
    from live_box_spreads.stores.snapshots import read_snapshot  # noqa: PLC0415

    configured = load_settings(config) if filters or config else None
    settings = configured or Settings()
    day = expiry.date()
    with progress_bar() as progress:
        progress(f"boxes of {root} {day}", 0, 1)
        chain = read_snapshot(snapshot)
        table = box_table(
            chain,
            root,
            day,
            basis=TimeBasis(time_basis or settings.time_basis),
            compounding=Compounding(compounding or settings.compounding),
            filters=_filters(root, configured, min_strike_gap, max_strike_gap),
            rules=settings.quality_rules(),
            allow_american=allow_american,
        )
    title = f"{root} {day}: {quoted(chain)}"
    give(
        box_output.for_programs(table.frame),
        format_,
        out,
        lambda: box_output.for_people(table.frame, title, limit),
    )
    for reason, boxes in table.removed.items():
        tell(f"{boxes:,} boxes left out: {reason}")
    tell_caveat(chain)


def _filters(
    root: str, configured: Settings | None, min_gap: float | None, max_gap: float | None
) -> BoxFilters:
    """Return the configured thresholds, or none, with the gaps of the command line on top."""
    from live_box_spreads.books.boxes.filters import BoxFilters  # noqa: PLC0415

    base = configured.box_filters(root) if configured else BoxFilters()
    return replace(
        base,
        min_strike_gap=base.min_strike_gap if min_gap is None else min_gap,
        max_strike_gap=base.max_strike_gap if max_gap is None else max_gap,
    )
