"""The text of a downloaded file: plain or gzip, UTF-8, UTF-16 or the Windows code page."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING, Final

from live_box_spreads.bounded_files import gunzip_bounded, read_bounded
from live_box_spreads.model.errors import FileFormatError

if TYPE_CHECKING:
    from pathlib import Path

MOST_BYTES: Final = 200_000_000
"""The largest text that is read, unpacked; a whole SPX chain has 10 MB."""

_GZIP_MAGIC = b"\x1f\x8b"


def read_text(path: Path) -> str:
    r"""Return the file's text with plain ``\n`` line ends and no byte order mark.

    Args:
        path: a plain or gzip file, whatever its name.

    Raises:
        FileFormatError: the file cannot be opened, is empty, too large, no file, or a damaged gzip.
    """
    try:
        data = read_bounded(path, MOST_BYTES)
        if data.startswith(_GZIP_MAGIC):
            data = gunzip_bounded(data, MOST_BYTES)
    except OSError as error:
        raise FileFormatError(f"{path}: cannot be read ({error.strerror})") from None
    text = _decode(data).replace("\r\n", "\n").replace("\r", "\n")
    if not text.strip():
        raise FileFormatError(f"{path}: the file is empty; download it again")
    return text


def _decode(data: bytes) -> str:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", errors="replace")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")
