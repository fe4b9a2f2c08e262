"""The joint fit against curves that are known: coverage, tilt, doubted expiries, repeatability."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import pytest

from live_box_spreads.books.curves.joint_fit import FLOOR, STANDS_OUT, JointFit, Peak, joint_fit
from live_box_spreads.books.curves.joint_model import (
    CENTRE,
    RATE,
    JointModel,
    Lines,
    curve_covariance,
)
from live_box_spreads.books.curves.one_thread import one_thread
from tests.books.drawn_lines import YEARS, lines_of, quoted

BP = 1e-4
GROWTH = 0.043 * YEARS - 0.004 * YEARS * np.exp(-YEARS) + 0.002 * (1 - np.exp(-3 * YEARS))
"""A curve that falls from 4.5 %, not drawn from the prior."""


def known_lines(seed: int, tilt_bps: float = 0.0) -> Lines:
    """Return lines around ``GROWTH`` with all errors of the model, and a tilt beside."""
    draw = np.random.default_rng(seed)
    calm = CENTRE._replace(tilt=0.01 * CENTRE.tilt) if tilt_bps else CENTRE
    lines = quoted(draw, GROWTH, lines_of(draw, YEARS), calm)
    return lines._replace(log_growth=lines.log_growth + planted(tilt_bps))


def planted(tilt_bps: float) -> np.ndarray:
    return tilt_bps * BP / (1 + YEARS / 0.15)


def off_bps(fit: JointFit) -> np.ndarray:
    return (fit.at(YEARS)[0] - GROWTH / YEARS) / BP


def test_two_standard_errors_hold_a_known_curve() -> None:
    within = []
    for seed in range(60):
        fit = joint_fit(known_lines(seed))
        rates, covariance = fit.at(YEARS)
        within.append(np.abs(rates - GROWTH / YEARS) <= 2 * np.sqrt(np.diag(covariance)))
    share = np.mean(within, axis=0)
    assert 0.85 <= np.mean(share) <= 0.999
    assert np.all(share >= 0.8)  # at each time by itself


def test_a_planted_tilt_is_found_and_taken_away() -> None:
    for seed in (1, 2, 3):
        tilted = known_lines(seed, tilt_bps=10.0)
        fit = joint_fit(tilted)
        found, error = fit.tilt()
        assert np.all(np.abs(found - planted(10.0)) < 2.5 * error)
        assert found[0] / BP == pytest.approx(planted(10.0)[0] / BP, abs=2.5)
        month = np.abs(YEARS - 25 / 365) < 0.04
        alone = (tilted.log_growth - GROWTH) / YEARS / BP
        assert np.mean(np.abs(off_bps(fit)[month])) < 0.25 * np.mean(np.abs(alone[month]))


def test_an_expiry_that_stands_out_is_doubted_and_moves_nothing() -> None:
    clean = known_lines(4)
    shifted = clean.log_growth.copy()
    shifted[8] += 60 * BP * YEARS[8]
    plain, doubting = joint_fit(clean), joint_fit(clean._replace(log_growth=shifted))
    inflation = doubting.lines.inflation
    assert inflation[8] > 3.0
    assert np.all(np.delete(inflation, 8) < 2.0)
    others = np.delete(np.arange(YEARS.size), 8)
    apart = np.abs(off_bps(doubting) - off_bps(plain))
    error = np.sqrt(np.diag(plain.at(YEARS)[1])) / BP
    assert np.all(apart[others] < 0.5 * error[others])
    off, spread = doubting.left_out()
    assert off[8] / BP == pytest.approx(60, abs=12)
    assert abs(off[8]) > STANDS_OUT * spread[8] / inflation[8]


def test_errors_of_forward_rates_are_those_of_draws() -> None:
    draw = np.random.default_rng(7)
    lines = lines_of(draw, YEARS)
    model = JointModel.of(lines)
    count = YEARS.size
    curve = curve_covariance(YEARS, YEARS, CENTRE.bend)
    others = model.covariance(CENTRE)
    others[:count, :count] -= curve
    roots = np.linalg.cholesky(curve + 1e-16 * np.eye(count)), np.linalg.cholesky(others)
    step = np.diff(np.eye(count), axis=0)
    squares = []
    for _ in range(300):
        grown = RATE * YEARS + roots[0] @ draw.standard_normal(count)
        drawn = roots[1] @ draw.standard_normal(2 * count)
        seen = lines._replace(log_growth=grown + drawn[:count], kink=drawn[count:])
        mean, covariance = Peak(JointModel.of(seen), CENTRE, 0.0).at(YEARS)
        errors = np.sqrt(np.diag(step @ covariance @ step.T))
        squares.append(((step @ (mean - grown)) / errors) ** 2)
    # The mean of 300 squares of a standard normal has a standard error of 0.08.
    np.testing.assert_allclose(np.mean(squares, axis=0), 1.0, atol=0.35)


def test_no_standard_error_is_below_the_floor_and_near_rates_share_it() -> None:
    sure = lines_of(np.random.default_rng(1), YEARS)
    sure = sure._replace(covariance=1e-4 * sure.covariance, log_growth=GROWTH)
    _, covariance = joint_fit(sure).at(YEARS)
    assert np.all(np.sqrt(np.diag(covariance)) >= FLOOR)
    _, near = joint_fit(sure).at(np.array([1.0, 1.02]))
    lent = np.array([1.0, 1.02])
    forward = np.array([-1.0, 1.0]) * lent
    assert np.sqrt(forward @ near @ forward) / 0.02 < 0.02  # by itself each floor gives 1 %


def test_a_start_from_the_last_fit_gives_the_same_rates() -> None:
    for seed in (1, 5, 9):
        lines = known_lines(seed)
        cold = joint_fit(lines)
        peaks = [peak.scales for peak in cold.peaks]
        warm = joint_fit(lines, start=peaks)
        assert np.max(np.abs(off_bps(warm) - off_bps(cold))) < 0.05
        later = lines._replace(log_growth=lines.log_growth + 0.5 * BP * YEARS)
        moved = off_bps(joint_fit(later, start=peaks)) - off_bps(joint_fit(later))
        assert np.max(np.abs(moved)) < 0.3


def test_threads_at_once_find_the_same_digits_as_one() -> None:
    chains = [known_lines(seed) for seed in range(4)]
    alone = [joint_fit(lines).at(YEARS) for lines in chains]
    at_once = Barrier(4)

    def fitted(lines: Lines) -> tuple[np.ndarray, np.ndarray]:
        at_once.wait(10)
        return joint_fit(lines).at(YEARS)

    with ThreadPoolExecutor(4) as pool:
        for found, expected in zip(pool.map(fitted, chains), alone, strict=True):
            np.testing.assert_array_equal(found[0], expected[0])
            np.testing.assert_array_equal(found[1], expected[1])


def test_linear_algebra_has_one_thread_meanwhile_and_what_it_had_afterwards() -> None:
    from threadpoolctl import threadpool_info  # noqa: PLC0415 - tells of libraries loaded by now

    def threads() -> list[int]:
        return [lib["num_threads"] for lib in threadpool_info() if lib["user_api"] == "blas"]

    np.linalg.inv(np.eye(3))
    before = threads()
    with one_thread():
        assert set(threads()) == {1}
        with one_thread():
            assert set(threads()) == {1}
    assert threads() == before


def test_the_order_of_expiries_does_not_matter() -> None:
    lines = known_lines(3)
    order = np.random.default_rng(1).permutation(YEARS.size)
    there = joint_fit(lines)
    mixed = joint_fit(Lines._make(column[order] for column in lines))
    assert np.max(np.abs(off_bps(mixed) - off_bps(there))) < 0.05
    np.testing.assert_allclose(mixed.growth()[1], there.growth()[1][order], rtol=0.02)


def test_weights_of_the_peaks_add_up_and_the_best_is_first() -> None:
    fit = joint_fit(known_lines(2))
    assert np.sum(fit.weights) == pytest.approx(1.0)
    assert fit.weights[0] == np.max(fit.weights)
    costs = [peak.cost for peak in fit.peaks]
    assert costs == sorted(costs)


def test_growth_at_the_expiries_is_that_of_the_curve() -> None:
    fit = joint_fit(known_lines(2))
    grown, error = fit.growth()
    rates, covariance = fit.at(YEARS)
    np.testing.assert_allclose(grown, rates * YEARS, rtol=1e-10)
    np.testing.assert_allclose(error, np.sqrt(np.diag(covariance)) * YEARS, rtol=1e-6)
