"""Legs in the money lag; far expiries are thin or one maker's; the true curve jumps."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest

from live_box_spreads.simulator.market.conditions import (
    CONDITIONS,
    NORMAL,
    lagging,
)
from live_box_spreads.simulator.market.spots import Spots
from live_box_spreads.simulator.market.universe import ALL_ROOTS
from tests.simulator.erring_markets import (
    EXACT,
    measured,
    of_root,
    open_market,
    pass_secs,
    quoted,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from live_box_spreads.simulator.market.market import Market

    Floats = NDArray[np.float64]


def depths(market: Market) -> Floats:
    """Return how deep each contract is in the money, 0 to 1, by true prices; NaN beside others."""
    fair, found = market.fair_prices(), np.full(len(market.listing), np.nan)
    for series in market.listing.series:
        discount = market.truth().discount(series.product.root, series.expiry)
        calls = np.arange(series.start, series.stop, 2)
        delta = -np.gradient(fair[calls], series.strikes) / discount
        found[calls] = np.clip(2 * delta - 1, 0, 1)
        found[calls + 1] = np.clip(1 - 2 * delta, 0, 1)
    return found


def ages_secs(market: Market) -> Floats:
    return market.now.timestamp() - market.book.quoted_at_secs[: len(market.listing)]


def test_quotes_in_the_money_are_older() -> None:
    market = open_market(lagging(2.0))  # 40 s of lag
    pass_secs(market, 150)
    age, depth = ages_secs(market), depths(market)
    known = ~np.isnan(age)
    bands = [(0.0, 0.0), (0.3, 0.6), (0.6, 0.9), (0.97, 1.0)]
    mean = [np.mean(age[known & (depth >= low) & (depth <= high)]) for low, high in bands]
    assert all(shallow < deep for shallow, deep in pairwise(mean))
    assert mean[-1] - mean[0] > 8.0
    assert np.max(age[known]) <= 30.0 + 40.0
    usual = open_market(NORMAL)  # wide quotes need no new one for each small move, on any day
    pass_secs(usual, 150)
    same = ages_secs(usual)
    assert np.nanmax(same) <= 30.0
    gap = np.nanmean(same[depth >= 0.97]) - np.nanmean(same[depth == 0.0])
    assert mean[-1] - mean[0] > gap + 5.0


def jump_spots(monkeypatch: pytest.MonkeyPatch, factor: float) -> Callable[[], None]:
    """Let indices stand still, but for one jump by a factor when the function is called."""
    steps = {"next": 1.0}

    def move(spots: Spots, elapsed_secs: float, random: np.random.Generator) -> None:
        del elapsed_secs, random
        spots.levels = {name: level * steps["next"] for name, level in spots.levels.items()}
        steps["next"] = 1.0

    monkeypatch.setattr(Spots, "move", move)
    return lambda: steps.update(next=factor)


def test_after_a_move_of_the_spot_old_mids_in_the_money_bend_calls_less_puts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    jump = jump_spots(monkeypatch, 1.002)
    market = open_market(replace(EXACT, lag_secs=20.0), roots=("SPXW",))
    pass_secs(market, 3)
    before = np.median(of_root(measured(market), "SPXW", 0))
    jump()
    pass_secs(market, 1)
    moved = np.median(of_root(measured(market), "SPXW", 0))
    pass_secs(market, 21)
    after = np.median(of_root(measured(market), "SPXW", 0))
    # The spot rose by 15 points and the deep legs have not: calls less puts are 15 points too low
    # there, and right at the money. In points per 5000 that is 10, less those requoted by chance.
    assert abs(before) < 0.05
    assert moved < -5.0
    assert abs(after) < 0.05


def test_out_of_the_money_quotes_follow_the_spot_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    jump = jump_spots(monkeypatch, 1.002)
    market = open_market(replace(EXACT, lag_secs=20.0), roots=("SPXW",))
    pass_secs(market, 3)
    depth, before = depths(market), market.fair_prices()
    jump()
    pass_secs(market, 2, step_secs=0.25)
    followed = ages_secs(market) < 2.0
    real = (np.abs(market.fair_prices() - before) > 1.0) & ~np.isnan(ages_secs(market))
    assert np.mean(followed[real & (depth == 0)]) == 1.0
    assert np.mean(followed[real & (depth > 0.9)]) < 0.2


@pytest.mark.parametrize("bps", [12.5, -40.0])
def test_a_jump_of_the_curve_moves_the_truth_by_just_so_much(bps: float) -> None:
    market = open_market(NORMAL)
    before = market.truth()
    market.shift_curve(bps)
    after = market.truth()
    assert after.spots == before.spots
    for key, of in before.series.items():
        if of.years > 0:
            now = after.series[key]
            assert (now.rate - of.rate) * 1e4 == pytest.approx(bps, abs=1e-9)
            assert now.discount == pytest.approx(np.exp(-now.rate * of.years), rel=1e-14)
            assert now.forward * now.discount == pytest.approx(of.forward * of.discount, rel=1e-14)


def test_fair_prices_have_a_jump_of_the_curve_at_once() -> None:
    market = open_market(NORMAL, roots=("SPX",))
    market.shift_curve(25.0)
    fair, truth = market.fair_prices(), market.truth()
    for series in market.listing.series:
        of = truth.series["SPX", series.expiry]
        calls = np.arange(series.start, series.stop, 2)
        expected = of.discount * (of.forward - series.strikes)
        np.testing.assert_allclose(fair[calls] - fair[calls + 1], expected, atol=1e-8)


def test_quotes_follow_a_jump_of_the_curve() -> None:
    market = open_market(EXACT, roots=("SPX",))
    market.shift_curve(30.0)
    pass_secs(market, 40)
    for each in quoted(market, fewest=12):
        _, tilt_bps = each.kink_and_tilt
        if each.years > 0.2:
            assert abs(tilt_bps) < 0.6  # without the jump followed: 30 times years


def test_thin_far_expiries_have_a_dozen_wide_strikes_and_the_others_do_not() -> None:
    market = open_market(replace(CONDITIONS["thin_far"], lag_secs=0.0), roots=("SPX",))
    widths = {each.years: each for each in quoted(market, fewest=1)}
    thin = [each for years, each in widths.items() if years > 2.1]
    assert len(thin) == 3
    for each in thin:
        assert len(each.series.strikes) == 12
        assert np.all(np.abs(each.series.strikes / 7_480 - 1) <= 0.3)
        assert 95 < np.median(each.half_spread) < 130
        assert len(each.strike) >= 9
    assert all(
        len(each.series.strikes) > 60 and np.median(each.half_spread) < 40
        for years, each in widths.items()
        if years < 1.9
    )


def test_mids_of_one_maker_have_no_residual_and_still_the_wrong_slope() -> None:
    slopes, residuals = [], []
    for seed in range(8):
        day = replace(CONDITIONS["thin_far"], kink_points=0.0)
        market = open_market(day, seed, ("SPX",))
        for each in quoted(market, fewest=8):
            if each.years > 2.1:
                line = np.polyfit(each.strike, each.error, 1)
                slopes.append(-1e4 * line[0])
                residuals.append(np.std(each.error - np.polyval(line, each.strike)))
    assert np.max(residuals) < 0.1  # points, with half-spreads of a hundred: ticks are left
    assert 6.0 < np.std(slopes) < 14.0  # asked for: 10 bp of the discount factor


def test_expiries_of_one_maker_have_no_noise_and_the_others_have() -> None:
    market = open_market(replace(NORMAL, width=3.0, one_maker_from_years=1.0), roots=("SPX",))
    scatter = {each.years: np.std(each.error / each.half_spread) for each in quoted(market)}
    far = [value for years, value in scatter.items() if years > 1.0]
    near = [value for years, value in scatter.items() if 0.1 < years < 1.0]
    assert max(far) < 0.015
    assert min(near) > 0.02


def test_makers_who_lag_quote_wider_where_their_quotes_would_not_hold_the_fair_price() -> None:
    usual, late = open_market(EXACT), open_market(replace(EXACT, kink_points=2.0))
    depth, count = depths(usual), len(usual.listing)
    half_spread, off = [], []
    for market in (usual, late):
        bid, ask = market.book.bid[:count], market.book.ask[:count]
        half_spread.append((ask - bid) / 2)
        off.append(np.abs((bid + ask) / 2 - market.fair_prices()))
    some = (depth > 0.4) & (depth < 0.6) & ~np.isnan(half_spread[0] + half_spread[1])
    assert np.median((half_spread[1] / half_spread[0])[some]) > 1.2
    assert np.all(off[1][some] <= 0.85 * half_spread[1][some] + 0.05)
    assert np.median((off[1] / half_spread[1])[some]) < 0.82  # not cut off at the most, 0.95
    listing, series = usual.listing, usual.truth().series.values()
    forward = np.array([of.forward for of in series])[listing.series_of]
    outside = np.where(listing.is_call, listing.strike > forward, listing.strike < forward)
    np.testing.assert_array_equal(half_spread[1][outside], half_spread[0][outside])


def test_the_fair_price_stays_between_bid_and_ask_of_the_largest_lag() -> None:
    market = open_market(lagging(2.0, CONDITIONS["stressed"]), 5, ALL_ROOTS)
    count, fair = len(market.listing), market.fair_prices()
    bid, ask = market.book.bid[:count], market.book.ask[:count]
    both = ~np.isnan(bid) & ~np.isnan(ask)
    assert np.all((bid <= fair + 1e-9)[both] & (ask >= fair - 1e-9)[both])
