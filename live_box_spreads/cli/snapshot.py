"""``boxes snapshot``: one snapshot of the configured universe."""

from __future__ import annotations

import typer

from live_box_spreads.cli.options import ConfigOption, JsonLogsOption, VerboseOption, examples

app = typer.Typer(add_completion=False)


@app.command(epilog=examples("boxes snapshot", "boxes snapshot --config my.yaml"))
def snapshot(
    *,
    config: ConfigOption = None,
    verbose: VerboseOption = False,
    json_logs: JsonLogsOption = False,
) -> None:
    """Take one snapshot of the configured roots and expiries."""
    from live_box_spreads.cli.collecting import take_snapshot  # noqa: PLC0415
    from live_box_spreads.logs import log_to_stderr  # noqa: PLC0415

    log_to_stderr(verbose=verbose, json=json_logs)
    take_snapshot(config)
