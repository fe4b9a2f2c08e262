from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from live_box_spreads.collector.schedule import Schedule

START = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("passed_secs", "next_secs"),
    [(0, 60), (0.5, 60), (59.9, 60), (60, 120), (61, 120), (185, 240), (-30, 0)],
)
def test_the_next_instant_is_on_the_grid(passed_secs: float, next_secs: float) -> None:
    due = Schedule(START, 60.0).next_after(START + timedelta(seconds=passed_secs))
    assert due == START + timedelta(seconds=next_secs)


@pytest.mark.parametrize(("took_secs", "over_secs"), [(1, 0), (60, 0), (61.5, 1.5), (200, 140)])
def test_overrun_is_what_lies_past_the_interval(took_secs: float, over_secs: float) -> None:
    finished = START + timedelta(seconds=60 + took_secs)
    assert Schedule(START, 60.0).overrun_secs(START + timedelta(seconds=60), finished) == over_secs


@settings(deadline=None)  # a busy machine is no failure
@given(
    interval_secs=st.floats(0.1, 86_400),
    passed_secs=st.floats(0, 1e7),
)
def test_one_instant_ahead_never_more_than_an_interval_away(
    interval_secs: float, passed_secs: float
) -> None:
    now = START + timedelta(seconds=passed_secs)
    wait_secs = (Schedule(START, interval_secs).next_after(now) - now).total_seconds()
    assert 0 < wait_secs <= interval_secs + 1e-5
