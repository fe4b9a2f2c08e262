"""The snapshot folder: write, list, read, prune, and one collector at a time.

A snapshot is written under a temporary name that no reader takes for one, synced, then renamed:
what has a snapshot's name is whole, whenever the writer was killed.
"""

from __future__ import annotations

import contextlib
import os
import re
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from filelock import FileLock, Timeout

from live_box_spreads.model.errors import SnapshotError, StoreBusyError, StoreError
from live_box_spreads.stores.codec import DECODERS, ENCODERS, FileFormat

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from live_box_spreads.model.chain import Chain

_NAME = re.compile(r"snapshot_(?P<stamp>\d{8}_\d{6})(?:_(?P<number>\d{1,6}))?\.(?:parquet|csv)")
_STAMP_FORMAT = "%Y%m%d_%H%M%S"
_TEMPORARY = re.compile(r"\.snapshot_.+\.tmp")
_ABANDONED_AFTER_SECS = 3600.0  # a write takes milliseconds
_NAMING_TIMEOUT_SECS = 10.0  # the lock on names is held for microseconds

_COLLECTOR_LOCK = ".collector.lock"
_COLLECTOR_PID = ".collector.pid"
_NAMING_LOCK = ".naming.lock"


class _Name(NamedTuple):
    """When a snapshot was taken and its number within that second; sorts oldest first."""

    time: datetime
    number: int


def read_snapshot(path: Path) -> Chain:
    """Return the chain that a snapshot file keeps.

    Safe while a collector writes or prunes: the file is whole or gone.

    Raises:
        SnapshotError: the file is gone, empty, truncated, foreign or of another schema version.
    """
    decode = DECODERS.get(path.suffix.removeprefix("."))  # type: ignore[call-overload] # any suffix
    if decode is None:
        raise SnapshotError(f"{path} is no snapshot: its name ends in neither .parquet nor .csv")
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise SnapshotError(f"{path} is gone: pruned, moved or never written") from None
    except OSError as error:
        raise SnapshotError(f"{path} cannot be read: {error.strerror}") from error
    chain: Chain = decode(data, path)
    return chain


def snapshot_time_of(path: Path) -> datetime:
    """Return the instant (UTC, whole seconds) in a snapshot's name, without opening it.

    Raises:
        SnapshotError: the name is not that of a snapshot.
    """
    return _parsed(path).time


class SnapshotStore:
    """The snapshots of one folder, oldest first.

    Any number of readers and writers may use one folder; a collector that wants it for itself
    holds :meth:`lock`.
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

    def __repr__(self) -> str:
        """Name the folder."""
        return f"SnapshotStore({str(self.folder)!r}, file_format={self.file_format!r})"

    def write(self, chain: Chain) -> Path:
        """Write a snapshot and return its path, once it is safely on disk.

        The name tells ``chain.snapshot_time`` in UTC. An existing snapshot is never overwritten:
        the second one of the same second is called ``…_2``.

        Raises:
            StoreError: the folder cannot be made or written, or the disk is full.
        """
        data = ENCODERS[self.file_format](chain)
        stamp = chain.snapshot_time.astimezone(UTC).strftime(_STAMP_FORMAT)
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
        return path

    def paths(self) -> list[Path]:
        """Return all snapshots of the folder, oldest first; empty if there is no folder.

        Raises:
            StoreError: the folder cannot be listed.
        """
        try:
            names = os.listdir(self.folder)  # noqa: PTH208 # names only: ten times faster
        except FileNotFoundError:
            return []
        except OSError as error:
            raise _unusable(self.folder, "listed", error) from error
        found = [(name, _parse(name)) for name in names]
        snapshots = sorted((parsed, name) for name, parsed in found if parsed is not None)
        return [self.folder / name for _, name in snapshots]

    def latest(self) -> Path | None:
        """Return the newest snapshot, or None if there is none."""
        return next(reversed(self.paths()), None)

    def since(self, instant: datetime) -> list[Path]:
        """Return the snapshots taken in or after the second of this instant, oldest first."""
        second = instant.astimezone(UTC).replace(microsecond=0)
        return [path for path in self.paths() if snapshot_time_of(path) >= second]

    def prune(self) -> list[Path]:
        """Remove the oldest snapshots beyond ``retain``, and what killed writers left.

        Returns:
            The snapshots removed, oldest first. The newest and foreign files are never touched.

        Raises:
            StoreError: a snapshot cannot be removed.
        """
        snapshots = self.paths()
        surplus = snapshots[: -self.retain] if self.retain else []
        try:
            for path in [*surplus, *self._abandoned(snapshots)]:
                path.unlink(missing_ok=True)
        except OSError as error:
            raise _unusable(self.folder, "pruned", error) from error
        return surplus

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the folder for one collector; the operating system lets go if it is killed.

        Raises:
            StoreBusyError: another collector holds it.
            StoreError: the folder cannot be made or written.
        """
        holder = self.folder / _COLLECTOR_PID
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            held = FileLock(self.folder / _COLLECTOR_LOCK, timeout=0).acquire()
        except Timeout:
            raise StoreBusyError(
                f"another collector{_known_pid(holder)} already writes to {self.folder}; "
                "stop it or choose another folder"
            ) from None
        except OSError as error:
            raise _unusable(self.folder, "locked", error) from error
        with held:
            holder.write_text(f"{os.getpid()}\n")
            try:
                yield
            finally:
                holder.unlink(missing_ok=True)

    def _publish(self, temporary: Path, stem: str) -> Path:
        """Rename to the first free name; the lock keeps two writers off the same one."""
        with FileLock(self.folder / _NAMING_LOCK, timeout=_NAMING_TIMEOUT_SECS):
            taken = {path.stem for path in self.paths()}
            number = 1
            name = stem
            while name in taken:
                number += 1
                name = f"{stem}_{number}"
            return temporary.rename(self.folder / f"{name}.{self.file_format}")

    def _abandoned(self, snapshots: list[Path]) -> list[Path]:
        """Return temporaries an hour older than the newest snapshot: nobody writes them now.

        Both ages are by the file system's clock, so that a skewed local clock harms nothing.
        """
        if not snapshots:
            return []
        temporaries = [p for p in self.folder.glob(".snapshot_*") if _TEMPORARY.fullmatch(p.name)]
        newest = _modified_secs(snapshots[-1])
        return [p for p in temporaries if _modified_secs(p) < newest - _ABANDONED_AFTER_SECS]


def _parse(name: str) -> _Name | None:
    """Return what a snapshot's name tells, or None for any other name."""
    match = _NAME.fullmatch(name)
    if match is None:
        return None
    try:
        time = datetime.strptime(match["stamp"], _STAMP_FORMAT).replace(tzinfo=UTC)
    except ValueError:  # eight digits that are no date
        return None
    return _Name(time, int(match["number"] or 1))


def _parsed(path: Path) -> _Name:
    parsed = _parse(path.name)
    if parsed is None:
        raise SnapshotError(
            f"{path} is not named as a snapshot (snapshot_YYYYmmdd_HHMMSS.parquet or .csv)"
        )
    return parsed


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


def _modified_secs(path: Path) -> float:
    """Return the time of the last change, or infinity (not abandoned) if the file is gone."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return float("inf")


def _known_pid(holder: Path) -> str:
    try:
        return f" (pid {int(holder.read_text())})"
    except (OSError, ValueError):  # it has just started or just stopped
        return ""


def _unusable(folder: Path, verb: str, error: OSError) -> StoreError:
    reason = error.strerror or type(error).__name__
    return StoreError(f"snapshot folder {folder} cannot be {verb}: {reason}")
