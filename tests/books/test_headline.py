"""The headline rates: exact where the smooth curve reaches, else of the nearest expiry."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from math import nan
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from live_box_spreads.books.curves.smooth_curve import smooth_curve
from live_box_spreads.books.views.headline import HEADLINE_SCHEMA, headline, tenor_date
from live_box_spreads.model.rates import Compounding
from live_box_spreads.model.reference_curve import OvernightRate
from live_box_spreads.model.sessions import is_settlement_day

if TYPE_CHECKING:
    from numpy.typing import NDArray

PAID = date(2025, 9, 5)


class _Unknown:
    """A curve of which nothing is known."""

    def at(self, years: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        return np.full(years.size, 0.04), np.eye(years.size)

    def left_out(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        return np.array([]), np.array([])


def _table(*days: int, rate: float = 0.04) -> pl.DataFrame:
    """Every loan at one effective rate, known to half a basis point."""
    return pl.DataFrame(
        {
            "root": "SPX",
            "expiry": [PAID + timedelta(days=day - 1) for day in days],
            "premium_date": PAID,
            "payment_date": [PAID + timedelta(days=day) for day in days],
            "days": list(days),
            "years": [day / 365 for day in days],
            "discount": [(1 + rate) ** (-day / 365) for day in days],
            "discount_error": [0.00005 * day / 365 for day in days],
            "fair_rate": rate,
            "std_error_bps": 0.5,
            "lend_rate": [rate - 0.001 - day * 1e-7 for day in days],
            "borrow_rate": [rate + 0.001 for _ in days],
        }
    )


@pytest.mark.parametrize(
    ("months", "expected"),
    [
        (1, date(2025, 10, 6)),  # 5 October is a Sunday
        (3, date(2025, 12, 5)),
        (6, date(2026, 3, 5)),
        (12, date(2026, 9, 8)),  # the 5th is a Saturday, Monday the 7th Labor Day
    ],
)
def test_a_tenor_ends_on_a_settlement_day(months: int, expected: date) -> None:
    assert tenor_date(PAID, months) == expected


@given(st.dates(date(2000, 1, 3), date(2040, 1, 3)), st.sampled_from([1, 3, 6, 12]))
def test_a_tenor_is_at_most_a_few_days_longer_than_its_months(paid: date, months: int) -> None:
    due = tenor_date(paid, months)
    assert is_settlement_day(due)
    assert 28 * months <= (due - paid).days <= 31 * months + 6


def test_within_the_expiries_it_is_read_off_the_smooth_curve() -> None:
    table = _table(14, 45, 80, 150, 300, 420)
    rows = headline(table, smooth_curve(table, "SPX")).to_dicts()
    assert [row["tenor"] for row in rows] == ["1 month", "3 months", "6 months", "1 year"]
    assert [row["days"] for row in rows] == [31, 91, 181, 368]
    for row in rows:
        assert row["is_exact"]
        assert row["fair_rate"] == pytest.approx(0.04, abs=2e-6)
        assert 0 < row["std_error_bps"] < 5
    # Executable rates are those of the expiry nearest by ratio: 45, 80, 150 and 420 days.
    assert [row["lend_rate"] for row in rows] == pytest.approx(
        [0.039 - day * 1e-7 for day in (45, 80, 150, 420)], abs=1e-12
    )


def test_a_tenor_beyond_the_expiries_is_the_nearest_one_under_its_own_days_and_told_once() -> None:
    table = _table(40, 60, 80, 125)
    rows = headline(table, smooth_curve(table, "SPX")).to_dicts()
    assert [(row["tenor"], row["is_exact"], row["days"], row["note"]) for row in rows] == [
        ("40 days", False, 40, "shortest expiry; no 1-month quotes"),
        ("3 months", True, 91, ""),
        ("125 days", False, 125, "longest expiry; no 6-month quotes"),
    ]


def test_302_days_are_never_called_a_year() -> None:
    table = _table(14, 45, 80, 150, 302)
    row = headline(table, smooth_curve(table, "SPX")).row(3, named=True)
    assert (row["tenor"], row["days"], row["is_exact"]) == ("302 days", 302, False)
    assert row["note"] == "longest expiry; no 1-year quotes"
    assert row["fair_rate"] == pytest.approx(0.04)


def test_an_expiry_on_the_tenors_own_date_is_the_tenor_without_a_curve_too() -> None:
    row = headline(_table(91), None).row(0, named=True)
    assert (row["tenor"], row["days"], row["is_exact"]) == ("3 months", 91, True)
    assert row["note"] == ""


def test_where_the_curve_has_no_rate_the_nearest_expiry_stands() -> None:
    table = _table(14, 45, 80, 150, 300, 420)
    smooth = replace(smooth_curve(table, "SPX"), posterior=_Unknown())
    rows = headline(table, smooth).to_dicts()
    assert [(row["tenor"], row["note"]) for row in rows] == [
        ("45 days", "nearest expiry; no 1-month quotes"),
        ("80 days", "nearest expiry; no 3-month quotes"),
        ("150 days", "nearest expiry; no 6-month quotes"),
        ("420 days", "longest expiry; no 1-year quotes"),
    ]
    assert not any(row["is_exact"] for row in rows)


@pytest.mark.parametrize(
    ("days", "told"),
    [
        (
            (40, 347),
            [("40 days", "shortest expiry", "1-month"), ("347 days", "longest expiry", "1-year")],
        ),
        # And not for six months, though it is near both.
        ((130,), [("130 days", "only expiry", "3-month")]),
        ((7, 60, 1000), []),
    ],
)
def test_without_a_smooth_curve_it_is_a_near_expiry_and_none_twice(
    days: tuple[int, ...], told: list[tuple[str, str, str]]
) -> None:
    rows = headline(_table(*days), None).to_dicts()
    assert [(row["tenor"], row["note"]) for row in rows] == [
        (name, f"{place}; no {tenor} quotes") for name, place, tenor in told
    ]
    assert not any(row["is_exact"] for row in rows)


def test_rows_without_a_rate_are_no_headline() -> None:
    table = _table(40, 347).with_columns(fair_rate=pl.Series([nan, 0.04]))
    assert headline(table, None)["days"].to_list() == [347]
    none = headline(table.with_columns(fair_rate=nan), None)
    assert none.is_empty()
    assert none.schema == HEADLINE_SCHEMA


def test_a_reference_is_of_the_tenors_own_length_and_convention() -> None:
    table = _table(14, 45, 80, 150, 300, 420, rate=0.04)
    reference = OvernightRate("flat", date(2025, 9, 3), 0.036)
    smooth = smooth_curve(table, "SPX")
    said = table.with_columns(fair_rate=2 * (1.04**0.5 - 1))
    rows = headline(said, smooth, compounding=Compounding.BOND_EQUIVALENT, reference=reference)
    row = rows.row(3, named=True)
    assert row["reference_date"] == date(2025, 9, 3)
    expected = reference.rate(PAID, date(2026, 9, 8), Compounding.BOND_EQUIVALENT)
    assert row["reference_rate"] == pytest.approx(expected, rel=1e-12)
    assert row["fair_rate"] == pytest.approx(2 * (1.04**0.5 - 1), abs=2e-6)
    assert row["spread_bps"] == pytest.approx(1e4 * (row["fair_rate"] - expected))
