from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from live_box_spreads.dashboard.axes import (
    WILDEST_RATE,
    TimeAxis,
    lasts,
    rate_range,
    snapshot_times,
    tenor_axis,
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
    axis = tenor_axis([28, 400])
    assert axis["type"] == "log"
    assert axis["ticktext"] == ["1 m", "3 m", "6 m", "1 y"]
    assert axis["tickvals"][-1] == 365


@pytest.mark.parametrize(
    ("days", "texts"),
    [
        ([45.0], ["45 d"]),
        ([45.0, 45.0], ["45 d"]),
        ([40.0, 50.0], ["40 d", "50 d"]),
        ([1.0], ["1 d"]),
        ([], ["1 d", "1 w", "1 m", "3 m", "6 m", "1 y"]),
    ],
)
def test_each_axis_of_tenors_has_ticks_and_a_range(days: list[float], texts: list[str]) -> None:
    axis = tenor_axis(days, margin=1.1)
    low, high = (10**end for end in axis["range"])
    assert axis["ticktext"] == texts
    assert all(low <= tick <= high for tick in axis["tickvals"])
    assert all(low < day < high for day in days)


def test_only_a_loan_of_a_day_or_more_lasts() -> None:
    years = np.array([np.nan, 0.0, -1.0, 0.4 / 365, 1 / 365, 5.0])
    assert lasts(years).tolist() == [False] * 4 + [True] * 2


def test_no_axis_reaches_to_an_absurd_rate() -> None:
    shown = rate_range([np.array([0.01, 0.02, 1e300, -1e300, np.inf])])
    assert shown is not None
    assert 0.0 < shown.high < 0.03
    assert shown.beyond == 2
    assert rate_range([np.array([2 * WILDEST_RATE])]) is None


def test_a_surface_over_expiries_is_in_days() -> None:
    assert time_to_payment(np.array([7 / 365, 1.0])).values == [7.0, 365.0]


NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)


def _snapshots(*minutes: float) -> TimeAxis:
    return snapshot_times([NOON + timedelta(minutes=at) for at in minutes])


def test_a_surface_over_snapshots_is_in_minutes_before_the_newest() -> None:
    axis = _snapshots(-90, -30.5, 0)
    assert axis.values == [-90, -30.5, 0]
    assert axis.labels == ["02 Jan 10:30:00", "02 Jan 11:29:30", "02 Jan 12:00:00"]
    assert axis.layout["type"] == "linear"
    assert axis.layout["range"] == [-90, 0]
    assert axis.layout["tickvals"] == [-90, -60, -30, 0]
    assert axis.layout["ticktext"] == ["10:30", "11:00", "11:30", "12:00"]


@pytest.mark.parametrize(
    ("minutes", "texts"),
    [
        ((0,), ["12:00:00"]),
        ((0, 0), ["12:00:00"]),
        ((-2 / 60, 0), ["11:59:58", "11:59:59", "12:00:00"]),
        ((-1, 0), ["11:59:00", "11:59:20", "11:59:40", "12:00:00"]),
        ((-13 * 60, 0), ["02 Jan 00:00", "06:00", "12:00"]),
        ((-17 * 60, -15, 0), ["02 Jan 00:00", "06:00", "12:00"]),
        ((-3 * 1440, 0), ["31 Dec", "01 Jan", "02 Jan"]),
        ((-25 * 1440, 0), ["11 Dec", "18 Dec", "25 Dec", "01 Jan"]),
        ((-400 * 1440, 0), ["13 Mar", "26 Jun", "09 Oct"]),
    ],
)
def test_clock_times_are_round_and_tell_the_date_where_it_changes(
    minutes: tuple[float, ...], texts: list[str]
) -> None:
    axis = _snapshots(*minutes)
    assert axis.layout["ticktext"] == texts
    low, high = axis.layout["range"]
    assert low < high == 0
    assert all(low <= tick <= high for tick in axis.layout["tickvals"])


def test_rates_that_matter_are_all_shown_and_the_others_counted() -> None:
    rates = [np.array([0.04, 0.05, 0.9, np.nan])]
    shown = rate_range(rates, matter=[np.array([0.03, 0.06, np.nan])])
    assert shown is not None
    assert shown.low < 0.03
    assert 0.06 < shown.high < 0.07
    assert shown.beyond == 1
    assert rate_range(rates, matter=[np.array([np.nan])]) == rate_range(rates)
