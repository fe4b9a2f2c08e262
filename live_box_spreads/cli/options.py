"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from live_box_spreads.cli.output import FormatName

# As words here: importing the enumerations would load numpy for a help page.
CompoundingName = Literal["effective", "continuous", "simple", "bond_equivalent"]
TimeBasisName = Literal["settlement", "expiry_instant"]
FitName = Literal["joint", "one_curve", "per_expiry"]

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
FitOption = Annotated[
    FitName | None,
    typer.Option(
        help="All expiries of a root together, all roots of an index too, or each expiry by "
        "itself; joint if not given."
    ),
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
EXAMPLES = "[bold]Examples[/bold]"


def examples(*lines: str) -> str:
    """Return the end of a help page: one example a line."""
    return "\n\n".join([EXAMPLES, *(f"[cyan]{line}[/cyan]" for line in lines)])
