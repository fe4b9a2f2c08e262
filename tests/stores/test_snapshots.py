from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from live_box_spreads.model.errors import SnapshotError, StoreBusyError, StoreError
from live_box_spreads.stores.snapshots import SnapshotStore, read_snapshot, snapshot_time_of
from tests.stores.chains import NOON, small_chain

HOLD_THE_LOCK = """
import sys
from pathlib import Path
from live_box_spreads.stores.snapshots import SnapshotStore
with SnapshotStore(Path(sys.argv[1])).lock():
    print("held", flush=True)
    sys.stdin.read()
"""


def names(paths: list[Path]) -> list[str]:
    return [path.name for path in paths]


def write_at(store: SnapshotStore, *offsets_secs: float) -> list[Path]:
    return [store.write(small_chain(NOON + timedelta(seconds=secs))) for secs in offsets_secs]


def test_the_name_is_the_snapshot_time_in_utc(tmp_path: Path) -> None:
    path = SnapshotStore(tmp_path / "made" / "by write").write(small_chain())
    assert path.name == "snapshot_20261124_150000.parquet"
    assert snapshot_time_of(path) == datetime(2026, 11, 24, 15, tzinfo=UTC)
    assert read_snapshot(path).quotes.equals(small_chain().quotes)


def test_csv_on_request(tmp_path: Path) -> None:
    path = SnapshotStore(tmp_path, file_format="csv").write(small_chain())
    assert path.name == "snapshot_20261124_150000.csv"
    assert read_snapshot(path).spot == {"SPX": 6912.34}


def test_one_second_never_overwrites_another(tmp_path: Path) -> None:
    store = SnapshotStore(tmp_path)
    written = [store.write(small_chain(bid=float(number))) for number in range(1, 13)]
    assert names(written)[:2] == [
        "snapshot_20261124_150000.parquet",
        "snapshot_20261124_150000_2.parquet",
    ]
    assert store.paths() == written  # _10 after _9
    bids = [read_snapshot(path).quotes["bid"][0] for path in written]
    assert bids == [float(number) for number in range(1, 13)]


def test_both_formats_are_listed_by_time_and_foreign_files_ignored(tmp_path: Path) -> None:
    parquet, csv = SnapshotStore(tmp_path), SnapshotStore(tmp_path, file_format="csv")
    late = parquet.write(small_chain(NOON + timedelta(hours=1)))
    early = csv.write(small_chain())
    beside = parquet.write(small_chain())
    assert beside.name == "snapshot_20261124_150000_2.parquet"
    for foreign in ("notes.txt", "snapshot_.parquet", "snapshot_20261399_000000.parquet"):
        (tmp_path / foreign).write_text("mine")
    (tmp_path / ".snapshot_20261124_150000.1.ab.tmp").write_text("half")
    assert parquet.paths() == [early, beside, late]
    assert csv.latest() == late


def test_since_takes_whole_seconds(tmp_path: Path) -> None:
    store = SnapshotStore(tmp_path)
    first, second, third = write_at(store, 0, 10.7, 20)
    assert store.since(NOON) == [first, second, third]
    assert store.since(NOON + timedelta(seconds=10.7)) == [second, third]
    assert store.since(NOON + timedelta(seconds=21)) == []


def test_a_folder_that_is_not_there_is_empty(tmp_path: Path) -> None:
    store = SnapshotStore(tmp_path / "none")
    assert store.paths() == []
    assert store.latest() is None
    assert store.prune() == []
    assert not store.folder.exists()


def test_prune_removes_the_oldest_and_nothing_else(tmp_path: Path) -> None:
    store = SnapshotStore(tmp_path, retain=2)
    foreign = tmp_path / "keep.parquet"
    foreign.write_text("mine")
    # Written out of order: age is the snapshot's time, not the file's.
    newest, oldest, middle, older = write_at(store, 30, 0, 20, 10)
    assert store.prune() == [oldest, older]
    assert store.paths() == [middle, newest]
    assert foreign.exists()


def test_retain_one_keeps_the_newest_and_zero_keeps_all(tmp_path: Path) -> None:
    written = write_at(SnapshotStore(tmp_path), 0, 1, 2)
    assert SnapshotStore(tmp_path, retain=0).prune() == []
    assert SnapshotStore(tmp_path, retain=1).prune() == written[:2]
    assert SnapshotStore(tmp_path).latest() == written[2]


def test_retain_cannot_be_negative(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="retain -1"):
        SnapshotStore(tmp_path, retain=-1)


def test_prune_clears_what_killed_writers_left_long_ago(tmp_path: Path) -> None:
    store = SnapshotStore(tmp_path)
    old, young = (tmp_path / f".snapshot_20261124_150000.{n}.ab.tmp" for n in (1, 2))
    for temporary in (old, young):
        temporary.write_text("half")
    (path,) = write_at(store, 0)
    two_hours_ago = path.stat().st_mtime - 7200
    os.utime(old, (two_hours_ago, two_hours_ago))
    assert store.prune() == []
    assert not old.exists()
    assert young.exists()


def test_a_pruned_snapshot_is_said_to_be_gone(tmp_path: Path) -> None:
    (path,) = write_at(SnapshotStore(tmp_path), 0)
    path.unlink()
    with pytest.raises(SnapshotError, match=f"{path.name} is gone"):
        read_snapshot(path)


@pytest.mark.parametrize("name", ["chain.xlsx", "chain", "snapshot_20261124_150000.parquet.tmp"])
def test_another_kind_of_file_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(SnapshotError, match="neither"):
        read_snapshot(tmp_path / name)
    with pytest.raises(SnapshotError, match="not named as a snapshot"):
        snapshot_time_of(tmp_path / name)


def test_a_folder_is_no_snapshot(tmp_path: Path) -> None:
    (tmp_path / "snapshot_20261124_150000.parquet").mkdir()
    with pytest.raises(SnapshotError, match="cannot be read"):
        read_snapshot(tmp_path / "snapshot_20261124_150000.parquet")


def test_a_folder_that_cannot_be_made_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    store = SnapshotStore(tmp_path / "file" / "snapshots")
    for use in (lambda: store.write(small_chain()), lambda: store.lock().__enter__(), store.paths):
        with pytest.raises(StoreError, match="file/snapshots cannot be") as caught:
            use()
        assert "\n" not in str(caught.value)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = SnapshotStore(tmp_path)
    real_open = Path.open
    with monkeypatch.context() as patch:
        # The kernel's own "no space left", met where a real full disk would be met.
        patch.setattr(Path, "open", lambda _path, _mode: real_open(Path("/dev/full"), "wb"))
        with pytest.raises(StoreError, match="No space left"):
            store.write(small_chain())
    assert store.paths() == []
    assert not list(tmp_path.glob(".snapshot_*"))


def test_a_second_collector_is_told_who_holds_the_folder(tmp_path: Path) -> None:
    store = SnapshotStore(tmp_path)
    with subprocess.Popen(  # noqa: S603 # our own interpreter and code
        [sys.executable, "-c", HOLD_THE_LOCK, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(StoreBusyError, match=rf"\(pid {holder.pid}\).*{tmp_path.name}"):
            store.lock().__enter__()
        store.write(small_chain())  # one snapshot beside a collector is fine
        holder.kill()  # the system lets go of a dead collector's folder
    with store.lock(), pytest.raises(StoreBusyError, match=f"pid {os.getpid()}"):
        SnapshotStore(tmp_path).lock().__enter__()
    with store.lock():
        pass
