"""``boxes dashboard``: the analytics UI on the collected snapshots."""

from __future__ import annotations

from typing import Annotated

import typer

from live_box_spreads.cli.lifetime import until_told_to_stop
from live_box_spreads.cli.options import ConfigOption, examples
from live_box_spreads.dashboard.app import run_dashboard
from live_box_spreads.logs import log_to_stderr
from live_box_spreads.prerequisites import exit_unless_met
from live_box_spreads.settings import load_settings
from live_box_spreads.standard_streams import going_on_without_output

app = typer.Typer(add_completion=False)


@app.command(
    epilog=examples("boxes dashboard", "boxes dashboard --config my.yaml --port 8060"),
)
def dashboard(
    *,
    config: ConfigOption = None,
    port: Annotated[
        int | None,
        typer.Option(min=1, max=65535, help="Port on loopback; the configured one if not given."),
    ] = None,
) -> None:
    """Show the collected snapshots in a browser, until Ctrl-C."""
    exit_unless_met("boxes dashboard", "dashboard")
    settings = load_settings(config)
    log_to_stderr()
    with going_on_without_output(), until_told_to_stop():
        run_dashboard(
            settings,
            host=settings.dashboard.host,
            port=settings.dashboard.port if port is None else port,
            on_ready=lambda url: typer.echo(f"dashboard: {url}   (Ctrl-C ends it)"),
        )
