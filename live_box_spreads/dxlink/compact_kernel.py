"""COMPACT rows from bytes to numbers in machine code. Importing this module imports numba.

It reads only what it can read exactly as the decoder would: plain ASCII strings, and decimals whose
digits make an integer below 2^53 over a power of ten up to 10^22, of which one division gives the
nearest float64 (W. D. Clinger, "How to read floating point numbers accurately", 1990). At anything
else it stops
and returns that, and the frame is read by the decoder.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

import numpy as np

from live_box_spreads.machine_code import cached_njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bytes = NDArray[np.uint8]
    SymbolTable = tuple[NDArray[np.int32], NDArray[np.uint8]]
    Symbols = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.uint64]]

SYMBOL: Final = -1
IGNORED: Final = -2
"""What a position of a row holds, beside the number of an output column."""

UNUSUAL: Final = -1
"""Returned instead of a count: read this frame in another way."""

UNKNOWN: Final = -1

_QUOTE, _COMMA, _CLOSE, _BACKSLASH = (np.uint8(ord(c)) for c in '",]\\')
_MINUS, _POINT, _ZERO, _NINE = (np.uint8(ord(c)) for c in "-.09")
_SPACE, _DELETE = np.uint8(0x20), np.uint8(0x7F)
_NAN = np.frombuffer(b'NaN"', np.uint8)
_INFINITY = np.frombuffer(b'Infinity"', np.uint8)
_MINUS_INFINITY = np.frombuffer(b'-Infinity"', np.uint8)
_EXACT = 1 << 53
_MOST_DIGITS = 18
_POWERS_OF_TEN = np.array([10.0**n for n in range(_MOST_DIGITS + 1)])
_FNV_BASIS, _FNV_PRIME = np.uint64(0xCBF29CE484222325), np.uint64(0x100000001B3)
"""FNV-1a, RFC 9923."""


@cached_njit
def _starts_with(text: Bytes, at: int, word: Bytes) -> bool:
    if at + word.size > text.size:
        return False
    n = 0
    while n < word.size and text[at + n] == word[n]:
        n += 1
    return n == word.size


@cached_njit
def _special(text: Bytes, at: int) -> tuple[int, float]:
    """Read the rest of a string for no finite number; (end, NaN), end 0 if unusual."""
    for word in (_NAN, _INFINITY, _MINUS_INFINITY):
        if _starts_with(text, at, word):
            return at + word.size, np.nan
    return 0, np.nan


@cached_njit
def _decimal(text: Bytes, at: int) -> tuple[int, float]:
    """Read a JSON number without exponent; (end, value), end 0 if unusual."""
    negative = text[at] == _MINUS
    if negative:
        at += 1
    begin = at
    digits = np.int64(0)
    while at < text.size and _ZERO <= text[at] <= _NINE and at - begin < _MOST_DIGITS:
        digits = 10 * digits + np.int64(text[at] - _ZERO)
        at += 1
    whole = at - begin
    if whole == 0 or (whole > 1 and text[begin] == _ZERO):
        return 0, 0.0
    decimals = 0
    if at < text.size and text[at] == _POINT:
        at += 1
        while at < text.size and _ZERO <= text[at] <= _NINE and whole + decimals < _MOST_DIGITS:
            digits = 10 * digits + np.int64(text[at] - _ZERO)
            at += 1
            decimals += 1
        if decimals == 0:
            return 0, 0.0
    if digits > _EXACT or (negative and digits == 0):
        return 0, 0.0
    value = digits / _POWERS_OF_TEN[decimals]
    return at, -value if negative else value


@cached_njit
def _string_end(text: Bytes, at: int) -> tuple[int, np.uint64]:
    """Find the closing quote of a plain ASCII string; (where, hash), 0 if unusual."""
    hashed = _FNV_BASIS
    while at < text.size:
        byte = text[at]
        if byte == _QUOTE:
            return at, hashed
        if byte < _SPACE or byte >= _DELETE or byte == _BACKSLASH:
            break
        hashed = (hashed ^ np.uint64(byte)) * _FNV_PRIME
        at += 1
    return 0, hashed


@cached_njit
def fill_table(names: Bytes, rows: NDArray[np.int32], table: SymbolTable) -> None:
    """Put symbols into an empty table; see ``read_rows`` for its form.

    Args:
        names: (n, longest + 1) a symbol's bytes, zeros behind them.
        rows: (n,) row number of each.
        table: with more slots than symbols.
    """
    row_at, name_at = table
    last = row_at.size - 1
    for number in range(rows.size):
        hashed = _FNV_BASIS
        for byte in names[number]:
            if byte == 0:
                break
            hashed = (hashed ^ np.uint64(byte)) * _FNV_PRIME
        slot = np.int64(hashed & np.uint64(last))
        while row_at[slot] != UNKNOWN:
            slot = (slot + 1) & last
        row_at[slot] = rows[number]
        name_at[slot] = names[number]


@cached_njit
def _row_of(text: Bytes, begin: int, end: int, hashed: np.uint64, table: SymbolTable) -> int:
    """Look a symbol up; the bytes are compared, so that equal hashes do no harm."""
    row_at, names = table
    last = row_at.size - 1
    slot = np.int64(hashed & np.uint64(last))
    length = end - begin
    if length >= names.shape[1]:
        return UNKNOWN
    while row_at[slot] != UNKNOWN:
        name = names[slot]
        n = 0
        while n < length and name[n] == text[begin + n]:
            n += 1
        if n == length and name[n] == 0:
            return int(row_at[slot])
        slot = (slot + 1) & last
    return UNKNOWN


@cached_njit
def _number(text: Bytes, at: int) -> tuple[int, float]:
    """Read a number, or a string in place of one; (end, value), end 0 if unusual."""
    return _special(text, at + 1) if text[at] == _QUOTE else _decimal(text, at)


@cached_njit
def _skip(text: Bytes, at: int) -> int:
    """Return the end of a value that is not wanted; 0 if unusual."""
    if text[at] != _QUOTE:
        return _decimal(text, at)[0]
    close = _string_end(text, at + 1)[0]
    return close + 1 if close else 0


@cached_njit
def _split(
    text: Bytes, at: int, layout: NDArray[np.int8], columns: NDArray[np.float64], symbols: Symbols
) -> tuple[int, int]:
    """Read the numbers of all rows, and where their symbols are; see ``read_rows``."""
    begins, ends, hashes = symbols
    count = 0
    after = _COMMA
    while after == _COMMA:
        for position in range(layout.size):
            if at >= text.size or after != _COMMA:
                return UNUSUAL, 0
            kind = layout[position]
            if kind >= 0:
                end, columns[kind, count] = _number(text, at)
            elif kind == SYMBOL and text[at] == _QUOTE:
                begins[count] = at + 1
                ends[count], hashes[count] = _string_end(text, at + 1)
                end = ends[count] + 1 if ends[count] else 0
            elif kind == SYMBOL:
                return UNUSUAL, 0
            else:
                end = _skip(text, at)
            if end == 0 or end >= text.size:
                return UNUSUAL, 0
            after = text[end]
            at = end + 1
        count += 1
    return (count, at) if after == _CLOSE else (UNUSUAL, 0)


@cached_njit
def read_rows(
    text: Bytes,
    at: int,
    layout: NDArray[np.int8],
    table: SymbolTable,
    rows: NDArray[np.int32],
    columns: NDArray[np.float64],
) -> tuple[int, int]:
    """Read rows from behind an array's opening bracket to its closing one.

    Symbols are looked up at the end, all in a row: so the processor fetches many places of the
    table at a time, which takes half as long as one by one between the numbers.

    Args:
        text: a JSON text.
        at: where the first value begins.
        layout: by position in a row: ``SYMBOL``, ``IGNORED`` or the number of a column.
        table: by slot, row number or ``UNKNOWN``, and the symbol's bytes with at least one zero
            behind them. The number of slots is a power of two; some are free.
        rows: filled with row numbers; long enough for any text of this length.
        columns: filled with numbers, (columns, length of ``rows``).

    Returns:
        The number of rows, or ``UNUSUAL``; and where the text goes on behind the array.
    """
    begins, ends = np.empty(rows.size, np.int64), np.empty(rows.size, np.int64)
    hashes = np.empty(rows.size, np.uint64)
    count, at = _split(text, at, layout, columns, (begins, ends, hashes))
    for number in range(count):
        rows[number] = _row_of(text, begins[number], ends[number], hashes[number], table)
    return count, at


def warm_up() -> None:
    """Compile every function by reading one frame."""
    from live_box_spreads.dxlink.compact import PlainReader  # noqa: PLC0415 # it loads this module

    example = PlainReader(sys.modules[__name__], {"Trade": {"A": 0}}, {"Trade": ("price",)})
    example.configure("Trade", ["eventSymbol", "price"])
    example.read(b'["Trade",["A",1.5]]')
