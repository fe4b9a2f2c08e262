"""A chain as the bytes of a parquet or CSV file, and back, both without loss.

Parquet keeps each column in its smallest type that gives every value back: a price in whole cents
is a decimal of 4 bytes, which any other reader still sees as a price. A price that is not quoted is
NaN in a chain and null on disk. What belongs to the whole chain (feed, instant, spot, …) is
key-value metadata in parquet and ``# key: value`` lines above the header in CSV. What is encoded is
sealed with a digest (``digest.py``); it is verified before decoding.
"""

from __future__ import annotations

import io
import json
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

import polars as pl

from live_box_spreads.model.chain import (
    CHAIN_SCHEMA,
    QUOTE_COLUMNS,
    SCHEMA_VERSION,
    Chain,
    Timeliness,
)
from live_box_spreads.model.errors import ChainError, SnapshotError
from live_box_spreads.stores.digest import CLAIM_LINE, DIGEST_LINE, seal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from polars._typing import PolarsDataType

FileFormat = Literal["parquet", "csv"]

MAX_ROWS = 500_000
"""Contracts of a snapshot; a whole SPX listing has 25,000."""

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
_LONGEST_TEXT_BYTES = 64  # a root has 6 at most
_LONGEST_REASON = 200  # characters of a library's message


def to_parquet(chain: Chain) -> bytes:
    """Return the chain as a parquet file: zstd, each column in its smallest exact type."""
    columns = [_shrunk(column) for column in _nulls_for_nan(chain.quotes.sort(_ROW_ORDER))]
    buffer = io.BytesIO()
    metadata = {**_metadata(chain), **DIGEST_LINE}
    pl.DataFrame(columns).write_parquet(buffer, compression="zstd", metadata=metadata)
    return seal(buffer.getvalue(), "parquet")


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
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        raise SnapshotError(
            f"{source} is no readable parquet file, or is cut short: {_first_line(error)}"
        ) from error
    return _chain(frame, metadata, source)


def to_csv(chain: Chain) -> bytes:
    """Return the chain as a CSV file: lines of metadata, the header, one row a contract."""
    metadata = {**DIGEST_LINE, **_metadata(chain)}
    lines = [f"{_COMMENT}{key}: {value}\n" for key, value in metadata.items()]
    rows = pl.DataFrame(_nulls_for_nan(chain.quotes)).write_csv(datetime_format=_TIME_FORMAT)
    return seal(("".join(lines) + rows).encode(), "csv")


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
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
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
        **CLAIM_LINE,
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
        found = "has no schema version" if version is None else f"has schema version {version:.20}"
        raise SnapshotError(
            f"{source} {found}; this program reads snapshots of version {SCHEMA_VERSION} only"
        )
    _refuse_too_much(frame, source)
    try:
        if len(frame) != int(metadata["rows"]):
            raise SnapshotError(
                f"{source} is cut short: {len(frame):,} rows, {metadata['rows']:.20} were written"
            )
        snapshot_time = datetime.fromisoformat(metadata["snapshot_time"])
        if snapshot_time.tzinfo is None:
            raise SnapshotError(f"{source} has a snapshot_time without its offset from UTC")
        return Chain.build(
            frame,
            snapshot_time=snapshot_time,
            feed=metadata["feed"],
            timeliness=Timeliness(metadata["timeliness"]),
            spot=_mapping(metadata["spot"], int, float),
            rejected=_mapping(metadata["rejected"], int),
            notes=_mapping(metadata.get("notes", "{}"), str),  # older snapshots have none
        )
    except ChainError as error:
        raise SnapshotError(f"{source} is not a chain: {_first_line(error)}") from error
    except KeyError as error:
        raise SnapshotError(f"{source} lacks the metadata {error}; write it again") from error
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise SnapshotError(f"{source} has unusable metadata: {_first_line(error)}") from error


def _refuse_too_much(frame: pl.DataFrame, source: Path) -> None:
    """Refuse what would grow when it is sorted: too many rows, or texts that are no roots."""
    if len(frame) > MAX_ROWS:
        raise SnapshotError(f"{source} has {len(frame):,} contracts; {MAX_ROWS:,} at most are read")
    for name, dtype in frame.select(pl.col("^(root|underlying)$")).schema.items():
        if dtype != pl.String:
            raise SnapshotError(f"{source} has {name} as {dtype!s:.20}, not as text")
        longest = frame[name].str.len_bytes().max()
        if isinstance(longest, int) and longest > _LONGEST_TEXT_BYTES:
            raise SnapshotError(f"{source} has a {name} of {longest:,} bytes, which is no symbol")


def _mapping(text: str, *kinds: type) -> dict[str, Any]:
    """Return a JSON object whose values are of these kinds.

    Raises:
        ValueError: it is none.
    """
    found: object = json.loads(text)
    if not isinstance(found, dict) or not all(isinstance(v, kinds) for v in found.values()):
        named = " or ".join(kind.__name__ for kind in kinds)
        raise ValueError(f"{text:.40} is no object of {named} values")
    return found


def _refuse_empty(data: bytes, source: Path) -> None:
    if not data:
        raise SnapshotError(f"{source} is empty: 0 bytes; remove it or write it again")


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:_LONGEST_REASON]
