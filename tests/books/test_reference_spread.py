"""Reference rates and spreads beside box rates."""

from __future__ import annotations

from datetime import date
from math import isnan, nan

import polars as pl
import pytest

from live_box_spreads.books.curves.reference_spread import with_reference
from live_box_spreads.model.rates import Compounding
from live_box_spreads.model.reference_curve import OvernightRate, ParYieldCurve

PAID = date(2025, 9, 5)
AS_OF = date(2025, 9, 3)
ROWS = pl.DataFrame(
    {
        "premium_date": [PAID, PAID, PAID, PAID],
        "payment_date": [date(2025, 9, 12), date(2025, 12, 5), date(2026, 9, 5), date(2026, 3, 5)],
        "fair_rate": [0.05, 0.0450, 0.0440, nan],
    }
)


def test_each_loan_is_compared_with_the_reference_of_its_length() -> None:
    curve = ParYieldCurve("flat", AS_OF, {1: 0.04, 12: 0.04})
    rows = with_reference(ROWS, curve).to_dicts()
    # 91 days: 1 + 0.04 * 91 / 365 to the power of 365 / 91; a year: 1.02 squared.
    expected = (1 + 0.04 * 91 / 365) ** (365 / 91) - 1
    assert rows[1]["reference_rate"] == pytest.approx(expected, rel=1e-12)
    assert rows[1]["spread_bps"] == pytest.approx((0.045 - expected) * 1e4)
    assert rows[2]["reference_rate"] == pytest.approx(0.0404, rel=1e-12)
    assert rows[2]["spread_bps"] == pytest.approx(36)
    assert {row["reference_date"] for row in rows} == {AS_OF}


def test_without_a_rate_on_either_side_there_is_no_spread() -> None:
    rows = with_reference(ROWS, ParYieldCurve("flat", AS_OF, {1: 0.04, 12: 0.04})).to_dicts()
    assert isnan(rows[0]["reference_rate"])  # a week is shorter than the shortest tenor
    assert isnan(rows[0]["spread_bps"])
    assert rows[3]["reference_rate"] > 0
    assert isnan(rows[3]["spread_bps"])


@pytest.mark.parametrize("compounding", Compounding)
def test_both_are_told_in_one_convention(compounding: Compounding) -> None:
    overnight = OvernightRate("flat", AS_OF, 0.04)
    rows = with_reference(ROWS, overnight, compounding).to_dicts()
    expected = overnight.rate(PAID, date(2025, 12, 5), compounding)
    assert rows[1]["reference_rate"] == pytest.approx(expected, rel=1e-12)


def test_both_count_the_same_years() -> None:
    """A box that is counted to its expiry has the reference's price over those years too."""
    curve = ParYieldCurve("flat", AS_OF, {1: 0.04, 12: 0.04})
    fewer = ROWS.with_columns(years=pl.Series([5.0, 89.0, 363.0, 179.0]) / 365)
    row = with_reference(fewer, curve).row(1, named=True)
    price = 1 / (1 + 0.04 * 91 / 365)
    assert row["reference_rate"] == pytest.approx(price ** (-365 / 89) - 1, rel=1e-12)
    passed = with_reference(ROWS.with_columns(years=nan), curve)
    assert passed["spread_bps"].is_nan().all()


def test_another_rate_may_be_compared_and_no_row_is_no_trouble() -> None:
    overnight = OvernightRate("flat", AS_OF, 0.04)
    renamed = ROWS.rename({"fair_rate": "mid_rate"})
    found = with_reference(renamed, overnight, rate="mid_rate")
    assert found["spread_bps"][1] == pytest.approx(1e4 * (0.045 - found["reference_rate"][1]))
    empty = with_reference(ROWS.clear(), overnight)
    assert empty.columns == [
        *ROWS.columns,
        *("reference_rate", "reference_date", "reference_name", "spread_bps"),
    ]
