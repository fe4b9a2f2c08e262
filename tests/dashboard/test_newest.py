"""Which snapshot is shown, and what is said of those that are not."""

from __future__ import annotations

import os
from datetime import timedelta
from typing import TYPE_CHECKING

from live_box_spreads.dashboard.market_view import MarketView
from live_box_spreads.model.errors import SnapshotError
from live_box_spreads.service import snapshots
from live_box_spreads.stores.snapshots import read_snapshot
from tests.dashboard.market import NOON, chain_at

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from live_box_spreads.settings import Settings

STRIKES = [4800.0, 5000.0, 5200.0]


def write(settings: Settings, *, minutes: float = 0) -> Path:
    return settings.store().write(chain_at(NOON + timedelta(minutes=minutes), strikes=STRIKES))


def at(settings: Settings, *, minutes: float = 0) -> MarketView:
    return MarketView(settings, clock=lambda: NOON + timedelta(minutes=minutes))


def shown(view: MarketView) -> tuple[str, str]:
    newest = view.snapshots.newest()
    assert newest.market is not None
    return newest.market.path.name, newest.notice


def test_a_snapshot_of_a_clock_that_ran_ahead_is_set_aside_and_told(settings: Settings) -> None:
    current = write(settings)
    ahead = write(settings, minutes=180)
    name, notice = shown(at(settings))
    assert name == current.name
    assert notice == (
        "1 snapshot is ahead of this machine's clock by up to 3 h and set aside, the last of them "
        f"{ahead.name}"
    )


def test_it_is_shown_once_its_time_has_come(settings: Settings) -> None:
    write(settings)
    ahead = write(settings, minutes=180)
    assert shown(at(settings, minutes=180)) == (ahead.name, "")


def test_where_all_are_ahead_the_newest_is_shown_as_ahead(settings: Settings) -> None:
    write(settings, minutes=60)
    ahead = write(settings, minutes=180)
    name, notice = shown(at(settings))
    assert name == ahead.name
    assert notice.startswith("The snapshot shown is ahead of this machine's clock by up to 3 h")


def test_a_snapshot_of_another_writer_s_clock_is_no_news(settings: Settings) -> None:
    name = write(settings, minutes=0.5).name
    assert shown(at(settings)) == (name, "")


def test_an_unreadable_file_is_read_once_and_again_when_it_changes(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(settings)
    whole = path.read_bytes()
    path.write_bytes(whole[:500])
    reads = []

    def counted(which: Path) -> object:
        reads.append(which)
        return read_snapshot(which)

    monkeypatch.setattr(snapshots, "read_snapshot", counted)
    view = at(settings)
    for _ in range(5):
        assert view.snapshots.newest().market is None
    assert len(reads) == 1
    path.write_bytes(whole)
    assert shown(view) == (path.name, "")
    assert len(reads) == 2


def test_a_file_that_could_not_be_read_for_a_moment_is_tried_again(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(settings)
    view = at(settings)
    with monkeypatch.context() as broken:
        broken.setattr(snapshots, "_UNREADABLE_FOR_SECS", -1.0)

        def fail(which: Path) -> None:
            raise SnapshotError(f"{which} cannot be read: too many open files")

        broken.setattr(snapshots, "read_snapshot", fail)
        assert view.snapshots.newest().market is None
    assert shown(view) == (path.name, "")


def test_many_damaged_newest_files_are_not_all_read(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.snapshot_folder.mkdir(parents=True)
    for second in range(60):
        (settings.snapshot_folder / f"snapshot_20250904_1814{second:02d}.parquet").touch()
    reads: list[Path] = []

    def fail(which: Path) -> None:
        reads.append(which)
        raise SnapshotError(f"{which} is empty")

    monkeypatch.setattr(snapshots, "read_snapshot", fail)
    newest = at(settings).snapshots.newest()
    assert newest.market is None
    assert "cannot be read" in newest.notice
    assert len(reads) == 20


def test_a_fifo_in_the_folder_holds_up_nobody(settings: Settings) -> None:
    name = write(settings).name
    os.mkfifo(settings.snapshot_folder / "snapshot_20250904_181501.parquet")
    got, notice = shown(at(settings))
    assert got == name
    assert "no regular file" in notice


def test_without_a_snapshot_the_page_says_how_to_get_one(settings: Settings) -> None:
    assert "Start the collector" in MarketView(settings).snapshots.why_empty()
    told = MarketView(settings, collector_started=True).snapshots.why_empty()
    assert "demo" not in told
    assert "collector has started" in told


def test_a_collector_that_holds_the_folder_is_seen(settings: Settings) -> None:
    view = MarketView(settings)
    with settings.store().lock():
        assert "collector has started" in view.snapshots.why_empty()
    assert "Start the collector" in view.snapshots.why_empty()
