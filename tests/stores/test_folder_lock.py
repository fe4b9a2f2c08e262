"""One collector a folder, whatever happens to the folder. Real processes hold the locks."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from live_box_spreads.model.errors import StoreBusyError, StoreError, StoreFullError
from live_box_spreads.stores.snapshots import SnapshotStore
from tests.stores.chains import small_chain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).resolve().parents[2]
COLLECT = """
import sys
from pathlib import Path
from live_box_spreads.model.errors import StoreError
from live_box_spreads.stores.snapshots import SnapshotStore
from tests.stores.chains import small_chain
store = SnapshotStore(Path(sys.argv[1]))
try:
    with store.lock():
        print("held", flush=True)
        for _ in sys.stdin:
            print(store.write(small_chain()).name, flush=True)
except StoreError as error:
    print(f"{type(error).__name__}: {error}", flush=True)
"""


class Writer:
    """A process that holds the lock and writes when told to."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.pid = process.pid
        self.first = self._line()

    def write(self) -> str:
        assert self._process.stdin is not None
        self._process.stdin.write("write\n")
        self._process.stdin.flush()
        return self._line()

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().rstrip("\n")


@contextmanager
def writer(folder: Path) -> Iterator[Writer]:
    with subprocess.Popen(  # noqa: S603 # our own interpreter and code
        [sys.executable, "-c", COLLECT, str(folder)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield Writer(process)
        finally:
            process.kill()


def delete_folder(folder: Path) -> None:
    shutil.rmtree(folder)


def delete_lock(folder: Path) -> None:
    (folder / ".collector.lock").unlink()


def move_folder(folder: Path) -> None:
    folder.rename(folder.with_name("moved away"))


def link_elsewhere(folder: Path) -> None:
    move_folder(folder)
    elsewhere = folder.with_name("elsewhere")
    elsewhere.mkdir()
    folder.symlink_to(elsewhere, target_is_directory=True)


LOSSES = [delete_folder, delete_lock, move_folder, link_elsewhere]


@pytest.mark.parametrize("lose", LOSSES, ids=lambda lose: lose.__name__)
def test_a_collector_that_lost_its_lock_ends_if_another_has_the_folder(
    lose: Callable[[Path], None], tmp_path: Path
) -> None:
    folder = tmp_path / "snapshots"
    with writer(folder) as first:
        assert first.first == "held"
        assert first.write() == "snapshot_20261124_150000.parquet"
        lose(folder)
        with writer(folder) as second:
            assert second.first == "held"
            before = set(folder.iterdir())
            told = first.write()
            assert told.startswith(f"StoreBusyError: another collector (pid {second.pid})")
            assert str(folder) in told
            assert set(folder.iterdir()) - {folder / ".naming.lock"} == before - {
                folder / ".naming.lock"
            }
            assert second.write().startswith("snapshot_20261124_150000")
            with pytest.raises(StoreBusyError, match=f"pid {second.pid}"):
                SnapshotStore(folder).lock().__enter__()


@pytest.mark.parametrize("lose", LOSSES, ids=lambda lose: lose.__name__)
def test_a_collector_that_lost_its_lock_takes_it_again(
    lose: Callable[[Path], None], tmp_path: Path
) -> None:
    folder = tmp_path / "snapshots"
    store = SnapshotStore(folder)
    with store.lock():
        store.write(small_chain())
        lose(folder)
        path = store.write(small_chain())
        assert path.exists()
        with writer(folder) as second:
            assert second.first.startswith("StoreBusyError")
    with SnapshotStore(folder).lock():
        """Let go of, the second time too."""


def test_a_folder_that_cannot_be_made_again_fails_the_write_and_no_more(tmp_path: Path) -> None:
    folder = tmp_path / "parent" / "snapshots"
    store = SnapshotStore(folder)
    with store.lock():
        shutil.rmtree(folder.parent)
        folder.parent.write_text("in the way")
        with pytest.raises(StoreError, match="cannot be written"):
            store.write(small_chain())
        folder.parent.unlink()
        assert store.write(small_chain()).exists()


def test_a_full_disk_is_told_from_other_failures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    store = SnapshotStore(tmp_path / "snapshots")
    with monkeypatch.context() as patch:
        patch.setattr(Path, "mkdir", full)
        with pytest.raises(StoreFullError, match="cannot be locked: No space left"):
            store.lock().__enter__()
    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_text", full)  # the note of the process is worth no failure
        with store.lock():
            assert store.write(small_chain()).exists()
