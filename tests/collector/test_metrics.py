"""The metrics as Prometheus reads them."""

from __future__ import annotations

import socket
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.request import urlopen

import pytest
from prometheus_client.parser import text_string_to_metric_families

from live_box_spreads.collector.events import Round, Snapshot
from live_box_spreads.collector.health import CollectorHealth, Counts, RootHealth
from live_box_spreads.collector.live_book import LiveBook
from live_box_spreads.collector.metrics import CollectorMetrics
from live_box_spreads.collector.metrics_server import metrics_served
from live_box_spreads.collector.publishing import SubscriberHealth
from live_box_spreads.collector.report import SnapshotReport
from live_box_spreads.feeds.base import FeedHealth, StreamProgress
from live_box_spreads.model.chain import Timeliness
from live_box_spreads.model.errors import ConfigError, FeedUnavailableError
from live_box_spreads.stores.snapshots import SnapshotStore
from tests.collector.scripted import (
    ScriptedFeed,
    activity,
    collector_of,
    contracts_of,
    quotes,
    rounds_of,
)

NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
EVERYTHING = CollectorHealth(
    at=NOW,
    counts=Counts(1_000, 20, NOW - timedelta(seconds=30)),
    progress=StreamProgress(90, 100, 190, 200, 7, 1, 2),
    lost_since=NOW - timedelta(seconds=12),
    roots={
        "SPX": RootHealth(60, 50, 40, 30, 5, NOW - timedelta(seconds=90), 100.0),
        "XSP": RootHealth(
            40, 0, 0, 0, 0, None, float("nan"), awaited_since=NOW - timedelta(seconds=70)
        ),
    },
    feed=FeedHealth({"connections_lost": 4, "malformed_frames": 2}, {"200": 70, "timeout": 1}),
)


def everything() -> CollectorMetrics:
    """Return the metrics of a collector with all that can be known, after four rounds."""
    subscribers = {"output": SubscriberHealth(2, 5, 3)}
    metrics = CollectorMetrics(lambda: EVERYTHING, lambda: subscribers)
    chain = LiveBook(contracts_of("SPX")).snapshot(
        NOW - timedelta(seconds=30), "scripted", Timeliness.REPLAY
    )
    report = SnapshotReport(Path("snapshot"), chain.snapshot_time, duration_secs=1.5)
    for _ in range(3):
        metrics.receive(Snapshot(Path("snapshot"), chain, report))
    metrics.receive(Round(SnapshotReport(None, NOW, failures={"round": "away"})))
    metrics.receive(Round(SnapshotReport(None, NOW, unchanged=True)))
    return metrics


def scraped(metrics: CollectorMetrics) -> dict[str, float]:
    """Return each sample as ``name{label=value}``, as a real scrape over loopback finds it."""
    with (
        metrics_served(metrics, 0) as port,
        urlopen(f"http://127.0.0.1:{port}/metrics") as answer,
    ):
        text = answer.read().decode()
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = ",".join(f"{name}={value}" for name, value in sample.labels.items())
            found[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return found


def test_everything_that_is_known_is_told() -> None:
    found = scraped(everything())
    expected = {
        "boxes_snapshots_total": 3,
        "boxes_failed_rounds_total": 1,
        "boxes_round_seconds_count": 3,
        "boxes_round_seconds_sum": 4.5,
        "boxes_last_snapshot_timestamp_seconds": NOW.timestamp() - 30,
        "boxes_quotes_total{source=stream}": 1_000,
        "boxes_quotes_total{source=rest}": 20,
        "boxes_stream_lost_seconds": 12,
        "boxes_stream_connections": 1,
        "boxes_stream_connections_wanted": 2,
        "boxes_subscriptions": 190,
        "boxes_subscriptions_wanted": 200,
        "boxes_subscriptions_left_out": 7,
        "boxes_stream_reconnects_total": 4,
        "boxes_stream_losses_total{kind=malformed_frames}": 2,
        "boxes_rest_calls_total{status=200}": 70,
        "boxes_rest_calls_total{status=timeout}": 1,
        "boxes_contracts{root=SPX}": 60,
        "boxes_contracts_quoted{root=SPX}": 50,
        "boxes_contracts_never_quoted{root=SPX}": 10,
        "boxes_contracts_never_quoted{root=XSP}": 40,
        "boxes_contracts_two_sided{root=SPX}": 40,
        "boxes_contracts_streaming{root=SPX}": 30,
        "boxes_oldest_quote_seconds{root=SPX}": 100,
        "boxes_root_silent_seconds{root=SPX}": 90,
        "boxes_most_silent_root_seconds": 90,
        "boxes_root_unheard_seconds{root=XSP}": 70,
        "boxes_subscriber_events_waiting{subscriber=output}": 2,
        "boxes_subscriber_events_dropped_total{subscriber=output}": 5,
        "boxes_subscriber_failures_total{subscriber=output}": 3,
    }
    assert {name: found.get(name) for name in expected} == expected
    assert "boxes_root_silent_seconds{root=XSP}" not in found  # never updated is not silent


def test_a_collector_that_has_done_nothing_yet_has_no_numbers_to_invent() -> None:
    found = scraped(CollectorMetrics(lambda: CollectorHealth(NOW, Counts()), dict))
    assert found["boxes_snapshots_total"] == 0
    assert found["boxes_stream_lost_seconds"] == 0
    unknown = ("boxes_last_snapshot", "boxes_contracts", "boxes_subscriptions", "boxes_rest_calls")
    assert not [name for name in found if name.startswith(unknown)]


def test_a_port_that_is_taken_is_told() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(ConfigError, match="--metrics-port"),
        metrics_served(everything(), taken.getsockname()[1]),
    ):
        pass


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere 127.0.0.2 is no address")
def test_only_one_address_is_served() -> None:
    # Whoever listens on every address of the machine answers on 127.0.0.2 too.
    with metrics_served(everything(), 0) as port, pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.2", port), timeout=5)


async def test_a_collector_counts_what_it_does(tmp_path: Path) -> None:
    feed = ScriptedFeed()
    full = quotes(0, 1, 2, 3)
    feed.send_at(0.0, quoted=full, active=activity(0, 1, 2, 3))
    feed.send_at(70.0, quoted=quotes(0))
    collector = collector_of(feed, SnapshotStore(tmp_path), "stream")
    seen: list[CollectorHealth] = []
    feed.time.at(100.0, lambda: seen.append(collector.health()))
    metrics = CollectorMetrics(collector.health, collector.publisher.health)
    collector.publisher.subscribe(metrics)
    await rounds_of(collector, feed, 130)
    (health,) = seen
    assert (health.counts.streamed_quotes, health.counts.polled_quotes) == (5, 0)
    assert health.silent_secs() == {"SPX": 30.0, "SPXW": 100.0}
    assert scraped(metrics)["boxes_snapshots_total"] == 3
    assert collector.health().roots == {}  # nothing is streamed any more


async def test_a_root_of_which_the_feed_never_spoke_is_named(tmp_path: Path) -> None:
    feed = ScriptedFeed()
    for secs in (0.0, 40.0, 80.0):
        feed.send_at(secs, quoted=quotes(0, 1))  # both of SPX, none of SPXW
    feed.send_at(100.0, quoted=quotes(2))
    collector = collector_of(feed, SnapshotStore(tmp_path), "stream")
    seen: list[CollectorHealth] = []
    for secs in (90.0, 110.0):
        feed.time.at(secs, lambda: seen.append(collector.health()))
    reports = await rounds_of(collector, feed, 190)
    before, after = seen
    assert before.never_quoted_secs() == {"SPXW": 90.0}
    assert after.never_quoted_secs() == {}
    named = [report for report in reports if report.never_quoted_secs]
    assert [list(report.never_quoted_secs) for report in named] == [["SPXW"]]
    assert "SPXW asked for 60 s ago and never quoted" in named[0].summary()


async def test_failed_rounds_are_counted(tmp_path: Path) -> None:
    feed = ScriptedFeed(before_snapshot=[FeedUnavailableError("away"), 0.0])
    collector = collector_of(feed, SnapshotStore(tmp_path))
    metrics = CollectorMetrics(collector.health, collector.publisher.health)
    collector.publisher.subscribe(metrics)
    await rounds_of(collector, feed, 70)
    found = scraped(metrics)
    assert (found["boxes_failed_rounds_total"], found["boxes_snapshots_total"]) == (1, 1)


def _answered(port: int, request: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(request)
        with connection.makefile("rb") as answer:
            return answer.read()


@pytest.mark.parametrize(
    ("host", "status"),
    [
        (b"Host: 127.0.0.1:1\r\n", b"200"),
        (b"Host: localhost\r\n", b"200"),
        (b"Host: [::1]:9464\r\n", b"200"),
        (b"Host: evil.test\r\n", b"403"),
        (b"Host: 127.0.0.1.evil.test:9464\r\n", b"403"),
        (b"Host: 127.0.0.1\r\nHost: evil.test\r\n", b"403"),
        (b"", b"403"),
    ],
)
def test_only_names_of_this_machine_are_answered(host: bytes, status: bytes) -> None:
    with metrics_served(everything(), 0) as port:
        answer = _answered(port, b"GET /metrics HTTP/1.1\r\n" + host + b"\r\n")
    assert answer.split(maxsplit=2)[1] == status
    assert (b"boxes_snapshots_total" in answer) is (status == b"200")


def test_a_request_that_never_ends_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("live_box_spreads.collector.metrics_server._REQUEST_SECS", 0.2)
    with metrics_served(everything(), 0) as port:
        assert _answered(port, b"GET /metrics HT") == b""
        assert _answered(port, b"GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\nX-More: ") == b""


def test_more_requests_than_a_few_at_once_are_turned_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("live_box_spreads.collector.metrics_server._REQUESTS_AT_ONCE", 2)
    with metrics_served(everything(), 0) as port:
        held = [socket.create_connection(("127.0.0.1", port), timeout=20) for _ in range(2)]
        for connection in held:
            connection.sendall(b"GET")
        assert _answered_or_cut(port) == b""
        for connection in held:
            connection.close()
        assert b"boxes_build" in _answered_in_the_end(port)


def _answered_or_cut(port: int) -> bytes:
    try:
        return _answered(port, b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
    except ConnectionError:
        return b""


def _answered_in_the_end(port: int) -> bytes:
    """Ask until those who hung up have been noticed."""
    while not (answer := _answered_or_cut(port)):
        pass
    return answer
