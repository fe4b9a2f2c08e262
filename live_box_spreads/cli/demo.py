"""``boxes demo``: exchange, collector and dashboard together, no account needed."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
import tempfile
import threading
import webbrowser
from datetime import datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated

import typer

from live_box_spreads.cli.child import boxes_process
from live_box_spreads.cli.lifetime import until_told_to_stop
from live_box_spreads.cli.options import examples
from live_box_spreads.cli.output import tell
from live_box_spreads.model.errors import ConfigError, FeedUnavailableError
from live_box_spreads.prerequisites import exit_unless_met
from live_box_spreads.standard_streams import going_on_without_output

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

app = typer.Typer(add_completion=False)


@app.command(
    epilog=examples("boxes demo", "boxes demo --port 8060 --seed 7 --interval 2 --no-browser"),
)
def demo(
    *,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Dashboard port; 0 takes any.")
    ] = 8050,
    seed: Annotated[int, typer.Option(min=0, help="The same seed, the same market.")] = 1,
    browser: Annotated[
        bool, typer.Option("--browser/--no-browser", help="Open a browser when all is ready.")
    ] = True,
    interval: Annotated[
        float, typer.Option(min=0.5, max=604_800, metavar="S", help="Seconds between snapshots.")
    ] = 5.0,
    folder: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Keep the snapshots here; else they go when it ends."),
    ] = None,
) -> None:
    """Show the whole system on a local simulated exchange, until Ctrl-C; no account needed.

    Exchange, collector and dashboard are three processes; the real client reads the exchange
    over real sockets. All of them end together.
    """
    from live_box_spreads.logs import log_to_stderr  # noqa: PLC0415
    from live_box_spreads.settings import environment  # noqa: PLC0415

    exit_unless_met("boxes demo", "dashboard", "simulator")
    log_to_stderr()
    _refuse_port_in_use(port)
    ended = threading.Event()
    with going_on_without_output(), until_told_to_stop(), contextlib.ExitStack() as stack:
        real = environment()
        kept = stack.enter_context(_snapshot_folder(folder))
        tell(f"starting the simulated exchange (seed {seed}) …")
        exchange = stack.enter_context(boxes_process(["simulate", "--seed", str(seed)], real))
        base_url = exchange.readline().strip()
        if not base_url:
            raise FeedUnavailableError("the simulated exchange did not start; see above")
        tell(f"simulated exchange: {base_url}")
        env = _demo_environment(real, base_url, kept, interval)
        tell(f"starting the collector: a snapshot every {interval:g} s into {kept} …")
        summaries = stack.enter_context(boxes_process(["collect"], env))
        stack.enter_context(_followed(summaries, ended))
        _show_dashboard(env, port, browser=browser)
    if ended.is_set():
        raise FeedUnavailableError("the collector ended by itself; see above")


def _refuse_port_in_use(port: int) -> None:
    """Say so at once, not when exchange and collector have started."""
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError as error:
        raise ConfigError(
            f"cannot show the dashboard on port {port}: {error.strerror}; choose another --port"
        ) from error


@contextlib.contextmanager
def _snapshot_folder(folder: Path | None) -> Iterator[Path]:
    """Give the folder to keep, or a fresh one that goes when the demo ends."""
    if folder is not None:
        yield folder.resolve()
        return
    with tempfile.TemporaryDirectory(prefix="boxes-demo-") as temporary:
        yield Path(temporary)


def _demo_environment(
    real: Mapping[str, str], base_url: str, folder: Path, interval_secs: float
) -> dict[str, str]:
    """Return an environment whose configuration and credentials point to the local exchange."""
    from live_box_spreads.simulator.credentials import (  # noqa: PLC0415
        DEMO_CLIENT_SECRET,
        DEMO_REFRESH_TOKEN,
    )

    return {
        **real,
        "TT_CLIENT_SECRET": DEMO_CLIENT_SECRET,
        "TT_REFRESH_TOKEN": DEMO_REFRESH_TOKEN,
        "BOX_FEED": "tastytrade",
        "BOX_TASTYTRADE__BASE_URL": base_url,
        "BOX_SNAPSHOT_STORAGE__FOLDER": str(folder),
        "BOX_UPDATE_INTERVAL_SECONDS": f"{interval_secs:g}",
        "BOX_REFERENCE": f"{{source: file, file: '{_simulated_reference(folder)}'}}",
    }


def _simulated_reference(folder: Path) -> Path:
    """Write the invented government bonds of the simulated market, under a name that says so."""
    from live_box_spreads.model.sessions import NEW_YORK  # noqa: PLC0415
    from live_box_spreads.simulator.market.curve import (  # noqa: PLC0415
        as_csv,
        government_par_yields,
    )

    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "simulated_treasury.csv"
    file.write_text(as_csv(datetime.now(NEW_YORK).date(), government_par_yields()), "utf-8")
    return file


@contextlib.contextmanager
def _followed(summaries: IO[str], ended: threading.Event) -> Iterator[None]:
    """Say the collector's first summary; if it ends before we do, stop everything."""
    leaving = threading.Event()

    def follow() -> None:
        first = summaries.readline().strip()
        if first:
            tell(f"first snapshot: {first}")
        for _ in summaries:
            continue
        if not leaving.is_set():
            ended.set()
            os.kill(os.getpid(), signal.SIGTERM)

    thread = threading.Thread(target=follow, daemon=True)
    thread.start()
    try:
        yield
    finally:
        leaving.set()


def _show_dashboard(env: Mapping[str, str], port: int, *, browser: bool) -> None:
    from live_box_spreads.dashboard.app import run_dashboard  # noqa: PLC0415
    from live_box_spreads.settings import load_settings  # noqa: PLC0415

    def on_ready(url: str) -> None:
        typer.echo(f"dashboard: {url}   (Ctrl-C ends the demo)")
        if browser and _has_screen():
            webbrowser.open(url)

    settings = load_settings(env=env)
    run_dashboard(
        settings,
        host=settings.dashboard.host,
        port=port,
        collector_started=True,
        on_ready=on_ready,
    )


def _has_screen() -> bool:
    """Return whether a browser would open in a window, not in this terminal."""
    if sys.platform in {"darwin", "win32"}:
        return True
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
