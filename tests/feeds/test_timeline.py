from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from live_box_spreads.feeds.timeline import Playback, Position, Timeline
from live_box_spreads.model.errors import FeedError

START = datetime(2025, 9, 4, 14, 0, tzinfo=UTC)


def _timeline(secs: list[float], playback: Playback | None = None) -> Timeline:
    instants = [START + timedelta(seconds=each) for each in secs]
    return Timeline(instants, playback or Playback())


def test_each_snapshot_is_shown_until_the_next_and_the_last_for_the_usual_wait() -> None:
    timeline = _timeline([0, 10, 30])
    shown = [timeline.at(secs) for secs in (0, 9.9, 10, 29.9, 30, 44.9, 45)]
    assert [position and position.snapshot for position in shown] == [0, 0, 1, 1, 2, 2, None]
    assert timeline.secs_to_next(12) == 18
    assert timeline.secs_to_next(40) == 5


def test_a_loop_begins_again() -> None:
    timeline = _timeline([0, 10, 30], Playback(loop=True))
    assert timeline.at(45) == Position(1, 0)
    assert timeline.at(45 * 7 + 11) == Position(7, 1)


def test_a_long_pause_of_the_recorder_is_cut_short() -> None:
    night = _timeline([0, 60, 60_000, 60_060], Playback(speed=2, longest_wait_secs=40))
    assert [night.at(secs) for secs in (29, 31, 69, 71, 101)] == [
        *(Position(0, number) for number in (0, 1, 1, 2, 3)),
    ]


def test_of_two_snapshots_of_one_second_the_later_is_shown() -> None:
    timeline = _timeline([0, 0, 5])
    assert timeline.at(0) == Position(0, 1)
    assert timeline.at(9.9) == Position(0, 2)
    assert timeline.at(10) is None


def test_a_single_snapshot_is_shown_for_the_longest_wait() -> None:
    timeline = _timeline([0], Playback(longest_wait_secs=7))
    assert timeline.at(6.9) == Position(0, 0)
    assert timeline.at(7) is None


@pytest.mark.parametrize("playback", [{"speed": 0}, {"speed": -1}, {"longest_wait_secs": 0}])
def test_a_standstill_is_refused(playback: dict[str, float]) -> None:
    with pytest.raises(FeedError, match="must be above 0"):
        Playback(**playback)  # type: ignore[arg-type]


def test_no_snapshot_is_refused() -> None:
    with pytest.raises(FeedError, match="without a snapshot"):
        _timeline([])


@settings(deadline=None)
@given(
    gaps=st.lists(st.floats(0.0, 1e5), max_size=20),
    speed=st.floats(0.01, 1e4),
    start=st.floats(0.0, 1e4),
)
def test_what_is_shown_changes_when_it_was_said_and_not_before(
    gaps: list[float], speed: float, start: float
) -> None:
    instants = [sum(gaps[:count]) for count in range(len(gaps) + 1)]
    timeline = _timeline(instants, Playback(speed=speed, loop=True))
    here, wait = timeline.at(start), timeline.secs_to_next(start)
    assert wait >= 0
    tolerance = 1e-9 * (1 + start + wait)
    if wait > 2 * tolerance:
        assert timeline.at(start + wait - tolerance) == here
        assert timeline.at(start + wait + tolerance) != here
