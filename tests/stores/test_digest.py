from __future__ import annotations

import hashlib
import io
import re
from pathlib import Path

import polars as pl
import pytest

from live_box_spreads.model.errors import SnapshotError
from live_box_spreads.stores.codec import ENCODERS, FileFormat
from live_box_spreads.stores.digest import is_sealed, seal
from live_box_spreads.stores.snapshots import read_snapshot
from tests.stores.chains import many_contracts, small_chain
from tests.stores.old_files import WRITTEN_BY_0_1_0, old_parquet

FORMATS: list[FileFormat] = ["parquet", "csv"]
SOURCE = Path("snapshot_20261124_150000.any")


def flipped(data: bytes, bit: int) -> bytes:
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


@pytest.mark.parametrize("file_format", FORMATS)
def test_what_is_encoded_is_sealed(file_format: FileFormat) -> None:
    data = ENCODERS[file_format](small_chain())
    assert is_sealed(data, file_format, SOURCE)


@pytest.mark.parametrize("file_format", FORMATS)
def test_the_digest_is_the_sha256_of_the_file_with_zeros_in_its_place(
    file_format: FileFormat,
) -> None:
    data = ENCODERS[file_format](small_chain())
    if file_format == "csv":
        told = re.match(rb"# digest: ([0-9a-f]{64})\n", data)
        assert told is not None
        digest = told[1]
    else:
        digest = pl.read_parquet_metadata(data)["digest"].encode()
    assert data.count(digest) == 1
    assert digest.decode() == hashlib.sha256(data.replace(digest, b"0" * 64)).hexdigest()


@pytest.mark.parametrize("file_format", FORMATS)
def test_no_flipped_bit_goes_unnoticed(file_format: FileFormat) -> None:
    data = ENCODERS[file_format](small_chain())
    for bit in range(8 * len(data)):
        with pytest.raises(SnapshotError, match="damaged"):
            is_sealed(flipped(data, bit), file_format, SOURCE)


def test_no_flipped_bit_of_a_large_file_goes_unnoticed() -> None:
    data = ENCODERS["parquet"](many_contracts(25_000))
    for bit in range(3, 8 * len(data), 4_999):
        with pytest.raises(SnapshotError, match="damaged"):
            is_sealed(flipped(data, bit), "parquet", SOURCE)


@pytest.mark.parametrize("file_format", FORMATS)
def test_a_reader_is_told_of_a_flipped_bit(file_format: FileFormat, tmp_path: Path) -> None:
    path = tmp_path / f"snapshot_20261124_150000.{file_format}"
    data = ENCODERS[file_format](small_chain())
    for bit in range(0, 8 * len(data), 211):
        path.write_bytes(flipped(data, bit))
        with pytest.raises(SnapshotError, match=path.name) as caught:
            read_snapshot(path)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("name", [path.name for path in sorted(WRITTEN_BY_0_1_0.iterdir())])
def test_a_file_of_the_first_version_has_no_digest(name: str) -> None:
    path = WRITTEN_BY_0_1_0 / name
    file_format: FileFormat = "csv" if path.suffix == ".csv" else "parquet"
    assert not is_sealed(path.read_bytes(), file_format, path)


def test_a_seal_needs_its_place() -> None:
    with pytest.raises(SnapshotError, match="no place for its digest"):
        seal(old_parquet(small_chain()), "parquet")


def test_text_that_looks_like_a_digest_is_none() -> None:
    chain = small_chain()
    decoys = {"decoy": "\x18\x06digest\x18\x40" + "0" * 64, "\n# digest: " + "0" * 64: "decoy"}
    object.__setattr__(chain, "notes", decoys)
    for file_format in FORMATS:
        data = ENCODERS[file_format](chain)
        assert is_sealed(data, file_format, SOURCE)
    frame = pl.read_parquet(io.BytesIO(ENCODERS["parquet"](chain)))
    assert len(frame) == 2
