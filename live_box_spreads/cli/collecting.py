"""What ``boxes snapshot``, ``boxes collect`` and ``ingest.py`` share."""

from __future__ import annotations

import asyncio
import sys
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import typer

from live_box_spreads.cli.lifetime import stop_event
from live_box_spreads.cli.output import say, tell
from live_box_spreads.cli.progress import progress_bar
from live_box_spreads.collector.collector import Collector
from live_box_spreads.collector.events import Round, Snapshot
from live_box_spreads.collector.publishing import Publisher
from live_box_spreads.collector.schedule import unless_stopped
from live_box_spreads.plain_text import plain
from live_box_spreads.service.filtered_curves import FilteredCurves
from live_box_spreads.settings import environment, load_settings, make_feed
from live_box_spreads.standard_streams import going_on_without_output

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from live_box_spreads.cli.progress import ProgressBar
    from live_box_spreads.collector.events import Event
    from live_box_spreads.collector.report import SnapshotReport
    from live_box_spreads.settings import Settings

MOST_SUMMARY_CHARACTERS = 2000
_INTERRUPTED = 130  # what shells say of a command that Ctrl-C ended


def take_snapshot(config: Path | None, *, announce: bool = False) -> None:
    """Take one snapshot and print its summary.

    Args:
        config: configuration file; None for the package's own.
        announce: say on standard error, before anything else, what begins and where.

    Raises:
        BoxSpreadsError: the configuration, the credentials, the feed or the store is at fault.
    """
    env = environment()
    settings = load_settings(config, env)
    if announce:
        _announce(f"taking one snapshot with the feed {settings.feed}", settings)
    asyncio.run(_once(settings, env))


def collect(
    config: Path | None,
    interval_secs: float | None = None,
    *,
    metrics_port: int | None = None,
    announce: bool = False,
) -> None:
    """Take a snapshot an interval and print each summary, until Ctrl-C or SIGTERM.

    Args:
        config: configuration file; None for the package's own.
        interval_secs: seconds from one snapshot to the next; None for the configured ones.
        metrics_port: serve metrics on this port of loopback, 0 for any; None serves none.
        announce: say on standard error, before anything else, what begins and where.

    Raises:
        BoxSpreadsError: the configuration, the credentials, the feed or the store is at fault.
    """
    env = environment()
    settings = load_settings(config, env)
    interval_secs = interval_secs or settings.update_interval_seconds
    if announce:
        _announce(
            f"taking a snapshot every {interval_secs:g} s with the feed {settings.feed}", settings
        )
    asyncio.run(_loop(settings, env, interval_secs, metrics_port))


async def _once(settings: Settings, env: Mapping[str, str]) -> None:
    with stop_event() as stop, progress_bar() as progress:
        collector = _collector(settings, env, progress)
        progress("starting", 0, 1)
        report = await unless_stopped(collector.once(progress), stop)
    if report is None:
        raise typer.Exit(_INTERRUPTED)
    _print_summary(report)


async def _loop(
    settings: Settings, env: Mapping[str, str], interval_secs: float, metrics_port: int | None
) -> None:
    with (
        going_on_without_output(),
        stop_event() as stop,
        progress_bar() as progress,
        Publisher() as publisher,
        ExitStack() as open_until_the_end,
    ):
        collector = _collector(settings, env, progress, publisher)
        publisher.subscribe(_Summaries())
        rules = settings.conventions().rules
        publisher.subscribe(FilteredCurves(settings.snapshot_storage.folder, rules))
        if metrics_port is not None:
            open_until_the_end.enter_context(_metrics(collector, metrics_port))
        progress("starting", 0, 1)
        await collector.run(interval_secs, stop, progress)


class _Summaries:
    """Prints the summary of each round."""

    name = "output"
    wants = (Snapshot, Round)

    def receive(self, event: Event) -> None:
        if isinstance(event, Snapshot | Round):
            _print_summary(event.report)


@contextmanager
def _metrics(collector: Collector, port: int) -> Iterator[None]:
    # Imported here: they bring an HTTP server that few runs need.
    from live_box_spreads.collector.metrics import CollectorMetrics  # noqa: PLC0415
    from live_box_spreads.collector.metrics_server import metrics_served  # noqa: PLC0415

    metrics = CollectorMetrics(collector.health, collector.publisher.health)
    with collector.publisher.subscribe(metrics), metrics_served(metrics, port) as served:
        tell(f"metrics on http://127.0.0.1:{served}/metrics")
        yield


def _collector(
    settings: Settings,
    env: Mapping[str, str],
    progress: ProgressBar,
    publisher: Publisher | None = None,
) -> Collector:
    def ask_for_code() -> str:
        progress.close()
        return str(typer.prompt("One-time code that the broker has sent", err=True))

    return Collector(
        make_feed(settings, env, ask_for_code if sys.stdin.isatty() else None),
        settings.universe(),
        settings.store(),
        collection=settings.collection,
        publisher=publisher,
    )


def _announce(what: str, settings: Settings) -> None:
    tell(f"{what} into {settings.snapshot_storage.folder}")


def _print_summary(report: SnapshotReport) -> None:
    say(plain(report.summary(), MOST_SUMMARY_CHARACTERS))
