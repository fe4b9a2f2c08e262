"""``python -m archive_snapshot_pipeline chain.csv [more.csv] --out boxes.csv``."""

from __future__ import annotations

from live_box_spreads.prerequisites import exit_unless_met

NAME = "archive_snapshot_pipeline"
exit_unless_met(NAME)

from datetime import UTC, datetime  # noqa: E402 - what follows may be missing
from pathlib import Path  # noqa: E402
from typing import Annotated  # noqa: E402

import typer  # noqa: E402

from archive_snapshot_pipeline.pipeline import write_box_csv  # noqa: E402
from live_box_spreads.books.boxes.filters import BoxFilters  # noqa: E402
from live_box_spreads.cli.main import run  # noqa: E402
from live_box_spreads.cli.output import tell  # noqa: E402
from live_box_spreads.model.rates import Compounding  # noqa: E402
from live_box_spreads.model.settlement import TimeBasis  # noqa: E402

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def convert(  # one argument an option
    chains: Annotated[list[Path], typer.Argument(metavar="CHAIN…", help="Option-chain CSVs.")],
    *,
    out: Annotated[Path, typer.Option(metavar="F", help="Box CSV to write.")],
    quote_time: Annotated[
        str | None,
        typer.Option(metavar="ISO", help="Instant of the quotes, with its offset from UTC."),
    ] = None,
    compounding: Annotated[
        Compounding, typer.Option(help="How a rate is said.")
    ] = Compounding.EFFECTIVE,
    time_basis: Annotated[
        TimeBasis, typer.Option(help="How time is counted.")
    ] = TimeBasis.SETTLEMENT,
    min_strike_gap: Annotated[
        float, typer.Option(min=0.0, help="Narrowest box, in index points.")
    ] = 0.0,
    max_strike_gap: Annotated[
        float, typer.Option(min=0.0, help="Widest box, in index points.")
    ] = float("inf"),
) -> None:
    """Turn option-chain CSVs into one CSV with every box and its rates."""
    report = write_box_csv(
        chains,
        out,
        quote_time=_instant(quote_time),
        basis=time_basis,
        compounding=compounding,
        filters=BoxFilters(min_strike_gap=min_strike_gap, max_strike_gap=max_strike_gap),
    )
    for line in report.skipped:
        tell(line)
    for reason, rows in report.rejected.items():
        tell(f"{rows:,} rows rejected: {reason}")
    for reason, boxes in report.removed.items():
        tell(f"{boxes:,} boxes left out: {reason}")
    tell(f"{out}: {report.boxes:,} boxes")


def _instant(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        instant = None
    if instant is None or instant.utcoffset() is None:
        raise typer.BadParameter(
            f"{text!r} is no instant; write it as 2025-09-04T14:15:00-04:00",
            param_hint="--quote-time",
        )
    return instant.astimezone(UTC)


if __name__ == "__main__":
    run(app, NAME)
