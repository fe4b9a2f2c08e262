"""`boxes import`: paths on stdout, counts on stderr, a bad file does not stop the others."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from live_box_spreads.stores.snapshots import read_snapshot

if TYPE_CHECKING:
    from tests.cli.conftest import Boxes

HEADER = (
    "Expiration Date,Calls,Last Sale,Net,Bid,Ask,Volume,IV,Delta,Gamma,Open Interest,Strike,"
    "Puts,Last Sale,Net,Bid,Ask,Volume,IV,Delta,Gamma,Open Interest"
)
CBOE = f"""
S&P 500 INDEX,Last: 6485.64,Change:  37.38
"Date: September 4, 2025 at 2:30 PM GMT-4",Bid: 6484.5,Ask: 6486.85,Size: 1*1,Volume: 0
{HEADER}
Fri Dec 19 2025,SPX251219C06000000,0,0,600,602,5,0,1,0,3,6000,SPX251219P06000000,0,0,9,101,6,0,0,0,2
Fri Dec 19 2025,SPX251219C06100000,0,0,520,522,7,0,1,0,0,6100,SPX251219P06100000,0,0,9,120,8,0,0,0,4
"""
CSV = """ticker,expiry,type,strike,bid,ask
SPX,2025-12-19,call,6000,600,602
SPX,2025-12-19,put,6000,100,101
SPX,2025-12-19,call,abc,1,2
"""
QUOTE_TIME = "2025-09-04T14:15:00-04:00"
INSTANT = datetime(2025, 9, 4, 18, 15, tzinfo=UTC)


def _write(file: Path, text: str) -> Path:
    file.write_text(text, encoding="utf-8")
    return file


def test_cboe_prints_the_paths_in_order(boxes: Boxes, tmp_path: Path) -> None:
    plain = _write(tmp_path / "a.csv", CBOE)
    zipped = tmp_path / "b.csv.gz"
    zipped.write_bytes(gzip.compress(CBOE.encode()))
    result = boxes("import", "cboe", plain, zipped, "--to", tmp_path / "data")
    assert result.status == 0, result.err
    first, second = (Path(line) for line in result.out.splitlines())
    assert first == tmp_path / "data" / "snapshot_20250904_181500.parquet"
    assert second == tmp_path / "data" / "snapshot_20250904_181500_2.parquet"
    for path in (first, second):
        chain = read_snapshot(path)
        assert len(chain.quotes) == 4
        assert chain.snapshot_time == INSTANT  # 15 minutes before the download
        assert chain.spot == {"SPX": 6485.64}
    assert f"{plain}: 4 contracts" in result.err


def test_csv_counts_what_it_rejects(boxes: Boxes, tmp_path: Path) -> None:
    file = _write(tmp_path / "chain.csv", CSV)
    to = tmp_path / "data"
    result = boxes("import", "csv", file, "--to", to, "--quote-time", QUOTE_TIME)
    assert result.status == 0, result.err
    assert Path(result.out.strip()) == to / "snapshot_20250904_181500.parquet"
    assert f"{file}: 2 contracts" in result.err
    assert f"{file}: 1 rows rejected: " in result.err


def test_the_quote_time_of_the_command_line_wins(boxes: Boxes, tmp_path: Path) -> None:
    file = _write(tmp_path / "a.csv", CBOE)
    arguments = ("--to", tmp_path, "--quote-time", "2025-09-04T20:00:00Z")
    result = boxes("import", "cboe", file, *arguments)
    assert Path(result.out.strip()).name == "snapshot_20250904_200000.parquet"


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("csv", "symbol,price\nSPX,1\n"),
        ("csv", ""),
        ("cboe", "symbol,price\nSPX,1\n"),
        ("cboe", ""),
        ("cboe", CBOE.replace("September", "Smarch")),
    ],
)
def test_a_bad_file_is_one_line_and_the_others_are_imported(
    boxes: Boxes, tmp_path: Path, kind: str, text: str
) -> None:
    bad = _write(tmp_path / "bad.csv", text)
    good = _write(tmp_path / "good.csv", CBOE if kind == "cboe" else CSV)
    extra = ("--quote-time", QUOTE_TIME) if kind == "csv" else ()
    result = boxes("import", kind, bad, good, "--to", tmp_path / "data", *extra)
    assert result.status == 1
    assert len(result.out.splitlines()) == 1
    errors = [line for line in result.err.splitlines() if line.startswith("boxes: ")]
    assert len(errors) == 1
    assert str(bad) in errors[0]


def test_a_missing_file_is_one_line(boxes: Boxes, tmp_path: Path) -> None:
    result = boxes("import", "cboe", tmp_path / "none.csv", "--to", tmp_path)
    assert result.status == 1
    assert result.out == ""
    assert result.err.startswith("boxes: ")
    assert result.err.count("\n") == 1


def test_a_folder_that_cannot_be_written_is_one_line(boxes: Boxes, tmp_path: Path) -> None:
    file = _write(tmp_path / "a.csv", CBOE)
    result = boxes("import", "cboe", file, "--to", file / "below")
    assert result.status == 1
    assert result.out == ""
    assert result.err.startswith("boxes: ")
    assert str(file / "below") in result.err


@pytest.mark.parametrize("text", ["yesterday", "2025-09-04", "2025-09-04T14:15:00"])
def test_a_quote_time_without_its_offset_is_bad_usage(
    boxes: Boxes, tmp_path: Path, text: str
) -> None:
    file = _write(tmp_path / "a.csv", CBOE)
    result = boxes("import", "cboe", file, "--to", tmp_path / "data", "--quote-time", text)
    assert result.status == 2
    assert not (tmp_path / "data").exists()


def test_the_folder_must_be_given(boxes: Boxes, tmp_path: Path) -> None:
    assert boxes("import", "cboe", tmp_path / "a.csv").status == 2
