"""Publishes the snapshots that appear in a folder, for programs without a collector of their own.

Files are named, not read: a subscriber reads what it wants.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import structlog

from live_box_spreads.collector.events import Event
from live_box_spreads.model.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime
    from pathlib import Path

    from live_box_spreads.collector.publishing import Publisher
    from live_box_spreads.stores.snapshots import SnapshotStore

FileState = tuple[int, int, int, int]
"""Inode, size and the times of the last changes: another file has another one."""

_MOST_BUSY = 0.05
"""Looking takes no more than this part of the time: 65,000 snapshots take long to list."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class SnapshotFile(Event):
    """A snapshot has appeared in a folder, or was replaced under its name.

    Attributes:
        path: the file.
        state: differs from that of an earlier file of the same name.
    """

    path: Path
    state: FileState


class FolderWatch:
    """Publishes a :class:`SnapshotFile` for each snapshot that appears in a folder, oldest first.

    The first look publishes the newest snapshot. Snapshots ahead of the clock are set aside, as
    ``SnapshotStore.listing`` has it: they are published once their time has come. If the newest
    snapshot is removed, the one before it is published again.
    """

    def __init__(
        self,
        store: SnapshotStore,
        publisher: Publisher,
        *,
        clock: Callable[[], datetime],
        every_secs: float = 0.5,
        wait: Callable[[float], bool] | None = None,
    ) -> None:
        """Name the folder; nothing is looked at yet.

        Args:
            store: the folder.
            publisher: where events go.
            clock: gives the current instant, with a time zone.
            every_secs: pause between two looks; longer where a look itself takes long.
            wait: waits for so many seconds and returns whether to end; by default until
                :meth:`close` is called.
        """
        self._store = store
        self._publisher = publisher
        self._clock = clock
        self._every_secs = every_secs
        self._ending = threading.Event()
        self._wait = wait or self._ending.wait
        self._thread: threading.Thread | None = None
        self._newest: SnapshotFile | None = None
        self._is_listed = True

    def look(self) -> None:
        """Publish what is new since the last look; a folder that cannot be listed is logged."""
        try:
            names = self._store.listing(self._clock()).current
        except StoreError as error:
            if self._is_listed:
                _log.warning("folder_not_listed", error=str(error))
            self._is_listed = False
            return
        self._is_listed = True
        for name in self._since_newest(names):
            found = _file(self._store.folder / name)
            if found is not None and found != self._newest:
                self._newest = found
                self._publisher.publish(found)

    def __enter__(self) -> Self:
        """Look in a thread of its own until the ``with`` block is left."""
        self._thread = threading.Thread(target=self._run, name="folder watch", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_exc_info: object) -> None:
        """End the thread."""
        self.close()

    def close(self, timeout_secs: float = 5.0) -> None:
        """End the thread; a look that takes longer than this is left behind."""
        self._ending.set()
        if self._thread is not None:
            self._thread.join(timeout_secs)

    def _run(self) -> None:
        while True:
            begun_secs = time.monotonic()
            self.look()
            took_secs = time.monotonic() - begun_secs
            if self._wait(max(self._every_secs, took_secs / _MOST_BUSY)):
                return

    def _since_newest(self, names: Sequence[str]) -> Sequence[str]:
        """Return the newest name that is known, if it is still there, and those that follow it."""
        known = self._newest.path.name if self._newest is not None else None
        for back, name in enumerate(reversed(names), start=1):
            if name == known:
                return names[-back:]
        return names[-1:]


def _file(path: Path) -> SnapshotFile | None:
    """Return the file with its state; None if it is gone."""
    try:
        found = path.stat()
    except OSError:
        return None
    return SnapshotFile(path, (found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns))
