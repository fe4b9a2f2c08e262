from __future__ import annotations

import io
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from live_box_spreads.model.chain import CHAIN_SCHEMA, Chain, Timeliness
from live_box_spreads.model.errors import SnapshotError
from live_box_spreads.stores.codec import DECODERS, ENCODERS, FileFormat, to_csv, to_parquet
from tests.stores.chains import small_chain

FORMATS: list[FileFormat] = ["parquet", "csv"]
SOURCE = Path("snapshot_20261124_150000.any")
NAN = float("nan")

cents = st.integers(0, 2_000_000).map(lambda n: n / 100)
any_price = cents | st.just(NAN) | st.floats(width=64)
sizes = st.integers(0, 5_000).map(float) | st.just(NAN) | st.floats(0, 1e12)
counts = st.none() | st.integers(0, 2**40)
times = st.none() | st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1)).map(  # noqa: DTZ001 # zone follows
    lambda t: t.replace(tzinfo=UTC, microsecond=t.microsecond // 1000 * 1000)
)
texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1)
rows = st.fixed_dictionaries(
    {
        "root": st.sampled_from(["SPX", "SPXW", "#odd", 'quo"ted', "com,ma"]),
        "underlying": st.sampled_from(["SPX", "XSP"]),
        "expiry": st.dates(date(1998, 1, 2), date(2045, 12, 15)),
        "settlement": st.sampled_from(["AM", "PM"]),
        "strike": st.sampled_from([0.5, 690.5, 6900.0, 6900.125, 1e6]) | st.floats(0.01, 1e6),
        "right": st.sampled_from(["C", "P"]),
        "bid": any_price,
        "ask": any_price,
        "bid_size": sizes,
        "ask_size": sizes,
        "last": any_price,
        "volume": counts,
        "open_interest": counts,
        "quote_time": times,
    }
)
chains = st.builds(
    lambda rows, now, spot, rejected, notes: Chain.build(
        pl.DataFrame(rows, schema=CHAIN_SCHEMA),
        snapshot_time=now.replace(tzinfo=UTC),
        feed="test",
        timeliness=Timeliness.DELAYED,
        spot=spot,
        rejected=rejected,
        notes=notes,
    ),
    st.lists(rows, max_size=6),
    st.datetimes(datetime(1999, 1, 1), datetime(2045, 1, 1)),  # noqa: DTZ001 # zone follows
    st.dictionaries(texts, st.floats(0.01, 1e6), max_size=3),
    st.dictionaries(texts, st.integers(1, 10**6), max_size=3),
    st.dictionaries(texts, texts, max_size=3),
)


def assert_same(read: Chain, written: Chain) -> None:
    assert read.quotes.equals(written.quotes)
    assert read.quotes.schema == CHAIN_SCHEMA
    assert read.snapshot_time == written.snapshot_time
    assert (read.feed, read.timeliness) == (written.feed, written.timeliness)
    assert dict(read.spot) == dict(written.spot)
    assert dict(read.rejected) == dict(written.rejected)


@pytest.mark.parametrize("file_format", FORMATS)
@settings(deadline=None)  # a busy machine is no failure
@given(chain=chains)
def test_any_chain_comes_back_exactly(file_format: FileFormat, chain: Chain) -> None:
    assert_same(DECODERS[file_format](ENCODERS[file_format](chain), SOURCE), chain)


def test_whole_cents_are_decimals_for_any_reader_of_parquet() -> None:
    frame = pl.read_parquet(io.BytesIO(to_parquet(small_chain())))
    assert frame.schema["bid"] == pl.Decimal(9, 2)
    assert frame.schema["last"] == pl.Decimal(9, 4)
    assert frame.schema["bid_size"] == pl.Int32
    assert [str(bid) for bid in frame["bid"]] == ["100.25", "None"]


def test_a_half_cent_keeps_the_column_in_floating_point() -> None:
    frame = pl.read_parquet(io.BytesIO(to_parquet(small_chain(bid=100.125))))
    assert frame.schema["bid"] == pl.Float64
    assert frame["bid"].to_list() == [100.125, None]


def test_csv_reads_as_text() -> None:
    lines = to_csv(small_chain()).decode().splitlines()
    assert "# feed: test" in lines
    assert "# snapshot_time: 2026-11-24T15:00:00+00:00" in lines
    assert lines[-2] == (
        "SPX,SPX,2026-12-18,AM,6900.0,C,100.25,101.0,12.0,7.0,99.0033,1234,56789,"
        "2026-11-24T15:00:00.000Z"
    )
    assert lines[-1] == "SPX,SPX,2026-12-18,AM,6900.0,P,,0.05,,150.0,,,,"


@pytest.mark.parametrize("file_format", FORMATS)
def test_a_file_cut_anywhere_is_refused_by_name(file_format: FileFormat) -> None:
    data = ENCODERS[file_format](small_chain())
    for length in range(len(data)):
        with pytest.raises(SnapshotError, match=SOURCE.name) as caught:
            DECODERS[file_format](data[:length], SOURCE)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("file_format", FORMATS)
def test_an_empty_file_is_called_empty(file_format: FileFormat) -> None:
    with pytest.raises(SnapshotError, match="is empty"):
        DECODERS[file_format](b"", SOURCE)


@pytest.mark.parametrize("file_format", FORMATS)
@pytest.mark.parametrize("data", [b"hello\n", b"PAR1 no more PAR1", b"\xff\xfe\x00,\n\x00"])
def test_a_foreign_file_is_refused(file_format: FileFormat, data: bytes) -> None:
    with pytest.raises(SnapshotError, match=SOURCE.name):
        DECODERS[file_format](data, SOURCE)


def test_a_parquet_file_of_somebody_else_is_refused() -> None:
    buffer = io.BytesIO()
    pl.DataFrame({"price": [1.0]}).write_parquet(buffer)
    with pytest.raises(SnapshotError, match="no schema version"):
        DECODERS["parquet"](buffer.getvalue(), SOURCE)


def test_another_schema_version_is_named() -> None:
    newer = to_csv(small_chain()).replace(b"schema_version: 1", b"schema_version: 2")
    with pytest.raises(SnapshotError, match=r"version 2; .* version 1 only"):
        DECODERS["csv"](newer, SOURCE)


@pytest.mark.parametrize(
    ("found", "put", "said"),
    [
        (b"timeliness: simulated", b"timeliness: soon", "'soon'"),
        (b"# feed: test\n", b"", "'feed'"),
        (b",strike,", b",stroke,", "strike"),
        (b"2026-12-18", b"the 18th", "rows"),
        (b",100.25,", b",cheap,", "cheap"),
        (b",C,", b",X,", "X"),
    ],
)
def test_a_spoilt_csv_says_what_is_wrong(found: bytes, put: bytes, said: str) -> None:
    spoilt = to_csv(small_chain()).replace(found, put, 1)
    with pytest.raises(SnapshotError, match=said) as caught:
        DECODERS["csv"](spoilt, SOURCE)
    assert "\n" not in str(caught.value)
