"""Snapshots that appear in a folder, as a program without a collector is told of them."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from live_box_spreads.collector.publishing import Publisher
from live_box_spreads.model.errors import StoreError
from live_box_spreads.service.folder_watch import FolderWatch, SnapshotFile
from live_box_spreads.stores.snapshots import SnapshotStore

if TYPE_CHECKING:
    from pathlib import Path

    from live_box_spreads.collector.events import Event

NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
FIRST, SECOND, THIRD = (f"snapshot_20261124_1450{secs}.parquet" for secs in ("00", "01", "02"))
AHEAD = "snapshot_20261124_160000.parquet"
LONG_SECS = 60.0


class Kept(Publisher):
    """Keeps what is published, in the thread that publishes."""

    def __init__(self) -> None:
        super().__init__()
        self.files: list[SnapshotFile] = []

    def publish(self, event: Event) -> None:
        assert isinstance(event, SnapshotFile)
        self.files.append(event)


class Watched:
    """A folder under watch."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.now = NOW
        self.store = SnapshotStore(folder)
        self.published = Kept()
        self.watch = FolderWatch(self.store, self.published, clock=lambda: self.now)

    def put(self, *names: str) -> None:
        for name in names:
            (self.folder / name).write_bytes(b"is not read")

    def look(self) -> list[str]:
        """Look, and return the names that were published by it."""
        before = len(self.published.files)
        self.watch.look()
        return [file.path.name for file in self.published.files[before:]]


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    return Watched(tmp_path)


def test_the_first_look_publishes_the_newest_and_later_ones_what_is_newer(watched: Watched) -> None:
    assert watched.look() == []
    watched.put(FIRST, SECOND, "notes.txt")
    assert watched.look() == [SECOND]
    assert watched.look() == []
    later = "snapshot_20261124_145500.csv"
    watched.put(THIRD, later)
    assert watched.look() == [THIRD, later]
    assert watched.look() == []


def test_a_folder_that_is_not_there_yet_is_watched_too(tmp_path: Path) -> None:
    watched = Watched(tmp_path / "later")
    assert watched.look() == []
    watched.folder.mkdir()
    watched.put(FIRST)
    assert watched.look() == [FIRST]


def test_a_file_that_was_replaced_under_its_name_is_published_again(watched: Watched) -> None:
    watched.put(FIRST)
    watched.look()
    (watched.folder / "other").write_bytes(b"another one")
    (watched.folder / "other").replace(watched.folder / FIRST)
    assert watched.look() == [FIRST]
    before, after = watched.published.files
    assert before.path == after.path
    assert before.state != after.state


def test_a_snapshot_ahead_of_the_clock_waits_until_its_time_has_come(watched: Watched) -> None:
    watched.put(AHEAD)
    assert watched.look() == []
    watched.put(FIRST)
    assert watched.look() == [FIRST]
    watched.now += timedelta(hours=1)
    assert watched.look() == [AHEAD]


def test_where_the_newest_is_removed_the_one_before_is_the_newest_again(watched: Watched) -> None:
    watched.put(FIRST, SECOND)
    watched.look()
    (watched.folder / SECOND).unlink()
    assert watched.look() == [FIRST]
    (watched.folder / FIRST).unlink()
    assert watched.look() == []
    watched.put(FIRST)
    assert watched.look() == [FIRST]


def test_a_folder_that_cannot_be_listed_is_logged_once_and_looked_at_again(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched.put(FIRST)
    refusing = [True, True]
    listing = SnapshotStore.listing

    def refuse(store: SnapshotStore, now: datetime | None = None) -> object:
        if refusing:
            refusing.pop()
            raise StoreError("snapshot folder cannot be listed: Permission denied")
        return listing(store, now)

    monkeypatch.setattr(SnapshotStore, "listing", refuse)
    with capture_logs() as logs:
        assert [watched.look() for _ in range(3)] == [[], [], [FIRST]]
    assert [log["event"] for log in logs] == ["folder_not_listed"]


def test_a_thread_looks_until_the_watch_is_closed(tmp_path: Path) -> None:
    publisher = Publisher()
    received = threading.Semaphore(0)
    waits: list[float] = []

    class Counting:
        name = "counting"
        wants = (SnapshotFile,)

        def receive(self, _event: Event) -> None:
            received.release()

    ending = threading.Event()

    def wait(secs: float) -> bool:
        waits.append(secs)
        return ending.wait(0.001)

    publisher.subscribe(Counting())
    store = SnapshotStore(tmp_path)
    watch = FolderWatch(store, publisher, clock=lambda: NOW, every_secs=7.0, wait=wait)
    with watch:
        for name in (FIRST, SECOND):
            (tmp_path / name).write_bytes(b"is not read")
            assert received.acquire(timeout=LONG_SECS)
        ending.set()
    assert set(waits) == {7.0}
    publisher.close(LONG_SECS)
    (tmp_path / THIRD).write_bytes(b"is not read")
    assert publisher.health()["counting"].dropped == 0
