"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="F",
        help="Configuration file; the package's own config.yaml if not given.",
    ),
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
EXAMPLES = "[bold]Examples[/bold]"


def examples(*lines: str) -> str:
    """Return the end of a help page: one example a line."""
    return "\n\n".join([EXAMPLES, *(f"[cyan]{line}[/cyan]" for line in lines)])
