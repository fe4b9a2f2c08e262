from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from live_box_spreads.dashboard.axes import (
    rate_range,
    snapshot_times,
    tenor_ticks,
    time_to_payment,
)


def test_a_few_wild_rates_do_not_stretch_the_axis() -> None:
    rates = np.concatenate([np.linspace(0.04, 0.05, 98), [9.0, -9.0]])
    shown = rate_range([rates])
    assert shown is not None
    assert 0.035 < shown.low < 0.041
    assert 0.049 < shown.high < 0.055
    assert shown.beyond == 2


def test_few_rates_are_all_shown() -> None:
    shown = rate_range([np.array([0.01, 0.09]), np.array([np.nan])])
    assert shown is not None
    assert shown.low < 0.01
    assert shown.high > 0.09
    assert shown.beyond == 0


def test_equal_rates_still_have_an_axis() -> None:
    shown = rate_range([np.full(50, 0.04)])
    assert shown is not None
    assert shown.high - shown.low == pytest.approx(0.004)
    assert shown.beyond == 0


@pytest.mark.parametrize("rates", [[], [np.array([])], [np.array([np.nan, np.inf])]])
def test_without_a_rate_there_is_no_range(rates: list[np.ndarray]) -> None:
    assert rate_range(rates) is None


def test_only_tenors_near_the_data_are_ticks() -> None:
    axis = tenor_ticks([28, 400])
    assert axis["type"] == "log"
    assert axis["ticktext"] == ["1 m", "3 m", "6 m", "1 y"]
    assert axis["tickvals"][-1] == 365


def test_a_surface_over_expiries_is_in_days() -> None:
    assert time_to_payment(np.array([7 / 365, 1.0])).values == [7.0, 365.0]


def test_a_surface_over_snapshots_is_in_instants() -> None:
    axis = snapshot_times([datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)])
    assert axis.values == ["2026-01-02 03:04:05"]
    assert axis.layout["type"] == "date"


def test_rates_that_matter_are_all_shown_and_the_others_counted() -> None:
    rates = [np.array([0.04, 0.05, 0.9, np.nan])]
    shown = rate_range(rates, matter=[np.array([0.03, 0.06, np.nan])])
    assert shown is not None
    assert shown.low < 0.03
    assert 0.06 < shown.high < 0.07
    assert shown.beyond == 1
    assert rate_range(rates, matter=[np.array([np.nan])]) == rate_range(rates)
