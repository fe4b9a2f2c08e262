"""The table of a Cboe export: columns found by name, one frame row a contract."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from live_box_spreads.model.errors import FileFormatError

if TYPE_CHECKING:
    from pathlib import Path

_NAMES = {
    "bid": ("bid",),
    "ask": ("ask",),
    "last": ("last sale", "last"),
    "volume": ("vol", "volume"),
    "open_interest": ("open int", "open interest"),
}
_NEEDED = ("bid", "ask")
_SHARED = {"day": ("expiration date", "expiration", "expiry"), "row_strike": ("strike",)}
_TEXT_COLUMNS = ("symbol", *_NAMES, *_SHARED)

_DELIMITERS = ",;\t"
_DECIMAL_COMMA = r"^\d{1,3}(?:\.?\d{3})*,\d{1,2}$"

CUT_SHORT = "row cut short"
TOO_LONG = "row longer than the head, its cells may be shifted"


@dataclass(frozen=True, slots=True)
class CboeTable:
    """A quote table, still text.

    Attributes:
        above: the lines above the table.
        contracts: one row a contract, strings: ``symbol, bid, ask, last, volume,
            open_interest, day, row_strike``; null where the file has no such column.
        refused: contracts of rows that end too early or run past the head, by reason.
    """

    above: list[str]
    contracts: pl.DataFrame
    refused: dict[str, int]


@dataclass(frozen=True, slots=True)
class _Side:
    """Where the columns of the calls, or of the puts, stand."""

    positions: dict[str, int]

    @property
    def width(self) -> int:
        return max(self.positions.values()) + 1


def read_table(text: str, path: Path) -> CboeTable:
    """Find the table in a file's text and give each side of each row a row of its own.

    Raises:
        FileFormatError: the text holds no quote table, or a needed column is missing.
    """
    lines = text.split("\n")
    start, delimiter = _find_head(lines, path)
    try:
        head, *rows = csv.reader(lines[start:], delimiter=delimiter)
    except csv.Error as error:
        raise FileFormatError(f"{path}: not a readable CSV ({error})") from None
    sides = _find_sides([_plain(cell) for cell in head], path)
    filled = [row for row in rows if any(cell.strip() for cell in row)]
    # A thousands comma without quotes shifts cells: no price of such a row can be trusted.
    fitting = [row for row in filled if not any(cell.strip() for cell in row[len(head) :])]
    whole = [[row for row in fitting if len(row) >= side.width] for side in sides]
    contracts = pl.concat([_frame(side, rows) for side, rows in zip(sides, whole, strict=True)])
    refused = {
        CUT_SHORT: sum(len(fitting) - len(rows) for rows in whole),
        TOO_LONG: len(sides) * (len(filled) - len(fitting)),
    }
    return CboeTable(
        above=lines[:start],
        contracts=contracts if delimiter == "," else _with_decimal_points(contracts),
        refused={reason: count for reason, count in refused.items() if count},
    )


def _find_head(lines: list[str], path: Path) -> tuple[int, str]:
    """Return the number of the line that names the columns, and what stands between them."""
    for number, line in enumerate(lines):
        for delimiter in _DELIMITERS:
            if _is_head(line, delimiter):
                return number, delimiter
    raise FileFormatError(
        f"{path}: no line with the columns Calls and Puts; give a quote table as Cboe's "
        "delayed quotes page downloads it, or import a row a contract with boxes import csv"
    )


def _with_decimal_points(contracts: pl.DataFrame) -> pl.DataFrame:
    """Rewrite ``1.234,5`` as ``1234.5`` in a table that a spreadsheet saved with decimal commas."""
    numbers = pl.col(*_NAMES, "row_strike")
    if not contracts.select(pl.any_horizontal(numbers.str.contains(_DECIMAL_COMMA).any())).item():
        return contracts
    plain = numbers.str.replace_all(".", "", literal=True).str.replace(",", ".", literal=True)
    return contracts.with_columns(plain)


def _is_head(line: str, delimiter: str) -> bool:
    cells = {_plain(cell) for cell in line.replace('"', "").split(delimiter)}
    return bool(cells & {"calls", "puts"}) and bool(cells & {"bid", "ask"})


def _plain(cell: str) -> str:
    words = " ".join(cell.replace(".", "").split()).lower()
    return {"call": "calls", "put": "puts"}.get(words, words)


def _find_sides(head: list[str], path: Path) -> tuple[_Side, _Side]:
    """Read the head: columns after Calls are the calls', those after Puts the puts'."""
    for name in ("calls", "puts"):
        if name not in head:
            raise FileFormatError(f"{path}: no column {name.capitalize()!r}; found {_shown(head)}")
    calls, puts = head.index("calls"), head.index("puts")
    shared = {
        name: head.index(known)
        for name, names in _SHARED.items()
        for known in names
        if known in head
    }
    first, second = sorted([calls, puts])
    ends = {first: second, second: len(head)}
    return (
        _side(head, calls, ends[calls], shared, path),
        _side(head, puts, ends[puts], shared, path),
    )


def _side(head: list[str], start: int, end: int, shared: dict[str, int], path: Path) -> _Side:
    positions = {"symbol": start}
    for name, known in _NAMES.items():
        found = [at for at in range(start, end) if head[at] in known]
        if found:
            positions[name] = found[0]
        elif name in _NEEDED:
            raise FileFormatError(
                f"{path}: no column {name.capitalize()!r} beside {head[start].capitalize()!r}; "
                f"found {_shown(head)}"
            )
    return _Side(positions | shared)


def _shown(head: list[str]) -> str:
    return ", ".join(cell for cell in head if cell)


def _frame(side: _Side, rows: list[list[str]]) -> pl.DataFrame:
    columns = {
        name: [row[side.positions[name]] for row in rows] if name in side.positions else None
        for name in _TEXT_COLUMNS
    }
    return pl.DataFrame(
        [
            pl.Series(name, values if values is not None else [None] * len(rows), pl.String())
            for name, values in columns.items()
        ]
    ).with_columns(pl.all().str.strip_chars())
