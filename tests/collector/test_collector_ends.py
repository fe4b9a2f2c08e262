"""How a collector ends: told to, refused, or because another one is there."""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from live_box_spreads.model.errors import ConfigError, FeedEndedError, StoreBusyError
from live_box_spreads.stores.snapshots import SnapshotStore, read_snapshot
from tests.collector.scripted import (
    START,
    ScriptedFeed,
    activity,
    collector_of,
    quotes,
    reports_of,
    rounds_of,
)

if TYPE_CHECKING:
    from live_box_spreads.collector.current_source import Collection
    from live_box_spreads.model.chain import Chain


@pytest.fixture
def store(tmp_path: Path) -> SnapshotStore:
    return SnapshotStore(tmp_path / "snapshots")


async def test_the_second_collector_of_a_folder_stops_at_once(store: SnapshotStore) -> None:
    feed = ScriptedFeed()
    with store.lock(), pytest.raises(StoreBusyError, match=f"pid {os.getpid()}"):
        await collector_of(feed, SnapshotStore(store.folder)).run(60.0, asyncio.Event())
    assert (feed.opened, feed.asked) == (0, [])


async def test_a_collector_whose_folder_was_deleted_ends_if_another_has_it(
    store: SnapshotStore,
) -> None:
    feed = ScriptedFeed()
    with ExitStack() as other:

        def delete_and_take() -> None:
            shutil.rmtree(store.folder)
            other.enter_context(SnapshotStore(store.folder).lock())

        feed.time.at(90.0, delete_and_take)
        with pytest.raises(StoreBusyError, match="already writes to"):
            await rounds_of(collector_of(feed, store), feed, 600.0)
        assert store.paths() == []
        assert (feed.snapshots, feed.closed) == (3, 1)


async def test_a_collector_whose_folder_was_deleted_goes_on_alone(store: SnapshotStore) -> None:
    feed = ScriptedFeed()
    feed.time.at(90.0, lambda: shutil.rmtree(store.folder))
    held: list[bool] = []

    def look() -> None:
        with pytest.raises(StoreBusyError):
            SnapshotStore(store.folder).lock().__enter__()
        held.append(True)

    feed.time.at(150.0, look)
    reports = await rounds_of(collector_of(feed, store), feed, 200.0)
    assert all(report.path is not None for report in reports)
    assert store.paths() == [report.path for report in reports[2:]]
    assert held == [True]


async def test_a_disk_that_is_full_at_the_start_is_waited_for(
    store: SnapshotStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = [True, True]
    really_make = Path.mkdir

    def make(path: Path, *args: Any, **options: Any) -> None:
        if full and full.pop():
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        really_make(path, *args, **options)

    monkeypatch.setattr(Path, "mkdir", make)
    feed = ScriptedFeed()
    reports = await rounds_of(collector_of(feed, store), feed, 150.0)
    assert [report.path is not None for report in reports] == [False, False, True]
    assert reports[0].failures["round"].endswith("cannot be locked: No space left on device")
    assert store.paths() == [reports[2].path]


async def test_a_stop_while_the_disk_is_full_ends_without_a_snapshot(
    store: SnapshotStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def make(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "mkdir", make)
    feed, stop = ScriptedFeed(), asyncio.Event()
    feed.time.at(150.0, stop.set)
    reports = await reports_of(collector_of(feed, store), 60.0, stop)
    assert [report.path for report in reports] == [None, None, None]
    assert (feed.opened, feed.closed) == (0, 0)


@pytest.mark.parametrize("interval_secs", [0.0, -1.0, float("nan")])
async def test_an_impossible_interval_is_refused(
    store: SnapshotStore, interval_secs: float
) -> None:
    with pytest.raises(ConfigError, match="impossible"):
        await collector_of(ScriptedFeed(), store).run(interval_secs, asyncio.Event())


async def test_a_stop_while_quotes_settle_ends_without_a_snapshot(store: SnapshotStore) -> None:
    feed = ScriptedFeed()
    feed.send_at(1.0, quoted=quotes(0), asked=(1, 4))
    assert await rounds_of(collector_of(feed, store, "stream"), feed, 5.0) == []
    assert (feed.time.secs(), store.paths()) == (5.0, [])


async def test_a_stop_between_two_rounds_does_not_wait_for_the_next(store: SnapshotStore) -> None:
    feed = ScriptedFeed()
    assert len(await rounds_of(collector_of(feed, store), feed, 7.0)) == 1
    assert feed.time.secs() == 7.0


@pytest.mark.parametrize("collection", ["poll", "stream"])
async def test_a_feed_that_has_ended_ends_the_collector_without_an_error(
    store: SnapshotStore, collection: Collection
) -> None:
    end = FeedEndedError("the recording is over")
    feed = ScriptedFeed(before_snapshot=[0.0, end])
    feed.send_at(0.1, quoted=quotes(0, 1, 2, 3), active=activity(0, 1, 2, 3))
    feed.send_at(30.0, error=end)
    reports = await rounds_of(collector_of(feed, store, collection), feed, 600.0)
    assert [report.path for report in reports] == store.paths()
    assert len(reports) == 1
    assert feed.time.secs() < 70.0


async def test_quotes_of_the_same_instant_are_written_once(store: SnapshotStore) -> None:
    feed = ScriptedFeed(market_at=START)
    feed.time.at(150.0, lambda: setattr(feed, "market_at", START + timedelta(seconds=60)))
    reports = await rounds_of(collector_of(feed, store), feed, 250.0)
    assert [report.path is not None for report in reports] == [True, False, False, True, False]
    assert [report.unchanged for report in reports] == [False, True, True, False, True]
    assert [read_snapshot(path).snapshot_time for path in store.paths()] == [
        START,
        START + timedelta(seconds=60),
    ]
    assert reports[1].summary() == "nothing newer than the quotes of 24 Nov 2026 15:00:00 UTC"


class StoppedWhileWriting(SnapshotStore):
    """Asks its collector to stop once it has begun to write."""

    def asked_by(self, stop: asyncio.Event) -> None:
        self._stop, self._loop = stop, asyncio.get_running_loop()

    def write(self, chain: Chain) -> Path:
        async def ask() -> None:
            self._stop.set()

        asyncio.run_coroutine_threadsafe(ask(), self._loop).result(10)
        return super().write(chain)


async def test_a_stop_during_a_write_finishes_the_file(tmp_path: Path) -> None:
    store = StoppedWhileWriting(tmp_path)
    feed, stop = ScriptedFeed(), asyncio.Event()
    store.asked_by(stop)
    reports = await reports_of(collector_of(feed, store), 60.0, stop)
    assert [report.path for report in reports] == store.paths()
    assert len(read_snapshot(store.paths()[0]).quotes) == 4
    assert (feed.snapshots, feed.closed) == (1, 1)
