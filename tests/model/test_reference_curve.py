"""Par yields into zero rates, and an overnight rate held flat."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise
from math import inf, isnan, nan

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from live_box_spreads.model.errors import ModelError
from live_box_spreads.model.rates import Compounding, discount_from_rate
from live_box_spreads.model.reference_curve import OvernightRate, ParYieldCurve, spread_bps
from tests.model.golden import golden_rows

DAY = date(2025, 9, 4)
GOLDEN = golden_rows("par_curve.csv")
TENORS = [1, 2, 3, 4, 6, 12, 24, 36, 60, 84, 120, 240, 360]


def _curve(par_yields: dict[float, float]) -> ParYieldCurve:
    return ParYieldCurve("test curve", DAY, par_yields)


def _rate(curve: ParYieldCurve | OvernightRate, days: int, compounding: Compounding) -> float:
    return curve.rate(DAY, DAY + timedelta(days=days), compounding)


@st.composite
def par_yields(draw: st.DrawFn) -> dict[float, float]:
    """A curve as it may be published: any tenors missing, no jump of more than half a per cent."""
    tenors = sorted(draw(st.sets(st.sampled_from(TENORS), min_size=2)))
    first = draw(st.floats(-0.005, 0.05))
    steps = draw(st.lists(st.floats(-0.005, 0.005), min_size=len(tenors), max_size=len(tenors)))
    yields = np.maximum(first + np.cumsum(steps), -0.005)
    return dict(zip(map(float, tenors), yields.tolist(), strict=True))


# ---- par yields -----------------------------------------------------------------------------


@pytest.mark.parametrize("row", GOLDEN, ids=lambda row: f"{row['months']} months")
def test_discount_factors_are_those_stripped_by_hand(row: dict[str, str]) -> None:
    curve = _curve({float(r["months"]): float(r["par_yield"]) for r in GOLDEN})
    found = curve.discount(int(row["months"]) / 12)
    assert found == pytest.approx(float(row["discount"]), rel=1e-14)


@pytest.mark.parametrize("compounding", Compounding)
@pytest.mark.parametrize("row", [row for row in GOLDEN if row["months"] in {"12", "24"}])
def test_rates_are_those_by_hand(row: dict[str, str], compounding: Compounding) -> None:
    curve = _curve({float(r["months"]): float(r["par_yield"]) for r in GOLDEN})
    days = 365 * int(row["months"]) // 12
    assert _rate(curve, days, compounding) == pytest.approx(
        float(row[compounding.value]), rel=1e-12
    )


def test_a_flat_curve_is_flat_in_its_own_convention() -> None:
    curve = _curve(dict.fromkeys(map(float, TENORS), 0.04))
    for half_years in range(1, 61):
        assert curve.discount(half_years / 2) == pytest.approx(1.02**-half_years, rel=1e-13)
    assert _rate(curve, 365 * 7, Compounding.BOND_EQUIVALENT) == pytest.approx(0.04, abs=1e-14)


def test_up_to_half_a_year_it_is_the_bond_equivalent_yield_of_a_bill() -> None:
    curve = _curve({1: 0.05, 3: 0.05, 6: 0.05, 12: 0.05})
    # A bill of 91 days at 5 %: 100 / (1 + 0.05 * 91 / 365); simple ACT/360 is 360/365 of it.
    assert _rate(curve, 91, Compounding.SIMPLE) == pytest.approx(0.05 * 360 / 365, rel=1e-12)


@given(par_yields())
@example({1.0: 0.0, 2.0: 2.2250738585e-313, 3.0: 0.00390625})
def test_each_published_bond_is_worth_par(yields: dict[float, float]) -> None:
    curve = _curve(yields)
    for months, par in yields.items():
        if months < 6:
            worth = (1 + par * months / 12) * curve.discount(months / 12)
        elif min(yields) <= 6:  # every coupon is within the tenors
            coupons = [curve.discount(half / 2) for half in range(1, int(months / 6) + 1)]
            worth = par / 2 * sum(coupons) + coupons[-1]
        else:
            continue
        assert worth == pytest.approx(1, abs=1e-12)


@given(par_yields())
def test_discount_factors_are_positive_and_join_without_a_step(yields: dict[float, float]) -> None:
    curve = _curve(yields)
    first, last = min(yields) / 12, max(yields) / 12
    years = np.linspace(first, last, 400)
    discounts = np.array([curve.discount(at) for at in years])
    assert (discounts > 0).all()
    assert np.abs(np.diff(np.log(discounts))).max() < 0.5 * (years[1] - years[0])


@given(par_yields(), st.sampled_from(Compounding), st.integers(1, 11_000))
def test_a_rate_is_finite_within_the_tenors_and_nan_outside(
    yields: dict[float, float], compounding: Compounding, days: int
) -> None:
    curve = _curve(yields)
    covered = int(min(yields) * 365 / 12) <= days <= max(yields) * 365 / 12
    assert isnan(_rate(curve, days, compounding)) is not covered


@given(par_yields(), st.integers(100, 4000))
def test_every_convention_tells_the_same_discount_factor(
    yields: dict[float, float], days: int
) -> None:
    curve = _curve(yields)
    if isnan(curve.discount(days / 365)):
        return
    for compounding in Compounding:
        rate = _rate(curve, days, compounding)
        back = discount_from_rate(rate, days / 365, compounding)
        assert back == pytest.approx(curve.discount(days / 365), rel=1e-12)


def test_between_tenors_par_yields_by_hand() -> None:
    # The square roots of 1, 4 and 9 years are one apart, the secants 1 % and 3 %: the slopes are
    # (3*1 - 1*3) / 2 = 0, 6 / (3/1 + 3/3) = 1.5 and (3*3 - 1*1) / 2 = 4 %. Half-way, a cubic is the
    # mean of its ends plus an eighth of the step times the difference of the slopes.
    curve = _curve({12.0: 0.0, 48.0: 0.01, 108.0: 0.04})
    assert curve.par_yield(1.5**2) == pytest.approx(0.01 * (0.5 + (0 - 1.5) / 8), abs=1e-15)
    assert curve.par_yield(2.5**2) == pytest.approx(0.01 * (2.5 + (1.5 - 4) / 8), abs=1e-15)
    assert isnan(curve.par_yield(0.99))
    assert isnan(curve.par_yield(9.01))


@given(par_yields())
def test_between_two_tenors_a_par_yield_is_between_theirs(yields: dict[float, float]) -> None:
    curve = _curve(yields)
    tenors = sorted(yields)
    for first, second in pairwise(tenors):
        low, high = sorted((yields[first], yields[second]))
        for years in np.linspace(first / 12, second / 12, 11)[1:-1]:
            assert low - 1e-12 <= curve.par_yield(years) <= high + 1e-12


def test_a_missing_tenor_is_interpolated_near_what_was_published() -> None:
    # The Treasury's yields of 2026-02-26; without 6 months and 1 year they come back within 10 bp.
    published = {3.0: 0.0368, 6.0: 0.0361, 12.0: 0.0352, 24.0: 0.0342, 60.0: 0.0357, 360.0: 0.0467}
    sparse = _curve({m: y for m, y in published.items() if m not in {6.0, 12.0}})
    for months in (6.0, 12.0):
        assert sparse.par_yield(months / 12) == pytest.approx(published[months], abs=0.001)


def test_a_yield_that_is_nan_is_not_there() -> None:
    curve = _curve({1: nan, 3: 0.04, 6: 0.04, 12: nan})
    assert curve.tenors_months == [3, 6]
    assert isnan(_rate(curve, 60, Compounding.EFFECTIVE))
    assert isnan(_rate(curve, 365, Compounding.EFFECTIVE))
    assert _rate(curve, 100, Compounding.SIMPLE) == pytest.approx(0.04 * 360 / 365)


@pytest.mark.parametrize("days", [0, -30])
def test_a_payment_that_is_not_later_has_no_rate(days: int) -> None:
    assert isnan(_rate(_curve({1: 0.04, 360: 0.04}), days, Compounding.EFFECTIVE))


@pytest.mark.parametrize(
    ("yields", "message"),
    [
        ({}, "at least 2 tenors"),
        ({3: 0.04}, "at least 2 tenors"),
        ({3: 0.04, 6: nan, 12: inf}, "at least 2 tenors"),
        ({0: 0.04, 6: 0.04}, "all positive"),
        ({3: 0.04, 1e9: 0.04}, "none above 1200"),
        ({3: 0.04, inf: 0.04}, "none above 1200"),
        ({3: 0.04, nan: 0.04}, "none above 1200"),
        ({12: 4.31, 24: 4.31, 120: 430.0}, "no positive discount factors"),
    ],
)
def test_yields_that_make_no_curve_are_refused(yields: dict[float, float], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        _curve(yields)


# ---- an overnight rate ----------------------------------------------------------------------


def test_an_overnight_rate_compounds_each_day() -> None:
    sofr = OvernightRate("SOFR", DAY, 0.036)
    # 1.0001 ** 365 - 1 by its series: 365 ln 1.0001 = 0.0364981753
    assert _rate(sofr, 365, Compounding.EFFECTIVE) == pytest.approx(0.03717241, abs=1e-8)
    assert _rate(sofr, 1, Compounding.SIMPLE) == pytest.approx(0.036, rel=1e-12)


def test_compounding_on_calendar_days_is_within_a_tenth_of_a_basis_point() -> None:
    sofr = OvernightRate("SOFR", DAY, 0.06)
    weeks = (1 + 0.06 / 360) ** 4 * (1 + 3 * 0.06 / 360)
    in_arrears = weeks**52 - 1
    apart = _rate(sofr, 364, Compounding.SIMPLE) - in_arrears * 360 / 364
    assert 0 < apart < 1e-5


@pytest.mark.parametrize("days", [0, -1])
def test_an_overnight_rate_has_no_rate_for_no_loan(days: int) -> None:
    assert isnan(_rate(OvernightRate("SOFR", DAY, 0.04), days, Compounding.EFFECTIVE))


@pytest.mark.parametrize("fixing", [nan, inf, -1.0])
def test_a_fixing_that_is_no_rate_is_refused(fixing: float) -> None:
    with pytest.raises(ModelError, match="expected a fraction"):
        OvernightRate("SOFR", DAY, fixing)


def test_a_spread_is_in_basis_points_and_nan_where_a_side_is() -> None:
    assert spread_bps(0.0431, 0.0400) == pytest.approx(31)
    assert isnan(spread_bps(nan, 0.04))
    assert isnan(spread_bps(0.04, nan))
