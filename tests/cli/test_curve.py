"""`boxes curve`: the fair curve in every format, beside a reference of the right day."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from live_box_spreads.stores.snapshots import SnapshotStore
from tests.dashboard.market import DAYS, RATE, ROOTS, chain_at

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Boxes

# 4 % effective is 2 * (sqrt(1.04) - 1) = 3.9608 % semi-annual.
SEMI_ANNUAL = 0.0396078


@pytest.fixture
def snapshot(tmp_path: Path) -> Path:
    """A market whose every loan is at 4 %, of Thursday 2025-09-04."""
    return SnapshotStore(tmp_path / "store").write(chain_at())


@pytest.fixture
def governments(tmp_path: Path) -> Path:
    file = tmp_path / "governments.csv"
    file.write_text("date,3m,1y,2y\n2025-09-03,3.6,3.6,3.6\n2025-09-05,9,9,9\n", encoding="utf-8")
    return file


def _records(boxes: Boxes, snapshot: Path, *options: object) -> list[dict[str, Any]]:
    result = boxes("curve", snapshot, "--format", "json", *options)
    assert result.status == 0, result.err
    records: list[dict[str, Any]] = json.loads(result.out)
    return records


def test_every_root_and_expiry_has_a_row_at_the_rate_of_the_market(
    boxes: Boxes, snapshot: Path
) -> None:
    rows = _records(boxes, snapshot)
    assert [(row["root"], row["days"]) for row in rows] == [
        (root, days) for root in sorted(ROOTS) for days in DAYS.values()
    ]
    for row in rows:
        assert row["fair_rate"] == pytest.approx(RATE, abs=2e-6)
        assert row["lend_rate"] < RATE < row["borrow_rate"]
        assert row["strikes_used"] > 20
        assert row["premium_date"] == "2025-09-05"
    assert "spread_bps" not in rows[0]


def test_a_root_can_be_chosen_and_rates_said_otherwise(boxes: Boxes, snapshot: Path) -> None:
    rows = _records(boxes, snapshot, "--root", "XSP", "--compounding", "bond_equivalent")
    assert {row["root"] for row in rows} == {"XSP"}
    assert rows[0]["fair_rate"] == pytest.approx(SEMI_ANNUAL, abs=2e-6)


def test_a_reference_is_that_of_the_day_before_and_in_the_same_convention(
    boxes: Boxes, snapshot: Path, governments: Path
) -> None:
    options = ("--root", "SPXW", "--reference", governments)
    rows = _records(boxes, snapshot, *options, "--compounding", "bond_equivalent")
    assert {row["reference_date"] for row in rows} == {"2025-09-03"}
    assert rows[0]["reference_rate"] is None  # 45 days are less than its shortest tenor
    assert rows[0]["spread_bps"] is None
    assert rows[2]["reference_rate"] == pytest.approx(0.036, abs=1e-6)
    assert rows[2]["spread_bps"] == pytest.approx((SEMI_ANNUAL - 0.036) * 1e4, abs=0.05)
    effective = _records(boxes, snapshot, *options)
    assert effective[2]["reference_rate"] == pytest.approx(1.018**2 - 1, abs=1e-6)


def test_a_reference_of_another_year_gives_no_spread_and_one_line(
    boxes: Boxes, snapshot: Path, tmp_path: Path
) -> None:
    old = tmp_path / "old.csv"
    old.write_text("date,3m,1y\n2024-09-03,3.6,3.6\n", encoding="utf-8")
    result = boxes("curve", snapshot, "--format", "json", "--reference", old)
    assert result.status == 0
    assert "spread_bps" not in json.loads(result.out)[0]
    assert result.err == (
        f"no reference: the newest rates of {old} before the trade date 2025-09-04 are of "
        "2024-09-03, 366 days earlier; at most 7 are accepted (max_age_days)\n"
    )


def test_the_reference_of_a_configuration_is_used(
    boxes: Boxes, snapshot: Path, governments: Path, tmp_path: Path
) -> None:
    config = tmp_path / "my.yaml"
    config.write_text(
        f"compounding: continuous\nreference: {{source: file, file: {governments.name}}}\n",
        encoding="utf-8",
    )
    rows = _records(boxes, snapshot, "--config", config)
    assert rows[2]["fair_rate"] == pytest.approx(0.0392207, abs=2e-6)
    assert rows[2]["spread_bps"] > 0


def test_a_publisher_that_cannot_be_reached_costs_only_the_spread(
    boxes: Boxes, snapshot: Path, tmp_path: Path
) -> None:
    config = tmp_path / "my.yaml"
    text = "reference: {source: sofr, address: 'http://127.0.0.1:9', cache_folder: kept}\n"
    config.write_text(text, encoding="utf-8")
    result = boxes("curve", snapshot, "--format", "json", "--config", config)
    assert result.status == 0
    assert "spread_bps" not in json.loads(result.out)[0]
    assert result.err.startswith("no reference: no rates from 127.0.0.1: ")
    assert result.err.count("\n") == 1


def test_rows_of_the_reference_that_cannot_be_read_are_counted(
    boxes: Boxes, snapshot: Path, governments: Path
) -> None:
    with governments.open("a", encoding="utf-8") as file:
        file.write("yesterday,1,1,1\n")
    result = boxes("curve", snapshot, "--reference", governments)
    assert result.err == f"{governments}: 1 left out: unreadable date\n"


def test_the_table_is_in_per_cent_and_names_the_reference(
    boxes: Boxes, snapshot: Path, governments: Path
) -> None:
    result = boxes("curve", snapshot, "--root", "SPXW", "--reference", governments)
    assert result.status == 0
    assert "4.000%" in result.out
    assert "reference: governments, 2025-09-03" in result.out
    assert "effective rates" in result.out
    assert "+36" in result.out


def test_csv_and_parquet_have_the_same_rows(boxes: Boxes, snapshot: Path, tmp_path: Path) -> None:
    out = tmp_path / "curve.parquet"
    assert boxes("curve", snapshot, "--format", "parquet", "--out", out).status == 0
    frame = pl.read_parquet(out)
    assert frame["payment_date"].dtype == pl.Date
    result = boxes("curve", snapshot, "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(result.out)))
    assert [float(row["fair_rate"]) for row in rows] == frame["fair_rate"].to_list()
    assert "nan" not in result.out.lower()


@pytest.mark.parametrize(
    ("options", "status", "says"),
    [
        (("--root", "NDX"), 1, "NDX"),
        (("--reference", "nowhere.csv"), 1, "nowhere.csv: cannot be read"),
        (("--compounding", "daily"), 2, "daily"),
        (("--format", "xml"), 2, "xml"),
    ],
)
def test_a_mistake_is_named(
    boxes: Boxes, snapshot: Path, options: tuple[str, ...], status: int, says: str
) -> None:
    result = boxes("curve", snapshot, *options)
    assert result.status == status
    assert says in result.err
    if status == 1:
        assert result.err.count("\n") == 1
