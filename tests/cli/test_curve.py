"""`boxes curve`: the fair curve in every format, beside a reference of the right day."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from live_box_spreads.collector.events import Snapshot
from live_box_spreads.feeds.importers.cboe import read_cboe
from live_box_spreads.model.quality import QualityRules
from live_box_spreads.service.filtered_curves import FilteredCurves
from live_box_spreads.stores.snapshots import SnapshotStore, read_snapshot
from tests.dashboard.market import DAYS, RATE, ROOTS, chain_at
from tests.real_data import CHAIN_FILES, NO_DATA

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Boxes

# 4 % effective is 2 * (sqrt(1.04) - 1) = 3.9608 % semi-annual.
SEMI_ANNUAL = 0.0396078
PULL = 1e-5
"""A tenth of a basis point: what is believed of rates a priori pulls few expiries by less."""


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
        assert row["fair_rate"] == pytest.approx(RATE, abs=PULL)
        assert row["lend_rate"] < RATE < row["borrow_rate"]
        assert row["strikes_used"] > 20
        assert row["premium_date"] == "2025-09-05"
    assert "spread_bps" not in rows[0]


def test_a_root_can_be_chosen_and_rates_said_otherwise(boxes: Boxes, snapshot: Path) -> None:
    rows = _records(boxes, snapshot, "--root", "XSP", "--compounding", "bond_equivalent")
    assert {row["root"] for row in rows} == {"XSP"}
    assert rows[0]["fair_rate"] == pytest.approx(SEMI_ANNUAL, abs=PULL)


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


def test_days_are_loans_of_exactly_so_many_days(boxes: Boxes, snapshot: Path) -> None:
    rows = _records(boxes, snapshot, "--root", "SPXW", "--days", " 182, 30,91,30")
    assert list(rows[0]) == [
        *("root", "days", "payment_date", "rate", "std_error_bps", "forward_rate"),
        *("forward_std_error_bps", "note"),
    ]
    # The premium is paid on 2025-09-05; 2025-10-05 is a Sunday, and no other day is taken.
    assert [(row["days"], row["payment_date"]) for row in rows] == [
        (30, "2025-10-05"),
        (91, "2025-12-05"),
        (182, "2026-03-06"),
    ]
    for row in rows:
        assert row["rate"] == pytest.approx(RATE, abs=PULL)
        assert row["forward_rate"] == pytest.approx(RATE, abs=PULL)
    assert rows[0]["note"] == "before that of the first expiry 2025-10-17, extrapolated"
    assert rows[1]["note"] == ""


def test_dates_are_payment_dates_of_all_roots_in_the_convention(
    boxes: Boxes, snapshot: Path
) -> None:
    options = ("--dates", "2026-03-06,2025-09-05", "--compounding", "bond_equivalent")
    rows = _records(boxes, snapshot, *options)
    assert [(row["root"], row["days"]) for row in rows] == [
        (root, days) for root in sorted(ROOTS) for days in (0, 182)
    ]
    assert rows[0]["rate"] is None
    assert rows[0]["note"] == "not after the premium date 2025-09-05"
    assert rows[1]["rate"] == pytest.approx(SEMI_ANNUAL, abs=PULL)
    assert rows[1]["forward_rate"] == pytest.approx(SEMI_ANNUAL, abs=PULL)


def test_rates_at_dates_have_their_reference(
    boxes: Boxes, snapshot: Path, governments: Path
) -> None:
    options = ("--root", "XSP", "--days", "30,182", "--reference", governments)
    rows = _records(boxes, snapshot, *options, "--compounding", "bond_equivalent")
    assert rows[0]["spread_bps"] is None  # 30 days are less than its shortest tenor
    assert rows[1]["spread_bps"] == pytest.approx((SEMI_ANNUAL - 0.036) * 1e4, abs=0.1)
    table = boxes("curve", snapshot, *options)
    assert "forward_rate: of the loan from the row before" in table.out
    assert "reference: governments, 2025-09-03" in table.out


def test_filtered_rates_stand_beside_those_of_the_snapshot(boxes: Boxes, snapshot: Path) -> None:
    """By a replay of the folder, or from the states that a collector keeps there."""
    later = replace(chain_at(), snapshot_time=chain_at().snapshot_time + timedelta(minutes=40))
    last = SnapshotStore(snapshot.parent).write(later)
    plain = _records(boxes, last, "--days", "91,365")
    assert all("filtered_rate" not in row for row in plain)
    replayed = _records(boxes, last, "--days", "91,365", "--filtered")
    for row in replayed:
        assert row["filtered_rate"] == pytest.approx(RATE, abs=1e-4)
        assert 0 < row["filtered_std_error_bps"] <= row["std_error_bps"] * 1.05
    follower = FilteredCurves(snapshot.parent, QualityRules())
    for path in (snapshot, last):
        follower.receive(Snapshot(path, read_snapshot(path), None))  # type: ignore[arg-type]
    assert _records(boxes, last, "--days", "91,365") == replayed
    by_expiry = _records(boxes, last)
    assert all(row["filtered_rate"] == pytest.approx(RATE, abs=1e-4) for row in by_expiry)
    (snapshot.parent / "filtered_curves.json").write_text("no state", encoding="utf-8")
    damaged = boxes("curve", last, "--days", "91", "--format", "json")
    assert damaged.status == 0
    assert "filtered_curves.json is damaged" in damaged.err
    assert "filtered_rate" not in damaged.out


def test_what_explains_is_a_root_a_row(boxes: Boxes, snapshot: Path) -> None:
    rows = _records(boxes, snapshot, "--explain")
    assert [row["root"] for row in rows] == sorted(ROOTS)
    for row in rows:
        assert (row["expiries"], row["expiries_used"]) == (3, 3)
        assert (row["at_expiry"], row["at_days"]) == ("2025-10-17", 45)
        assert row["kink_points"] == pytest.approx(0.0, abs=0.01)
        assert row["tilt_bps"] == pytest.approx(0.0, abs=0.5)
        assert row["strikes_used"] == 3 * 57
    assert list(rows[0])[:9] == [
        *("root", "expiries", "expiries_used", "kink_points", "kink_error_points"),
        *("tilt_bps", "tilt_error_bps", "doubted_expiries", "strikes_used"),
    ]
    table = boxes("curve", snapshot, "--explain")
    assert "quality by the joint fit" in table.out
    assert "doubted or left out" not in table.out  # nothing is


def test_expiries_that_take_no_part_have_a_table_of_their_own(boxes: Boxes, tmp_path: Path) -> None:
    few = SnapshotStore(tmp_path / "few").write(chain_at(strikes=(4900.0, 5000.0, 5100.0)))
    result = boxes("curve", few, "--explain", "--root", "XSP")
    assert result.status == 0
    assert "expiries doubted or left out" in result.out
    assert result.out.count("3 two-sided strikes; a kinked line needs 6") >= 3
    out = tmp_path / "quality.txt"
    assert boxes("curve", few, "--explain", "--out", out).status == 0
    assert "expiries doubted or left out" in out.read_text("utf-8")


@pytest.mark.parametrize("what", [("--days", "30,182"), ("--explain",)])
def test_every_format_says_the_same(
    boxes: Boxes, snapshot: Path, tmp_path: Path, what: tuple[str, ...]
) -> None:
    wanted = _records(boxes, snapshot, *what)
    out = tmp_path / "rows.parquet"
    assert boxes("curve", snapshot, *what, "--format", "parquet", "--out", out).status == 0
    frame = pl.read_parquet(out)
    rows = list(csv.DictReader(io.StringIO(boxes("curve", snapshot, *what, "--format", "csv").out)))
    assert len(frame) == len(rows) == len(wanted)
    for name in wanted[0]:
        assert [str(row[name]) for row in wanted] == [row[name] for row in rows], name
        assert [row[name] for row in wanted] == frame[name].cast(
            pl.String if frame.schema[name] == pl.Date else frame.schema[name]
        ).to_list()


def test_a_fit_has_its_name_in_the_title_and_its_own_rates(boxes: Boxes, snapshot: Path) -> None:
    """Only the line of each expiry by itself is not pulled to what is believed a priori."""
    exact = _records(boxes, snapshot, "--fit", "per_expiry")
    for row in exact:
        assert row["fair_rate"] == pytest.approx(RATE, abs=1e-7)
    joint = _records(boxes, snapshot, "--fit", "joint")
    assert joint == _records(boxes, snapshot)
    assert abs(joint[0]["fair_rate"] - RATE) > 1e-6
    assert "one_curve fit" in boxes("curve", snapshot, "--fit", "one_curve").out
    assert "joint fit" in boxes("curve", snapshot).out


@pytest.mark.realdata
@pytest.mark.skipif(not CHAIN_FILES, reason=NO_DATA)
@pytest.mark.parametrize("path", CHAIN_FILES, ids=lambda path: path.name.split(".")[0])
def test_real_chains_at_dates_and_explained(boxes: Boxes, path: Path, tmp_path: Path) -> None:
    chain = read_cboe(path)
    snapshot = SnapshotStore(tmp_path / "real").write(chain)
    rates = _records(boxes, snapshot, "--days", "30,91,182")
    assert len(rates) % 3 == 0
    assert rates
    for row in rates:
        assert (row["rate"] is not None) or row["note"]
    explained = _records(boxes, snapshot, "--explain")
    assert [row["root"] for row in explained] == sorted({row["root"] for row in rates})
    assert boxes("curve", snapshot, "--explain").status == 0
    assert boxes("curve", snapshot, "--days", "30,91,182").status == 0


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
        (("--fit", "spline"), 2, "spline"),
        (("--days", "0"), 2, "'0' should be a whole number of days from 1 to 36,500"),
        (("--days", "x"), 2, "'x' should be a whole number"),
        (("--days", "-7"), 2, "'-7' should be a whole number"),
        (("--days", "30.5"), 2, "'30.5' should be a whole number"),
        (("--days", "99999"), 2, "'99999' should be a whole number"),
        (("--days", "9" * 5000), 2, "should be a whole number"),
        (("--days", "\u0663"), 2, "should be a whole number"),
        (("--days", "30,,91"), 2, "'30,,91' should be a list with commas and nothing empty"),
        (("--days", ""), 2, "'' should be a list"),
        (("--dates", "tomorrow"), 2, "'tomorrow' should be a date, such as 2026-12-18"),
        (("--dates", "2026-02-30"), 2, "'2026-02-30' should be a date"),
        (("--dates", "2026-W51-5"), 2, "'2026-W51-5' should be a date"),
        (("--dates", "20261218"), 2, "'20261218' should be a date"),
        (("--days", "30", "--dates", "2026-12-18"), 2, "--days and --dates: give only one"),
        (("--days", "30", "--explain"), 2, "--days and --explain: give only one"),
        (("--days", "30", "--root", "NDX"), 1, "NDX"),
        (("--explain", "--root", "NDX"), 1, "NDX"),
    ],
)
def test_a_mistake_is_named(
    boxes: Boxes, snapshot: Path, options: tuple[str, ...], status: int, says: str
) -> None:
    result = boxes("curve", snapshot, *options)
    assert result.status == status
    told = " ".join(result.err.replace("\u2502", " ").split())
    assert says in told
    if status == 1:
        assert result.err.count("\n") == 1
