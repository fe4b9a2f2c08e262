"""What changed between two snapshots, as subscribers receive it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import numpy as np

from live_box_spreads.collector.events import Changes, Event, Round, Snapshot
from live_box_spreads.stores.snapshots import SnapshotStore
from tests.collector.scripted import (
    EVERY_EVENT,
    ScriptedFeed,
    activity,
    collector_of,
    contracts_of,
    quotes,
    rounds_of,
)

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


class Everything:
    name = "everything"
    wants = (Snapshot, Round, Changes)

    def __init__(self) -> None:
        self.events: list[Event] = []

    def receive(self, event: Event) -> None:
        self.events.append(event)


async def events_of(feed: ScriptedFeed, folder: Path, until_secs: float) -> list[Event]:
    collector = collector_of(feed, SnapshotStore(folder), "stream")
    everything = Everything()
    collector.publisher.subscribe(everything, most_waiting=EVERY_EVENT)
    await rounds_of(collector, feed, until_secs)
    return everything.events


async def test_each_changed_row_comes_once_before_the_snapshot_that_has_it(tmp_path: Path) -> None:
    feed = ScriptedFeed()
    feed.send_at(0.0, quoted=quotes(0, 1, 2, 3), active=activity(0, 1, 2, 3))
    feed.send_at(30.0, quoted=quotes(1, bid=20.0))
    feed.send_at(30.1, quoted=quotes(1, 2, bid=21.0))
    feed.send_at(40.0, quoted=quotes(1, 2, bid=21.0))  # the same again: no change
    events = await events_of(feed, tmp_path, 70)
    kinds = [type(event) for event in events]
    assert kinds == [Changes, Snapshot, Changes, Snapshot]
    first, _, second, _ = events
    assert isinstance(first, Changes)
    assert isinstance(second, Changes)
    assert first.rows.tolist() == [0, 1, 2, 3]
    assert (second.rows.tolist(), second.bid.tolist()) == ([1, 2], [21.0, 21.0])
    assert (second.ask.tolist(), second.ask_size.tolist()) == ([22.0] * 2, [6.0] * 2)
    assert (second.at - first.at).total_seconds() > 29.0


async def test_changes_while_a_snapshot_is_written_come_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed = ScriptedFeed()
    feed.send_at(0.0, quoted=quotes(0, 1, 2, 3), active=activity(0, 1, 2, 3))
    loop = asyncio.get_running_loop()
    write = SnapshotStore.write

    async def quote_meanwhile() -> None:
        feed.send_at(feed.time.secs(), quoted=quotes(0, bid=30.0))
        await feed.time.sleep(1.0)

    def slowly(store: SnapshotStore, chain: object) -> Path:
        asyncio.run_coroutine_threadsafe(quote_meanwhile(), loop).result(60)
        return write(store, chain)  # type: ignore[arg-type]

    monkeypatch.setattr(SnapshotStore, "write", slowly)
    events = await events_of(feed, tmp_path, 30)
    assert [type(event) for event in events] == [Changes, Snapshot, Changes]
    _, snapshot, after = events
    assert isinstance(snapshot, Snapshot)
    assert isinstance(after, Changes)
    assert 30.0 not in snapshot.chain.quotes["bid"].to_list()
    assert (after.rows.tolist(), after.bid.tolist()) == ([0], [30.0])


async def test_contracts_listed_anew_come_with_all_of_their_quotes(tmp_path: Path) -> None:
    half, both = contracts_of("SPX", failures={"SPXW": "no such chain"}), contracts_of("SPX")
    feed = ScriptedFeed([half, both])
    feed.send_at(0.0, quoted=quotes(0, 1), active=activity(0, 1))
    events = await events_of(feed, tmp_path, 400)
    changes = [event for event in events if isinstance(event, Changes)]
    assert [each.contracts for each in changes] == [half, both]
    np.testing.assert_array_equal(changes[1].rows, [0, 1])  # carried over


async def test_nothing_is_computed_while_nobody_subscribes_to_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    monkeypatch.setattr(
        "live_box_spreads.collector.live_book.LiveBook.quotes", lambda *_: asked.append(1)
    )
    feed = ScriptedFeed()
    feed.send_at(0.0, quoted=quotes(0, 1, 2, 3), active=activity(0, 1, 2, 3))
    reports = await rounds_of(collector_of(feed, SnapshotStore(tmp_path), "stream"), feed, 130)
    assert (len(reports), asked) == (3, [])
