"""What a parquet file states of itself, read without decoding a value.

The footer and the page headers are structs of Thrift's compact protocol: read here as
``{field number: value}``. The numbers are those of ``parquet.thrift`` (Apache Parquet format 2.11).
"""

from __future__ import annotations

import struct
from typing import Any, NamedTuple

MAGIC = b"PAR1"
# Numbers of the fields that are asked for.
_SCHEMA, _ALL_ROWS, _GROUPS = 2, 3, 4
_TYPE_LENGTH, _NAME, _CHILDREN = 2, 4, 5
_CHUNKS, _GROUP_ROWS, _CHUNK = 1, 3, 3
_ENCODINGS, _CHUNK_VALUES, _CHUNK_BYTES, _FIRST_PAGE, _DICTIONARY_PAGE = 2, 5, 7, 9, 11
_UNCOMPRESSED, _COMPRESSED, _DATA, _DICTIONARY, _DATA_2 = 2, 3, 5, 7, 8
_PAGE_VALUES = 1
_PAGE_ENCODING = {_DATA: 2, _DATA_2: 4}
_DEEPEST = 10
_LONGEST_NUMBER = 10  # bytes of a 64-bit number
_DELTA_BYTE_ARRAY = 7  # each text may repeat all of the one before: a small page of huge texts
_LARGEST_FIXED = 16  # bytes of a decimal
_TRUE, _FALSE, _BYTE, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = 1, 2, 3, 7, 8, 9, 10, 11, 12


class Outline(NamedTuple):
    """What a flat table states.

    Attributes:
        columns: names of the columns.
        rows: number of rows.
        uncompressed_bytes: size of all pages once they are decompressed.
    """

    columns: frozenset[str]
    rows: int
    uncompressed_bytes: int


def outline(data: bytes) -> Outline | None:
    """Return what a parquet file states, if decoding it takes no more than it states.

    Returns:
        None if it is no flat table, its footer and pages contradict each other or cannot be
        followed, or values are encoded so that few bytes give many large values.
    """
    try:
        footer = _footer(data)
        root, *leaves = footer[_SCHEMA]
        names = frozenset(leaf[_NAME].decode() for leaf in leaves)
        flat = root[_CHILDREN] == len(leaves) == len(names) and all(map(_is_plain, leaves))
        groups = footer.get(_GROUPS, [])
        rows = [group[_GROUP_ROWS] for group in groups]
        chunks = [
            (chunk[_CHUNK], group[_GROUP_ROWS]) for group in groups for chunk in group[_CHUNKS]
        ]
        complete = len(chunks) == len(leaves) * len(groups) and sum(rows) == footer[_ALL_ROWS]
        if not flat or not complete or min([0, *rows]) < 0:
            return None
        stated = sum(_stated_bytes(data, chunk, rows) for chunk, rows in chunks)
    except (ValueError, LookupError, TypeError, AttributeError, struct.error):
        return None
    return Outline(names, footer[_ALL_ROWS], stated)


def _is_plain(leaf: dict[int, Any]) -> bool:
    """Return whether a column has no children, and no values of a fixed but large size."""
    return _CHILDREN not in leaf and leaf.get(_TYPE_LENGTH, 0) <= _LARGEST_FIXED


def _footer(data: bytes) -> dict[int, Any]:
    (length,) = struct.unpack_from("<I", data, len(data) - 8)
    start = len(data) - 8 - length
    if start < len(MAGIC) or not data.startswith(MAGIC) or not data.endswith(MAGIC):
        raise ValueError("no parquet file")
    return _Thrift(data, start).struct()


def _stated_bytes(data: bytes, chunk: dict[int, Any], rows: int) -> int:
    """Return the uncompressed bytes of the pages of a column chunk.

    Raises:
        ValueError: a page does not belong, or they hold another number of values than rows.
    """
    at = min(chunk[_FIRST_PAGE], chunk.get(_DICTIONARY_PAGE, chunk[_FIRST_PAGE]))
    end = at + chunk[_CHUNK_BYTES]
    if not len(MAGIC) <= at <= end <= len(data) or _DELTA_BYTE_ARRAY in chunk[_ENCODINGS]:
        raise ValueError("a column chunk outside the file, or in an encoding that is not ours")
    values = stated = 0
    while at < end:
        header = _Thrift(data, at)
        page = header.struct()
        ((kind, content),) = [
            (kind, page[kind]) for kind in (_DATA, _DICTIONARY, _DATA_2) if kind in page
        ]
        if min(page[_UNCOMPRESSED], page[_COMPRESSED], content[_PAGE_VALUES]) < 0:
            raise ValueError("an impossible page")
        if kind != _DICTIONARY:
            values += content[_PAGE_VALUES]
            if content[_PAGE_ENCODING[kind]] == _DELTA_BYTE_ARRAY:
                raise ValueError("a page in an encoding that is not ours")
        stated += page[_UNCOMPRESSED]
        at = header.at + page[_COMPRESSED]
    if at != end or not values == chunk[_CHUNK_VALUES] == rows:
        raise ValueError("pages that do not fill their chunk")
    return stated


class _Thrift:
    """A reader of structs, from a place in the data on."""

    def __init__(self, data: bytes, at: int) -> None:
        self.at = at
        self._data = data

    def struct(self, depth: int = 0) -> dict[int, Any]:
        """Return the fields of the struct that begins here."""
        if depth > _DEEPEST:
            raise ValueError("nested too deeply")
        fields: dict[int, Any] = {}
        number = 0
        while head := self._byte():
            step, kind = head >> 4, head & 15
            number = number + step if step else self._signed()
            fields[number] = kind == _TRUE if kind <= _FALSE else self._value(kind, depth)
        return fields

    def _value(self, kind: int, depth: int) -> Any:
        if kind == _BINARY:
            return self._take(self._unsigned())
        if kind in {_LIST, _SET}:
            head = self._byte()
            size = head >> 4 if head >> 4 != 15 else self._unsigned()  # noqa: PLR2004 # "long list"
            return [self._value(head & 15, depth + 1) for _ in range(size)]
        if kind == _STRUCT:
            return self.struct(depth + 1)
        if kind == _DOUBLE:
            return self._take(8)
        if kind == _MAP:
            raise ValueError("parquet has no maps")
        return self._byte() if kind <= _BYTE else self._signed()

    def _byte(self) -> int:
        self.at += 1
        return self._data[self.at - 1]

    def _take(self, size: int) -> bytes:
        self.at += size
        if self.at > len(self._data):
            raise ValueError("cut short")
        return self._data[self.at - size : self.at]

    def _unsigned(self) -> int:
        number = 0
        for place in range(_LONGEST_NUMBER):
            byte = self._byte()
            number |= (byte & 127) << 7 * place
            if byte < 128:  # noqa: PLR2004 # the highest bit: more follow
                return number
        raise ValueError("a number too long")

    def _signed(self) -> int:
        number = self._unsigned()
        return number >> 1 ^ -(number & 1)
