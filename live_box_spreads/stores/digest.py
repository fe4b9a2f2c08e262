"""The digest of a snapshot: kept inside the file, over every byte of the file.

It is made as the checksum of a tar header is: SHA-256 over the whole file, with the characters of
the digest itself read as zeros. A file is written with zeros in their place, then sealed. It is
verified before anything decodes it.

A second entry, ``digest_kind``, marks that there is a digest: a change that hides the digest cannot
hide that one too, and so no damaged file passes for one of version 0.1.0, which wrote none.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from live_box_spreads.model.errors import SnapshotError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from live_box_spreads.stores.codec import FileFormat

_LENGTH = 64  # hexadecimal characters of SHA-256
_CLAIM = "digest_kind"
DIGEST_LINE: Mapping[str, str] = {"digest": "0" * _LENGTH}
"""Metadata of a file that is not sealed yet: the first line of CSV, the last entry in parquet."""
CLAIM_LINE: Mapping[str, str] = {_CLAIM: "sha256"}
"""Metadata that marks that there is a digest."""

_PARQUET_ENTRY = b"\x18\x06digest\x18\x40"  # Thrift: text of 6 bytes, text of 64 bytes
_CSV_LINE = b"# digest: "
_DIGITS = re.compile(rb"[0-9a-f]{64}")


def seal(data: bytes, file_format: FileFormat) -> bytes:
    """Return the file with its digest in place of the zeros of ``DIGEST_LINE``.

    Raises:
        SnapshotError: there is no such place.
    """
    span = _digits(data, file_format)
    if span is None:
        raise SnapshotError(f"a {file_format} snapshot has no place for its digest")
    return data[: span.start] + _digest(data, span) + data[span.stop :]


def is_sealed(data: bytes, file_format: FileFormat, source: Path) -> bool:
    """Return whether the file has a digest, which is right; False if it never had one.

    Args:
        data: the whole file.
        file_format: what it is.
        source: where it came from, for the error.

    Raises:
        SnapshotError: the digest is wrong, or is marked as present and missing.
    """
    span = _digits(data, file_format)
    if span is None and _CLAIM.encode() not in data:
        return False
    if span is None or data[span.start : span.stop] != _digest(data, span):
        raise SnapshotError(
            f"{source} is damaged: its digest does not match; remove it, or copy it again from "
            "where it is whole"
        )
    return True


def _digits(data: bytes, file_format: FileFormat) -> slice | None:
    """Return where the digest is; None if there is none."""
    if file_format == "csv":
        start = len(_CSV_LINE) if data.startswith(_CSV_LINE) else 0
    else:
        found = data.rfind(_PARQUET_ENTRY)
        start = found + len(_PARQUET_ENTRY) if found >= 0 else 0
    if not start or not _DIGITS.fullmatch(data, start, start + _LENGTH):
        return None
    return slice(start, start + _LENGTH)


def _digest(data: bytes, span: slice) -> bytes:
    view = memoryview(data)
    state = hashlib.sha256(view[: span.start])
    state.update(b"0" * _LENGTH)
    state.update(view[span.stop :])
    return state.hexdigest().encode()
