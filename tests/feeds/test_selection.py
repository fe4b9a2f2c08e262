from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from live_box_spreads.feeds.selection import ListedExpiry, choose_expiries, within_moneyness

if TYPE_CHECKING:
    from live_box_spreads.feeds.base import ExpirySelection

NOW = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)  # 10:00 in New York
TODAY = NOW.date()


def pm(days: int, strikes: int = 100) -> ListedExpiry:
    return ListedExpiry(TODAY + timedelta(days), "PM", strikes)


def test_expired_ones_are_left_out_to_the_hour() -> None:
    listed = [pm(-1), ListedExpiry(TODAY, "AM", 100), pm(1)]
    assert choose_expiries(listed, 0, "nearest", NOW) == [date(2026, 11, 25)]
    assert choose_expiries([pm(0), pm(1)], 0, "nearest", NOW)[0] == TODAY


def test_nearest_takes_the_soonest() -> None:
    listed = [pm(30), pm(2), pm(9)]
    assert choose_expiries(listed, 2, "nearest", NOW) == [pm(2).expiry, pm(9).expiry]


def test_spread_covers_the_term_geometrically() -> None:
    listed = [pm(days) for days in range(1024)]
    days = [(day - TODAY).days for day in choose_expiries(listed, 6, "spread", NOW)]
    assert days == [0, 3, 15, 63, 255, 1023]


def test_spread_prefers_the_monthly_beside_the_grid_point() -> None:
    listed = [pm(0), pm(30, 20), pm(33, 400), pm(35, 20), pm(1023, 400)]
    assert choose_expiries(listed, 3, "spread", NOW)[1] == pm(33).expiry


LISTED = st.lists(
    st.builds(pm, st.integers(-3, 1500), st.integers(0, 400)),
    max_size=40,
    unique_by=lambda item: item.expiry,
)


@given(LISTED, st.integers(0, 12), st.sampled_from(["spread", "nearest"]))
def test_choice_is_sorted_full_and_independent_of_order(
    listed: list[ListedExpiry], count: int, how: ExpirySelection
) -> None:
    alive = sorted(item.expiry for item in listed if item.strikes and item.expiry >= TODAY)
    chosen = choose_expiries(listed, count, how, NOW)
    assert chosen == sorted(set(chosen))
    assert set(chosen) <= set(alive)
    assert len(chosen) == (min(count, len(alive)) if count else len(alive))
    if chosen:
        assert chosen[0] == alive[0]
    if how == "spread" and len(chosen) > 1:
        assert chosen[-1] == alive[-1]
    assert choose_expiries(listed[::-1], count, how, NOW) == chosen


def test_moneyness_window_includes_its_ends() -> None:
    strikes = np.array([69.9, 70.0, 100.0, 130.0, 130.1])
    taken = within_moneyness(strikes, 100.0, (0.7, 1.3))
    assert taken.tolist() == [False, True, True, True, False]
    assert within_moneyness(strikes, float("nan"), (0.0, float("inf"))).all()
