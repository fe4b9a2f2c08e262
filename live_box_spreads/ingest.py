"""Take one snapshot, or keep taking them: ``python ingest.py [--loop] [--config F]``.

The same as ``boxes snapshot`` and ``boxes collect``, for where the package is not installed.
"""

from __future__ import annotations

import sys
from pathlib import Path

if not __package__:
    # Run as a script, Python puts this folder on the path, where `live_box_spreads` cannot be
    # found and our own modules would stand in for top-level ones: take its parent instead.
    _FOLDER = Path(__file__).resolve().parent
    sys.path[:] = [str(_FOLDER.parent), *(entry for entry in sys.path if entry != str(_FOLDER))]

from live_box_spreads.prerequisites import exit_unless_met

exit_unless_met("ingest.py")

from typing import Annotated  # noqa: E402 - what follows may be missing

import typer  # noqa: E402

from live_box_spreads.cli.main import run  # noqa: E402
from live_box_spreads.cli.options import (  # noqa: E402
    ConfigOption,
    JsonLogsOption,
    MetricsPortOption,
    VerboseOption,
    examples,
)

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command(
    epilog=examples("python ingest.py", "python ingest.py --loop --config my.yaml"),
)
def ingest(
    *,
    config: ConfigOption = None,
    loop: Annotated[
        bool, typer.Option("--loop", help="Keep taking snapshots until Ctrl-C or SIGTERM.")
    ] = False,
    metrics_port: MetricsPortOption = None,
    announce: Annotated[
        bool, typer.Option("--announce", help="Say first what begins, and where.")
    ] = False,
    verbose: VerboseOption = False,
    json_logs: JsonLogsOption = False,
) -> None:
    """Take one snapshot of the configured universe, or with --loop one an interval."""
    from live_box_spreads.cli import collecting  # noqa: PLC0415
    from live_box_spreads.logs import log_to_stderr  # noqa: PLC0415

    if metrics_port is not None and not loop:
        raise typer.BadParameter("--metrics-port goes with --loop")
    log_to_stderr(verbose=verbose, json=json_logs)
    if loop:
        collecting.collect(config, metrics_port=metrics_port, announce=announce)
    else:
        collecting.take_snapshot(config, announce=announce)


if __name__ == "__main__":
    run(app, "ingest.py")
