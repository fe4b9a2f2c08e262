"""Options that several commands share."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from live_box_spreads.cli.output import FormatName
from live_box_spreads.model.rates import Compounding
from live_box_spreads.model.settlement import TimeBasis

if TYPE_CHECKING:
    from live_box_spreads.books.desk import Conventions
    from live_box_spreads.settings import Settings

CompoundingName = Literal["effective", "continuous", "simple", "bond_equivalent"]
TimeBasisName = Literal["settlement", "expiry_instant"]

FormatOption = Annotated[
    FormatName, typer.Option("--format", help="Rates are fractions in all but the table.")
]
OutOption = Annotated[
    Path | None, typer.Option(metavar="F", help="Write to this file, not to stdout.")
]
CompoundingOption = Annotated[
    CompoundingName | None, typer.Option(help="Convention of the rates; effective if not given.")
]
TimeBasisOption = Annotated[
    TimeBasisName | None, typer.Option(help="How time is counted; settlement if not given.")
]
ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="F",
        help="Configuration file; the package's own config.yaml if not given.",
    ),
]
FiltersOption = Annotated[
    bool, typer.Option("--filters", help="Apply those of the package's own config.yaml.")
]
StopOnStdinCloseOption = Annotated[
    bool,
    typer.Option(
        "--stop-on-stdin-close",
        help="End when standard input closes: for a program that starts this one.",
    ),
]
VerboseOption = Annotated[
    bool, typer.Option("--verbose", help="Log what goes well too, on stderr.")
]
MetricsPortOption = Annotated[
    int | None,
    typer.Option(
        "--metrics-port",
        min=0,
        max=65535,
        metavar="P",
        help="Serve metrics for Prometheus on this port of 127.0.0.1; 0 takes any free one.",
    ),
]
JsonLogsOption = Annotated[
    bool, typer.Option("--json-logs", help="Write logs as JSON, one object a line.")
]


def conventions(
    settings: Settings,
    compounding: CompoundingName | None,
    time_basis: TimeBasisName | None,
    **changes: Any,
) -> Conventions:
    """Return the configured conventions with what the command line says on top.

    Args:
        settings: the configuration.
        compounding: convention of the rates; None for the configured one.
        time_basis: how years are counted; None for the configured way.
        changes: further fields of ``Conventions``.
    """
    if compounding:
        changes["compounding"] = Compounding(compounding)
    if time_basis:
        changes["basis"] = TimeBasis(time_basis)
    return replace(settings.conventions(), **changes)


EXAMPLES = "[bold]Examples[/bold]"


def examples(*lines: str) -> str:
    """Return the end of a help page: one example a line."""
    return "\n\n".join([EXAMPLES, *(f"[cyan]{line}[/cyan]" for line in lines)])
