"""``boxes snapshot`` and ``boxes collect``: one snapshot, or one an interval until stopped."""

from __future__ import annotations

from typing import Annotated

import typer

from live_box_spreads.cli import collecting
from live_box_spreads.cli.lifetime import stop_when_stdin_closes
from live_box_spreads.cli.options import (
    ConfigOption,
    JsonLogsOption,
    MetricsPortOption,
    StopOnStdinCloseOption,
    VerboseOption,
    examples,
)
from live_box_spreads.logs import log_to_stderr

app = typer.Typer(add_completion=False)
snapshot_app = typer.Typer(add_completion=False)


@snapshot_app.command(epilog=examples("boxes snapshot", "boxes snapshot --config my.yaml"))
def snapshot(
    *,
    config: ConfigOption = None,
    verbose: VerboseOption = False,
    json_logs: JsonLogsOption = False,
) -> None:
    """Take one snapshot of the configured roots and expiries."""
    log_to_stderr(verbose=verbose, json=json_logs)
    collecting.take_snapshot(config)


@app.command(
    epilog=examples(
        "boxes collect",
        "boxes collect --config my.yaml --interval 15",
        "boxes collect --metrics-port 9464 --verbose --json-logs",
    )
)
def collect(
    *,
    config: ConfigOption = None,
    interval: Annotated[
        float | None,
        typer.Option(
            min=0.1, max=604_800, metavar="S", help="Seconds between snapshots; else as configured."
        ),
    ] = None,
    metrics_port: MetricsPortOption = None,
    verbose: VerboseOption = False,
    json_logs: JsonLogsOption = False,
    stop_on_stdin_close: StopOnStdinCloseOption = False,
) -> None:
    """Keep taking snapshots until Ctrl-C or SIGTERM; one line each."""
    if stop_on_stdin_close:
        stop_when_stdin_closes()
    log_to_stderr(verbose=verbose, json=json_logs)
    collecting.collect(config, interval, metrics_port=metrics_port)
