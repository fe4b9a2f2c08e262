"""``boxes doctor``: what is missing, and what to do about it."""

from __future__ import annotations

import asyncio

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from live_box_spreads.cli.checks import run_checks
from live_box_spreads.cli.options import ConfigOption, examples
from live_box_spreads.cli.output import say
from live_box_spreads.feeds.vendor import Check, Outcome
from live_box_spreads.logs import log_to_stderr
from live_box_spreads.plain_text import plain

_COLOURS = {"ok": "green", "failed": "red", "not needed": "dim"}

app = typer.Typer(add_completion=False)


@app.command(epilog=examples("boxes doctor", "boxes doctor --config my.yaml"))
def doctor(*, config: ConfigOption = None) -> None:
    """Check configuration, store, credentials, clock, login, entitlement and stream.

    Exits with 1 if a check fails; its line says what to do.
    """

    async def all_checks() -> list[Check]:
        return [check async for check in run_checks(config)]

    log_to_stderr()
    checks = asyncio.run(all_checks())
    _print(checks)
    if any(check.outcome is Outcome.FAILED for check in checks):
        raise typer.Exit(1)


def _print(checks: list[Check]) -> None:
    """Print a table on a terminal; elsewhere one line a check, whatever its length."""
    console = Console()
    if not console.is_terminal:
        for check in checks:
            say(plain(f"{check.name}: {check.outcome}: {'; '.join(check.detail.splitlines())}"))
        return
    table = Table(show_header=False, box=None)
    for check in checks:
        table.add_row(
            check.name,
            Text(check.outcome, _COLOURS[check.outcome]),
            Text("\n".join(map(plain, check.detail.splitlines()))),
        )
    console.print(table)
