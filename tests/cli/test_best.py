"""`boxes best`: a tidy market whose boxes are computed by hand, in every format."""

from __future__ import annotations

import csv
import io
import json
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest

from live_box_spreads.model.chain import Chain, Timeliness
from live_box_spreads.stores.snapshots import SnapshotStore
from tests.cli.conftest import SNAPSHOT_TIME

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.conftest import Boxes

# Trade Thu 2025-09-04, paid Fri 09-05; expiry Fri 2025-12-19, paid Mon 12-22: 108 days.
YEARS, DISCOUNT, FORWARD = 108 / 365, 0.988, 6000.0
EXPIRY, FEW = date(2025, 12, 19), date(2026, 3, 20)
FEES = 0.0688658  # index points a box


def pair(root: str, expiry: date, strike: float) -> list[dict[str, Any]]:
    """Quote a call and a put so that the synthetic forward is one point wide."""
    parity = DISCOUNT * (FORWARD - strike)
    put = 0.5 * (np.hypot(parity, 600.0) - parity)
    key = {"root": root, "underlying": "SPX", "expiry": expiry, "settlement": "AM"}
    sizes = {"bid_size": 10.0 if strike < 6000 else 2.0, "ask_size": 7.0, "volume": 5}
    return [
        {**key, "strike": strike, "right": right, "bid": mid - 0.25, "ask": mid + 0.25, **sizes}
        for right, mid in (("C", parity + put), ("P", put))
    ]


@pytest.fixture
def market(tmp_path: Path) -> Path:
    """21 strikes of SPX and of SPXW for December, three of SPX for March."""
    rows = [
        row
        for root in ("SPX", "SPXW")
        for strike in np.arange(5000.0, 7001.0, 100.0)
        for row in pair(root, EXPIRY, float(strike))
    ]
    rows += [row for strike in (5500.0, 6000.0, 6500.0) for row in pair("SPX", FEW, strike)]
    chain = Chain.build(
        pl.DataFrame(rows),
        snapshot_time=SNAPSHOT_TIME,
        feed="by hand",
        timeliness=Timeliness.REPLAY,
        spot={"SPX": FORWARD},
    )
    return SnapshotStore(tmp_path / "market").write(chain)


def records(boxes: Boxes, *arguments: object) -> list[dict[str, Any]]:
    result = boxes("best", *arguments, "--format", "json")
    assert result.status == 0, result.err
    found: list[dict[str, Any]] = json.loads(result.out)
    return found


@pytest.mark.parametrize(("side", "sign"), [("lend", 1), ("borrow", -1)])
def test_the_best_box_by_hand(boxes: Boxes, market: Path, side: str, sign: int) -> None:
    # The line of one expiry by itself is exact; a curve would pull it by a hundredth of a bp.
    options = ("--side", side, "--root", "SPX", "--fit", "per_expiry")
    found = records(boxes, market, *options)
    assert {row["side"] for row in found} == {side}
    best = found[0]
    # The widest loses least to one point of quotes and the fees.
    assert (best["root"], best["expiry"]) == ("SPX", "2025-12-19")
    assert (best["kl"], best["ks"], best["width"]) == (5000, 7000, 2000)
    price = DISCOUNT * 2000 + sign
    assert best["price"] == pytest.approx(price)
    assert best["fair_price"] == pytest.approx(DISCOUNT * 2000, abs=1e-4)
    net = ((2000 / (price + sign * FEES)) ** (1 / YEARS) - 1) * 1e4
    fair = (DISCOUNT ** (-1 / YEARS) - 1) * 1e4
    assert best["net_rate"] * 1e4 == pytest.approx(net)
    assert best["spread_bps"] == pytest.approx(net - fair, abs=0.01)
    assert best["score_bps"] == pytest.approx(sign * (net - fair), abs=0.01)
    assert best["size"] == 2
    assert best["why"] == "round strikes, width in 1,000s"


def test_the_fit_is_that_of_the_option_else_of_the_configuration(
    boxes: Boxes, market: Path, tmp_path: Path
) -> None:
    config = tmp_path / "my.yaml"
    config.write_text("fit: per_expiry\n", "utf-8")
    usual, named, configured, undone = (
        records(boxes, market, *options)[0]["fair_price"]
        for options in (
            (),
            ("--fit", "per_expiry"),
            ("--config", config),
            ("--config", config, "--fit", "joint"),
        )
    )
    assert named == configured != usual == undone
    result = boxes("best", market, "--fit", "spline")
    assert result.status == 2
    assert "spline" in result.err


def test_both_sides_and_roots_if_none_is_asked_for(boxes: Boxes, market: Path) -> None:
    found = records(boxes, market, "--limit", "4")
    assert [row["side"] for row in found] == ["lend"] * 4 + ["borrow"] * 4
    assert {row["root"] for row in found} == {"SPX", "SPXW"}


def test_csv_and_parquet_say_the_same(boxes: Boxes, market: Path, tmp_path: Path) -> None:
    wanted = records(boxes, market)
    result = boxes("best", market, "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(result.out)))
    assert [float(row["net_rate"]) for row in rows] == [row["net_rate"] for row in wanted]
    out = tmp_path / "best.parquet"
    assert boxes("best", market, "--format", "parquet", "--out", out).status == 0
    frame = pl.read_parquet(out)
    assert frame["net_rate"].to_list() == [row["net_rate"] for row in wanted]
    assert frame.schema["expiry"] == pl.Date


def test_the_table_and_what_is_not_ranked(boxes: Boxes, market: Path) -> None:
    result = boxes("best", market, "--side", "lend", "--limit", "3")
    assert result.status == 0
    assert "best boxes of" in result.out
    assert result.out.count("2025-12-19") == 3
    assert "no box in SPX 2026-03-20: 3 two-sided strikes; a kinked line needs 6" in result.err


def test_at_least_so_many_boxes(boxes: Boxes, market: Path) -> None:
    found = records(boxes, market, "--side", "borrow", "--min-size", "7")
    # To borrow sells the lower synthetic forward and buys the higher: 7 are bid for below 6,000,
    # and nowhere above can more than 2 be bought.
    assert {row["size"] for row in found} == {7.0}
    assert {row["ks"] < 6000 for row in found} == {True}
    result = boxes("best", market, "--min-size", "8")
    assert result.status == 0
    assert "no box in SPX 2025-12-19: too few at the top of the book" in result.err


def test_a_configuration_brings_its_thresholds_and_conventions(
    boxes: Boxes, market: Path, tmp_path: Path
) -> None:
    config = tmp_path / "my.yaml"
    config.write_text("min_strike_gap: 1000\nmax_strike_gap: 1000\ncompounding: simple\n", "utf-8")
    found = records(boxes, market, "--config", config, "--side", "lend", "--root", "SPX")
    assert {row["width"] for row in found} == {1000}
    price = DISCOUNT * 1000 + 1
    assert found[0]["rate"] == pytest.approx((1000 / price - 1) * 360 / 108)
    both = ("--config", config, "--compounding", "effective", "--root", "SPX")
    assert records(boxes, market, *both)[0]["rate"] == pytest.approx(
        (1000 / price) ** (1 / YEARS) - 1
    )


def test_a_root_that_is_not_there_is_one_clear_line(boxes: Boxes, market: Path) -> None:
    result = boxes("best", market, "--root", "SPXX")
    assert (result.status, result.out) == (1, "")
    assert (
        result.err == "boxes: the chain has no root 'SPXX'; it has SPX, SPXW. Did you mean 'SPX'?\n"
    )


@pytest.mark.parametrize(
    "options", [("--side", "both"), ("--limit", "0"), ("--min-size", "-1"), ("--format", "xml")]
)
def test_bad_usage_exits_2(boxes: Boxes, market: Path, options: tuple[str, ...]) -> None:
    assert boxes("best", market, *options).status == 2
