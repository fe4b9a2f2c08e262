"""What ``boxes snapshot``, ``boxes collect`` and ``ingest.py`` share."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

import typer

from live_box_spreads.cli.lifetime import stop_event
from live_box_spreads.cli.logs import log_to_stderr
from live_box_spreads.cli.progress import progress_bar
from live_box_spreads.collector.collector import Collector
from live_box_spreads.collector.stopping import unless_stopped
from live_box_spreads.settings import environment, load_settings, make_feed

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from live_box_spreads.cli.progress import ProgressBar
    from live_box_spreads.collector.report import SnapshotReport
    from live_box_spreads.settings import Settings

_INTERRUPTED = 130  # what shells say of a command that Ctrl-C ended


def take_snapshot(config: Path | None, *, verbose: bool = False) -> None:
    """Take one snapshot and print its summary.

    Args:
        config: configuration file; None for the package's own.
        verbose: log what goes well too.

    Raises:
        BoxSpreadsError: the configuration, the credentials, the feed or the store is at fault.
    """
    log_to_stderr(verbose=verbose)
    env = environment()
    asyncio.run(_once(load_settings(config, env), env))


def collect(
    config: Path | None, interval_secs: float | None = None, *, verbose: bool = False
) -> None:
    """Take a snapshot an interval and print each summary, until Ctrl-C or SIGTERM.

    Args:
        config: configuration file; None for the package's own.
        interval_secs: seconds from one snapshot to the next; None for the configured ones.
        verbose: log what goes well too.

    Raises:
        BoxSpreadsError: the configuration, the credentials, the feed or the store is at fault.
    """
    log_to_stderr(verbose=verbose)
    env = environment()
    settings = load_settings(config, env)
    asyncio.run(_loop(settings, env, interval_secs or settings.update_interval_seconds))


async def _once(settings: Settings, env: Mapping[str, str]) -> None:
    with stop_event() as stop, progress_bar() as progress:
        collector = _collector(settings, env, progress)
        progress("starting", 0, 1)
        report = await unless_stopped(collector.once(progress), stop)
    if report is None:
        raise typer.Exit(_INTERRUPTED)
    _print_summary(report)


async def _loop(settings: Settings, env: Mapping[str, str], interval_secs: float) -> None:
    with stop_event() as stop, progress_bar() as progress:
        collector = _collector(settings, env, progress)
        progress("starting", 0, 1)
        await collector.run(interval_secs, stop, _print_summary, progress)


def _collector(settings: Settings, env: Mapping[str, str], progress: ProgressBar) -> Collector:
    def ask_for_code() -> str:
        progress.close()
        return str(typer.prompt("One-time code that the broker has sent", err=True))

    return Collector(
        make_feed(settings, env, ask_for_code if sys.stdin.isatty() else None),
        settings.universe(),
        settings.store(),
        collection=settings.collection,
    )


def _print_summary(report: SnapshotReport) -> None:
    typer.echo(report.summary())
