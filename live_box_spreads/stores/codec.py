"""A chain as the bytes of a parquet or CSV file, and back, both without loss.

Parquet keeps each column in its smallest type that gives every value back: a price in whole cents
is a decimal of 4 bytes, which any other reader still sees as a price. A price nobody quotes is NaN
in a chain and null on disk. What belongs to the whole chain (feed, instant, spot, …) is key-value
metadata in parquet and ``# key: value`` lines above the header in CSV.
"""

from __future__ import annotations

import io
import json
from datetime import datetime
from typing import TYPE_CHECKING, Literal

import polars as pl

from live_box_spreads.model.chain import (
    CHAIN_SCHEMA,
    QUOTE_COLUMNS,
    SCHEMA_VERSION,
    Chain,
    Timeliness,
)
from live_box_spreads.model.errors import ChainError, SnapshotError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from polars._typing import PolarsDataType

FileFormat = Literal["parquet", "csv"]

_CENTS = pl.Decimal(9, 2)
_TEN_THOUSANDTHS = pl.Decimal(9, 4)
_SMALLEST_FIRST: dict[str, tuple[PolarsDataType, ...]] = {
    "strike": (_CENTS,),
    "bid": (_CENTS,),
    "ask": (_CENTS,),
    "bid_size": (pl.Int32(),),
    "ask_size": (pl.Int32(),),
    "last": (_CENTS, _TEN_THOUSANDTHS),
    "volume": (pl.Int32(),),
    "open_interest": (pl.Int32(),),
}
_ROW_ORDER = ["root", "expiry", "right", "strike"]  # like prices side by side pack better
_TIME_FORMAT = "%Y-%m-%dT%H:%M:%S%.3fZ"
_COMMENT = "# "


def to_parquet(chain: Chain) -> bytes:
    """Return the chain as a parquet file: zstd, each column in its smallest exact type."""
    columns = [_shrunk(column) for column in _nulls_for_nan(chain.quotes.sort(_ROW_ORDER))]
    buffer = io.BytesIO()
    pl.DataFrame(columns).write_parquet(buffer, compression="zstd", metadata=_metadata(chain))
    return buffer.getvalue()


def from_parquet(data: bytes, source: Path) -> Chain:
    """Return the chain of a parquet file.

    Args:
        data: the whole file.
        source: where it came from, for the error.

    Raises:
        SnapshotError: empty, truncated, foreign, or of another schema version.
    """
    _refuse_empty(data, source)
    try:
        metadata = pl.read_parquet_metadata(data)
        frame = pl.read_parquet(data)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise SnapshotError(
            f"{source} is no readable parquet file, or is cut short: {_first_line(error)}"
        ) from error
    return _chain(frame, metadata, source)


def to_csv(chain: Chain) -> bytes:
    """Return the chain as a CSV file: lines of metadata, the header, one row a contract."""
    lines = [f"{_COMMENT}{key}: {value}\n" for key, value in _metadata(chain).items()]
    rows = pl.DataFrame(_nulls_for_nan(chain.quotes)).write_csv(datetime_format=_TIME_FORMAT)
    return ("".join(lines) + rows).encode()


def from_csv(data: bytes, source: Path) -> Chain:
    """Return the chain of a CSV file that :func:`to_csv` wrote.

    Args:
        data: the whole file.
        source: where it came from, for the error.

    Raises:
        SnapshotError: empty, truncated, foreign, or of another schema version.
    """
    _refuse_empty(data, source)
    metadata, body = _split_csv(data, source)
    if not data.endswith(b"\n"):
        raise SnapshotError(f"{source} is cut short: its last line does not end")
    as_text = {
        name: dtype if dtype.is_numeric() else pl.String() for name, dtype in CHAIN_SCHEMA.items()
    }
    try:
        frame = pl.read_csv(body, schema_overrides=as_text).with_columns(
            pl.col("quote_time").str.to_datetime(
                _TIME_FORMAT, time_unit="ms", time_zone="UTC", strict=True
            ),
            pl.col("expiry").str.to_date("%Y-%m-%d", strict=True),
        )
    except pl.exceptions.PolarsError as error:
        raise SnapshotError(f"{source} has unreadable rows: {_first_line(error)}") from error
    return _chain(frame, metadata, source)


ENCODERS: Mapping[FileFormat, Callable[[Chain], bytes]] = {"parquet": to_parquet, "csv": to_csv}
DECODERS: Mapping[FileFormat, Callable[[bytes, Path], Chain]] = {
    "parquet": from_parquet,
    "csv": from_csv,
}


def _nulls_for_nan(quotes: pl.DataFrame) -> list[pl.Series]:
    return quotes.with_columns(pl.col(QUOTE_COLUMNS).fill_nan(None)).get_columns()


def _shrunk(column: pl.Series) -> pl.Series:
    """Return the column in the first of its smaller types that gives every value back."""
    for dtype in _SMALLEST_FIRST.get(column.name, ()):
        try:
            small = column.cast(dtype, strict=False)
        except pl.exceptions.ComputeError:  # more digits than a decimal of this type has
            continue
        if small.cast(column.dtype).equals(column, null_equal=True):
            return small
    return column


def _metadata(chain: Chain) -> dict[str, str]:
    return {
        "schema_version": str(SCHEMA_VERSION),
        "rows": str(len(chain.quotes)),
        "feed": chain.feed,
        "timeliness": chain.timeliness.value,
        "snapshot_time": chain.snapshot_time.isoformat(),
        "spot": json.dumps(dict(chain.spot)),
        "rejected": json.dumps(dict(chain.rejected)),
        "notes": json.dumps(dict(chain.notes)),
    }


def _split_csv(data: bytes, source: Path) -> tuple[dict[str, str], bytes]:
    """Return the metadata above the header, and the rest from the header on."""
    metadata = {}
    start = 0
    while data.startswith(_COMMENT.encode(), start):
        end = data.find(b"\n", start) + 1 or len(data)
        key, _, value = data[start:end].decode(errors="replace")[len(_COMMENT) :].partition(": ")
        metadata[key] = value.rstrip("\r\n")
        start = end
    if start == len(data):
        raise SnapshotError(f"{source} is cut short: it has no header of columns")
    return metadata, data[start:]


def _chain(frame: pl.DataFrame, metadata: Mapping[str, str], source: Path) -> Chain:
    """Return the chain of rows as read and metadata, once both are what we wrote."""
    version = metadata.get("schema_version")
    if version != str(SCHEMA_VERSION):
        found = "has no schema version" if version is None else f"has schema version {version}"
        raise SnapshotError(
            f"{source} {found}; this program reads snapshots of version {SCHEMA_VERSION} only"
        )
    try:
        if len(frame) != int(metadata["rows"]):
            raise SnapshotError(
                f"{source} is cut short: {len(frame):,} rows, {metadata['rows']} were written"
            )
        return Chain.build(
            frame,
            snapshot_time=datetime.fromisoformat(metadata["snapshot_time"]),
            feed=metadata["feed"],
            timeliness=Timeliness(metadata["timeliness"]),
            spot=json.loads(metadata["spot"]),
            rejected=json.loads(metadata["rejected"]),
            notes=json.loads(metadata.get("notes", "{}")),  # older snapshots have none
        )
    except ChainError as error:
        raise SnapshotError(f"{source} is not a chain: {error}") from error
    except KeyError as error:
        raise SnapshotError(f"{source} lacks the metadata {error}; write it again") from error
    except (TypeError, ValueError) as error:
        raise SnapshotError(f"{source} has unusable metadata: {_first_line(error)}") from error


def _refuse_empty(data: bytes, source: Path) -> None:
    if not data:
        raise SnapshotError(f"{source} is empty: 0 bytes; remove it or write it again")


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
