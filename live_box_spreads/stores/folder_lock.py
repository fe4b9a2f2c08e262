"""One collector a folder: a lock that the operating system releases if its holder is killed."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from live_box_spreads.model.errors import StoreBusyError

if TYPE_CHECKING:
    from pathlib import Path

_LOCK = ".collector.lock"
_PID = ".collector.pid"


class FolderLock:
    """The lock of one folder.

    A lock is on a file, not on its name: where the folder or the file was deleted or replaced, the
    holder has a lock that excludes nobody. So it checks, before it relies on the lock,
    whether the file is still the one that has the name.
    """

    def __init__(self, folder: Path) -> None:
        """Name the folder; nothing is made or taken yet."""
        self._folder = folder
        self._path = folder / _LOCK
        self._held: FileLock | None = None
        self._file: tuple[int, int] | None = None

    def acquire(self) -> None:
        """Take the lock, and make the folder if it is not there.

        Raises:
            StoreBusyError: another collector has it.
            OSError: the folder cannot be made or written.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        # Not for one thread only: what the main thread has taken, a writing thread may take anew.
        lock = FileLock(self._path, timeout=0, thread_local=False)
        try:
            lock.acquire()
        except Timeout:
            raise StoreBusyError(
                f"another collector{self._known_pid()} already writes to {self._folder}; "
                "stop it or choose another folder"
            ) from None
        self._held, self._file = lock, _identity(self._path)
        with suppress(OSError):  # a full disk; the number only makes a message clearer
            (self._folder / _PID).write_text(f"{os.getpid()}\n")

    def is_held(self) -> bool:
        """Return whether a collector seems to have the lock, by the process that it noted.

        The lock itself is not tried: a collector that starts just then would be refused it.
        """
        if os.name == "nt":  # where signal 0 is Ctrl-C
            return False
        try:
            os.kill(int((self._folder / _PID).read_text()), 0)  # signal 0 only asks
        except PermissionError:  # a process of another user
            return True
        except (OSError, ValueError, OverflowError):
            return False
        return True

    def confirm(self) -> None:
        """Make sure that the lock is still the one of this folder; take it again if it is not.

        Raises:
            StoreBusyError: the lock was deleted, and another collector has the folder since.
            OSError: the folder cannot be made or written.
        """
        if self._file is not None and _identity(self._path) == self._file:
            return
        former = self._held
        self._held = self._file = None
        if former is not None:
            former.release()
        self.acquire()

    def release(self) -> None:
        """Release the lock, if it is held."""
        if self._held is None:
            return
        with suppress(OSError, ValueError):  # gone with its folder, or another collector's by now
            if int((self._folder / _PID).read_text()) == os.getpid():
                (self._folder / _PID).unlink()
        self._held.release()
        self._held = self._file = None

    def _known_pid(self) -> str:
        try:
            return f" (pid {int((self._folder / _PID).read_text())})"
        except (OSError, ValueError):  # it has just started or just stopped
            return ""


def _identity(path: Path) -> tuple[int, int] | None:
    """Return the device and inode of a file; None if there is no file."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
