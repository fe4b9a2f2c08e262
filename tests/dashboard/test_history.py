"""Which snapshots a history draws: evenly those that there are, and the same when one is added."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from live_box_spreads.service.history import HISTORY_ROWS, Past, evenly

NOON = datetime(2026, 3, 3, 12, tzinfo=UTC)


def _snapshots(seconds: list[float]) -> list[str]:
    times = [NOON + timedelta(seconds=second) for second in seconds]
    return [f"snapshot_{time:%Y%m%d_%H%M%S}.parquet" for time in times]


def test_a_long_window_has_many_of_fifty_snapshots_two_seconds_apart() -> None:
    kept = _snapshots([-2.0 * back for back in range(50)][::-1])
    past = Past.of(kept, kept[-1], minutes=240)
    assert HISTORY_ROWS / 2 <= len(past.names) <= HISTORY_ROWS + 1
    assert past.names[-1] == kept[-1]
    assert (past.within, past.older) == (50, 0)


def test_a_full_window_has_one_of_each_part() -> None:
    kept = _snapshots([60.0 * minute for minute in range(-2000, 1)])
    past = Past.of(kept, kept[-1], minutes=240)
    assert HISTORY_ROWS <= len(past.names) <= HISTORY_ROWS + 1
    assert past.within == 241
    assert past.older == 1760


def test_a_night_between_two_sessions_takes_no_places() -> None:
    evening, morning = range(-70_000, -66_000, 20), range(-4000, 1, 20)
    kept = _snapshots([float(second) for second in (*evening, *morning)])
    past = Past.of(kept, kept[-1], minutes=24 * 60)
    taken = [kept.index(name) for name in past.names]
    assert HISTORY_ROWS / 4 <= len(taken) <= HISTORY_ROWS + 1
    assert sum(at < len(evening) for at in taken) == pytest.approx(len(taken) / 2, abs=2)


def test_none_is_newer_than_the_one_shown_and_that_one_may_have_been_pruned() -> None:
    kept = _snapshots([-60.0, 0.0, 60.0])
    assert Past.of(kept, kept[1], minutes=240).names == kept[:2]
    assert Past.of([kept[0], kept[2]], kept[1], minutes=240).names == kept[:2]
    assert Past.of([], kept[1], minutes=0.0).names == [kept[1]]


@pytest.mark.parametrize("minutes", [0.0, 1e-9, 240.0, 1e12, float("inf")])
def test_any_length_of_the_window_ends(minutes: float) -> None:
    kept = _snapshots([float(second) for second in range(-300, 1)])
    past = Past.of(kept, kept[-1], minutes)
    assert 1 <= len(past.names) <= HISTORY_ROWS + 1
    assert past.names[-1] == kept[-1]


SECONDS = st.lists(st.integers(0, 14_400), min_size=1, max_size=200, unique=True).map(sorted)


@given(SECONDS)
def test_a_newer_one_changes_no_older_choice_but_by_leaving_some_out(seconds: list[int]) -> None:
    at = np.array(seconds, np.float64) + 1.7e9
    newer = np.append(at, at[-1] + 7)
    before = set(at[evenly(at, 14_400.0, HISTORY_ROWS)][:-1])
    after = set(newer[evenly(newer, 14_400.0, HISTORY_ROWS)])
    assert len(after) <= HISTORY_ROWS + 1
    assert newer[-1] in after
    if at.size > HISTORY_ROWS:
        assert after - {at[-1], newer[-1]} <= before
