"""Sections of the accuracy page, from made-up differences and a made-up market."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest

from benchmarks.accuracy import goals, regressions
from benchmarks.accuracy.chain_files import ChainFile
from benchmarks.accuracy.left_out import by_claim, fitted_again, foretold, long_medians
from benchmarks.accuracy.over_time import over_moments
from benchmarks.accuracy.rate_curves import (
    DESK_FITS,
    ESTIMATORS,
    FILTERED,
    JOINT,
    OLD,
    ROBUST_LINE,
    Fitted,
)
from benchmarks.accuracy.real_half import RealHalf
from benchmarks.accuracy.regressions import worse_at_tenors, worse_medians
from benchmarks.accuracy.root_pairs import root_pairs
from benchmarks.accuracy.simulated import OPENED, chain_of
from benchmarks.accuracy.strike_halves import strike_halves
from benchmarks.accuracy.tables import across, difference_lines, frame_table, tenor_lines
from live_box_spreads.simulator.market.market import Market

if TYPE_CHECKING:
    from collections.abc import Sequence

DAY = date(2026, 11, 24)


@pytest.fixture(scope="module")
def file() -> ChainFile:
    return ChainFile("made_up", DAY, chain_of(Market(OPENED, seed=5, roots=("SPX", "SPXW"))))


@pytest.fixture(scope="module")
def fitted() -> Fitted:
    some = {label: ESTIMATORS[label] for label in (OLD, ROBUST_LINE)}
    return Fitted(some, {OLD: DESK_FITS[OLD]})


def differences(*rows: tuple[str, str, int, float]) -> pl.DataFrame:
    schema = ["chain", "estimator", "days", "apart_bps"]
    return pl.DataFrame(rows, schema=schema, orient="row").with_columns(
        root=pl.lit("SPX"), pair=pl.lit("SPX, SPXW"), error_bps=pl.lit(2.0)
    )


def test_only_what_the_joint_fit_makes_worse_is_told_with_its_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(regressions, "REASONS", {("pairs", "b"): "a thin file"})
    frame = differences(
        *(("a", JOINT, 14, 9.0), ("a", OLD, 14, -8.0)),  # hardly worse
        *(("a", JOINT, 60, 5.0), ("a", OLD, 60, 1.0)),
        *(("a", JOINT, 30, -9.0), ("a", OLD, 30, 2.0)),
        *(("b", JOINT, 14, 1.0), ("b", OLD, 14, 40.0)),  # better
        *(("b", JOINT, 30, 7.0), ("b", OLD, 30, 0.0)),
        *(("c", JOINT, 30, 7.0), ("c", OLD, 30, float("nan"))),  # unknown
    )
    told = worse_at_tenors("pairs", frame, "pair").select("chain", "where", "joint_bps", "reason")
    assert told.rows() == [
        ("a", "30 / 60", "9.0 / 5.0", "not known"),
        ("b", "30", "7.0", "a thin file"),
    ]


def test_larger_medians_are_told() -> None:
    rows = [("a", "SPX", JOINT, 2.0), ("a", "SPX", OLD, 1.0), ("b", "SPX", JOINT, 1.0)]
    frame = pl.DataFrame(rows, schema=["chain", "root", "estimator", "median_bps"], orient="row")
    assert worse_medians("m", frame)["chain"].to_list() == ["a"]


def test_claims_fall_into_buckets_by_size_and_empty_ones_are_not_told() -> None:
    rows = pl.DataFrame(
        {
            "estimator": ["x"] * 5,
            "claimed_bps": [0.59, 0.6, 0.7, 4.0, 90.0],
            "apart_bps": [1.0, -3.0, 1.0, 1.0, 1.0],
            "error_bps": [1.0] * 5,
        }
    )
    told = by_claim(rows).select("claimed", "count", "coverage")
    assert told["claimed"].to_list() == ["< 0.6", "0.6-1", "> 4"]
    assert told["count"].to_list() == [1, 2, 2]
    assert told["coverage"][1].startswith("1 of 2 ")


def test_medians_begin_at_sixty_days() -> None:
    rows = pl.DataFrame(
        {
            "estimator": ["x"] * 3,
            "days": [59, 60, 61],
            "apart_bps": [100.0, 1.0, -3.0],
            "error_bps": [9.0] * 3,
        }
    )
    [row] = long_medians(rows, ["estimator"]).to_dicts()
    assert (row["count"], row["median_bps"]) == (2, 2.0)


def moments(*rates: Sequence[float]) -> pl.DataFrame:
    rows = [
        (datetime(2026, 7, 20 + day, 14 + hour, tzinfo=UTC), "x", 14, rate, 5.0)
        for day, of_day in enumerate(rates)
        for hour, rate in enumerate(of_day)
    ]
    schema = ["time", "estimator", "days", "rate_bps", "error_bps"]
    return pl.DataFrame(rows, schema=schema, orient="row")


def test_what_moves_from_day_to_day_is_not_within_a_day() -> None:
    [row] = over_moments(moments([400.0, 402.0], [500.0, 502.0])).to_dicts()
    assert row["deviation_bps"] == pytest.approx(np.std([0, 2, 100, 102], ddof=1))
    assert row["daily_bps"] == pytest.approx(np.std([0, 2], ddof=1))
    assert row["error_bps"] == 5.0


def test_a_day_of_one_moment_says_nothing_about_moves_within_a_day() -> None:
    [row] = over_moments(moments([400.0], [500.0, 502.0])).to_dicts()
    assert row["daily_bps"] == pytest.approx(np.std([0, 2], ddof=1))


def test_halves_and_roots_of_a_market_without_shared_errors_agree(
    file: ChainFile, fitted: Fitted
) -> None:
    for frame in (strike_halves([file], fitted), root_pairs([file], fitted)):
        own = frame.filter(pl.col("estimator") == OLD)
        # 30 days and more: sooner, half the strikes know little.
        known = own.filter(pl.col("apart_bps").is_finite(), pl.col("days") >= 30)
        assert len(known) >= 4
        assert (known["apart_bps"].abs() < 4 * known["error_bps"]).all()


def test_every_expiry_is_foretold_by_the_others(file: ChainFile, fitted: Fitted) -> None:
    said, again = foretold([file], [OLD]), fitted_again([file], fitted)
    assert set(again["estimator"]) == {OLD, ROBUST_LINE}
    assert (said["days"] >= 30).all()
    assert (again["days"] >= 30).all()
    for frame in (said, again):
        own = frame.filter(pl.col("estimator") == OLD, pl.col("days") >= 60)
        assert len(own) >= 10
        assert np.median(own["apart_bps"].abs().to_numpy()) < 2.0


def test_figures_by_tenor_stand_in_one_cell() -> None:
    rows = differences(("a", "x", 14, 3.0), ("b", "x", 14, -5.0), ("a", "x", 30, 1.0))
    [line] = tenor_lines(rows, "pair").to_dicts()
    assert line["RMS"] == "4.1 / 1.0"
    assert line["RMS without the worst chain"] == "3.0 / -"
    assert line["worst"] == "b"
    assert line["within"] == "1 / 1"
    assert line["coverage"].startswith("2 of 3 ")
    [one, other] = difference_lines(rows, ["chain", "estimator"]).to_dicts()
    assert (one["apart"], other["apart"]) == ("+3.0 / +1.0", "-5.0")


def test_what_is_unknown_is_a_dash_or_a_blank() -> None:
    assert across([1.0, float("nan"), None]) == "1.0 / - / -"
    table = frame_table(pl.DataFrame({"a": [float("nan")], "b": [None]}), {"a": "a", "b": "b"})
    assert table.splitlines()[-1] == "|  |  |"


def half(**frames: pl.DataFrame) -> RealHalf:
    empty = pl.DataFrame()
    names = [name for name in RealHalf.__dataclass_fields__ if name != "files"]
    values: dict[str, Any] = dict.fromkeys(names, empty) | frames
    return RealHalf(files=[], **values)


def week(deviation: float, label: str) -> pl.DataFrame:
    return pl.DataFrame({"root": ["SPX"], "estimator": [label], "deviation_bps": [deviation]})


def test_a_goal_is_met_not_met_or_not_measured() -> None:
    seen = goals._filtered  # one goal is enough
    assert seen(half(week=week(3.9, FILTERED)), JOINT) == ("SPX 3.9 bp", True)
    assert seen(half(week=week(4.1, FILTERED)), JOINT) == ("SPX 4.1 bp", False)
    assert seen(half(week=week(1.0, JOINT)), JOINT) == ("not measured", None)


def test_one_tenor_beyond_its_limit_misses_the_goal() -> None:
    tenors = [(14, 11.0), (30, 9.0), (60, 6.0), (91, 4.0), (182, 2.0)]
    good = differences(*(("a", JOINT, days, apart) for days, apart in tenors))
    late = pl.when(pl.col("days") == 182).then(3.5).otherwise(pl.col("apart_bps"))
    assert goals._rms(half(pairs=good), JOINT) == ("11.0 / 9.0 / 6.0 / 4.0 / 2.0", True)
    assert goals._rms(half(pairs=good.with_columns(apart_bps=late)), JOINT)[1] is False
    assert goals._rms(half(pairs=good.filter(pl.col("days") > 14)), JOINT)[1] is False


def test_friday_and_sunday_must_agree_on_both_roots() -> None:
    frame = pl.DataFrame(
        {
            "root": ["SPX", "SPXW", "SPXW"],
            "estimator": [JOINT] * 3,
            "snapshot": ["Sunday night", "Sunday night", "Labor Day page"],
            "days": [30] * 3,
            "apart_bps": [-5.0, 19.0, 80.0],
        }
    )
    assert goals._weekend(half(weekend=frame), JOINT) == ("SPX -5.0, SPXW +19.0 bp", True)
    far = frame.with_columns(apart_bps=pl.col("apart_bps") - 16)
    assert goals._weekend(half(weekend=far), JOINT)[1] is False


def test_rates_that_change_from_day_to_day_are_not_said_to_change_too_little() -> None:
    steps = differences(*((str(day), JOINT, 14, 1.0) for day in range(40)))
    assert goals._steps(half(steps=steps), JOINT)[1] is False, "all within is too many"
    some = steps.with_columns(
        apart_bps=pl.when(pl.col("chain").is_in(["1", "2"])).then(9.0).otherwise(1.0)
    )
    assert goals._steps(half(steps=some), JOINT)[1] is True


def test_a_missing_tenor_is_after_the_last_date(file: ChainFile, fitted: Fitted) -> None:
    curve = fitted.curve(OLD, file, "SPXW")
    assert curve is not None
    rate, _ = curve.at([curve.last_date, curve.last_date + timedelta(days=1)])
    assert np.isfinite(rate).tolist() == [True, False]
