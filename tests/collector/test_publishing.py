"""Subscribers that are slow, block or fail, and a publisher that does not wait for any."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from structlog.testing import capture_logs

from live_box_spreads.collector.events import Changes, Event, Round, Snapshot
from live_box_spreads.collector.live_book import LiveBook
from live_box_spreads.collector.publishing import Publisher, SubscriberHealth
from live_box_spreads.collector.report import SnapshotReport
from live_box_spreads.model.chain import Timeliness
from live_box_spreads.model.errors import FeedUnavailableError
from live_box_spreads.stores.snapshots import SnapshotStore
from tests.collector.scripted import START, ScriptedFeed, collector_of, contracts_of, rounds_of

if TYPE_CHECKING:
    from collections.abc import Collection

CONTRACTS = contracts_of("SPX")
OTHER_CONTRACTS = contracts_of("SPX")
LONG_SECS = 60.0
BLOCKED_SECS = 0.05


def snapshot(number: int) -> Snapshot:
    path = Path(f"snapshot_{number}")
    chain = LiveBook(CONTRACTS).snapshot(START, "scripted", Timeliness.REPLAY)
    return Snapshot(path, chain, SnapshotReport(path, START))


def changes(bids: dict[int, float], contracts: object = CONTRACTS) -> Changes:
    rows = np.array(list(bids), np.int32)
    values = np.array(list(bids.values()))
    return Changes(START, contracts, rows, values, values + 1, values + 2, values + 3)  # type: ignore[arg-type]


@dataclass
class Recorder:
    """Keeps what it receives; waits before each event until it may go on.

    Attributes:
        gate: clear it to block.
        entered: how often ``receive`` was called.
        raising: what it raises at each event.
    """

    name: str = "recorder"
    wants: Collection[type[Event]] = (Snapshot, Round, Changes)
    raising: Exception | None = None
    received: list[Event] = field(default_factory=list)
    gate: threading.Event = field(default_factory=threading.Event)
    entered: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def receive(self, event: Event) -> None:
        self.entered.release()
        assert self.gate.wait(LONG_SECS)
        self.received.append(event)
        if self.raising is not None:
            raise self.raising


def opened(**options: object) -> Recorder:
    recorder = Recorder(**options)  # type: ignore[arg-type]
    recorder.gate.set()
    return recorder


def blocked_at_first(publisher: Publisher, recorder: Recorder, first: Event, most: int) -> None:
    """Subscribe, and let ``receive`` hang at its first event."""
    publisher.subscribe(recorder, most_waiting=most)
    publisher.publish(first)
    assert recorder.entered.acquire(timeout=LONG_SECS)


def test_every_subscriber_receives_what_it_wants_in_order() -> None:
    publisher = Publisher()
    all_of_it, snapshots_only = opened(), opened(name="other", wants=(Snapshot,))
    publisher.subscribe(all_of_it)
    publisher.subscribe(snapshots_only)
    events = [snapshot(0), Round(SnapshotReport(None, START)), snapshot(1)]
    for event in events:
        publisher.publish(event)
    publisher.close(LONG_SECS)
    assert all_of_it.received == events
    assert snapshots_only.received == [events[0], events[2]]
    assert publisher.health() == {"recorder": SubscriberHealth(), "other": SubscriberHealth()}


def test_a_slow_subscriber_loses_its_oldest_events_and_the_rest_keep_their_order() -> None:
    publisher, slow, quick = Publisher(), Recorder(), opened(name="quick")
    events = [snapshot(number) for number in range(10)]
    with capture_logs() as logs:
        blocked_at_first(publisher, slow, events[0], most=3)
        publisher.subscribe(quick)
        for event in events[1:]:
            publisher.publish(event)
        assert publisher.health()["recorder"] == SubscriberHealth(waiting=3, dropped=6)
        slow.gate.set()
        publisher.close(LONG_SECS)
    assert slow.received == [events[0], *events[7:]]
    assert quick.received == events[1:]
    assert publisher.health()["recorder"] == SubscriberHealth(dropped=6)
    assert [log["event"] for log in logs] == ["events_dropped"]
    assert logs[0]["subscriber"] == "recorder"


def test_a_subscriber_that_blocks_for_ever_is_left_behind() -> None:
    publisher, stuck, other = Publisher(), Recorder(), opened(name="other")
    publisher.subscribe(other)
    with capture_logs() as logs:
        blocked_at_first(publisher, stuck, snapshot(0), most=3)
        publisher.publish(snapshot(1))
        publisher.close(BLOCKED_SECS)
    assert [log["event"] for log in logs] == ["subscriber_left_behind"]
    assert (logs[0]["subscriber"], logs[0]["waiting"]) == ("recorder", 1)
    publisher.publish(snapshot(2))
    assert publisher.health()["recorder"] == SubscriberHealth(dropped=1)
    stuck.gate.set()
    assert len(other.received) == 2


def test_a_subscriber_that_blocks_takes_no_time_from_the_others_at_the_end() -> None:
    publisher, stuck, slow = Publisher(), Recorder(), Recorder(name="slow")
    blocked_at_first(publisher, stuck, snapshot(0), most=3)
    blocked_at_first(publisher, slow, snapshot(1), most=3)
    publisher.publish(snapshot(2))
    slow.gate.set()
    publisher.close(2.0)
    assert [publisher.health()[name].dropped for name in ("recorder", "slow")] == [2, 0]
    stuck.gate.set()


def test_a_subscriber_that_raises_goes_on_receiving_and_each_kind_is_logged_once() -> None:
    publisher, failing, other = Publisher(), opened(), opened(name="other")
    failing.raising = FeedUnavailableError("the wall is down")
    publisher.subscribe(failing)
    publisher.subscribe(other)
    with capture_logs() as logs:
        for number in range(3):
            publisher.publish(snapshot(number))
        publisher.close(LONG_SECS)
    assert (len(failing.received), len(other.received)) == (3, 3)
    assert publisher.health()["recorder"] == SubscriberHealth(failures=3)
    assert [(log["event"], log["error"]) for log in logs] == [
        ("subscriber_failed", "the wall is down")
    ]


def test_the_words_of_a_foreign_error_are_not_logged() -> None:
    publisher, failing = Publisher(), opened(raising=ValueError("a header with s3cret in it"))
    publisher.subscribe(failing)
    with capture_logs() as logs:
        publisher.publish(snapshot(0))
        publisher.close(LONG_SECS)
    assert logs[0]["error"].startswith("ValueError in test_publishing.py, line ")
    assert "s3cret" not in repr(logs)


def test_a_closed_subscription_receives_nothing_more_and_others_go_on() -> None:
    publisher, leaving, staying = Publisher(), opened(), opened(name="staying")
    publisher.subscribe(staying)
    with publisher.subscribe(leaving):
        assert publisher.wants(Changes)
        publisher.publish(snapshot(0))
        assert leaving.entered.acquire(timeout=LONG_SECS)
    publisher.publish(snapshot(1))
    publisher.close(LONG_SECS)
    assert len(leaving.received) == 1
    assert len(staying.received) == 2
    assert not publisher.wants(Changes)


def test_a_subscriber_may_end_its_own_subscription_while_events_flow() -> None:
    publisher = Publisher()
    ended = threading.Event()

    class Once:
        name = "once"
        wants = (Snapshot,)
        received = 0

        def receive(self, _event: Event) -> None:
            self.received += 1
            subscription.close()
            ended.set()

    once = Once()
    subscription = publisher.subscribe(once)

    def publish_many() -> None:
        for number in range(100):
            publisher.publish(snapshot(number))

    publishing = threading.Thread(target=publish_many)
    publishing.start()
    assert ended.wait(LONG_SECS)
    publishing.join(LONG_SECS)
    publisher.publish(snapshot(101))
    publisher.close(LONG_SECS)
    assert once.received + publisher.health()["once"].dropped <= 101
    assert not publisher.wants(Snapshot)


def test_changes_that_wait_become_one_with_the_newest_values() -> None:
    publisher, slow = Publisher(), Recorder()
    blocked_at_first(publisher, slow, snapshot(0), most=3)
    for bids in ({1: 5.0}, {0: 6.0, 1: 7.0}, {0: np.nan}):
        publisher.publish(changes(bids))
    slow.gate.set()
    publisher.close(LONG_SECS)
    _, joined = slow.received
    assert isinstance(joined, Changes)
    assert joined.rows.tolist() == [0, 1]
    np.testing.assert_array_equal(joined.bid, [np.nan, 7.0])
    np.testing.assert_array_equal(joined.ask_size, [np.nan, 10.0])


def test_changes_of_contracts_listed_anew_replace_those_of_the_old_list() -> None:
    publisher, slow = Publisher(), Recorder()
    blocked_at_first(publisher, slow, snapshot(0), most=3)
    newest = changes({0: 6.0}, OTHER_CONTRACTS)
    publisher.publish(changes({1: 5.0}))
    publisher.publish(newest)
    slow.gate.set()
    publisher.close(LONG_SECS)
    assert slow.received[1:] == [newest]


def test_no_snapshot_is_dropped_for_changes_and_changes_go_with_what_they_follow() -> None:
    publisher, slow = Publisher(), Recorder()
    blocked_at_first(publisher, slow, snapshot(0), most=2)
    events: list[Event] = []
    for number in range(1, 4):
        events += [snapshot(number), changes({0: float(number)})]
    for event in events[:4]:
        publisher.publish(event)
    assert publisher.health()["recorder"] == SubscriberHealth(waiting=4)
    for event in events[4:]:
        publisher.publish(event)
    slow.gate.set()
    publisher.close(LONG_SECS)
    assert slow.received[1:] == events[2:]
    assert publisher.health()["recorder"].dropped == 2


@pytest.mark.parametrize("kind", ["blocks", "raises"])
async def test_a_bad_subscriber_does_not_delay_the_rounds(tmp_path: Path, kind: str) -> None:
    feed = ScriptedFeed()
    collector = collector_of(feed, SnapshotStore(tmp_path))
    bad = Recorder() if kind == "blocks" else opened(raising=ValueError("no"))
    subscription = collector.publisher.subscribe(bad, most_waiting=2)
    feed.time.at(500.0, subscription.close)
    reports = await rounds_of(collector, feed, 590)
    bad.gate.set()
    starts = [(report.snapshot_time - START).total_seconds() for report in reports]
    assert starts == [60.0 * number for number in range(10)]
    assert all(report.path is not None and not report.overrun_secs for report in reports)


async def test_one_snapshot_is_published_too(tmp_path: Path) -> None:
    collector = collector_of(ScriptedFeed(), SnapshotStore(tmp_path))
    recorder = opened()
    collector.publisher.subscribe(recorder)
    report = await collector.once()
    await asyncio.to_thread(collector.publisher.close, LONG_SECS)
    (event,) = recorder.received
    assert isinstance(event, Snapshot)
    assert (event.report, event.path, len(event.chain.quotes)) == (report, report.path, 4)
