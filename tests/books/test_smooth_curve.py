"""The smooth curve: against scipy's smoothing spline, by its own rules, and on real chains."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
from scipy.interpolate import make_smoothing_spline

from live_box_spreads.books.curves.smooth_curve import smooth_curve, smooth_curves
from live_box_spreads.books.curves.smoothing_spline import MONTH, SplinePosterior, fit_spline
from live_box_spreads.feeds.importers.cboe import read_cboe
from live_box_spreads.model.errors import ModelError
from live_box_spreads.model.rates import Compounding
from tests.books.by_desk import curve
from tests.real_data import CHAIN_FILES, NO_DATA

if TYPE_CHECKING:
    from pathlib import Path

BP = 1e-4
PAID = date(2026, 11, 25)
YEARS = np.array([8, 15, 22, 36, 64, 92, 120, 183, 274, 365, 547, 730, 1095, 1826]) / 365


def table_of(
    zero: np.ndarray[tuple[int], np.dtype[np.float64]], years: object = YEARS, error_bps: float = 2
) -> pl.DataFrame:
    """Return rows of a curve table with these continuous zero rates."""
    days = np.round(np.asarray(years) * 365).astype(int)
    discount = np.exp(-zero * days / 365)
    return pl.DataFrame(
        {
            "root": "SPX",
            "premium_date": [PAID] * len(days),
            "payment_date": [PAID + timedelta(days=int(day)) for day in days],
            "days": days,
            "discount": discount,
            "discount_error": discount * days / 365 * error_bps * BP,
        }
    )


def true_zero(years: object) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    t = np.asarray(years, dtype=np.float64)
    return 0.04 + 0.006 * np.exp(-t / 0.6) - 0.004 * np.exp(-t / 0.1)


def test_is_the_cubic_smoothing_spline() -> None:
    rng = np.random.default_rng(1)
    variance = rng.uniform(1, 6, YEARS.size) ** 2 * BP**2
    zero = true_zero(YEARS) + np.sqrt(variance) * rng.standard_normal(YEARS.size)
    flexibility = 40 * BP
    twin = make_smoothing_spline(
        np.log1p(YEARS / MONTH), zero, w=1 / variance, lam=1 / flexibility**2
    )
    between = np.linspace(YEARS[0], YEARS[-1], 200)
    mean, _ = SplinePosterior(YEARS, zero, variance, flexibility).at(between)
    np.testing.assert_allclose(mean, twin(np.log1p(between / MONTH)), atol=1e-4 * BP)


def test_left_out_distances_are_those_of_leaving_each_out() -> None:
    rng = np.random.default_rng(2)
    variance = rng.uniform(1, 6, YEARS.size) ** 2 * BP**2
    zero = true_zero(YEARS) + np.sqrt(variance) * rng.standard_normal(YEARS.size)
    off, error = SplinePosterior(YEARS, zero, variance, 40 * BP).left_out()
    for i in range(YEARS.size):
        others = np.arange(YEARS.size) != i
        fit = SplinePosterior(YEARS[others], zero[others], variance[others], 40 * BP)
        [mean], [[unsure]] = fit.at(YEARS[i : i + 1])
        assert off[i] == pytest.approx(zero[i] - mean, rel=1e-6)
        assert error[i] == pytest.approx(np.sqrt(unsure + variance[i]), rel=1e-6)


def test_two_standard_errors_hold_the_truth_at_dates_between_expiries() -> None:
    rng = np.random.default_rng(3)
    between = np.array([30, 50, 150, 250, 450, 900]) / 365
    within = []
    for _ in range(60):
        error = np.full(YEARS.size, 3 * BP)
        zero = true_zero(YEARS) + (3 * BP) * rng.standard_normal(YEARS.size)
        fit, _, _ = fit_spline(YEARS, zero, error)
        mean, covariance = fit.at(between)
        within.append(np.abs(mean - true_zero(between)) < 2 * np.sqrt(np.diag(covariance)))
    assert 0.90 < np.mean(within) < 0.995


@pytest.mark.parametrize("compounding", Compounding)
def test_a_flat_curve_stays_flat(compounding: Compounding) -> None:
    smooth = smooth_curve(table_of(np.full(YEARS.size, 0.04)), "SPX")
    dates = [PAID + timedelta(days=days) for days in (1, 10, 100, 365, 1000, 4000)]
    said = smooth.rates(dates, Compounding.CONTINUOUS)
    np.testing.assert_allclose(said["rate"], 0.04, atol=1e-9)
    np.testing.assert_allclose(said["discount"], np.exp(-0.04 * said["years"].to_numpy()))
    forwards = smooth.forward_rates(dates, compounding)
    years = forwards["years"].to_numpy()
    wanted = {
        Compounding.EFFECTIVE: np.full(5, np.expm1(0.04)),
        Compounding.CONTINUOUS: np.full(5, 0.04),
        Compounding.SIMPLE: np.expm1(0.04 * years) / years * 360 / 365,
        Compounding.BOND_EQUIVALENT: np.full(5, 2 * np.expm1(0.02)),
    }
    np.testing.assert_allclose(forwards["rate"], wanted[compounding], rtol=1e-6)


def test_forward_rates_lead_from_the_premium_date_to_the_discount_factor() -> None:
    smooth = smooth_curve(table_of(true_zero(YEARS)), "SPX")
    dates = [PAID, *(PAID + timedelta(days=days) for days in range(20, 1800, 35))]
    forwards = smooth.forward_rates(dates)
    grown = np.prod((1 + forwards["rate"].to_numpy()) ** forwards["years"].to_numpy())
    assert 1 / grown == pytest.approx(smooth.rates(dates[-1:])["discount"][0], rel=1e-12)
    assert forwards["rate"].is_between(0.03, 0.06).all()
    assert (forwards["std_error_bps"] > 0).all()


def test_a_forward_rate_is_known_worse_than_the_rates_around_it() -> None:
    smooth = smooth_curve(table_of(true_zero(YEARS)), "SPX")
    start, end = PAID + timedelta(days=365), PAID + timedelta(days=400)
    spot = smooth.rates([start, end])["std_error_bps"].to_list()
    assert smooth.forward_rates([start, end])["std_error_bps"][0] > 2 * max(spot)


def test_errors_grow_between_and_beyond_expiries() -> None:
    smooth = smooth_curve(table_of(true_zero(YEARS)), "SPX")
    last, between, beyond = smooth.rates(
        [PAID + timedelta(days=days) for days in (1826, 1460, 3650)]
    )["std_error_bps"]
    assert beyond > 2 * last
    assert between > smooth.rates([PAID + timedelta(days=365)])["std_error_bps"][0]


def test_precise_expiries_weigh_more() -> None:
    zero = true_zero(YEARS)
    zero[5] += 30 * BP
    table = table_of(zero).with_columns(
        discount_error=pl.when(pl.int_range(pl.len()) == 5)
        .then(pl.col("discount_error") * 20)
        .otherwise(pl.col("discount_error"))
    )
    smooth = smooth_curve(table, "SPX")
    found = smooth.rates(table["payment_date"].to_list(), Compounding.CONTINUOUS)["rate"]
    np.testing.assert_allclose(found, true_zero(YEARS), atol=3 * BP)


def test_an_expiry_that_stands_out_counts_for_less() -> None:
    zero = true_zero(YEARS)
    zero[8] += 60 * BP
    smooth = smooth_curve(table_of(zero), "SPX")
    assert smooth.inflation[8] > 5
    assert np.median(smooth.inflation) == 1.0
    found = smooth.rates(smooth.payment_dates, Compounding.CONTINUOUS)["rate"]
    np.testing.assert_allclose(found, true_zero(YEARS), atol=3 * BP)


def test_finds_how_far_expiries_scatter_beyond_their_errors() -> None:
    rng = np.random.default_rng(5)
    years = np.linspace(0.2, 4.0, 50)
    found = [
        smooth_curve(
            table_of(true_zero(years) + scatter * BP * rng.standard_normal(50), years, 0.5), "SPX"
        ).excess_bps
        for scatter in (0.5, 6.0)
    ]
    assert found[0] < 2.0
    assert 3.0 < found[1] < 10.0


def test_needs_four_expiries_and_leaves_out_rows_without_a_number() -> None:
    table = table_of(true_zero(YEARS))
    with pytest.raises(ModelError, match="SPX has 3 expiries with a fair rate"):
        smooth_curve(table[:3], "SPX")
    with pytest.raises(ModelError, match="XSP has 0 expiries"):
        smooth_curve(table, "XSP")
    gaps = table.with_columns(
        discount=pl.when(pl.int_range(pl.len()) < 4).then(float("nan")).otherwise("discount")
    )
    assert len(smooth_curve(gaps, "SPX").payment_dates) == YEARS.size - 4
    assert set(smooth_curves(table)) == {"SPX"}
    assert smooth_curves(table[:3]) == {}


def test_dates_that_are_no_loan_have_no_rate() -> None:
    smooth = smooth_curve(table_of(true_zero(YEARS)), "SPX")
    day = timedelta(days=1)
    assert np.isnan(smooth.rates([PAID, PAID - day])["rate"].to_numpy()).all()
    backward = [PAID + 9 * day, PAID + 3 * day, PAID + 3 * day]
    assert np.isnan(smooth.forward_rates(backward)["rate"].to_numpy()).all()
    assert np.isnan(smooth.forward_rates([PAID - day, PAID + day])["rate"].to_numpy()).all()
    assert smooth.rates([]).is_empty()


@pytest.mark.realdata
@pytest.mark.skipif(not CHAIN_FILES, reason=NO_DATA)
@pytest.mark.parametrize("path", CHAIN_FILES, ids=lambda path: path.name.split(".")[0])
def test_expiries_of_real_chains_lie_on_their_curve_within_their_errors(path: Path) -> None:
    table = curve(read_cboe(path))
    for smooth in smooth_curves(table).values():
        assert smooth.excess_bps < 4.0
        left_out = smooth.left_out()
        near = left_out.select(pl.col("off_bps").abs() < 2.0 * pl.col("std_error_bps"))
        assert near.to_series().mean() >= 0.85  # type: ignore[operator]
        dates = [day for day in smooth.payment_dates if day > smooth.premium_date + timedelta(14)]
        forwards = smooth.forward_rates(sorted(set(dates)))["rate"]
        spread = np.ptp(smooth.rates(dates)["rate"].to_numpy())
        assert forwards.is_between(-0.005, 0.08).all(), (smooth.root, spread)
