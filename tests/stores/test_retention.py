"""What goes and what stays when clocks are wrong. Nothing that was just written ever goes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from live_box_spreads.stores.snapshots import SnapshotStore
from tests.stores.chains import NOON, small_chain

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

MINUTE = timedelta(minutes=1)
WEEK = timedelta(days=7)
BOOT = datetime(2000, 1, 1, 0, 0, 30, tzinfo=UTC)  # of a machine without a clock of its own


def rounds(store: SnapshotStore, instants: Iterable[datetime]) -> list[Path]:
    """Write and prune at each instant; what was just written is always still there."""
    written = []
    for now in instants:
        path = store.write(small_chain(now))
        assert path not in store.prune(now)
        assert path.exists()
        written.append(path)
    return written


def minutes(start: datetime, count: int) -> list[datetime]:
    return [start + number * MINUTE for number in range(count)]


@pytest.mark.parametrize("retain", [1, 2, 5])
def test_a_clock_that_ran_ahead_for_a_week_and_was_set_right(tmp_path: Path, retain: int) -> None:
    rounds(SnapshotStore(tmp_path, retain=retain), minutes(NOON + WEEK, 8))
    store = SnapshotStore(tmp_path, retain=retain)
    right = rounds(store, minutes(NOON, 8))
    listing = store.listing(NOON + 7 * MINUTE)
    assert [store.folder / name for name in listing.current] == right[-retain:]
    assert len(listing.ahead) == retain
    assert listing.newest == right[-1]
    # A week later they are snapshots like others, and go in their turn.
    later = rounds(SnapshotStore(tmp_path, retain=retain), minutes(NOON + 2 * WEEK, retain))
    assert SnapshotStore(tmp_path).paths() == later


@pytest.mark.parametrize("retain", [1, 3, 100])
def test_a_clock_set_back_an_hour_in_the_middle_of_a_run(tmp_path: Path, retain: int) -> None:
    store = SnapshotStore(tmp_path, retain=retain)
    before = rounds(store, minutes(NOON, 60))
    after = rounds(store, minutes(NOON + timedelta(seconds=7), 62))
    kept = SnapshotStore(tmp_path).paths()
    assert set(kept) == set([*before, *after][-retain:])


def test_a_clock_set_back_less_than_the_tolerance_loses_nothing_new(tmp_path: Path) -> None:
    store = SnapshotStore(tmp_path, retain=1)
    rounds(store, [NOON + timedelta(seconds=50)])
    (second,) = rounds(store, [NOON])
    assert SnapshotStore(tmp_path).paths() == [second]


def test_a_machine_that_starts_in_2000_loses_nothing(tmp_path: Path) -> None:
    retain = 3
    old = rounds(SnapshotStore(tmp_path, retain=retain), minutes(NOON, 5))[-retain:]
    store = SnapshotStore(tmp_path, retain=retain)
    early = rounds(store, minutes(BOOT, 5))
    assert set(SnapshotStore(tmp_path).paths()) == {*old, *early[-retain:]}
    assert store.latest(BOOT + 5 * MINUTE) == early[-1]
    # The clock is set in the same run: what it wrote goes after what was there before.
    late = rounds(store, minutes(NOON + WEEK, 1))
    assert set(SnapshotStore(tmp_path).paths()) == {*early[-2:], *late}


def test_two_writers_keep_the_newest_of_both(tmp_path: Path) -> None:
    collector = SnapshotStore(tmp_path, retain=4)
    mine = rounds(collector, minutes(NOON, 4))
    (other,) = rounds(SnapshotStore(tmp_path, retain=4), [NOON + 3.5 * MINUTE])
    (last,) = rounds(collector, [NOON + 4 * MINUTE])
    assert SnapshotStore(tmp_path).paths() == [*mine[2:], other, last]


def test_a_writer_whose_clock_is_far_ahead_does_not_starve_the_other(tmp_path: Path) -> None:
    right, ahead = SnapshotStore(tmp_path, retain=3), SnapshotStore(tmp_path, retain=3)
    for number in range(10):
        now = NOON + number * MINUTE
        rounds(right, [now])
        rounds(ahead, [now + WEEK])
        newest = right.latest(now)
        assert newest is not None
        assert newest.name == f"snapshot_{now:%Y%m%d_%H%M%S}.parquet"
    assert len(right.paths()) <= 6


def test_retain_zero_keeps_all_whatever_the_clock_says(tmp_path: Path) -> None:
    store = SnapshotStore(tmp_path)
    written = rounds(store, [NOON, NOON + WEEK, BOOT])
    assert set(store.paths()) == set(written)


def test_what_cannot_be_removed_stops_nothing_and_is_tried_once(tmp_path: Path) -> None:
    in_the_way = tmp_path / "snapshot_20200101_000000.parquet"
    in_the_way.mkdir(parents=True)
    (in_the_way / "kept").write_text("mine")
    store = SnapshotStore(tmp_path, retain=2)
    written = rounds(store, minutes(NOON, 4))
    assert store.paths() == [in_the_way, *written[-2:]]
    assert list(store.undeletable) == [in_the_way]
    assert store.undeletable[in_the_way]
    assert (in_the_way / "kept").read_text() == "mine"


def test_no_more_than_a_thousand_files_go_at_once(tmp_path: Path) -> None:
    for number in range(1_200):
        (tmp_path / f"snapshot_20261124_14{number // 60:02}{number % 60:02}.csv").touch()
    store = SnapshotStore(tmp_path, retain=10)
    store.write(small_chain())
    assert len(store.prune(NOON)) == 1_000
    assert len(store.prune(NOON)) == 191
    assert len(store.paths()) == 10
