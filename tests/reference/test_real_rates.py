"""The published curves of twenty years, against government rates that others worked out."""

from __future__ import annotations

import csv
from datetime import date
from math import log

import numpy as np
import pytest

from live_box_spreads.model.reference_curve import OvernightRate, ParYieldCurve
from live_box_spreads.reference import read_reference
from tests.real_data import DATA, NO_DATA, TREASURY_YIELDS

SOFR = DATA / "benchmarks" / "sofr_daily_2024_2026.csv"
GOVERNMENT = DATA / "box_rates" / "box_and_government_rates_daily_2004_2018.csv"

pytestmark = [
    pytest.mark.realdata,
    pytest.mark.skipif(not TREASURY_YIELDS.exists(), reason=NO_DATA),
]


def test_every_day_since_1990_makes_a_curve_that_reprices_its_bonds() -> None:
    history = read_reference(TREASURY_YIELDS)
    assert len(history.rows) > 9_000
    assert sum(history.rejected.values()) <= 1  # 2010-10-11, a holiday with a filler
    for day in sorted(history.rows)[::20]:
        curve = history.on(day, 0).curve
        assert isinstance(curve, ParYieldCurve)
        for months in curve.tenors_months:
            if months < 6:
                worth = curve.discount(months / 12) * (1 + curve.par_yields[months] * months / 12)
            else:
                ends = range(1, int(months / 6) + 1)
                discounts = [curve.discount(end / 2) for end in ends]
                worth = curve.par_yields[months] / 2 * sum(discounts) + discounts[-1]
            assert worth == pytest.approx(1, abs=1e-12), (day, months)


def test_since_march_2026_there_are_five_tenors_and_no_rate_under_three_months() -> None:
    curve = read_reference(TREASURY_YIELDS).on(date(2026, 7, 31), 0).curve
    assert isinstance(curve, ParYieldCurve)
    assert curve.tenors_months == [3, 24, 60, 120, 360]
    assert np.isnan(curve.discount(60 / 365))
    assert 0.03 < -log(curve.discount(1)) < 0.05


def test_zero_rates_agree_with_those_of_van_binsbergen_diamond_and_grotteria() -> None:
    """They fit notes and bonds, and no bills, which are dearer: at 6 months by some 7 bp."""
    history = read_reference(TREASURY_YIELDS)
    apart = []
    with GOVERNMENT.open(newline="") as file:
        for row in csv.DictReader(file):
            curve = history.on(date.fromisoformat(row["date"]), 0).curve
            if isinstance(curve, ParYieldCurve) and row["gov_12m"] and row["gov_18m"]:
                zero = {m: -log(curve.discount(m / 12)) * 1200 / m for m in (12, 18)}
                apart.append([100 * (zero[m] - float(row[f"gov_{m}m"])) for m in (12, 18)])
    assert len(apart) > 3_000
    at_12_months, at_18_months = np.median(np.abs(np.array(apart)), axis=0)
    assert at_12_months < 4.0
    assert at_18_months < 2.0


def test_sofr_is_read_as_an_overnight_rate() -> None:
    curve = read_reference(SOFR).on(date(2025, 9, 4), 0).curve
    assert isinstance(curve, OvernightRate)
    assert 0.04 < curve.overnight < 0.05
