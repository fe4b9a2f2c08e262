"""Standard output and standard error that end no program which should go on.

A full disk under a log, a reader that has closed its pipe or reads no more, an output that was
closed before the start, a locale without a letter: none of them raises where output only tells.
What cannot be written is counted in lines, and said once when output works again. Where output is
the result of a command, the first failure ends the command with :class:`LostOutput`.
"""

from __future__ import annotations

import errno
import io
import os
import select
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final, TextIO

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from _typeshed import ReadableBuffer

_PATIENCE_SECS: Final = 1.0
"""So long a program that goes on waits for a reader that does not read."""

_AT_ONCE_BYTES: Final = 4096
"""A pipe that takes anything takes so much without blocking (PIPE_BUF of Linux)."""

_INPUT, _OUTPUT, _ERROR = range(3)


class LostOutput(OSError):  # noqa: N818 # it ends a command, also a good one
    """The result of a command cannot be written.

    Attributes:
        reason: why, in words.
        reader_left: whether a pipe's reader has closed it, as ``head`` does: no failure.
    """

    def __init__(self, reason: str, *, reader_left: bool) -> None:
        """Keep the reason; no ``errno``, so that nobody takes it for an error of a file."""
        super().__init__(reason)
        self.reason = reason
        self.reader_left = reader_left


@contextmanager
def safe_streams() -> Iterator[None]:
    """Make both streams safe inside: error never raises, output raises :class:`LostOutput` once.

    Raises:
        LostOutput: what was left to write at the end cannot be written.
    """
    _claim_closed_descriptors()
    before = sys.stdout, sys.stderr
    sys.stdout = _safe(sys.stdout, _OUTPUT, goes_on=False)
    sys.stderr = _safe(sys.stderr, _ERROR, goes_on=True)
    try:
        yield
    finally:
        try:
            sys.stderr.flush()
            sys.stdout.flush()
        finally:
            sys.stdout, sys.stderr = before


@contextmanager
def going_on_without_output() -> Iterator[None]:
    """Inside, standard output never raises either: for what runs until it is told to stop."""
    output = _descriptor_of(sys.stdout)
    if output is None:
        yield
        return
    output.goes_on = True
    try:
        yield
    finally:
        with suppress(ValueError):  # it is closed
            sys.stdout.flush()
        output.goes_on = False


def tell_losses_as(words: Callable[[int, str], str]) -> None:
    """Choose how standard error tells what was lost: from the lines and the reason, one line."""
    error = _descriptor_of(sys.stderr)
    if error is not None:
        error.words = words


class _Descriptor(io.RawIOBase):
    """Writes to an open descriptor, and decides what a failure means.

    Attributes:
        goes_on: whether a failure is counted (True) or raised, the first time (False).
        words: how a loss is told once output works again.
    """

    mode = "wb"

    def __init__(self, descriptor: int, *, goes_on: bool) -> None:
        self.name = f"<descriptor {descriptor}>"
        self.goes_on = goes_on
        self.words: Callable[[int, str], str] = _in_words
        self._descriptor = descriptor
        self._lost_lines = 0
        self._reason = ""
        self._within_line = False

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._descriptor

    def isatty(self) -> bool:
        return os.isatty(self._descriptor)

    def write(self, data: ReadableBuffer, /) -> int:
        """Write all of it, or count it as lost; a buffer in front never keeps any."""
        content = bytes(data)
        if self._lost_lines and not self.goes_on:
            return len(content)  # the command is ending
        try:
            self._send(self._losses() + content)
            self._lost_lines = 0
        except OSError as error:
            self._reason = error.strerror or type(error).__name__
            self._lost_lines += max(1, content.count(b"\n"))
            if not self.goes_on:
                left = error.errno in {errno.EPIPE, errno.ECONNRESET}
                raise LostOutput(self._reason, reader_left=left) from None
        return len(content)

    def _losses(self) -> bytes:
        """Return the line that tells of what was lost; nothing if nothing was."""
        if not self._lost_lines:
            return b""
        line_end = "\n" if self._within_line else ""
        return f"{line_end}{self.words(self._lost_lines, self._reason)}\n".encode()

    def _send(self, content: bytes) -> None:
        rest = memoryview(content)
        while rest:
            if self.goes_on and not self._takes_more():
                raise OSError(errno.EAGAIN, "nobody reads it")
            sent = os.write(self._descriptor, rest[:_AT_ONCE_BYTES])
            self._within_line = bytes(rest[sent - 1 : sent]) != b"\n"
            rest = rest[sent:]

    def _takes_more(self) -> bool:
        """Wait a little for a reader that is slow, and not again while nothing has come through."""
        if not hasattr(select, "poll"):  # Windows
            return True
        waiting = select.poll()
        waiting.register(self._descriptor, select.POLLOUT)
        patience_secs = 0.0 if self._lost_lines else _PATIENCE_SECS
        return bool(waiting.poll(patience_secs * 1e3))


def _in_words(lines: int, reason: str) -> str:
    return f"({lines:,} lines before this one could not be written: {reason})"


def _safe(stream: TextIO | None, descriptor: int, *, goes_on: bool) -> TextIO:
    """Return a stream of the same descriptor and encoding; one in memory is left as it is."""
    encoding = "utf-8"
    line_buffering = goes_on
    if stream is not None:
        try:
            descriptor = stream.fileno()
        except (AttributeError, OSError, ValueError):
            return stream
        with suppress(OSError):
            stream.flush()
        encoding = stream.encoding
        line_buffering = goes_on or bool(getattr(stream, "line_buffering", False))
    return io.TextIOWrapper(
        io.BufferedWriter(_Descriptor(descriptor, goes_on=goes_on)),
        encoding=encoding,
        errors="backslashreplace",
        line_buffering=line_buffering,
    )


def _descriptor_of(stream: Any) -> _Descriptor | None:
    raw = getattr(getattr(stream, "buffer", None), "raw", None)
    return raw if isinstance(raw, _Descriptor) else None


def _claim_closed_descriptors() -> None:
    """Put the null device where the shell closed a stream (``2>&-``).

    Else the next file that is opened, a snapshot say, gets the number, and errors are printed
    into it.
    """
    for number in (_INPUT, _OUTPUT, _ERROR):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # noqa: FBT003 # it is the lowest that is free
