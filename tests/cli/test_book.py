"""`boxes book`: the table in every format, against boxes computed by hand."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Boxes

# Synthetic forwards: 499/502 at 6000, 400/403 at 6100, 302/none at 6200 (its put is not sold at 0).
# Trade Thu 2025-09-04, paid Fri 09-05; expiry Fri 2025-12-19, paid Mon 12-22: 108 days.
DAYS = 108
BY_HAND: list[dict[str, Any]] = [
    {"kl": 6000, "ks": 6100, "bid_cost": 96, "mid_cost": 99, "ask_cost": 102, "quality": "ok"},
    {"kl": 6000, "ks": 6200, "bid_cost": None, "ask_cost": 200, "quality": "zero_bid"},
    {"kl": 6100, "ks": 6200, "bid_cost": None, "ask_cost": 101, "quality": "zero_bid"},
]
ARGUMENTS = ("--root", "SPX", "--expiry", "2025-12-19")


def _effective(cost: float, width: float) -> float:
    return float((width / cost) ** (365 / DAYS) - 1)


def _as_records(boxes: Boxes, snapshot: Path, *options: str) -> list[dict[str, Any]]:
    result = boxes("book", snapshot, *ARGUMENTS, "--format", "json", *options)
    assert result.status == 0, result.err
    records: list[dict[str, Any]] = json.loads(result.out)
    return records


def test_costs_and_quality_are_those_by_hand(boxes: Boxes, snapshot: Path) -> None:
    records = _as_records(boxes, snapshot)
    assert [{key: r[key] for key in hand} for r, hand in zip(records, BY_HAND, strict=True)] == (
        BY_HAND
    )


def test_rates_are_fractions_over_the_days_between_the_payments(
    boxes: Boxes, snapshot: Path
) -> None:
    first, second, _ = _as_records(boxes, snapshot)
    assert first["tte_years"] == pytest.approx(DAYS / 365, abs=1e-12)
    assert first["mid_rate"] == pytest.approx(_effective(99, 100), abs=1e-12)
    assert first["bid_rate"] == pytest.approx(_effective(96, 100), abs=1e-12)
    assert first["ask_rate"] == pytest.approx(_effective(102, 100), abs=1e-12)
    assert second["ask_rate"] == pytest.approx(0, abs=1e-12)
    assert second["bid_rate"] is None


def test_the_table_says_how_timely_its_quotes_are(boxes: Boxes, snapshot: Path) -> None:
    shown = " ".join(boxes("book", snapshot, *ARGUMENTS).out.split())
    assert "SPX 2025-12-19: replay by hand quotes of 2025-09-04 18:15 UTC" in shown


def test_dates_are_iso_in_json_and_csv(boxes: Boxes, snapshot: Path) -> None:
    record = _as_records(boxes, snapshot)[0]
    result = boxes("book", snapshot, *ARGUMENTS, "--format", "csv")
    row = next(csv.DictReader(io.StringIO(result.out)))
    for found in (record, row):
        assert found["ticker"] == "SPX"
        assert found["expiry"] == "2025-12-19"
        assert found["snapshot_time"] == "2025-09-04T18:15:00.000Z"


def test_csv_has_an_empty_field_for_nan(boxes: Boxes, snapshot: Path) -> None:
    result = boxes("book", snapshot, *ARGUMENTS, "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(result.out)))
    assert [row["bid_cost"] for row in rows] == ["96.0", "", ""]
    assert "nan" not in result.out.lower()


def test_parquet_has_types_and_null_for_nan(boxes: Boxes, snapshot: Path, tmp_path: Path) -> None:
    out = tmp_path / "boxes.parquet"
    assert boxes("book", snapshot, *ARGUMENTS, "--format", "parquet", "--out", out).status == 0
    frame = pl.read_parquet(out)
    assert frame["bid_cost"].to_list() == [96.0, None, None]
    assert frame["expiry"].dtype == pl.Date
    assert frame["snapshot_time"].dtype == pl.Datetime("ms", "UTC")
    assert frame["quality"].to_list() == ["ok", "zero_bid", "zero_bid"]


@pytest.mark.parametrize("name", ["csv", "json", "table"])
def test_out_writes_what_would_be_printed(
    boxes: Boxes, snapshot: Path, tmp_path: Path, name: str
) -> None:
    out = tmp_path / "out"
    printed = boxes("book", snapshot, *ARGUMENTS, "--format", name)
    assert boxes("book", snapshot, *ARGUMENTS, "--format", name, "--out", out).out == ""
    assert out.read_text("utf-8") == printed.out


def test_the_table_says_rates_in_per_cent_and_how_much_it_shows(
    boxes: Boxes, snapshot: Path
) -> None:
    result = boxes("book", snapshot, *ARGUMENTS, "--limit", "1")
    assert "3.455%" in result.out  # (100 / 99) ** (365 / 108) - 1
    assert "1 of 3 boxes" in result.out
    assert "6200" not in result.out


@pytest.mark.parametrize(
    ("options", "widths", "reason"),
    [
        (("--min-strike-gap", "150"), [200], "2 boxes left out: narrower than min_strike_gap"),
        (("--max-strike-gap", "150"), [100, 100], "1 boxes left out: wider than max_strike_gap"),
    ],
)
def test_the_gap_options_filter_and_tell(
    boxes: Boxes, snapshot: Path, options: tuple[str, ...], widths: list[int], reason: str
) -> None:
    result = boxes("book", snapshot, *ARGUMENTS, "--format", "json", *options)
    assert [record["width"] for record in json.loads(result.out)] == widths
    assert reason in result.err


def test_a_configuration_brings_its_thresholds_and_conventions(
    boxes: Boxes, snapshot: Path, tmp_path: Path
) -> None:
    config = tmp_path / "my.yaml"
    config.write_text("max_strike_gap: 100\nmin_volume: 1\ncompounding: simple\n", "utf-8")
    (record,) = _as_records(boxes, snapshot, "--config", str(config))
    assert (record["kl"], record["ks"]) == (6000, 6100)  # the put at 6200 has no volume
    assert record["mid_rate"] == pytest.approx((100 / 99 - 1) * 360 / DAYS, abs=1e-12)


def test_an_option_wins_over_the_configuration(
    boxes: Boxes, snapshot: Path, tmp_path: Path
) -> None:
    config = tmp_path / "my.yaml"
    config.write_text("compounding: simple\n", "utf-8")
    options = ("--config", str(config), "--compounding", "effective")
    record = _as_records(boxes, snapshot, *options)[0]
    assert record["mid_rate"] == pytest.approx(_effective(99, 100), abs=1e-12)


def test_filters_applies_the_packaged_thresholds(boxes: Boxes, snapshot: Path) -> None:
    result = boxes("book", snapshot, *ARGUMENTS, "--format", "json", "--filters")
    # A bid rate of 14.8 % is within 25 %; each box is at least 50 points wide.
    assert len(json.loads(result.out)) == 3


def test_the_other_time_basis_counts_to_the_opening(boxes: Boxes, snapshot: Path) -> None:
    record = _as_records(boxes, snapshot, "--time-basis", "expiry_instant")[0]
    # 2025-09-04 18:15 UTC to 2025-12-19 09:30 New York (14:30 UTC): 105 days, 20 h 15 min
    assert record["tte_years"] == pytest.approx((105 + 20.25 / 24) / 365, abs=1e-12)


@pytest.mark.parametrize(
    ("root", "expiry", "says"),
    [
        ("SPXX", "2025-12-19", "Did you mean 'SPX'"),
        ("SPX", "2025-12-20", "2025-12-19"),
    ],
)
def test_what_the_snapshot_lacks_is_one_clear_line(
    boxes: Boxes, snapshot: Path, root: str, expiry: str, says: str
) -> None:
    result = boxes("book", snapshot, "--root", root, "--expiry", expiry)
    assert result.status == 1
    assert result.out == ""
    assert result.err.startswith("boxes: ")
    assert result.err.count("\n") == 1
    assert says in result.err


@pytest.mark.parametrize("content", [b"", b"PAR1", b"half"])
@pytest.mark.parametrize("suffix", ["parquet", "csv"])
def test_an_empty_or_truncated_snapshot_is_one_clear_line(
    boxes: Boxes, snapshot: Path, content: bytes, suffix: str
) -> None:
    broken = snapshot.with_name(f"broken.{suffix}")
    broken.write_bytes(snapshot.read_bytes()[:500] if content == b"half" else content)
    result = boxes("book", broken, *ARGUMENTS)
    assert result.status == 1
    assert result.err.startswith("boxes: ")
    assert result.err.count("\n") == 1
    assert broken.name in result.err


def test_a_file_that_cannot_be_written_is_one_clear_line(
    boxes: Boxes, snapshot: Path, tmp_path: Path
) -> None:
    out = tmp_path / "no such folder" / "boxes.csv"
    result = boxes("book", snapshot, *ARGUMENTS, "--format", "csv", "--out", out)
    assert result.status == 1
    assert result.err == f"boxes: cannot write {out}: No such file or directory\n"


@pytest.mark.parametrize(
    "options",
    [
        ("--root", "SPX"),
        ("--root", "SPX", "--expiry", "19 December"),
        (*ARGUMENTS, "--format", "xml"),
        (*ARGUMENTS, "--compounding", "daily"),
        (*ARGUMENTS, "--limit", "-1"),
    ],
)
def test_bad_usage_exits_2(boxes: Boxes, snapshot: Path, options: tuple[str, ...]) -> None:
    assert boxes("book", snapshot, *options).status == 2


def test_the_words_offered_are_those_of_the_model() -> None:
    from typing import get_args  # noqa: PLC0415

    from live_box_spreads.cli import options  # noqa: PLC0415
    from live_box_spreads.model.rates import Compounding  # noqa: PLC0415
    from live_box_spreads.model.settlement import TimeBasis  # noqa: PLC0415

    assert set(get_args(options.CompoundingName)) == set(Compounding)
    assert set(get_args(options.TimeBasisName)) == set(TimeBasis)
