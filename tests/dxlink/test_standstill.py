from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from live_box_spreads.dxlink.standstill import Instant, standstill

START = Instant(wall_secs=1_764_000_000.0, steady_secs=500.0)


def after(wall_secs: float, steady_secs: float) -> Instant:
    return Instant(START.wall_secs + wall_secs, START.steady_secs + steady_secs)


@pytest.mark.parametrize(
    ("wall_secs", "steady_secs", "says"),
    [
        (1.0, 1.0, ""),
        (12.0, 1.0, ""),  # NTP steps the clock a little
        (28_800.0, 0.5, "slept, or its clock was set forward: 28800 s"),  # the steady clock halts
        (-3_600.0, 1.0, "set back by 3601 s"),
        (600.0, 600.0, "stood still for 600 s"),  # stopped, or asleep where both clocks go on
    ],
)
def test_each_way_of_being_away(wall_secs: float, steady_secs: float, says: str) -> None:
    reason = standstill(START, after(wall_secs, steady_secs), 1.0, 15.0)
    assert (says in reason) if says else not reason


@given(st.floats(0, 1e6), st.floats(-10, 10), st.floats(0, 10))
def test_a_wait_as_long_as_asked_is_no_standstill(
    asked_secs: float, drift_secs: float, late_secs: float
) -> None:
    steady_secs = asked_secs + late_secs
    assert not standstill(START, after(steady_secs + drift_secs, steady_secs), asked_secs, 15.0)
