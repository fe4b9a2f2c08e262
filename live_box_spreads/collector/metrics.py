"""A collector's health for Prometheus, on loopback: ``http://127.0.0.1:<port>/metrics``.

Every number is read when it is asked for, in the server's own thread; nothing is counted twice.
docs/operations.md lists the metrics and what to watch.
"""

from __future__ import annotations

import sys
import threading
from contextlib import contextmanager, suppress
from socket import SHUT_RDWR
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING, Any, Final
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import CollectorRegistry, ProcessCollector, make_wsgi_app
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    Metric,
    SummaryMetricFamily,
)
from prometheus_client.registry import Collector as MetricsSource

from live_box_spreads import __version__
from live_box_spreads.model.errors import ConfigError
from live_box_spreads.net.addresses import is_loopback_authority

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from wsgiref.types import StartResponse, WSGIApplication

    from live_box_spreads.collector.health import CollectorHealth

_LOOPBACK: Final = "127.0.0.1"
_REQUEST_SECS: Final = 10.0
"""A request and its answer are over by then, or the connection is cut."""
_REQUESTS_AT_ONCE: Final = 16
"""More are turned away; Prometheus needs one."""


class HealthMetrics(MetricsSource):
    """The metrics of one collector."""

    def __init__(self, health: Callable[[], CollectorHealth]) -> None:
        """Ask this for the health with each scrape."""
        self._health = health

    def describe(self) -> Iterable[Metric]:
        """Tell nothing ahead: health is only asked for once somebody scrapes."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Return every metric as of now."""
        health = self._health()
        yield _gauge("build", "Version of the program; always 1.", {(__version__,): 1}, "version")
        yield from _snapshots(health)
        yield from _stream(health)
        yield from _roots(health)
        yield from _feed(health)


@contextmanager
def metrics_served(health: Callable[[], CollectorHealth], port: int) -> Iterator[int]:
    """Serve the metrics on loopback for as long as the ``with`` block lasts.

    Args:
        health: gives the health; called in another thread.
        port: where to listen; 0 takes any free one.

    Yields:
        The port.

    Raises:
        ConfigError: the port cannot be used.
    """
    registry = CollectorRegistry()
    registry.register(HealthMetrics(health))
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


def _snapshots(health: CollectorHealth) -> Iterator[Metric]:
    counts = health.counts
    yield _counter("snapshots", "Snapshots written.", {(): counts.snapshots})
    yield _counter("failed_rounds", "Rounds without a snapshot.", {(): counts.failed_rounds})
    yield SummaryMetricFamily(
        "boxes_round_seconds",
        "How long rounds with a snapshot took.",
        count_value=counts.snapshots,
        sum_value=counts.rounds_secs,
    )
    if counts.last_snapshot_at is not None:
        at = counts.last_snapshot_at.timestamp()
        yield _gauge("last_snapshot_timestamp_seconds", "Time of the last snapshot.", {(): at})
    by_source: dict[tuple[str, ...], float] = {
        ("stream",): counts.streamed_quotes,
        ("rest",): counts.polled_quotes,
    }
    yield _counter("quotes", "Quotes received.", by_source, "source")


def _stream(health: CollectorHealth) -> Iterator[Metric]:
    yield _gauge(
        "stream_lost_seconds",
        "How long the stream has lacked something that it once brought.",
        {(): health.lost_secs},
    )
    if (progress := health.progress) is None:
        return
    yield _gauge("stream_connections", "Connections that stand.", {(): progress.connections})
    yield _gauge(
        "stream_connections_wanted",
        "Connections over which the stream is spread.",
        {(): progress.connections_wanted},
    )
    yield _gauge("subscriptions", "Subscriptions sent.", {(): progress.subscriptions})
    yield _gauge(
        "subscriptions_wanted",
        "Subscriptions to be sent.",
        {(): progress.subscriptions_wanted},
    )
    yield _gauge(
        "subscriptions_left_out",
        "Subscriptions beyond what the server takes; polled by REST.",
        {(): progress.left_out},
    )


def _roots(health: CollectorHealth) -> Iterator[Metric]:
    roots = health.roots
    if not roots:
        return

    def by_root(name: str, help_text: str, values: Mapping[str, float]) -> Metric:
        return _gauge(name, help_text, {(root,): value for root, value in values.items()}, "root")

    yield by_root("contracts", "Contracts listed.", {r: h.contracts for r, h in roots.items()})
    yield by_root(
        "contracts_quoted", "Contracts ever quoted.", {r: h.quoted for r, h in roots.items()}
    )
    yield by_root(
        "contracts_never_quoted",
        "Contracts that no quote has come for.",
        {r: h.contracts - h.quoted for r, h in roots.items()},
    )
    yield by_root(
        "contracts_two_sided",
        "Contracts with a bid and an ask.",
        {r: h.two_sided for r, h in roots.items()},
    )
    yield by_root(
        "contracts_streaming",
        "Contracts whose quotes a standing stream keeps up to date.",
        {r: h.streaming for r, h in roots.items()},
    )
    yield by_root(
        "oldest_quote_seconds",
        "Age of the oldest quote.",
        {r: h.oldest_secs for r, h in roots.items()},
    )
    silent_secs = health.silent_secs()
    yield by_root(
        "root_silent_seconds", "How long the stream has said nothing of a root.", silent_secs
    )
    yield by_root(
        "root_unheard_seconds",
        "How long a root has been asked for of which the feed never spoke.",
        health.unheard_secs(),
    )
    if silent_secs:
        yield _gauge(
            "most_silent_root_seconds",
            "How long the stream has said nothing of the most silent root.",
            {(): max(silent_secs.values())},
        )


def _feed(health: CollectorHealth) -> Iterator[Metric]:
    if health.feed is None:
        return
    losses = dict(health.feed.losses)
    reconnects = losses.pop("connections_lost", 0)
    yield _counter("stream_reconnects", "Connections lost and replaced.", {(): reconnects})
    yield _counter(
        "stream_losses",
        "What could not be used, or was refused, by kind.",
        {(kind,): count for kind, count in losses.items()},
        "kind",
    )
    yield _counter(
        "rest_calls",
        "REST requests by outcome.",
        {(status,): count for status, count in health.feed.rest_calls.items()},
        "status",
    )


def _gauge(
    name: str, help_text: str, values: Mapping[tuple[str, ...], float], *labels: str
) -> Metric:
    return _filled(GaugeMetricFamily(f"boxes_{name}", help_text, labels=labels), values)


def _counter(
    name: str, help_text: str, values: Mapping[tuple[str, ...], float], *labels: str
) -> Metric:
    return _filled(CounterMetricFamily(f"boxes_{name}", help_text, labels=labels), values)


def _filled(
    family: GaugeMetricFamily | CounterMetricFamily, values: Mapping[tuple[str, ...], float]
) -> Metric:
    for label_values, value in values.items():
        family.add_metric(label_values, value)
    return family
