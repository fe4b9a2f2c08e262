"""Monotone cubic interpolation: through the points, never beyond them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from live_box_spreads.model.errors import ModelError
from live_box_spreads.model.monotone import MonotoneCubic

POINTS = st.lists(
    st.tuples(st.floats(0.01, 5), st.floats(-10, 10)), min_size=2, max_size=12
)  # step to the next position, value


def _curve(points: list[tuple[float, float]]) -> MonotoneCubic:
    steps, values = zip(*points, strict=True)
    return MonotoneCubic(np.cumsum(np.array(steps)), np.array(values))


def test_slopes_and_values_by_hand() -> None:
    # Steps 1 and 1, secants 1 and 3: the middle slope is 6 / (3/1 + 3/3) = 1.5, the first one is
    # (3*1 - 1*3) / 2 = 0, the last (3*3 - 1*1) / 2 = 4. Half-way, a cubic is the mean of its ends
    # plus an eighth of the step times the difference of the slopes.
    curve = MonotoneCubic(np.array([0.0, 1.0, 2.0]), np.array([0.0, 1.0, 4.0]))
    expected = [0.5 + (0 - 1.5) / 8, 2.5 + (1.5 - 4) / 8]
    assert curve(np.array([0.5, 1.5])) == pytest.approx(expected, abs=1e-15)


def test_two_points_make_a_straight_line() -> None:
    curve = MonotoneCubic(np.array([1.0, 3.0]), np.array([2.0, 8.0]))
    assert curve(np.array([1.0, 1.5, 2.0, 3.0])) == pytest.approx([2, 3.5, 5, 8], abs=1e-14)


def test_a_peak_is_not_overshot() -> None:
    curve = MonotoneCubic(np.array([0.0, 1.0, 2.0]), np.array([0.0, 1.0, 0.0]))
    assert curve(np.linspace(0, 2, 201)).max() == pytest.approx(1.0, abs=1e-15)


@given(POINTS)
def test_it_goes_through_the_points(points: list[tuple[float, float]]) -> None:
    curve = _curve(points)
    assert curve(curve.x) == pytest.approx(curve.y, abs=1e-12)


@given(POINTS)
def test_between_two_points_it_stays_between_their_values(
    points: list[tuple[float, float]],
) -> None:
    curve = _curve(points)
    for i in range(len(points) - 1):
        inside = curve(np.linspace(curve.x[i], curve.x[i + 1], 21))
        rise = np.diff(inside) * np.sign(curve.y[i + 1] - curve.y[i])
        assert (rise >= -1e-12).all()


@given(POINTS)
def test_outside_the_points_is_nan(points: list[tuple[float, float]]) -> None:
    curve = _curve(points)
    assert np.isnan(curve(np.array([curve.x[0] - 1e-9, curve.x[-1] + 1e-9]))).all()


@pytest.mark.parametrize(
    ("x", "y"),
    [
        ([1.0], [1.0]),
        ([1.0, 2.0], [1.0]),
        ([1.0, 1.0], [1.0, 2.0]),
        ([2.0, 1.0], [1.0, 2.0]),
        ([1.0, 2.0], [1.0, np.nan]),
    ],
)
def test_points_that_make_no_curve_are_refused(x: list[float], y: list[float]) -> None:
    with pytest.raises(ModelError, match="curve"):
        MonotoneCubic(np.array(x), np.array(y))
