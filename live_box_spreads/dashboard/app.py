"""The dashboard: ``python app.py`` here, or ``boxes dashboard``."""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__":
    # Run as a script, Python puts this folder first on the path; the package is two levels up.
    # Replaced, not added to: modules of this folder must not be importable under short names.
    sys.path[0] = str(Path(__file__).resolve().parents[2])

    from live_box_spreads.prerequisites import exit_unless_met

    exit_unless_met("app.py", "dashboard")

import argparse
import logging
import socket
import threading
from typing import TYPE_CHECKING

from live_box_spreads.logs import log_to_stderr
from live_box_spreads.model.errors import BoxSpreadsError, ConfigError
from live_box_spreads.plain_text import error_lines
from live_box_spreads.standard_streams import going_on_without_output, safe_streams

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import dash

    from live_box_spreads.dashboard.market_view import MarketView
    from live_box_spreads.settings import Settings

_log = logging.getLogger(__name__)

TITLE = "Live Box Spreads"


def create_app(settings: Settings) -> dash.Dash:
    """Return the Dash application on the configured snapshot folder; nothing listens yet."""
    from live_box_spreads.dashboard.market_view import MarketView  # noqa: PLC0415, see run_dashboard

    return _build(MarketView(settings))


def run_dashboard(
    settings: Settings,
    *,
    host: str,
    port: int,
    collector_started: bool = False,
    on_ready: Callable[[str], None] | None = None,
) -> None:
    """Serve the dashboard until it is interrupted.

    Args:
        settings: the configuration.
        host: loopback address to listen on; there is no login, so no other one is taken.
        port: port to listen on; 0 takes a free one.
        collector_started: whether a collector was started beside it.
        on_ready: called once with the address, when browsers can connect.

    Raises:
        ConfigError: the address is not loopback, or the port is in use.
    """
    listener = _listen(host, port)
    with listener:
        # Bound first: a port in use is told at once, before the slow imports.
        import uvicorn  # noqa: PLC0415

        from live_box_spreads.collector.publishing import Publisher  # noqa: PLC0415
        from live_box_spreads.dashboard.market_view import MarketView  # noqa: PLC0415
        from live_box_spreads.service.folder_watch import FolderWatch  # noqa: PLC0415

        view = MarketView(settings, collector_started=collector_started)
        publisher = Publisher()
        publisher.subscribe(view)
        threading.Thread(target=_warm_up, args=(view,), name="warm-up", daemon=True).start()
        app = _build(view)
        url = f"http://{_in_url(host)}:{listener.getsockname()[1]}/"

        class Server(uvicorn.Server):
            async def startup(self, sockets: list[socket.socket] | None = None) -> None:
                await super().startup(sockets=sockets)
                if on_ready is not None:
                    on_ready(url)

        config = uvicorn.Config(app.server, log_level="warning", access_log=False)
        with publisher, FolderWatch(settings.store(), publisher, clock=view.clock):
            Server(config).run(sockets=[listener])


def _build(view: MarketView) -> dash.Dash:
    import dash  # noqa: PLC0415, a second of imports that the command line must not pay for
    from fastapi import FastAPI  # noqa: PLC0415

    from live_box_spreads.dashboard.callbacks import register  # noqa: PLC0415
    from live_box_spreads.dashboard.failures import Failures  # noqa: PLC0415
    from live_box_spreads.dashboard.layout import INDEX, INDEX_SCRIPT, layout  # noqa: PLC0415
    from live_box_spreads.dashboard.security import (  # noqa: PLC0415
        LoopbackOnly,
        content_security_policy,
        script_hash,
    )

    failures = Failures()
    # The framework's own pages would load scripts from another host.
    server = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app = dash.Dash(
        "live_box_spreads.dashboard",
        server=server,  # type: ignore[arg-type] # Dash annotates Flask only
        backend="fastapi",
        title=TITLE,
        update_title="",
        assets_folder=str(Path(__file__).with_name("assets")),
        serve_locally=True,
        index_string=INDEX,
        on_error=lambda error: failures.note("a control", error),
    )
    app.layout = lambda: layout(view)
    register(app, view, failures, _load_kernels)
    server.add_api_route("/alive", _alive, methods=["GET"])
    policy = content_security_policy([script_hash(INDEX_SCRIPT), *app.csp_hashes()])
    server.add_middleware(LoopbackOnly, policy=policy)
    return app


async def _alive() -> dict[str, bool]:
    """Tell a page that its server answers."""
    return {"alive": True}


def _load_kernels() -> None:
    """Load the machine code that draws later pages faster; the plain code draws until then."""
    from live_box_spreads.books.kernels import ALL  # noqa: PLC0415
    from live_box_spreads.machine_code import load_in_background  # noqa: PLC0415

    load_in_background(ALL, lambda reason: _log.warning("pages stay slower: %s", reason))


def _warm_up(view: MarketView) -> None:
    """Compute what the first page will ask for, while the browser is still loading scripts."""
    try:
        view.warm_up()
    except BoxSpreadsError as error:
        # The page says the same in its notice; here it is for whoever looks at the terminal.
        for line in error_lines(error):
            print(f"dashboard: {line}", file=sys.stderr)  # noqa: T201


def _listen(host: str, port: int) -> socket.socket:
    from live_box_spreads.net.addresses import is_loopback_host  # noqa: PLC0415

    if not is_loopback_host(host):
        raise ConfigError(
            f"the dashboard has no login, so it listens on loopback only, not on {host!r}; "
            "use 127.0.0.1, ::1 or localhost"
        )
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OverflowError as error:
        raise ConfigError(f"port {port} is out of range; choose one from 0 to 65535") from error
    except OSError as error:
        raise ConfigError(
            f"cannot listen on {host} port {port}: {error.strerror}; "
            "stop what uses it, or choose another port"
        ) from error


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="app.py",
        description="Show the collected snapshots in a browser, until Ctrl-C.",
        epilog="example: python app.py --config my.yaml --port 8060",
    )
    parser.add_argument("--config", type=Path, metavar="F", help="configuration file")
    parser.add_argument("--port", type=int, metavar="P", help="port, instead of the configured one")
    parser.add_argument("--announce", action="store_true", help="say first what begins, and where")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the dashboard as configured; return the exit status.

    Args:
        arguments: those of the command line; None for the real ones.
    """
    asked = _parser().parse_args(arguments)
    log_to_stderr()
    try:
        with safe_streams(), going_on_without_output():
            return _run(asked)
    except KeyboardInterrupt:
        return 0


def _run(asked: argparse.Namespace) -> int:
    from live_box_spreads.settings import load_settings  # noqa: PLC0415

    try:
        settings = load_settings(asked.config)
        port = settings.dashboard.port if asked.port is None else asked.port
        if asked.announce:
            print(  # noqa: T201
                f"starting the dashboard on http://{_in_url(settings.dashboard.host)}:{port}/ "
                f"with the snapshots of {settings.snapshot_storage.folder}",
                file=sys.stderr,
            )
        run_dashboard(
            settings,
            host=settings.dashboard.host,
            port=port,
            on_ready=lambda url: print(f"{TITLE}: {url}  (Ctrl-C to stop)", flush=True),  # noqa: T201
        )
    except BoxSpreadsError as error:
        for line in error_lines(error):
            print(f"dashboard: {line}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
