"""`boxes prints`: one box by hand, in every format, and what is said about the rest."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from live_box_spreads.model.chain import Chain, Timeliness
from live_box_spreads.stores.snapshots import SnapshotStore

if TYPE_CHECKING:
    from collections.abc import Callable
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


@pytest.fixture
def snapshot_of(tmp_path: Path) -> Callable[[datetime], Path]:
    """Quote SPX for December at a discount of 0.98765, at some instant."""

    def write(time: datetime) -> Path:
        rows = [
            {
                "root": "SPX",
                "underlying": "SPX",
                "expiry": date(2024, 12, 20),
                "settlement": "AM",
                "strike": strike,
                "right": right,
                "bid": mid - 0.2,
                "ask": mid + 0.2,
            }
            for strike in np.arange(5000.0, 6500.0, 100.0)
            for put in [0.5 * (np.hypot(5700.0 - strike, 500.0) - 0.98765 * (5700.0 - strike))]
            for right, mid in (("C", put + 0.98765 * (5700.0 - strike)), ("P", put))
        ]
        chain = Chain.build(
            pl.DataFrame(rows), snapshot_time=time, feed="by hand", timeliness=Timeliness.REPLAY
        )
        return SnapshotStore(tmp_path / "store").write(chain)

    return write


def test_with_a_snapshot_the_distance_is_to_its_curve(
    boxes: Boxes, prints: Path, snapshot_of: Callable[[datetime], Path]
) -> None:
    snapshot = snapshot_of(datetime(2024, 9, 20, 15, 0, tzinfo=UTC))
    [box] = json.loads(boxes("prints", prints, "--snapshot", snapshot, "--format", "json").out)
    assert box["fair_source"] == "curve of 2024-09-20 15:00 UTC"
    fair = 0.98765 ** (-365 / 91) - 1
    # One expiry alone is pulled by a twentieth of a bp to what is believed of rates a priori.
    assert box["fair_rate"] == pytest.approx(fair, abs=1e-5)
    assert box["distance_bps"] == pytest.approx((RATE - box["fair_rate"]) * 1e4, abs=1e-6)


def test_a_snapshot_of_another_day_is_one_clear_line(
    boxes: Boxes, prints: Path, snapshot_of: Callable[[datetime], Path]
) -> None:
    snapshot = snapshot_of(datetime(2024, 9, 23, 15, 0, tzinfo=UTC))
    result = boxes("prints", prints, "--snapshot", snapshot)
    assert (result.status, result.out) == (1, "")
    assert result.err == (
        "boxes: the curve of 2024-09-23 15:00 UTC is of trade date 2024-09-23, the prints of "
        "2024-09-20 to 2024-09-20; compare with one of the same day\n"
    )
