"""The weighted median against a plain-Python twin, also of no rows, locked sides and one side."""

from __future__ import annotations

from fractions import Fraction
from math import inf, isnan, nan
from typing import Any

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from live_box_spreads.books.views.liquid import LEAST_SPREAD, tightest_spread, weighted_median

Box = tuple[int, float, float]
"""Cell, rate to borrow at, rate to lend at."""

RATES = st.one_of(
    st.sampled_from([nan, inf, 0.0, 0.04, 0.0401]), st.floats(-1.0, 10.0, allow_nan=False)
)
BOXES = st.lists(st.tuples(st.integers(0, 2), RATES, RATES), max_size=12)


def _frame(boxes: list[Box]) -> pl.DataFrame:
    mids = [(bid + ask) / 2 for _, bid, ask in boxes]
    cells, bids, asks = ([box[at] for box in boxes] for at in range(3))
    return pl.DataFrame(
        {"cell": cells, "mid_rate": mids, "bid_rate": bids, "ask_rate": asks},
        schema={
            "cell": pl.Int64,
            **dict.fromkeys(("mid_rate", "bid_rate", "ask_rate"), pl.Float64),
        },
    )


def _twin(boxes: list[Box]) -> set[float]:
    """Return the medians that exact arithmetic allows: two where just half the weight is below."""
    weighed = []
    for _, bid, ask in boxes:
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


def _by_cell(boxes: list[Box]) -> dict[int, Any]:
    grouped = _frame(boxes).group_by("cell").agg(rate=weighted_median("mid_rate"))
    return dict(grouped.iter_rows())


@given(BOXES)
@example([])
@example([(0, nan, 0.04)])
@example([(0, 0.04, 0.04)])
@example([(0, 0.04, 0.04), (0, 0.05, 0.05), (0, 0.06, 0.06), (0, 0.07, 0.03)])
@example([(0, inf, 0.04), (0, 0.05, 0.04)])
def test_agrees_with_exact_fractions(boxes: list[Box]) -> None:
    found = _by_cell(boxes)
    assert set(found) == {cell for cell, *_ in boxes}
    for cell, rate in found.items():
        allowed = _twin([box for box in boxes if box[0] == cell])
        assert rate in allowed if allowed else rate is None


def test_locked_boxes_share_the_weight_evenly() -> None:
    locked = [(0, rate, rate) for rate in (0.05, 0.03, 0.04)]
    assert _by_cell([*locked, (0, 0.9, 0.8)]) == {0: 0.04}


def test_no_rows_have_no_median_and_no_spread() -> None:
    frame = _frame([]).select(rate=weighted_median("mid_rate"), spread=tightest_spread().median())
    assert frame.rows() == [(None, None)]
    assert _by_cell([]) == {}


@pytest.mark.parametrize("spreads", [[], [nan, nan], [0.0, 0.0], [0.01]])
def test_the_tightest_spread_of_each_kind(spreads: list[float]) -> None:
    found = _frame([(0, 0.04 + spread, 0.04) for spread in spreads]).select(tightest_spread())
    known = [spread for spread in spreads if not isnan(spread)]
    assert found.to_series().to_list() == pytest.approx(known)
