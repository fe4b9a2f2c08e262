"""The one way from a file to the chain that it keeps.

A file is checked before anything decodes it: its kind and size, its digest, and what it states of
its own contents. What is then known to be ours is decoded here; anything else (written by version
0.1.0, which knew no digest, or by another program) in a process of its own, where a crash costs
nothing and memory and time have limits.
"""

from __future__ import annotations

import os
import stat
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from live_box_spreads.bounded_files import open_at_once
from live_box_spreads.model.chain import CHAIN_SCHEMA, UNCHECKED
from live_box_spreads.model.errors import SnapshotError
from live_box_spreads.stores.child_decoder import decoder
from live_box_spreads.stores.codec import DECODERS, MAX_ROWS, from_parquet
from live_box_spreads.stores.digest import is_sealed
from live_box_spreads.stores.parquet_outline import MAGIC, Outline, outline

if TYPE_CHECKING:
    from pathlib import Path

    from live_box_spreads.model.chain import Chain
    from live_box_spreads.stores.codec import FileFormat

MAX_FILE_BYTES = 64 << 20
"""A snapshot of 25,000 contracts has 300 kB as parquet and 2 MB as CSV."""
_MAX_UNCOMPRESSED_BYTES = 256 << 20
_CSV_METADATA_LINES = 20


def read_snapshot(path: Path) -> Chain:
    """Return the chain that a snapshot file keeps.

    Safe while a collector writes or prunes: the file is whole or gone. A file without a digest is
    read, and ``notes`` and ``caveat`` of its chain say that damage would go unnoticed.

    Raises:
        SnapshotError: the file is gone, no regular file, empty, larger than ``MAX_FILE_BYTES``,
            damaged, truncated, foreign, of another schema version, or has too many contracts.
    """
    file_format = _format_of(path)
    data = _read(path)
    if not data:
        raise SnapshotError(f"{path} is empty: 0 bytes; remove it or write it again")
    sealed = is_sealed(data, file_format, path)
    if _is_bounded(data, file_format, path) and sealed:
        return DECODERS[file_format](data, path)
    chain = from_parquet(decoder.rewritten(data, file_format, path), path)
    if sealed:
        return chain
    notes = {**chain.notes, UNCHECKED: "it was written without a digest, as by version 0.1.0"}
    return replace(chain, notes=MappingProxyType(notes))


def _format_of(path: Path) -> FileFormat:
    for file_format in DECODERS:
        if path.suffix == f".{file_format}":
            return file_format
    raise SnapshotError(f"{path} is no snapshot: its name ends in neither .parquet nor .csv")


def _read(path: Path) -> bytes:
    """Return a regular file of bounded size; never wait for what is none, such as a pipe."""
    try:
        with open(path, "rb", opener=open_at_once) as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode):
                raise SnapshotError(f"{path} cannot be read: it is no regular file")
            if found.st_size > MAX_FILE_BYTES:
                raise SnapshotError(
                    f"{path} is too large for a snapshot: {found.st_size:,} bytes; "
                    f"{MAX_FILE_BYTES:,} at most are read"
                )
            data = file.read(found.st_size + 1)
    except FileNotFoundError:
        raise SnapshotError(f"{path} is gone: pruned, moved or never written") from None
    except OSError as error:
        raise SnapshotError(f"{path} cannot be read: {error.strerror}") from error
    if len(data) != found.st_size:
        raise SnapshotError(f"{path} changed while it was read; try again")
    return data


def _is_bounded(data: bytes, file_format: FileFormat, path: Path) -> bool:
    """Return whether what the file states bounds the time and memory that decoding it takes.

    Raises:
        SnapshotError: it states too much, or is no parquet file at all.
    """
    if file_format == "csv":  # nothing in it is larger than the file
        stated = Outline(frozenset(), data.count(b"\n") - _CSV_METADATA_LINES, len(data))
    else:
        if not (data.startswith(MAGIC) and data.endswith(MAGIC)):
            raise SnapshotError(f"{path} is no readable parquet file, or is cut short")
        found = outline(data)
        if found is None:
            return False
        stated = found
    if stated.rows > MAX_ROWS or stated.uncompressed_bytes > _MAX_UNCOMPRESSED_BYTES:
        raise SnapshotError(
            f"{path} is too large: {stated.rows:,} rows and {stated.uncompressed_bytes:,} bytes "
            f"once unpacked; {MAX_ROWS:,} and {_MAX_UNCOMPRESSED_BYTES:,} at most are read"
        )
    return file_format == "csv" or stated.columns <= set(CHAIN_SCHEMA)
