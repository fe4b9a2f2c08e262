"""Serves the metrics of a collector on loopback: ``http://127.0.0.1:<port>/metrics``."""

from __future__ import annotations

import sys
import threading
from contextlib import contextmanager, suppress
from socket import SHUT_RDWR
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING, Any, Final
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import CollectorRegistry, ProcessCollector, make_wsgi_app

from live_box_spreads.model.errors import ConfigError
from live_box_spreads.net.addresses import is_loopback_authority

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from wsgiref.types import StartResponse, WSGIApplication

    from live_box_spreads.collector.metrics import CollectorMetrics

_LOOPBACK: Final = "127.0.0.1"
_REQUEST_SECS: Final = 10.0
"""A request and its answer are over by then, or the connection is cut."""
_REQUESTS_AT_ONCE: Final = 16
"""More are turned away; Prometheus needs one."""


@contextmanager
def metrics_served(metrics: CollectorMetrics, port: int) -> Iterator[int]:
    """Serve the metrics on loopback for as long as the ``with`` block lasts.

    Args:
        metrics: what to serve.
        port: where to listen; 0 takes any free one.

    Yields:
        The port.

    Raises:
        ConfigError: the port cannot be used.
    """
    registry = CollectorRegistry()
    registry.register(metrics)
    ProcessCollector(registry=registry)
    try:
        server = make_server(
            _LOOPBACK, port, _for_this_machine(make_wsgi_app(registry)), _Server, _Request
        )
    except OSError as error:
        raise ConfigError(
            f"metrics cannot be served on port {port} of {_LOOPBACK}: {error.strerror}; "
            "choose another --metrics-port"
        ) from error
    thread = threading.Thread(target=server.serve_forever, name="metrics", daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _for_this_machine(app: WSGIApplication) -> WSGIApplication:
    """Refuse what was asked for under another name: a page of another site may have sent it."""

    def answer(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        if is_loopback_authority(environ.get("HTTP_HOST", "")):
            return app(environ, start_response)
        start_response("403 Forbidden", [("Content-Type", "text/plain; charset=utf-8")])
        return [b"Ask for 127.0.0.1 or localhost; other names are refused.\n"]

    return answer


class _Server(ThreadingMixIn, WSGIServer):
    """Answers a bounded number of requests at once, each in a thread."""

    daemon_threads = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._free = threading.BoundedSemaphore(_REQUESTS_AT_ONCE)

    def process_request(self, request: Any, client_address: Any) -> None:
        if self._free.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of who has left, or was cut off."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Request(WSGIRequestHandler):
    """One request within its time; however slowly it comes."""

    def handle(self) -> None:
        cut_off = threading.Timer(_REQUEST_SECS, self._cut_off)
        cut_off.daemon = True
        cut_off.start()
        try:
            super().handle()
        finally:
            cut_off.cancel()

    def _cut_off(self) -> None:
        with suppress(OSError):  # it has just ended by itself
            self.connection.shutdown(SHUT_RDWR)

    def log_message(self, *_args: Any) -> None:
        """Log nothing."""
