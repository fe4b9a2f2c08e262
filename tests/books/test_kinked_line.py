"""The kinked line: what is planted comes back; machine code and plain code agree."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest

from live_box_spreads.books.curves.kinked_fit import KinkedFits, kinked_fits, why_not
from live_box_spreads.books.curves.kinked_line import (
    FEWEST_STRIKES,
    KinkedLine,
    Quotes,
    fit_kinked_line,
    probability_above,
)
from live_box_spreads.books.kernels import KINKED
from live_box_spreads.books.strikes.blocks import StrikeBlocks, Strikes
from live_box_spreads.feeds.importers.cboe import read_cboe
from live_box_spreads.model.quality import QualityRules
from tests.books.black_chains import SPOT, STRIKES, VOLATILITY, probability, quotes_of
from tests.real_data import CHAIN_FILES, NO_DATA

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

DISCOUNT, YEARS = 0.9967, 30 / 365


@pytest.fixture(scope="module", autouse=True)
def _compiled() -> Iterator[None]:
    KINKED.load()
    yield
    KINKED.unload()


def by_kernel(blocks: Sequence[Quotes], years: Sequence[float]) -> KinkedFits:
    """Fit the lines of some expiries in machine code."""
    columns = tuple(np.concatenate(column) for column in zip(*blocks, strict=True))
    starts = np.cumsum([0, *(block.strike.size for block in blocks)], dtype=np.intp)
    lines, counts = (
        np.empty((len(blocks), len(KinkedLine._fields))),
        np.zeros((2, len(blocks)), dtype=np.intp),
    )
    assert KINKED.code is not None
    KINKED.code.fill(starts, columns, np.array(years), lines, counts)
    return KinkedFits(lines, counts[0], counts[1])


def assert_same(found: KinkedFits, twin: Sequence[tuple[KinkedLine, int, int]]) -> None:
    """Compare in standard errors and points: the last digits of a sum depend on its order."""
    lines = np.array([line for line, _, _ in twin])
    np.testing.assert_array_equal(found.used, [used for _, used, _ in twin])
    np.testing.assert_array_equal(found.off_line, [off for _, _, off in twin])
    np.testing.assert_array_equal(np.isnan(found.lines), np.isnan(lines))
    for column, error in (("discount", "discount_variance"), ("kink", "kink_variance")):
        at, scale = KinkedLine._fields.index(column), np.sqrt(getattr(found, error))
        apart = (found.lines[:, at] - lines[:, at]) / scale
        assert np.nanmax(np.abs(apart), initial=0.0) < 1e-5
    points = [KinkedLine._fields.index(name) for name in ("kink", "mean_mid", "step")]
    np.testing.assert_allclose(found.lines[:, points], lines[:, points], rtol=1e-6, atol=1e-4)
    others = np.delete(found.lines, points, 1), np.delete(lines, points, 1)
    np.testing.assert_allclose(*others, rtol=1e-4)


def quotes_at_random(seed: int) -> Quotes:
    """Return quotes with noise, outliers, gaps, and legs up to an hour old."""
    draw = np.random.default_rng(seed)
    count = draw.integers(FEWEST_STRIKES, STRIKES.size)
    strike = np.sort(draw.choice(STRIKES, count, replace=False))
    off = 0.1 * draw.standard_normal(strike.size)
    off[draw.random(strike.size) < 0.05] += 20.0
    years = draw.uniform(0.01, 2.0)
    quotes = quotes_of(np.exp(-0.04 * years), years, kink=draw.normal(), off=off, strike=strike)
    lag = np.where(draw.random((2, strike.size)) < 0.3, draw.uniform(0, 3600, (2, strike.size)), 0)
    return quotes._replace(call_lag_secs=lag[0], put_lag_secs=lag[1])


def test_machine_code_and_plain_code_fit_the_same_lines() -> None:
    blocks = [quotes_at_random(seed) for seed in range(40)]
    years = [0.02 + 0.04 * number for number in range(40)]
    twin = [fit_kinked_line(*pair) for pair in zip(blocks, years, strict=True)]
    assert_same(by_kernel(blocks, years), twin)
    assert sum(off for _, _, off in twin) > 40
    # Lags count: without them the lines are others.
    young = [each._replace(call_lag_secs=0 * each.strike) for each in blocks]
    assert np.all(by_kernel(young, years).discount != by_kernel(blocks, years).discount)


def test_they_agree_where_there_is_no_line() -> None:
    whole = quotes_of(DISCOUNT, YEARS)
    rising = whole._replace(mid=-whole.mid)
    flat = whole._replace(mid=np.zeros_like(whole.mid))
    few, odd = whole.of(slice(0, FEWEST_STRIKES - 1)), whole.of(slice(0, FEWEST_STRIKES))
    blocks = [rising, flat, few, odd, whole.of(slice(0, 0)), whole]
    years = [YEARS] * len(blocks)
    twin = [fit_kinked_line(*pair) for pair in zip(blocks, years, strict=True)]
    assert_same(by_kernel(blocks, years), twin)
    assert [np.isnan(line.discount) for line, _, _ in twin] == [True] * 5 + [False]


@pytest.mark.parametrize("kink", [-2.0, 0.0, 1.5])
def test_discount_forward_and_a_planted_kink_come_back(kink: float) -> None:
    quotes = quotes_of(DISCOUNT, YEARS, kink=kink)
    line, used, off_line = fit_kinked_line(quotes, YEARS)
    assert (used, off_line) == (STRIKES.size, 0)
    # g is found from slopes between strikes, so not to the last digit.
    assert line.discount == pytest.approx(DISCOUNT, abs=1e-5)
    assert line.kink == pytest.approx(kink, abs=0.02)
    forward = (line.mean_mid - line.kink * line.mean_bend) / line.discount + line.mean_strike
    assert forward == pytest.approx(SPOT, abs=0.05)
    assert line.half_spread == np.median(quotes.half_spread)


def test_the_covariance_says_how_far_discount_and_kink_are_off() -> None:
    draw = np.random.default_rng(5)
    strike, blocks = STRIKES[30:], []  # more of them above the forward, so that both are confused
    for _ in range(150):
        own = draw.standard_normal(strike.size)
        scale = 0.1 * np.sqrt(quotes_of(DISCOUNT, YEARS, strike=strike).half_spread)
        blocks.append(quotes_of(DISCOUNT, YEARS, kink=1.0, off=scale * own, strike=strike))
    found = by_kernel(blocks, [YEARS] * len(blocks))
    for off, variance in (
        (found.discount - DISCOUNT, found.discount_variance),
        (found.kink - 1.0, found.kink_variance),
    ):
        share = np.mean(np.abs(off) < 2 * np.sqrt(variance))
        assert share > 0.9  # and more: half of the variance is believed to be shared
    alike = np.corrcoef(found.discount, found.kink)[0, 1]
    said = found.covariance / np.sqrt(found.discount_variance * found.kink_variance)
    assert alike == pytest.approx(np.mean(said), abs=0.2)
    assert abs(alike) > 0.3  # one expiry tells them apart badly


def lagging(seed: int, secs: float) -> Quotes:
    """Return quotes some of whose in-the-money legs missed moves of the spot."""
    draw = np.random.default_rng(seed)
    quotes = quotes_of(DISCOUNT, YEARS, off=0.15 * draw.standard_normal(STRIKES.size))
    above = probability(STRIKES, SPOT, YEARS)
    a_second = SPOT * VOLATILITY / np.sqrt(252 * 6.5 * 3600)
    old = draw.random((2, STRIKES.size)) < np.stack([STRIKES < SPOT, STRIKES >= SPOT]) * 0.4
    lag = np.where(old, secs, 0.0)
    move = a_second * np.sqrt(lag) * draw.standard_normal(lag.shape)
    off = np.stack([above, 1.0 - above]) * move
    return quotes._replace(
        mid=quotes.mid + off[0] - off[1],
        call_mid=quotes.call_mid + off[0],
        put_mid=quotes.put_mid + off[1],
        call_lag_secs=lag[0],
        put_lag_secs=lag[1],
    )


def test_legs_that_are_old_weigh_less_and_the_estimate_is_better() -> None:
    blocks = [lagging(seed, 2.0) for seed in range(60)]
    nothing = np.zeros(STRIKES.size)
    blind = [each._replace(call_lag_secs=nothing, put_lag_secs=nothing) for each in blocks]
    seeing, unseeing = (by_kernel(each, [YEARS] * 60).discount for each in (blocks, blind))
    rms, rms_blind = (np.sqrt(np.mean((d - DISCOUNT) ** 2)) for d in (seeing, unseeing))
    assert rms < 0.75 * rms_blind


def test_one_old_leg_moves_a_line_less_than_a_young_one() -> None:
    off = np.zeros(STRIKES.size)
    off[-20:] = 0.3
    noise = 0.1 * np.random.default_rng(2).standard_normal(STRIKES.size)
    lag = np.where(off > 0, 3600.0, 0.0)
    plain, young = (quotes_of(DISCOUNT, YEARS, off=each) for each in (noise, noise + off))
    old = young._replace(put_lag_secs=lag)
    there, moved, held = (fit_kinked_line(each, YEARS)[0].discount for each in (plain, young, old))
    assert abs(held - there) < 0.5 * abs(moved - there)


@pytest.mark.parametrize("years", [0.02, 0.1, 1.0])
def test_the_probability_of_ending_above_is_that_of_black(years: float) -> None:
    discount = float(np.exp(-0.04 * years))
    above = probability_above(quotes_of(discount, years), discount, SPOT)
    # Between the two strikes around the forward no slope is known; elsewhere to a slope's width.
    np.testing.assert_allclose(above, probability(STRIKES, SPOT, years), atol=0.03)


def test_the_probability_of_ending_above_falls_from_one_to_zero_whatever_the_quotes() -> None:
    for seed in range(30):
        quotes = quotes_at_random(seed)
        draw = np.random.default_rng(seed)
        wild = quotes._replace(
            call_mid=quotes.call_mid + 5 * draw.standard_normal(quotes.strike.size),
            put_mid=quotes.put_mid + 5 * draw.standard_normal(quotes.strike.size),
        )
        above = probability_above(wild, 0.98, SPOT)
        assert np.all((above >= 0.0) & (above <= 1.0))
        assert np.all(np.diff(above) <= 1e-12)


@pytest.mark.parametrize("points", [2.0, -3.0])
def test_a_step_between_the_halves_of_the_strikes_is_found_and_refused(points: float) -> None:
    noise = 0.05 * np.random.default_rng(1).standard_normal(STRIKES.size)
    shifted = quotes_of(DISCOUNT, YEARS, off=noise + np.where(STRIKES >= SPOT, points, 0.0))
    whole = quotes_of(DISCOUNT, YEARS, off=noise, kink=2.0)
    found = by_kernel([shifted, whole], [YEARS, YEARS])
    assert 0.5 < found.step[0] / points < 1.1  # the line takes some of it
    assert abs(found.step[1]) < 3 * found.step_error[1]
    refused, taken = why_not(
        by_kernel([shifted, whole, whole], [YEARS] * 3), np.full(3, YEARS), SPOT
    )[:2]
    assert refused.startswith("strikes below and above the forward contradict each other by ")
    assert taken == ""


def test_strikes_on_one_side_of_the_forward_have_no_step() -> None:
    low = quotes_of(DISCOUNT, 1.0).of(slice(0, 40))
    line, used, _ = fit_kinked_line(low, 1.0)
    assert used == 40
    assert np.isnan(line.step)
    assert np.isnan(by_kernel([low], [1.0]).step[0])


# Real chains.


@pytest.mark.realdata
@pytest.mark.skipif(not CHAIN_FILES, reason=NO_DATA)
@pytest.mark.parametrize("path", CHAIN_FILES[1:9:3], ids=lambda path: path.name.split(".")[0])
def test_machine_code_and_plain_code_agree_on_real_chains(path: Path) -> None:
    strikes = Strikes.of(read_cboe(path), QualityRules())
    years = np.nan_to_num(strikes.years())
    draw = np.random.default_rng(1)
    for ages in (None, draw.uniform(0, 600, (2, strikes.blocks.strike.size))):
        blocks = strikes.blocks
        if ages is not None:
            blocks = replace(blocks, call_age_secs=ages[0], put_age_secs=ages[1])
        compiled = kinked_fits(blocks, years)
        plain = plain_fits(blocks, years)
        assert_same(compiled, plain)
        known = np.isfinite(compiled.discount)
        assert np.count_nonzero(known) > 0.8 * len(blocks)


def plain_fits(blocks: StrikeBlocks, years: Floats) -> list[tuple[KinkedLine, int, int]]:
    """Fit by plain code what ``kinked_fits`` does by the kernel."""
    KINKED.unload()
    try:
        found = kinked_fits(blocks, years)
    finally:
        KINKED.load()
    return [
        (KinkedLine(*line), int(used), int(off))
        for line, used, off in zip(found.lines, found.used, found.off_line, strict=True)
    ]


def test_a_lag_is_counted_from_the_newest_leg_of_the_expiry() -> None:
    one, other = lagging(1, 600.0), lagging(2, 600.0)
    joined = Quotes(*(np.concatenate(pair) for pair in zip(one, other, strict=True)))
    count = STRIKES.size
    unknown = np.full(2 * count, np.nan)
    since = np.repeat([1000.0, 9.0], count)  # the whole expiry is as old, which counts for nothing
    blocks = StrikeBlocks(
        keys=(("SPX", None), ("SPXW", None)),  # type: ignore[arg-type]
        starts=np.array([0, count, 2 * count], dtype=np.intp),
        strike=joined.strike,
        syn_bid=joined.mid - joined.half_spread,
        syn_ask=joined.mid + joined.half_spread,
        buy_size=unknown,
        sell_size=unknown,
        volume=unknown,
        open_interest=unknown,
        call_mid=joined.call_mid,
        put_mid=joined.put_mid,
        call_age_secs=joined.call_lag_secs + since,
        put_age_secs=joined.put_lag_secs + since,
        flags=np.zeros(2 * count, dtype=np.uint8),
    )
    found = kinked_fits(blocks, np.array([YEARS, YEARS]))
    assert [*pairwise(blocks.starts)] == [(0, count), (count, 2 * count)]
    expected = by_kernel([one, other], [YEARS, YEARS])
    np.testing.assert_allclose(found.discount, expected.discount, rtol=1e-12)
    timeless = replace(blocks, call_age_secs=unknown, put_age_secs=unknown)
    assert np.any(kinked_fits(timeless, np.array([YEARS, YEARS])).discount != found.discount)
