from __future__ import annotations

from math import isnan, nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from live_box_spreads.model.rates import Compounding, discount_from_rate, rate_from_discount
from tests.model.golden import golden_rows

EVERY = pytest.mark.parametrize("compounding", Compounding)
CONVENTIONS = st.sampled_from(Compounding)
DISCOUNTS = st.floats(0.8, 1.2)
YEARS = st.floats(7 / 365, 30)


@EVERY
@pytest.mark.parametrize("row", golden_rows("rates.csv"), ids=lambda row: f"{row['days']}d")
def test_rates_match_40_digit_arithmetic(row: dict[str, str], compounding: Compounding) -> None:
    discount, years = float(row["discount"]), int(row["days"]) / 365
    expected = float(row[compounding.value])
    assert rate_from_discount(discount, years, compounding) == pytest.approx(
        expected,
        rel=2e-13,
        abs=1e-15 / years,  # what a float's rounding of the price does to the rate
    )
    assert discount_from_rate(expected, years, compounding) == pytest.approx(discount, rel=2e-13)


@given(DISCOUNTS, YEARS, CONVENTIONS)
def test_price_to_rate_and_back_is_the_identity(
    discount: float, years: float, compounding: Compounding
) -> None:
    rate = rate_from_discount(discount, years, compounding)
    back = discount_from_rate(rate, years, compounding)
    assert back == pytest.approx(discount, rel=1e-9, abs=1e-12)


@given(st.floats(-0.02, 0.5), YEARS, CONVENTIONS)
def test_rate_to_price_and_back_is_the_identity(
    rate: float, years: float, compounding: Compounding
) -> None:
    discount = discount_from_rate(rate, years, compounding)
    assert rate_from_discount(discount, years, compounding) == pytest.approx(
        rate, rel=1e-9, abs=1e-12
    )


@given(DISCOUNTS, st.floats(1e-6, 0.2), YEARS, CONVENTIONS)
def test_a_dearer_loan_earns_less(
    discount: float, dearer_by: float, years: float, compounding: Compounding
) -> None:
    cheap = rate_from_discount(discount, years, compounding)
    dear = rate_from_discount(discount + dearer_by, years, compounding)
    assert dear < cheap


@given(st.floats(0.5, 0.999), YEARS)
def test_the_more_often_it_compounds_the_lower_the_rate(discount: float, years: float) -> None:
    effective, continuous, half_yearly = (
        rate_from_discount(discount, years, compounding)
        for compounding in (
            Compounding.EFFECTIVE,
            Compounding.CONTINUOUS,
            Compounding.BOND_EQUIVALENT,
        )
    )
    assert continuous < half_yearly < effective


@EVERY
def test_a_mid_above_the_width_is_a_negative_rate(compounding: Compounding) -> None:
    assert rate_from_discount(1.001, 0.5, compounding) < 0
    assert rate_from_discount(1.0, 0.5, compounding) == 0


@EVERY
@pytest.mark.parametrize(
    ("discount", "years"),
    [(0.0, 1.0), (-0.5, 1.0), (nan, 1.0), (0.95, 0.0), (0.95, -1.0), (0.95, nan)],
)
def test_no_rate_without_a_price_or_time(
    discount: float, years: float, compounding: Compounding
) -> None:
    assert isnan(rate_from_discount(discount, years, compounding))


@pytest.mark.parametrize(
    ("rate", "years", "compounding"),
    [
        (nan, 1.0, Compounding.EFFECTIVE),
        (0.04, 0.0, Compounding.CONTINUOUS),
        (0.04, nan, Compounding.SIMPLE),
        (-1.0, 1.0, Compounding.EFFECTIVE),
        (-1.5, 1.0, Compounding.EFFECTIVE),
        (-2.0, 1.0, Compounding.BOND_EQUIVALENT),
        (-2.0, 1.0, Compounding.SIMPLE),
    ],
)
def test_no_price_for_a_rate_that_loses_everything(
    rate: float, years: float, compounding: Compounding
) -> None:
    assert isnan(discount_from_rate(rate, years, compounding))


@EVERY
def test_arrays_broadcast_and_scalars_stay_floats(compounding: Compounding) -> None:
    discounts = np.array([0.9, 1.0, -1.0, np.nan])
    years = np.array([[0.5], [2.0], [np.nan]])
    rates = rate_from_discount(discounts, years, compounding)
    assert rates.shape == (3, 4)
    assert rates.dtype == np.float64
    assert rates[1, 0] == rate_from_discount(0.9, 2.0, compounding)
    assert np.isnan(rates[:, 2:]).all()
    assert np.isnan(rates[2]).all()
    back = discount_from_rate(rates, years, compounding)
    np.testing.assert_allclose(back[:2, :2], [[0.9, 1.0], [0.9, 1.0]], rtol=1e-14)
    assert type(rate_from_discount(0.9, 2.0, compounding)) is float
    assert type(discount_from_rate(0.04, 2.0, compounding)) is float


def test_effective_is_the_default() -> None:
    assert rate_from_discount(0.96, 1.0) == rate_from_discount(0.96, 1.0, Compounding.EFFECTIVE)
