"""`boxes prints`: one box by hand, in every format, and what is said about the rest."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING

import polars as pl
import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Boxes

# 1726842298703 is 14:24:58.703 UTC on Friday 2024-09-20; paid Monday 09-23.
# Expiry Friday 2024-12-20, paid Monday 12-23: 91 days.
PRINTS = """symbol,timestamp,price,volume
SPX241220C05000000,1726842298703,760.00,2
SPX241220C06000000,1726842298703,75.30,2
SPX241220P06000000,1726842298703,330.00,2
SPX241220P05000000,1726842298703,27.00,2
SPX241220C05500000,1726842298703,300.00,2000
SPX241220C05500000,1726842298704,oops,1
"""
RATE = (1000 / 987.7) ** (365 / 91) - 1


@pytest.fixture
def prints(tmp_path: Path) -> Path:
    path = tmp_path / "prints.csv"
    path.write_text(PRINTS, "utf-8")
    return path


def test_the_box_by_hand_in_json_and_csv(boxes: Boxes, prints: Path) -> None:
    result = boxes("prints", prints, "--format", "json")
    assert result.status == 0, result.err
    [box] = json.loads(result.out)
    assert box["time"] == "2024-09-20T14:24:58.703Z"
    assert (box["root"], box["expiry"], box["kl"], box["ks"]) == ("SPX", "2024-12-20", 5e3, 6e3)
    assert (box["width"], box["size"], box["price"]) == (1000, 2, 987.7)
    assert box["rate"] == pytest.approx(RATE)
    assert (box["fair_rate"], box["distance_bps"], box["fair_source"]) == (None, None, "")
    [row] = csv.DictReader(io.StringIO(boxes("prints", prints, "--format", "csv").out))
    assert float(row["rate"]) == pytest.approx(RATE)


def test_parquet_keeps_the_types(boxes: Boxes, prints: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.parquet"
    assert boxes("prints", prints, "--format", "parquet", "--out", out).status == 0
    frame = pl.read_parquet(out)
    assert frame.schema["time"] == pl.Datetime("ms", "UTC")
    assert frame["distance_bps"].to_list() == [None]


def test_the_table_and_the_counts(boxes: Boxes, prints: Path) -> None:
    result = boxes("prints", prints)
    assert f"{RATE:.3%}" in result.out
    assert "1 of 1 boxes" in result.out
    assert "5 prints, 4 of them in 1 boxes" in result.err
    assert "1 rows rejected: unreadable price" in result.err


def test_the_compounding_is_that_asked_for(boxes: Boxes, prints: Path) -> None:
    result = boxes("prints", prints, "--format", "json", "--compounding", "simple")
    assert json.loads(result.out)[0]["rate"] == pytest.approx((1000 / 987.7 - 1) * 360 / 91)


def test_groups_that_are_not_split_are_told(boxes: Boxes, prints: Path) -> None:
    line = "SPX241220P05000000,1726842298703,27.00,2\n"
    prints.write_text(PRINTS + line, "utf-8")
    result = boxes("prints", prints)
    assert result.status == 0
    assert "1 groups of prints not assigned: two strikes, but not as many" in result.err


def test_a_missing_column_is_one_clear_line(boxes: Boxes, prints: Path) -> None:
    prints.write_text(PRINTS.replace("timestamp", "when"), "utf-8")
    result = boxes("prints", prints)
    assert (result.status, result.out) == (1, "")
    assert result.err.startswith(f"boxes: {prints}: no column timestamp or time")
    assert result.err.count("\n") == 1
