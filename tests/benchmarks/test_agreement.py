"""Counts, intervals and summaries of how far rates are apart."""

from __future__ import annotations

from datetime import date, timedelta
from math import isnan, nan

import numpy as np
import polars as pl
import pytest

from benchmarks.accuracy.agreement import Coverage, apart, coverage_of, median, rms, summary
from benchmarks.accuracy.rate_curves import LineCurve

PAID = date(2025, 9, 2)


@pytest.mark.parametrize(
    ("within", "total", "low", "high"),
    # Clopper and Pearson's own closed forms at the ends, and a textbook case between.
    [(0, 10, 0.0, 1 - 0.025**0.1), (10, 10, 0.025**0.1, 1.0), (8, 10, 0.4439, 0.9748)],
)
def test_the_interval_of_a_share(within: int, total: int, low: float, high: float) -> None:
    covered = Coverage.of(within, total)
    assert covered.low == pytest.approx(low, abs=1e-4)
    assert covered.high == pytest.approx(high, abs=1e-4)


def test_nothing_counted_says_nothing() -> None:
    nothing = Coverage.of(0, 0)
    assert isnan(nothing.share)
    assert (nothing.low, nothing.high) == (0.0, 1.0)
    assert str(nothing) == ""


def test_a_coverage_says_counts_share_and_interval() -> None:
    assert str(Coverage.of(8, 10)) == "8 of 10 (80 %, 44 to 97)"


def frame(*rows: tuple[str, int, float, float]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=["chain", "days", "apart_bps", "error_bps"], orient="row")


def test_coverage_counts_both_signs_and_passes_over_the_unknown() -> None:
    covered = coverage_of(
        frame(("a", 1, 2.0, 1.0), ("a", 2, -2.1, 1.0), ("a", 3, nan, 1.0), ("a", 4, 1.0, nan))
    )
    assert (covered.within, covered.total) == (1, 2)


def test_a_summary_names_the_worst_chain_and_does_without_it() -> None:
    rows = frame(("a", 14, 3.0, 2.0), ("b", 14, -30.0, 2.0), ("c", 14, 4.0, 2.0))
    [said] = summary(rows, ["days"]).to_dicts()
    assert said["worst"] == "b"
    assert said["rms_bps"] == pytest.approx(np.sqrt((9 + 900 + 16) / 3))
    assert said["rms_without_bps"] == pytest.approx(np.sqrt(12.5))
    assert said["median_bps"] == 4.0
    assert said["median_without_bps"] == 3.5
    assert (said["within"], said["errors"]) == (2, 3)


def test_one_chain_alone_leaves_nothing_without_it() -> None:
    [said] = summary(frame(("a", 14, 3.0, 2.0)), ["days"]).to_dicts()
    assert isnan(said["rms_without_bps"])


def test_all_together_are_one_group() -> None:
    assert len(summary(frame(("a", 14, 3.0, 2.0), ("a", 30, 1.0, 2.0)), [])) == 1


def test_rms_and_median_of_nothing_are_unknown() -> None:
    empty = pl.Series([nan, None], dtype=pl.Float64)
    assert isnan(rms(empty))
    assert isnan(median(empty))


def flat(rate: float, error: float, paid: date = PAID) -> LineCurve:
    days = np.array([10.0, 400.0])
    return LineCurve(paid, days, rate * days / 365, error * days / 365)


def test_curves_of_two_premium_dates_are_compared_at_the_same_payment_dates() -> None:
    one, other = flat(0.04, 0.0003), flat(0.05, 0.0004, PAID + timedelta(days=1))
    compared = apart(one, other, [14, 30])
    assert compared["payment_date"].to_list() == [date(2025, 9, 16), date(2025, 10, 2)]
    assert compared["apart_bps"].to_list() == pytest.approx([-100.0, -100.0])
    assert compared["error_bps"].to_list() == pytest.approx([5.0, 5.0])
