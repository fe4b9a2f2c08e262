"""Decoding of snapshots that may be damaged or foreign, in a process of its own.

The process (``decoding_child.py``) is started by the first file that needs it, kept for the next
ones, and ends by itself when it is idle or when this process has gone.
"""

from __future__ import annotations

import atexit
import json
import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Self

from live_box_spreads.model.errors import SnapshotError

if TYPE_CHECKING:
    from live_box_spreads.stores.codec import FileFormat

MAX_ANSWER_BYTES = 256 << 20
_START_SECS = 60.0
_DECODE_SECS = 30.0
_LONGEST_LINE = 1_000

_PACKAGE_FOLDER = str(Path(__file__).resolve().parents[2])
# It imports from where this process does, also out of a checkout that is not installed. Without
# site (-S): sys.path is as it should be already.
_CODE = (
    "import sys; sys.path[:] = sys.argv[1:]; "
    "from live_box_spreads.stores.decoding_child import main; main()"
)
_ENVIRONMENT = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "PYTHONHOME", "SYSTEMROOT")
"""What an interpreter may need to start. No secret is among it: the child needs none."""


class ChildDecoder:
    """Decodes in a child process, one file at a time; safe to use from many threads."""

    def __init__(self, start_secs: float = _START_SECS, decode_secs: float = _DECODE_SECS) -> None:
        """Start nothing yet.

        Args:
            start_secs: the child is ready after this long, or given up.
            decode_secs: it decodes a file in this long, or is killed.
        """
        self._start_secs = start_secs
        self._decode_secs = decode_secs
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None

    def rewritten(self, data: bytes, file_format: FileFormat, source: Path) -> bytes:
        """Return the chain of a file as a parquet file of this program.

        Args:
            data: the whole file.
            file_format: what it is.
            source: where it came from, for the error.

        Raises:
            SnapshotError: it cannot be decoded, or not within the bounds of time and memory.
        """
        with self._lock:
            if self._child is not None:
                try:
                    return self._ask(self._child, data, file_format, source)
                except EOFError:
                    """It was idle for long enough and has just ended; a new one follows."""
            return self._ask(self._start(source), data, file_format, source)

    def close(self) -> None:
        """End the child; the next file starts another one."""
        with self._lock:
            self._end()

    def _ask(
        self, child: subprocess.Popen[bytes], data: bytes, file_format: FileFormat, source: Path
    ) -> bytes:
        """Return the answer of the child.

        Raises:
            SnapshotError: the file cannot be decoded, or not in time.
            EOFError: the child ended by itself, before this file.
        """
        deadline = _Deadline(child, self._decode_secs)
        try:
            with deadline:
                return _exchange(child, data, file_format, source)
        except SnapshotError:
            raise
        except (OSError, ValueError, EOFError):
            self._end()
            if child.returncode == 0:
                raise EOFError from None
            if deadline.passed:
                reason = f"it takes more than {self._decode_secs:g} s"
            else:
                reason = f"it ended the process that tried ({_how_ended(child)})"
            raise SnapshotError(
                f"{source} cannot be decoded: {reason}, so it is damaged or far too large; remove "
                "it or write it again"
            ) from None
        except BaseException:  # interrupted: half a request or answer is in the pipes
            self._end()
            raise

    def _start(self, source: Path) -> subprocess.Popen[bytes]:
        """Return a child that is ready.

        Raises:
            SnapshotError: it does not start.
        """
        try:
            child = self._child = _started()
            with _Deadline(child, self._start_secs):
                if child.stdout is not None and child.stdout.readline(_LONGEST_LINE):
                    return child
            self._end()
            reason = _how_ended(child)
        except OSError as error:
            reason = error.strerror or type(error).__name__
        raise SnapshotError(
            f"{source} cannot be decoded: the process for files without a digest does not start "
            f"({reason})"
        )

    def _end(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        child.kill()
        for pipe in (child.stdin, child.stdout):
            with suppress(OSError):  # what is left in the pipe is not wanted
                if pipe is not None:
                    pipe.close()
        child.wait()


class _Deadline:
    """Kills a child after a while, which ends whatever waits for it."""

    def __init__(self, child: subprocess.Popen[bytes], secs: float) -> None:
        self.passed = False
        self._child = child
        self._timer = threading.Timer(secs, self._kill)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._timer.cancel()

    def _kill(self) -> None:
        self.passed = True
        self._child.kill()


def _started() -> subprocess.Popen[bytes]:
    path = [_PACKAGE_FOLDER, *(place for place in sys.path if place)]
    environment = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
    return subprocess.Popen(  # noqa: S603 # our own interpreter and code
        [sys.executable, "-S", "-c", _CODE, *path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**environment, "POLARS_MAX_THREADS": "1"},
        start_new_session=True,  # Ctrl-C is for this process, which ends the child
    )


def _exchange(
    child: subprocess.Popen[bytes], data: bytes, file_format: FileFormat, source: Path
) -> bytes:
    """Send a file and return the answer.

    Raises:
        SnapshotError: it cannot be decoded.
        OSError, ValueError, EOFError: the child has ended, or answered nonsense.
    """
    if child.stdin is None or child.stdout is None:
        raise EOFError
    request = {"format": file_format, "source": str(source), "bytes": len(data)}
    child.stdin.write(json.dumps(request).encode() + b"\n" + data)
    child.stdin.flush()
    header = json.loads(child.stdout.readline(_LONGEST_LINE))
    size = int(header["bytes"])
    if size > MAX_ANSWER_BYTES:
        raise ValueError(size)
    content = child.stdout.read(size)
    if len(content) < size:
        raise EOFError
    if not header["ok"]:
        raise SnapshotError(content.decode())
    return content


def _how_ended(child: subprocess.Popen[bytes]) -> str:
    try:
        return signal.Signals(-(child.returncode or 0)).name
    except ValueError:
        return f"exit status {child.returncode}"


decoder = ChildDecoder()
"""The one of this process."""

atexit.register(decoder.close)
