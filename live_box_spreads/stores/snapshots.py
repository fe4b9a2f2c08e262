"""The snapshot folder: write, list, prune, and one collector at a time.

A snapshot is written under a temporary name that no reader takes for one, synced, then renamed:
what has a snapshot's name is whole, whenever the writer was killed.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import uuid
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from live_box_spreads.model.errors import StoreError, StoreFullError
from live_box_spreads.stores.codec import ENCODERS, MAX_ROWS
from live_box_spreads.stores.folder_lock import FolderLock
from live_box_spreads.stores.listing import Arrivals, Listing
from live_box_spreads.stores.names import oldest_first, snapshot_time_of, stamp_of
from live_box_spreads.stores.reading import MAX_FILE_BYTES, read_snapshot

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime
    from pathlib import Path

    from live_box_spreads.model.chain import Chain
    from live_box_spreads.stores.codec import FileFormat

__all__ = ["Listing", "SnapshotStore", "read_snapshot", "snapshot_time_of"]

_TEMPORARY = re.compile(r"\.snapshot_.+\.tmp")
_ABANDONED_AFTER_SECS = 3600.0  # a write takes milliseconds
_NAMING_LOCK = ".naming.lock"
_NAMING_TIMEOUT_SECS = 10.0  # the lock on names is held for microseconds
_MOST_REMOVED = 1_000  # files that one call removes; the next one goes on


class SnapshotStore:
    """The snapshots of one folder, oldest first.

    Any number of readers and writers may use one folder; a collector that wants it for itself
    holds :meth:`lock`.

    Attributes:
        undeletable: snapshots that :meth:`prune` could not remove, and why; each is tried once.
    """

    def __init__(
        self, folder: Path, *, file_format: FileFormat = "parquet", retain: int = 0
    ) -> None:
        """Name the folder; it is made by the first write.

        Args:
            folder: where the snapshots are.
            file_format: how new snapshots are written; both formats are always read.
            retain: number of snapshots that :meth:`prune` leaves; 0 keeps all.
        """
        if retain < 0:
            raise StoreError(f"retain {retain} is negative; give 0 (keep all) or more")
        self.folder = folder
        self.file_format: FileFormat = file_format
        self.retain = retain
        self.undeletable: dict[Path, str] = {}
        self._arrivals = Arrivals()
        self._last_written: Path | None = None
        self._lock: FolderLock | None = None

    def __repr__(self) -> str:
        """Name the folder."""
        return f"SnapshotStore({str(self.folder)!r}, file_format={self.file_format!r})"

    def write(self, chain: Chain) -> Path:
        """Write a snapshot and return its path, once it is safely on disk.

        The name has ``chain.snapshot_time`` in UTC. An existing snapshot is never overwritten:
        the second one of the same second is called ``…_2``.

        Raises:
            StoreBusyError: the folder's lock was lost, and another collector holds it.
            StoreFullError: the disk is full.
            StoreError: the folder cannot be made or written, or the chain is too large.
        """
        data = ENCODERS[self.file_format](chain)
        if len(chain.quotes) > MAX_ROWS or len(data) > MAX_FILE_BYTES:
            raise StoreError(
                f"a snapshot of {len(chain.quotes):,} contracts and {len(data):,} bytes could not "
                f"be read again; {MAX_ROWS:,} and {MAX_FILE_BYTES:,} at most; choose fewer roots"
            )
        stamp = stamp_of(chain.snapshot_time)
        temporary = self.folder / f".snapshot_{stamp}.{os.getpid()}.{uuid.uuid4().hex}.tmp"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            try:
                _write_synced(temporary, data)
                path = self._publish(temporary, f"snapshot_{stamp}")
            finally:
                temporary.unlink(missing_ok=True)
            _sync_folder(self.folder)
        except (OSError, Timeout) as error:
            raise _unusable(self.folder, "written", error) from error
        self._last_written = path
        if self.retain:
            self._arrivals.note_written(path.name)
        return path

    def listing(self, now: datetime | None = None) -> Listing:
        """Return what the folder has; empty if there is no folder.

        Args:
            now: what is more than ``MOST_AHEAD`` after this instant is set aside; None sets
                nothing aside.

        Raises:
            StoreError: the folder cannot be listed.
        """
        return Listing.of(self.folder, oldest_first(self._names()), now)

    def paths(self) -> list[Path]:
        """Return all snapshots of the folder, oldest first; empty if there is no folder.

        Raises:
            StoreError: the folder cannot be listed.
        """
        return [self.folder / name for name in self.listing().current]

    def latest(self, now: datetime | None = None) -> Path | None:
        """Return the newest snapshot as :class:`Listing` has it, or None if there is none."""
        return self.listing(now).newest

    def since(self, start: datetime, end: datetime | None = None) -> list[Path]:
        """Return the snapshots from the second of one instant to that of another, oldest first.

        Args:
            start: the first instant.
            end: the last instant; None for all that follow.
        """
        return self.listing().between(start, end)

    def prune(self, now: datetime | None = None) -> list[Path]:
        """Remove the oldest snapshots beyond ``retain``, and what killed writers left.

        With ``now``, for a collector, names are not believed: snapshots ahead of now are neither
        removed nor counted, and the others are as old as they came (``Arrivals``). No more
        than a thousand files go at once.

        Args:
            now: what is more than ``MOST_AHEAD`` after this instant is ahead; None believes names.

        Returns:
            The snapshots removed, oldest first. What was written last and foreign files are never
            touched; what cannot be removed is in ``undeletable``.

        Raises:
            StoreError: the folder cannot be listed.
        """
        names = self._names()
        surplus = self._surplus(oldest_first(names), now) if self.retain else []
        removed = [path for path in surplus[:_MOST_REMOVED] if self._removed(path)]
        for temporary in self._abandoned(names)[:_MOST_REMOVED]:
            self._removed(temporary)
        return removed

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the folder for one collector; it is released if this process is killed.

        While it is held, each write makes sure that the lock is still the folder's, and takes it
        again where folder or lock were deleted.

        Raises:
            StoreBusyError: another collector holds it.
            StoreFullError: the disk is full, and the lock was never made.
            StoreError: the folder cannot be made or written.
        """
        held = FolderLock(self.folder)
        try:
            held.acquire()
        except OSError as error:
            raise _unusable(self.folder, "locked", error) from error
        self._lock = held
        try:
            yield
        finally:
            self._lock = None
            held.release()

    def has_collector(self) -> bool:
        """Return whether a collector holds the folder now."""
        return FolderLock(self.folder).is_held()

    def _names(self) -> list[str]:
        try:
            return os.listdir(self.folder)  # noqa: PTH208 # names only: ten times faster
        except FileNotFoundError:
            return []
        except OSError as error:
            raise _unusable(self.folder, "listed", error) from error

    def _publish(self, temporary: Path, stem: str) -> Path:
        """Rename to the first free name; the lock keeps two writers off the same one.

        Whether the folder is still this collector's is asked after the file is there: in a folder
        that was replaced meanwhile there is no such file to rename.
        """
        with FileLock(self.folder / _NAMING_LOCK, timeout=_NAMING_TIMEOUT_SECS):
            if self._lock is not None:
                self._lock.confirm()
            number = 1
            name = stem
            while any(os.path.lexists(self.folder / f"{name}.{suffix}") for suffix in ENCODERS):
                number += 1
                name = f"{stem}_{number}"
            return temporary.rename(self.folder / f"{name}.{self.file_format}")

    def _surplus(self, found: list[str], now: datetime | None) -> list[Path]:
        """Return what is beyond ``retain`` and has not refused to go, oldest first."""
        self._arrivals.note_found(found)
        stuck = {path.name for path in self.undeletable}
        judged = Listing.of(self.folder, found, now).current
        current = [name for name in judged if name not in stuck]
        if now is not None:
            current = self._arrivals.in_order(current)
        return [self.folder / name for name in current[: -self.retain]]

    def _removed(self, path: Path) -> bool:
        """Remove a file; note it if that cannot be done."""
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            self.undeletable[path] = error.strerror or type(error).__name__
            return False
        return True

    def _abandoned(self, names: Iterable[str]) -> list[Path]:
        """Return temporaries an hour older than what was written last: no process writes them now.

        Both ages are by the file system's clock, so that a skewed local clock harms nothing.
        """
        written = _modified_secs(self._last_written) if self._last_written else None
        if written is None:
            return []
        found = [self.folder / name for name in names if _TEMPORARY.fullmatch(name)]
        ages = [(path, _modified_secs(path)) for path in found if path not in self.undeletable]
        limit = written - _ABANDONED_AFTER_SECS
        return [path for path, secs in ages if secs is not None and secs < limit]


def _write_synced(path: Path, data: bytes) -> None:
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """Make a rename survive a power cut; Windows cannot open a folder and needs none of it."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _modified_secs(path: Path) -> float | None:
    """Return the time of the last change; None if the file is gone or cannot be asked."""
    try:
        return path.lstat().st_mtime
    except OSError:
        return None


def _unusable(folder: Path, verb: str, error: OSError) -> StoreError:
    reason = error.strerror or type(error).__name__
    full = error.errno in {errno.ENOSPC, errno.EDQUOT}
    kind = StoreFullError if full else StoreError
    return kind(f"snapshot folder {folder} cannot be {verb}: {reason}")
