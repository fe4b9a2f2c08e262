"""QuantLib as the oracle: rate conventions, stripped par yields, forward rates."""

from __future__ import annotations

import math
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
import QuantLib as ql  # noqa: N813 # its own documentation's name
from hypothesis import given
from hypothesis import strategies as st

from live_box_spreads.books.curves.smooth_curve import smooth_curve
from live_box_spreads.model.rates import Compounding, discount_from_rate, rate_from_discount
from live_box_spreads.model.reference_curve import ParYieldCurve

if TYPE_CHECKING:
    from collections.abc import Sequence

TODAY = date(2026, 11, 25)
CONVENTIONS = {
    Compounding.EFFECTIVE: (ql.Actual365Fixed(), ql.Compounded, ql.Annual),
    Compounding.CONTINUOUS: (ql.Actual365Fixed(), ql.Continuous, ql.Annual),
    Compounding.SIMPLE: (ql.Actual360(), ql.Simple, ql.Annual),
    Compounding.BOND_EQUIVALENT: (ql.Actual365Fixed(), ql.Compounded, ql.Semiannual),
}


def ql_date(day: date) -> Any:
    return ql.Date(day.day, day.month, day.year)


@given(
    rate=st.floats(-0.05, 0.5),
    days=st.integers(1, 3_650),
    compounding=st.sampled_from(Compounding),
)
def test_rates_are_those_of_quantlib(rate: float, days: int, compounding: Compounding) -> None:
    day_count, kind, frequency = CONVENTIONS[compounding]
    begin, end = ql_date(TODAY), ql_date(TODAY + timedelta(days=days))
    oracle = ql.InterestRate(rate, day_count, kind, frequency).discountFactor(begin, end)
    discount = discount_from_rate(rate, days / 365, compounding)
    assert math.isclose(discount, oracle, rel_tol=1e-13)
    implied = ql.InterestRate.impliedRate(1 / discount, day_count, kind, frequency, begin, end)
    assert math.isclose(
        rate_from_discount(discount, days / 365, compounding),
        implied.rate(),
        rel_tol=1e-9,
        abs_tol=1e-11,
    )


@pytest.mark.parametrize(
    "yields",
    [
        {6: 0.0385, 12: 0.0372, 24: 0.0360, 60: 0.0371, 120: 0.0412},  # dips, then rises
        {6: 0.0530, 12: 0.0505, 24: 0.0470, 60: 0.0430, 120: 0.0425},  # inverted
        {6: 0.0009, 12: 0.0012, 24: 0.0020, 60: 0.0085, 120: 0.0155},  # near zero
    ],
)
def test_par_yields_strip_to_quantlibs_discount_factors(yields: dict[float, float]) -> None:
    ours = ParYieldCurve("par", TODAY, yields)
    theirs = stripped_by_quantlib([ours.par_yield(half / 2) for half in range(1, 21)])
    for half in range(1, 21):
        assert ours.discount(half / 2) == pytest.approx(theirs.discount(half / 2), rel=1e-10)


def stripped_by_quantlib(par_yields: Sequence[float]) -> Any:
    """Bootstrap from a par bond at each half year; months are counted as equal parts of a year."""
    today, months = ql.Date(15, 1, 2026), ql.SimpleDayCounter()
    ql.Settings.instance().evaluationDate = today
    bonds = [
        ql.FixedRateBondHelper(
            ql.QuoteHandle(ql.SimpleQuote(100.0)),
            0,
            100.0,
            ql.Schedule(
                today,
                today + ql.Period(6 * half, ql.Months),
                ql.Period(ql.Semiannual),
                ql.NullCalendar(),
                ql.Unadjusted,
                ql.Unadjusted,
                ql.DateGeneration.Backward,
                False,  # noqa: FBT003 # end of month; the binding takes no keyword
            ),
            [coupon],
            months,
            ql.Unadjusted,
        )
        for half, coupon in enumerate(par_yields, start=1)
    ]
    curve = ql.PiecewiseLogLinearDiscount(today, bonds, months)
    curve.enableExtrapolation()
    return curve


def test_forward_rates_are_those_of_quantlib_on_the_same_discount_factors() -> None:
    days = [30, 61, 91, 182, 273, 365, 548, 730]
    zero = [0.041, 0.0405, 0.040, 0.0392, 0.0388, 0.0385, 0.0381, 0.0383]
    paid = [TODAY + timedelta(days=day) for day in days]
    discount = [math.exp(-r * day / 365) for r, day in zip(zero, days, strict=True)]
    table = pl.DataFrame(
        {
            "root": "SPX",
            "premium_date": [TODAY] * len(days),
            "payment_date": paid,
            "days": days,
            "discount": discount,
            "discount_error": [1e-5] * len(days),
        }
    )
    curve = smooth_curve(table, "SPX")
    assert curve is not None
    told = curve.rates(paid)["discount"].to_list()
    oracle = ql.DiscountCurve(
        [ql_date(day) for day in [TODAY, *paid]], [1.0, *told], ql.Actual365Fixed()
    )
    for compounding, (day_count, kind, frequency) in CONVENTIONS.items():
        ours = curve.forward_rates(paid, compounding)["rate"]
        for start, end, rate in zip(paid, paid[1:], ours, strict=False):
            implied = oracle.forwardRate(ql_date(start), ql_date(end), day_count, kind, frequency)
            assert rate == pytest.approx(implied.rate(), abs=1e-11)
