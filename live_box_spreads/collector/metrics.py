"""What Prometheus reads of a collector.

Rounds are counted as their events come; every other number is read with each scrape.
docs/operations.md lists the metrics and what to watch.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    Metric,
    SummaryMetricFamily,
)
from prometheus_client.registry import Collector as MetricsSource

from live_box_spreads import __version__
from live_box_spreads.collector.events import Round, Snapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import datetime

    from live_box_spreads.collector.events import Event
    from live_box_spreads.collector.health import CollectorHealth, Counts
    from live_box_spreads.collector.publishing import SubscriberHealth


class CollectorMetrics(MetricsSource):
    """The metrics of one collector; a subscriber, which counts its rounds.

    Attributes:
        name: what this subscriber is called.
        wants: what it receives.
    """

    name = "metrics"
    wants = (Snapshot, Round)

    def __init__(
        self,
        health: Callable[[], CollectorHealth],
        subscribers: Callable[[], Mapping[str, SubscriberHealth]],
    ) -> None:
        """Start with no round counted.

        Args:
            health: gives the health; called with each scrape, in another thread.
            subscribers: gives how subscribers are served, by name; called in the same way.
        """
        self._health = health
        self._subscribers = subscribers
        self._rounds = _RoundCounts()

    def receive(self, event: Event) -> None:
        """Count a round."""
        rounds = self._rounds  # replaced as a whole: a scrape sees one round or the next
        if isinstance(event, Snapshot):
            self._rounds = replace(
                rounds,
                snapshots=rounds.snapshots + 1,
                secs=rounds.secs + event.report.duration_secs,
                last_at=event.chain.snapshot_time,
            )
        elif isinstance(event, Round) and not event.report.unchanged:
            self._rounds = replace(rounds, failed=rounds.failed + 1)

    def describe(self) -> Iterable[Metric]:
        """Return nothing: the health is read at a scrape, not before."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Return every metric as of now."""
        health = self._health()
        yield _gauge("build", "Version of the program; always 1.", {(__version__,): 1}, "version")
        yield from _rounds(self._rounds)
        yield _quotes(health.counts)
        yield from _stream(health)
        yield from _roots(health)
        yield from _feed(health)
        yield from _subscribers(self._subscribers())


@dataclass(frozen=True, slots=True)
class _RoundCounts:
    """Rounds since the start; ``secs`` is how long those with a snapshot took, all together."""

    snapshots: int = 0
    failed: int = 0
    secs: float = 0.0
    last_at: datetime | None = None


def _rounds(rounds: _RoundCounts) -> Iterator[Metric]:
    yield _counter("snapshots", "Snapshots written.", {(): rounds.snapshots})
    yield _counter("failed_rounds", "Rounds without a snapshot.", {(): rounds.failed})
    yield SummaryMetricFamily(
        "boxes_round_seconds",
        "How long rounds with a snapshot took.",
        count_value=rounds.snapshots,
        sum_value=rounds.secs,
    )
    if rounds.last_at is not None:
        at = rounds.last_at.timestamp()
        yield _gauge("last_snapshot_timestamp_seconds", "Time of the last snapshot.", {(): at})


def _quotes(counts: Counts) -> Metric:
    by_source: dict[tuple[str, ...], float] = {
        ("stream",): counts.streamed_quotes,
        ("rest",): counts.polled_quotes,
    }
    return _counter("quotes", "Quotes received.", by_source, "source")


def _stream(health: CollectorHealth) -> Iterator[Metric]:
    yield _gauge(
        "stream_lost_seconds",
        "Seconds for which quotes that were streamed have been missing.",
        {(): health.lost_secs},
    )
    if (progress := health.progress) is None:
        return
    yield _gauge("stream_connections", "Connections that are open.", {(): progress.connections})
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
        "Contracts whose quotes a connected stream keeps up to date.",
        {r: h.streaming for r, h in roots.items()},
    )
    yield by_root(
        "oldest_quote_seconds",
        "Age of the oldest quote.",
        {r: h.oldest_secs for r, h in roots.items()},
    )
    silent_secs = health.silent_secs()
    yield by_root(
        "root_silent_seconds",
        "Seconds since the stream last brought an update of a root.",
        silent_secs,
    )
    yield by_root(
        "root_unheard_seconds",
        "Seconds since all quotes were asked for, of each root that was never quoted.",
        health.never_quoted_secs(),
    )
    if silent_secs:
        yield _gauge(
            "most_silent_root_seconds",
            "Seconds since the last update, of the root whose last update is oldest.",
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
        "Messages and rows that could not be used, or were refused, by kind.",
        {(kind,): count for kind, count in losses.items()},
        "kind",
    )
    yield _counter(
        "rest_calls",
        "REST requests by outcome.",
        {(status,): count for status, count in health.feed.rest_calls.items()},
        "status",
    )


def _subscribers(subscribers: Mapping[str, SubscriberHealth]) -> Iterator[Metric]:
    def by_name(values: Mapping[str, int]) -> dict[tuple[str, ...], float]:
        return {(name,): value for name, value in values.items()}

    waiting = by_name({name: health.waiting for name, health in subscribers.items()})
    yield _gauge(
        "subscriber_events_waiting", "Events that wait for a subscriber.", waiting, "subscriber"
    )
    dropped = by_name({name: health.dropped for name, health in subscribers.items()})
    yield _counter(
        "subscriber_events_dropped",
        "Events dropped because a subscriber was too slow.",
        dropped,
        "subscriber",
    )
    failures = by_name({name: health.failures for name, health in subscribers.items()})
    yield _counter(
        "subscriber_failures",
        "Events at which a subscriber raised an error.",
        failures,
        "subscriber",
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
