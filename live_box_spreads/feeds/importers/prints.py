"""Files of option trade prints: one row a print."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING

import polars as pl

from live_box_spreads.books.prints import PRINT_SCHEMA
from live_box_spreads.feeds.importers.rows import (
    because,
    count,
    count_by_reason,
    number,
    read_columns,
    refuse_empty,
    unreadable,
)
from live_box_spreads.model.chain import TIME_TYPE
from live_box_spreads.model.contracts import Contract, parse_occ, parse_streamer
from live_box_spreads.model.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_COLUMNS = {
    "id": ("id",),
    "symbol": ("symbol",),
    "timestamp": ("timestamp", "time"),
    "price": ("price",),
    "size": ("size", "volume", "quantity"),
}
_NEEDED = ["symbol", "timestamp", "price", "size"]
_OCC_TAIL = 15  # characters after the root: date, right and strike
_MILLISECONDS = r"^\d{12,13}$"  # since 1970; 1973 to 2286


@dataclass(frozen=True, slots=True)
class Prints:
    """The prints of a file.

    Attributes:
        frame: ``PRINT_SCHEMA``.
        rejected: rows refused, by reason.
    """

    frame: pl.DataFrame
    rejected: Mapping[str, int]


def read_prints(path: Path) -> Prints:
    """Read a CSV of trade prints, plain or gzip.

    Needed columns, in any order and case: ``symbol`` (OCC, with or without the spaces, or the
    streamer's), ``timestamp`` or ``time`` (milliseconds since 1970 UTC, or ISO; without an offset:
    UTC), ``price`` (index points) and ``size``, ``volume`` or ``quantity`` (contracts). With an
    ``id``, a row whose id was there before is refused.

    Raises:
        FileFormatError: the file cannot be read, lacks a needed column, or holds no readable print.
    """
    rows, cut_short = read_columns(path, _COLUMNS, _NEEDED, "a print file")
    read = rows.join(_contracts(rows["symbol"]), on="symbol", how="left", maintain_order="left")
    read = read.with_columns(_instants(rows["timestamp"])).with_columns(reason=_reason())
    reasons = count_by_reason(read)
    if cut_short:
        reasons["row cut short"] = cut_short
    good = read.filter(pl.col("reason").is_null())
    refuse_empty(good, reasons, path, "print")
    frame = good.with_columns(number("price"), count("size"))
    return Prints(
        frame.select(pl.col(name).cast(kind) for name, kind in PRINT_SCHEMA.items()),
        MappingProxyType(reasons),
    )


def _reason() -> pl.Expr:
    """Return why a row is refused, by the first reason that applies; null where it is good."""
    return pl.coalesce(
        because("symbol names no option", pl.col("strike").is_null()),
        because("unreadable time", pl.col("time").is_null()),
        because("unreadable price", unreadable("price")),
        because("price is not positive", ~(number("price").fill_null(0.0) > 0)),
        because("unreadable size", unreadable("size", count)),
        because("size is not positive", ~(count("size").fill_null(0) > 0)),
        because("print is there already", pl.col("id").is_not_null() & ~_first_of_its_id()),
    )


def _first_of_its_id() -> pl.Expr:
    return pl.col("id").is_first_distinct() | (pl.col("id") == "")


def _contracts(symbols: pl.Series) -> pl.DataFrame:
    """Return the contract of each distinct symbol; those that name none are left out."""
    found = {symbol: _contract(symbol) for symbol in symbols.drop_nulls().unique()}
    rows = [
        (symbol, contract.root, contract.expiry, contract.strike, contract.right)
        for symbol, contract in found.items()
        if contract
    ]
    columns = ["root", "expiry", "strike", "right"]
    schema = {"symbol": pl.String(), **{name: PRINT_SCHEMA[name] for name in columns}}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _contract(symbol: str) -> Contract | None:
    root, tail = symbol[:-_OCC_TAIL], symbol[-_OCC_TAIL:]
    try:
        if symbol.startswith("."):
            return parse_streamer(symbol)
        return parse_occ(f"{root.strip():<6}{tail}")
    except ModelError:
        return None


def _instants(column: pl.Series) -> pl.Series:
    """Return when each print was, null where that is not understood."""
    ms = column.str.contains(_MILLISECONDS)
    known = {text: _iso(text) for text in column.filter(~ms.fill_null(value=False)).unique()}
    frame = pl.DataFrame(
        {
            "text": column,
            "epoch": column.cast(pl.Int64, strict=False).cast(pl.Datetime("ms", "UTC")),
            "iso": pl.Series([known.get(text) for text in column], dtype=TIME_TYPE),
            "ms": ms,
        }
    )
    return frame.select(pl.when("ms").then("epoch").otherwise("iso").alias("time")).to_series()


def _iso(text: str | None) -> datetime | None:
    try:
        found = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return found.replace(tzinfo=UTC) if found.utcoffset() is None else found.astimezone(UTC)
