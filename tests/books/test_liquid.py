"""The weighted median against a plain-Python twin, also of no rows, locked sides and one side."""

from __future__ import annotations

from fractions import Fraction
from math import inf, isnan, nan

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from live_box_spreads.books.views.liquid import LEAST_SPREAD, tight_spread, weighted_median

Box = tuple[float, float]
"""Rate to borrow at, rate to lend at."""

RATES = st.one_of(
    st.sampled_from([nan, inf, 0.0, 0.04, 0.0401]), st.floats(-1.0, 10.0, allow_nan=False)
)
BOXES = st.lists(st.tuples(RATES, RATES), max_size=12)


def _twin(boxes: list[Box]) -> set[float]:
    """Return the medians that exact arithmetic allows: two where just half the weight is below."""
    weighed = []
    for bid, ask in boxes:
        spread = abs(bid - ask)
        if not isnan(spread) and spread != inf:
            weighed.append(((bid + ask) / 2, 1 / Fraction(max(spread, LEAST_SPREAD)) ** 2))
    weighed.sort()
    total, below, found = sum(weight for _, weight in weighed), Fraction(0), set()
    for mid, weight in weighed:
        before, below = below, below + weight
        # The sums of the fast one err in the last digits: near the half either box may be it.
        if 2 * below >= total * (1 - Fraction(1, 10**9)) and 2 * before <= total * (
            1 + Fraction(1, 10**9)
        ):
            found.add(mid)
    return found


def _median(boxes: list[Box]) -> float:
    bid, ask = (np.array(side, dtype=np.float64) for side in zip(*boxes, strict=True))
    with np.errstate(invalid="ignore"):  # of two infinite rates
        return weighted_median((bid + ask) / 2, bid - ask)


@given(BOXES)
@example([])
@example([(nan, 0.04)])
@example([(0.04, 0.04)])
@example([(0.04, 0.04), (0.05, 0.05), (0.06, 0.06), (0.07, 0.03)])
@example([(inf, 0.04), (0.05, 0.04)])
def test_agrees_with_exact_fractions(boxes: list[Box]) -> None:
    found, allowed = _median(boxes) if boxes else weighted_median(*np.empty((2, 0))), _twin(boxes)
    assert found in allowed if allowed else isnan(found)


def test_locked_boxes_share_the_weight_evenly() -> None:
    locked = [(rate, rate) for rate in (0.05, 0.03, 0.04)]
    assert _median([*locked, (0.9, 0.8)]) == 0.04


def test_no_rows_have_no_median_and_no_spread() -> None:
    nothing = np.empty(0)
    assert isnan(weighted_median(nothing, nothing))
    assert isnan(tight_spread(nothing))


@pytest.mark.parametrize(
    ("spreads", "median"),
    [
        ([], nan),
        ([nan, nan], nan),
        ([0.0, 0.0], 0.0),
        ([0.01], 0.01),
        ([0.05, 0.01, nan, 0.04, 0.02, 0.03], 0.015),  # two of five: 0.25 * 4 is the second
        ([0.01, 0.01, 0.01, 0.09, 0.09], 0.01),  # a tie with the last one taken
    ],
)
def test_the_median_of_the_tightest_quarter(spreads: list[float], median: float) -> None:
    found = tight_spread(np.array(spreads, dtype=np.float64))
    assert found == pytest.approx(median, nan_ok=True)
