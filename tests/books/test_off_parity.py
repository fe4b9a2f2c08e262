from __future__ import annotations

import numpy as np
import pytest

from live_box_spreads.books.curves.off_parity import far_from_parity
from live_box_spreads.books.strikes.synthetics import SyntheticForwards

STRIKE = np.arange(4000.0, 6000.0, 25.0)
DISCOUNT, LEVEL = 0.95, 4800.0


def quotes(shift: float, where: slice | list[int], half_spread: float = 2.0) -> SyntheticForwards:
    """Quote the parity line with mids that scatter a little, and some of them shifted."""
    wobble = 0.1 * np.sin(np.arange(STRIKE.size) * 2.0)
    mid = LEVEL - DISCOUNT * STRIKE + wobble
    mid[where] += shift
    return SyntheticForwards(STRIKE, mid - half_spread, mid + half_spread)


@pytest.mark.parametrize("bad", [[0], [1], [40], [79], [10, 50, 70]])
@pytest.mark.parametrize("shift", [-40.0, -1.5, 1.5, 40.0])
def test_single_mids_that_do_not_belong_are_found(bad: list[int], shift: float) -> None:
    far = far_from_parity(quotes(shift, bad), DISCOUNT, 0.10)
    assert np.flatnonzero(far).tolist() == bad


def test_a_whole_stretch_that_is_wrong_is_found() -> None:
    far = far_from_parity(quotes(5.0, slice(20, 40)), DISCOUNT, 0.10)
    assert far[20:40].all()
    assert not np.delete(far, slice(16, 44)).any()


def test_what_is_usual_is_not_far() -> None:
    assert not far_from_parity(quotes(0.0, []), DISCOUNT, 0.10).any()
    # Less than a quarter of a half-spread, or less than two ticks, is nothing.
    assert not far_from_parity(quotes(0.4, [30]), DISCOUNT, 0.10).any()
    assert not far_from_parity(quotes(0.15, [30], half_spread=0.1), DISCOUNT, 0.10).any()


def test_strikes_without_both_sides_are_not_far_and_bend_nothing() -> None:
    given = quotes(1.5, [40])
    given.syn_bid[:10] = np.nan
    given.syn_ask[41] = np.nan
    assert np.flatnonzero(far_from_parity(given, DISCOUNT, 0.10)).tolist() == [40]


@pytest.mark.parametrize("strikes", [0, 1, 2, 3])
def test_few_strikes_are_judged_without_a_warning(strikes: int) -> None:
    given = quotes(0.0, []).take(np.arange(strikes))
    assert not far_from_parity(given, DISCOUNT, 0.10).any()
    given.syn_bid[:] = np.nan
    assert not far_from_parity(given, DISCOUNT, 0.10).any()
