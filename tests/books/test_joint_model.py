"""The covariances of the joint fit, against quadrature, finite differences and what must hold."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from live_box_spreads.books.curves.joint_model import (
    BOUNDS,
    CENTRE,
    JointModel,
    Lines,
    Scales,
    curve_covariance,
    integrated_bend,
    inverse,
    level_and_slope,
)
from tests.books.drawn_lines import YEARS, lines_of


def by_quadrature(first: float, second: float) -> tuple[float, float]:
    """Return the covariance of two z by bend of scale one, and by the slope of deviation 1 %.

    From that of the forward rates: an integrated Wiener process at x and u has covariance
    ``m² (3 M - m) / 6`` with m the lesser and M the greater (Rasmussen and Williams, 6.3.1).
    """
    node, weight = np.polynomial.legendre.leggauss(200)
    t, s = 0.5 * first * (node + 1), 0.5 * second * (node + 1)
    x, u = np.log1p(t / 0.25)[:, None], np.log1p(s / 0.25)[None, :]
    least, most = np.minimum(x, u), np.maximum(x, u)
    area = 0.25 * first * second * weight[:, None] * weight[None, :]
    bend = np.sum(area * least**2 * (3 * most - least) / 6)
    return float(bend), float(np.sum(area * 0.01**2 * x * u))


@pytest.mark.parametrize(
    ("first", "second"), [(0.02, 0.02), (0.02, 3.0), (0.5, 0.4), (1.0, 1.0), (5.0, 2.0)]
)
def test_the_curve_has_the_covariance_that_quadrature_finds(first: float, second: float) -> None:
    bend, slope = by_quadrature(first, second)
    here, there = np.array([first]), np.array([second])
    assert integrated_bend(here, there)[0, 0] == pytest.approx(bend, rel=1e-4)
    straight = level_and_slope(here, there)[0, 0]
    assert straight == pytest.approx(0.03**2 * first * second + slope, rel=1e-6)


def test_a_discount_factor_at_time_zero_is_one() -> None:
    nothing = np.zeros(1)
    assert not np.any(curve_covariance(nothing, np.array([0.0, 0.1, 1.0, 5.0]), 0.02))


def test_forward_rates_far_apart_are_less_alike_than_near_ones() -> None:
    years = np.array([0.1, 0.2, 0.5, 1.0, 2.0, 4.0])
    covariance = curve_covariance(years, years, CENTRE.bend)
    deviation = np.sqrt(np.diag(covariance))
    alike = covariance / np.outer(deviation, deviation)
    assert np.all(alike <= 1.0 + 1e-12)
    assert all(near > far for near, far in pairwise(alike[0]))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_gradient_of_the_cost_is_that_of_finite_differences(seed: int) -> None:
    draw = np.random.default_rng(seed)
    lines = lines_of(draw, np.concatenate([YEARS, YEARS[:4]]), roots=(YEARS.size, 4))
    model = JointModel.of(lines._replace(inflation=1 + 2 * draw.random(lines.years.size)))
    at = np.log(CENTRE) + 0.5 * draw.standard_normal(len(CENTRE))
    _, gradient = model.cost(at)
    step = 1e-5
    for place, found in enumerate(gradient):
        ahead = np.zeros(len(CENTRE))
        ahead[place] = step
        slope = (model.cost(at + ahead)[0] - model.cost(at - ahead)[0]) / (2 * step)
        assert found == pytest.approx(slope, rel=1e-4, abs=1e-4), Scales._fields[place]


@st.composite
def models(draw: st.DrawFn) -> tuple[JointModel, Scales]:
    """Draw lines at any times, near ones, equal ones in two roots, and any scales tried."""
    seed = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    days = draw(st.lists(st.integers(0, 1800), min_size=1, max_size=25, unique=True))
    years = np.sort(np.array(days)) / 365
    both = draw(st.booleans())
    roots = (years.size, years.size) if both else (years.size,)
    lines = lines_of(seed, np.tile(years, len(roots)), roots=roots)
    share = np.array(draw(st.lists(st.floats(0, 1), min_size=8, max_size=8)))
    return JointModel.of(lines), Scales(*np.exp(BOUNDS[:, 0] + share * np.ptp(BOUNDS, axis=1)))


@settings(deadline=None, max_examples=60)
@given(models())
def test_the_covariance_of_any_lines_is_positive_definite(drawn: tuple[JointModel, Scales]) -> None:
    model, scales = drawn
    covariance = model.covariance(scales)
    np.testing.assert_allclose(covariance, covariance.T, rtol=1e-9)
    precision, half = inverse(covariance)
    unit = np.sqrt(np.diag(covariance))
    scaled = precision * np.outer(unit, unit) @ (covariance / np.outer(unit, unit))
    np.testing.assert_allclose(scaled, np.eye(unit.size), atol=1e-3)
    assert half == pytest.approx(0.5 * np.linalg.slogdet(covariance)[1], rel=1e-6, abs=1e-6)


def test_a_covariance_that_is_none_is_refused() -> None:
    with pytest.raises(np.linalg.LinAlgError, match="covariance of 2 is not positive definite"):
        inverse(np.array([[1.0, 2.0], [2.0, 1.0]]))


def test_two_roots_share_the_curve_and_neither_tilt_nor_kink() -> None:
    lines = lines_of(np.random.default_rng(1), np.tile(YEARS, 2), roots=(YEARS.size, YEARS.size))
    count = YEARS.size
    total = JointModel.of(lines).covariance(CENTRE)
    across = total[:count, count : 2 * count]
    np.testing.assert_allclose(across, curve_covariance(YEARS, YEARS, CENTRE.bend), rtol=1e-12)
    assert not np.any(total[2 * count : 3 * count, 3 * count :])


def test_a_line_that_stands_out_counts_for_less_and_is_still_of_the_curve() -> None:
    lines: Lines = lines_of(np.random.default_rng(1), YEARS)
    raised = np.ones(YEARS.size)
    raised[3] = 5.0
    plain, doubted = (
        JointModel.of(lines._replace(inflation=each)).covariance(CENTRE)
        for each in (np.ones(YEARS.size), raised)
    )
    more = np.argwhere(doubted != plain)
    assert {tuple(row) for row in more.tolist()} == {
        (3, 3), (3 + YEARS.size, 3 + YEARS.size), (3, 3 + YEARS.size), (3 + YEARS.size, 3),
    }  # fmt: skip
    assert doubted[3, 3] > plain[3, 3]
