"""What all importers do with rows of text: numbers, products, and the reason of each refusal."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import polars as pl

from live_box_spreads.feeds.importers.dates import parse_day
from live_box_spreads.feeds.importers.text_files import read_text
from live_box_spreads.model.errors import FileFormatError
from live_box_spreads.model.products import PRODUCTS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

_GROUPED = r"^[^,]*$|^\s*[-+]?\$?\d{1,3}(?:,\d{3})+(?:\.\d*)?\s*$"
_NO_VALUE = ["", "-", "--", "n/a", "na", "nan", "null", "none"]
_PRODUCTS = pl.DataFrame(
    [(item.root, item.underlying, item.settlement) for item in PRODUCTS.values()],
    schema=["root", "underlying", "settlement"],
    orient="row",
)


def read_columns(
    path: Path, columns: Mapping[str, Sequence[str]], needed: Sequence[str], kind: str
) -> tuple[pl.DataFrame, int]:
    """Read columns of a CSV, plain or gzip, as text.

    Args:
        path: the file; its header names the columns, in any order and case.
        columns: what the header may call each column wanted, the first that is there counts.
        needed: the columns without which the file is of no use.
        kind: what the file should be, such as ``an option-chain CSV``.

    Returns:
        The wanted columns, null throughout where the file has none, and how many rows end before
        the last of them.

    Raises:
        FileFormatError: the file cannot be read or lacks a needed column.
    """
    try:
        lines = [row for row in csv.reader(read_text(path).split("\n")) if any(row)]
    except csv.Error as error:
        raise FileFormatError(f"{path}: not a readable CSV ({error})") from None
    head = [cell.strip().lower() for cell in lines[0]]
    positions = {
        name: head.index(found[0])
        for name, spellings in columns.items()
        if (found := [spelling for spelling in spellings if spelling in head])
    }
    missing = [" or ".join(columns[name]) for name in needed if name not in positions]
    if missing:
        raise FileFormatError(
            f"{path}: no column {', '.join(missing)}; found {', '.join(head)}; "
            f"{kind} has {', '.join(needed)}"
        )
    width = max(positions.values()) + 1
    whole = [row for row in lines[1:] if len(row) >= width]
    cells = {
        name: [row[positions[name]].strip() if name in positions else None for row in whole]
        for name in columns
    }
    return pl.DataFrame(cells, schema=dict.fromkeys(columns, pl.String())), (
        len(lines) - 1 - len(whole)
    )


def number(name: str) -> pl.Expr:
    """Return a text column as floats: null where it is blank, ``n/a`` or the like, or no number.

    A comma counts only where it parts thousands: ``6,000.5`` is a number, ``600,5`` is none.
    """
    text = pl.col(name)
    bare = text.str.replace_all(r"[,$]", "").cast(pl.Float64, strict=False)
    return pl.when(text.str.contains(_GROUPED) & bare.is_finite()).then(bare)


def count(name: str) -> pl.Expr:
    """Return a text column as whole numbers: null where it is blank, ``n/a`` or no number."""
    value = number(name)
    return pl.when(value == value.round()).then(value).cast(pl.Int64, strict=False)


def unreadable(name: str, read: Callable[[str], pl.Expr] = number) -> pl.Expr:
    """Return where a text column holds what ``read`` makes nothing of, or a negative number."""
    text = pl.col(name).str.to_lowercase()
    return ~text.is_in(_NO_VALUE) & (read(name).is_null() | (read(name) < 0))


def days(column: pl.Series) -> pl.Series:
    """Return a text column as days; null where none is understood."""
    known = {text: parse_day(text) for text in column.drop_nulls().unique()}
    return column.replace_strict(known, default=None, return_dtype=pl.Date)


def with_products(rows: pl.DataFrame) -> pl.DataFrame:
    """Add ``underlying`` and ``settlement`` of each ``root``; null where it is unknown."""
    return rows.join(_PRODUCTS, on="root", how="left", maintain_order="left")


def unknown_root() -> pl.Expr:
    """Return the reason that names a root which no product has; null for the others."""
    unknown = pl.col("root").is_not_null() & pl.col("underlying").is_null()
    return pl.when(unknown).then("unknown option root " + pl.col("root"))


def because(reason: str, condition: pl.Expr) -> pl.Expr:
    """Return the reason where the condition holds, else null."""
    return pl.when(condition).then(pl.lit(reason))


def count_by_reason(rows: pl.DataFrame) -> dict[str, int]:
    """Return how many rows have each ``reason``."""
    counted = rows.drop_nulls("reason").group_by("reason").len().sort("reason")
    return dict(counted.iter_rows())


def refuse_empty(
    good: pl.DataFrame, reasons: dict[str, int], path: Path, what: str = "contract"
) -> None:
    """Refuse a file without a single readable contract, or whatever its rows are.

    Raises:
        FileFormatError: ``good`` has no rows; the message has the reasons.
    """
    if len(good):
        return
    why = "; ".join(f"{rows} rows: {reason}" for reason, rows in reasons.items())
    raise FileFormatError(f"{path}: no readable option {what} ({why or 'the table has no rows'})")
