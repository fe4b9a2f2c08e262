"""``boxes curve``: the fair rates of a snapshot, by expiry or date, and the quotes' quality."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from live_box_spreads.books.boxes.filters import BoxFilters
from live_box_spreads.books.desk import Desk
from live_box_spreads.cli.conventions import conventions
from live_box_spreads.cli.curve_tables import dates_table, expiries_table, quality_tables
from live_box_spreads.cli.loan_dates import dates_of, read_dates, read_days
from live_box_spreads.cli.options import (
    CompoundingOption,
    FiltersOption,
    FitOption,
    FormatOption,
    OutOption,
    TimeBasisOption,
    examples,
)
from live_box_spreads.cli.output import (
    give,
    quoted,
    refuse_binary_terminal,
    tell,
    tell_caveat,
)
from live_box_spreads.cli.progress import progress_bar
from live_box_spreads.model.settlement import premium_date, trade_date
from live_box_spreads.reference import Reference, read_reference
from live_box_spreads.service.filtered_curves import curves_at, replayed, states_beside
from live_box_spreads.settings import Settings, load_settings, make_reference
from live_box_spreads.stores.snapshots import read_snapshot

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    import polars as pl
    from rich.console import Group
    from rich.table import Table

    from live_box_spreads.books.curves.smooth_curve import SmoothCurve
    from live_box_spreads.cli.progress import ProgressBar
    from live_box_spreads.model.chain import Chain

app = typer.Typer(add_completion=False)


@app.command(
    epilog=examples(
        "boxes curve snapshot_20250904_181500.parquet",
        "boxes curve S.parquet --root SPX --reference treasury_2025.csv",
        "boxes curve S.parquet --compounding bond_equivalent --format csv --out curve.csv",
        "boxes curve S.parquet --root SPXW --days 30,91,182",
        "boxes curve S.parquet --days 30,365 --filtered",
        "boxes curve S.parquet --explain",
    ),
)
def curve(  # noqa: PLR0913 # one argument an option
    snapshot: Annotated[Path, typer.Argument(help="Snapshot file, parquet or csv.")],
    *,
    root: Annotated[
        str | None, typer.Option(help="Option root, such as SPX; all of them if not given.")
    ] = None,
    days: Annotated[
        str | None,
        typer.Option(
            metavar="N,…",
            help="Rates of loans of so many days from the premium date, read off the curve, and "
            "of the forward loans between them; as 30,91,182.",
        ),
    ] = None,
    dates: Annotated[
        str | None,
        typer.Option(
            metavar="D,…",
            help="The same for loans paid back on these dates; as 2026-12-18,2027-06-18.",
        ),
    ] = None,
    explain: Annotated[
        bool,
        typer.Option(
            "--explain",
            help="The quality of the quotes, a root a row: what they err by together, and which "
            "expiries and strikes are doubted.",
        ),
    ] = False,
    filtered: Annotated[
        bool,
        typer.Option(
            "--filtered",
            help="Follow the snapshots of the folder up to this one, oldest first, and show the "
            "filtered rates beside those of the snapshot, always by each root's joint fit. Without "
            "it they are there if a collector has followed the folder.",
        ),
    ] = False,
    compounding: CompoundingOption = None,
    time_basis: TimeBasisOption = None,
    fit: FitOption = None,
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

    With a reference, its rate for the same loan and the spread to it are there too. With --days or
    --dates, a row is a date; each forward_rate is of the loan from the row before to this one, the
    first from the premium date. With --explain, a row is a root.
    """
    refuse_binary_terminal(format_, out)
    _refuse_two(days, dates, explain=explain)
    counts = [] if days is None else read_days(days)
    given = [] if dates is None else read_dates(dates)
    configured = load_settings(config) if filters or config else None
    settings = configured or Settings()
    with progress_bar() as progress:
        progress(f"curve of {snapshot.name}", 0, 1)
        chain = read_snapshot(snapshot)
        compared = Reference(None) if explain else _reference(chain, reference, settings)
        how = conventions(
            settings,
            compounding,
            time_basis,
            fit,
            filters=configured.box_filters if configured else BoxFilters(),
            reference=compared.curve,
        )
        desk = Desk(chain, how)
        if not explain:
            beside = _filtered(snapshot, desk, root, progress, replay=filtered)
            desk = desk.under(filtered=beside)
        due = dates_of(counts, given, premium_date(chain.snapshot_time))
        frame, table = _answer(desk, root, due, compared, explain=explain)
    give(frame, format_, out, table)
    if frame.is_empty():
        tell(f"no root of the snapshot is one on which a box is a loan: {', '.join(chain.roots)}")
    for line in filter(
        None, (compared.reason and f"no reference: {compared.reason}", compared.notice)
    ):
        tell(line)
    tell_caveat(chain)


def _filtered(
    snapshot: Path, desk: Desk, root: str | None, progress: ProgressBar, *, replay: bool
) -> dict[str, SmoothCurve] | None:
    """Return the filtered curves at a snapshot; None where nobody has followed its folder."""
    if replay:
        states, problems = replayed(
            snapshot,
            desk.conventions.rules,
            lambda done, total: progress("following snapshots", done, total),
        )
    else:
        states, problems = states_beside(snapshot.parent)
    for problem in problems:
        tell(f"not in the filtered rates: {problem}")
    curves = curves_at(states, desk, None if root is None else [root])
    if replay and not curves:
        tell("no filtered rates: no snapshot of the folder up to this one gives a curve")
    return curves or None


def _refuse_two(days: str | None, dates: str | None, *, explain: bool) -> None:
    """Refuse more than one of the options that say what a row is.

    Raises:
        BadParameter: more than one was given.
    """
    asked = {"--days": days is not None, "--dates": dates is not None, "--explain": explain}
    given = [option for option, is_given in asked.items() if is_given]
    if len(given) > 1:
        raise typer.BadParameter("give only one of them", param_hint=" and ".join(given))


def _answer(
    desk: Desk, root: str | None, due: list[date], compared: Reference, *, explain: bool
) -> tuple[pl.DataFrame, Callable[[], Table | Group]]:
    """Return what programs get, and what makes the table for people."""
    curve, how, source = compared.curve, desk.conventions, quoted(desk.chain)
    label = f"reference: {curve.name}, {curve.as_of}" if curve else ""
    title = f"{source}, {how.compounding.value} rates, {how.fit.value} fit"
    if explain:
        roots = desk.quality(root)
        title = f"{source}, quality by the joint fit"
        return roots, lambda: quality_tables(roots, desk.expiry_quality(root), title)
    if due:
        rates = desk.tenors(due, root)
        return rates, lambda: dates_table(rates, title, label)
    frame = desk.curve(root)
    return frame, lambda: expiries_table(frame, title, label)


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
