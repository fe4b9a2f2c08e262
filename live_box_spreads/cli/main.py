"""``boxes``: puts the commands together and turns errors into one line and a status."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from live_box_spreads import __version__
from live_box_spreads.cli.lazy import lazy_group
from live_box_spreads.cli.mistakes import mistake_lines
from live_box_spreads.cli.output import tell
from live_box_spreads.model.errors import BoxSpreadsError
from live_box_spreads.plain_text import error_lines
from live_box_spreads.standard_streams import LostOutput, safe_streams

if TYPE_CHECKING:
    from collections.abc import Sequence

_READER_LEFT = 141

COMMANDS = {
    "demo": "Show the whole system on a local simulated exchange, until Ctrl-C; no account needed.",
    "snapshot": "Take one snapshot of the configured roots and expiries.",
    "collect": "Keep taking snapshots until Ctrl-C or SIGTERM; one line each.",
    "dashboard": "Show the collected snapshots in a browser, until Ctrl-C.",
    "simulate": "Run a simulated exchange on loopback that speaks the vendor's REST and DXLink.",
    "doctor": "Check configuration, store, credentials, clock, login, entitlement and stream.",
    "curve": "Show the fair rate of each expiry, its standard error and the best executable rates.",
    "best": "Rank the boxes of a snapshot, net of fees, by how far they are from the fair rate.",
    "book": "Show every box of one root and expiry: costs, lending and borrowing rates.",
    "prints": "Find box trades in a file of option prints: four legs of one time and one size.",
    "import": "Turn option files into snapshots; prints their paths, one a line.",
}
"""The line of the help page for each command; a test compares it with the command's own help."""

_ELSEWHERE = {"snapshot": "collect:snapshot_app", "import": "import_files:app"}
"""Commands that are not the ``app`` of the module of their name."""


def _program_of(command: str) -> str:
    return f"live_box_spreads.cli.{_ELSEWHERE.get(command, f'{command}:app')}"


app = typer.Typer(
    cls=lazy_group({name: (_program_of(name), text) for name, text in COMMANDS.items()}),
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,  # it prints local variables, and credentials are among them
    help="Live lending and borrowing rates implied by box spreads on European index options.",
)


def _print_version(wanted: bool) -> None:  # noqa: FBT001 # the shape of a typer callback
    if wanted:
        typer.echo(f"boxes {__version__}")
        raise typer.Exit


@app.callback()
def boxes(
    *,
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Live lending and borrowing rates implied by box spreads on European index options."""


def run(program: typer.Typer, name: str, arguments: Sequence[str] | None = None) -> None:
    """Run a program and exit: 0 good, 1 failed, 2 bad usage, 130 interrupted half-way.

    Where the reader of its output has left (``boxes curve … | head -1``) it ends quietly with 141,
    as a program that the signal SIGPIPE ends.

    Args:
        program: its commands.
        name: what help pages and errors call it.
        arguments: what follows the name on the command line; None for the real one.
    """
    with safe_streams():
        sys.exit(_status(program, name, arguments))


def _status(program: typer.Typer, name: str, arguments: Sequence[str] | None) -> int | str | None:
    """Run a program; return its exit status, once all of its output is written."""
    try:
        try:
            program(args=arguments, prog_name=name)
        except SystemExit as end:
            sys.stdout.flush()
            return end.code
    except LostOutput as lost:
        if lost.reader_left:
            return _READER_LEFT
        lines = [f"cannot write to standard output: {lost.reason}"]
    except BoxSpreadsError as error:
        lines = error_lines(error)
    except Exception as error:  # noqa: BLE001 # a mistake of ours; its words may hold a secret
        lines = mistake_lines(error)
    else:
        return 0
    for line in lines:
        tell(f"{name}: {line}")
    return 1


def main() -> None:
    """Run ``boxes`` on the real command line."""
    run(app, "boxes")
