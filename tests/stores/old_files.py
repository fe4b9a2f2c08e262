"""Snapshots as version 0.1.0 wrote them: the same bytes without a digest."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from live_box_spreads.stores import codec

if TYPE_CHECKING:
    from live_box_spreads.model.chain import Chain

WRITTEN_BY_0_1_0 = Path(__file__).parent / "written_by_0_1_0"


def old_parquet(chain: Chain) -> bytes:
    """Return a chain as parquet without a digest."""
    sealed = codec.to_parquet(chain)
    return parquet_of(pl.read_parquet(sealed), _without_digest(sealed))


def parquet_of(frame: pl.DataFrame, metadata: dict[str, str]) -> bytes:
    """Return any frame as parquet with this metadata."""
    buffer = io.BytesIO()
    frame.write_parquet(buffer, compression="zstd", metadata=metadata)
    return buffer.getvalue()


def metadata_of(chain: Chain) -> dict[str, str]:
    """Return the metadata of a chain, with the place for a digest."""
    sealed = codec.to_parquet(chain)
    return {**_without_digest(sealed), "digest_kind": "sha256", "digest": "0" * 64}


def _without_digest(sealed: bytes) -> dict[str, str]:
    metadata = pl.read_parquet_metadata(sealed)
    return {k: v for k, v in metadata.items() if k not in {"digest", "digest_kind", "ARROW:schema"}}
