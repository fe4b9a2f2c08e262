"""Files of this machine read whole, with a size limit, and never waited for.

A FIFO in the place of a file, a device without an end or a gzip bomb costs one clear error, not a
program that hangs or the machine's memory. What is wrong is an ``OSError`` whose ``strerror`` says
so in words, as for a file that is not there: callers treat all of them alike.
"""

from __future__ import annotations

import errno
import gzip
import io
import os
import stat
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

# Windows has neither of them, nor FIFOs among its files. A terminal must not become ours.
_NEVER_WAIT = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)
_AS_BYTES = getattr(os, "O_BINARY", 0)
_CHUNK_BYTES = 1 << 20


def open_at_once(path: str | Path, flags: int) -> int:
    """Open a file without waiting for whoever writes to a FIFO; an ``opener`` for ``open``."""
    return os.open(path, flags | _NEVER_WAIT)


def read_bounded(path: Path, most_bytes: int) -> bytes:
    """Return what a file holds.

    Args:
        path: a file; a FIFO, a socket, a device or a folder is refused at once.
        most_bytes: a file with more bytes than this is refused, however many its size claims.

    Raises:
        OSError: it cannot be read, is no file or is larger; ``strerror`` says which in words.
    """
    try:
        descriptor = open_at_once(path, os.O_RDONLY | _AS_BYTES)
    except ValueError:  # a NUL in the name
        raise OSError(errno.EINVAL, "the name holds a NUL character", str(path)) from None
    try:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode):
            raise OSError(errno.EINVAL, "it is a pipe or socket, not a file", str(path))
        if stat.S_ISCHR(mode) or stat.S_ISBLK(mode):
            raise OSError(errno.EINVAL, "it is a device, not a file", str(path))
        chunks = []
        room = most_bytes + 1
        while room > 0 and (chunk := os.read(descriptor, min(room, _CHUNK_BYTES))):
            chunks.append(chunk)
            room -= len(chunk)
    finally:
        os.close(descriptor)
    if room <= 0:
        raise OSError(
            errno.EFBIG, f"it is larger than {_size(most_bytes)}, the most that is read", str(path)
        )
    return b"".join(chunks)


def gunzip_bounded(data: bytes, most_bytes: int) -> bytes:
    """Return what gzip data, of one member or several, holds.

    Args:
        data: the compressed bytes.
        most_bytes: unpacking stops where it would give more than this.

    Raises:
        OSError: it unpacks to more, or is damaged; ``strerror`` says which in words.
    """
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as packed:
            unpacked = packed.read(most_bytes + 1)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise OSError(errno.EINVAL, f"damaged gzip ({error}); download it again") from None
    if len(unpacked) > most_bytes:
        raise OSError(
            errno.EFBIG, f"it unpacks to more than {_size(most_bytes)}, the most that is read"
        )
    return unpacked


def _size(count: int) -> str:
    """Say a number of bytes in decimal units, exactly."""
    for unit, factor in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count % factor == 0 and count >= factor:
            return f"{count // factor:,} {unit}"
    return f"{count:,} bytes"
