"""The market errs as real ones do: kink, tilt, lag and far expiries, of the sizes asked for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest

from live_box_spreads.simulator.market.conditions import (
    CONDITIONS,
    NORMAL,
    Conditions,
    lagging,
)
from live_box_spreads.simulator.market.market import Market
from live_box_spreads.simulator.market.market_errors import MarketErrors
from live_box_spreads.simulator.market.spots import Spots
from live_box_spreads.simulator.market.universe import ALL_ROOTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from live_box_spreads.simulator.market.universe import Series

    Floats = NDArray[np.float64]

OPENING = datetime(2026, 11, 24, 16, 0, tzinfo=UTC)
S_AND_P = ("SPX", "SPXW")
EXACT = Conditions(width=0.5, mid_noise=0.0)
"""Mids that have no errors but those of rounding and those put on them."""
KINK = replace(EXACT, kink_points=1.0)
TILT = replace(EXACT, tilt_bps=2.5)


@dataclass(frozen=True, slots=True)
class Strikes:
    """One expiry as quoted: strikes with both sides of both legs, and how calls less puts err."""

    series: Series
    years: float
    discount: float
    forward: float
    strike: Floats
    error: Floats
    half_spread: Floats
    bend: Floats
    """``(2 delta - 1)**2``, by the slope of the true prices, not by the simulator's own delta."""

    @property
    def root(self) -> str:
        return self.series.product.root

    @property
    def kink_and_tilt(self) -> tuple[float, float]:
        """Regression of the errors on 1, the bend and the distance from the forward.

        Points per 5000 of the index, and bp of the discount factor.
        """
        columns = [np.ones_like(self.strike), self.bend, self.strike - self.forward]
        weight = 1.0 / np.sqrt(self.half_spread)
        scaled = np.column_stack(columns) * weight[:, None]
        _, kink, slope = np.linalg.lstsq(scaled, self.error * weight, rcond=None)[0]
        return float(kink) * 5_000 / self.forward, float(slope) * -1e4


def quoted(market: Market, fewest: int = 40) -> Iterator[Strikes]:
    truth, fair, book = market.truth(), market.fair_prices(), market.book
    for series in market.listing.series:
        of = truth.series[series.product.root, series.expiry]
        calls = np.arange(series.start, series.stop, 2)
        puts = calls + 1
        mid = (book.bid[calls] + book.ask[calls] - book.bid[puts] - book.ask[puts]) / 2
        half = (book.ask[calls] - book.bid[calls] + book.ask[puts] - book.bid[puts]) / 2
        slope = np.gradient(fair[calls], series.strikes) / of.discount  # minus the call's delta
        good = (book.bid[calls] > 0) & (book.bid[puts] > 0) & ~np.isnan(mid)
        if good.sum() >= fewest:
            error = mid - of.discount * (of.forward - series.strikes)
            yield Strikes(
                series,
                of.years,
                of.discount,
                of.forward,
                series.strikes[good],
                error[good],
                half[good],
                (2 * slope[good] + 1) ** 2,
            )


def open_market(conditions: Conditions, seed: int = 1, roots: tuple[str, ...] = S_AND_P) -> Market:
    return Market(OPENING, seed=seed, roots=roots, conditions=conditions)


def pass_secs(market: Market, secs: float, step_secs: float = 1.0) -> None:
    end = market.now + timedelta(seconds=secs)
    while market.now < end:
        market.advance(min(market.now + timedelta(seconds=step_secs), end))


def measured(market: Market) -> dict[tuple[str, float], tuple[float, float]]:
    """Return kink (points per 5000) and tilt (bp of the discount factor) by root and years."""
    return {(each.root, each.years): each.kink_and_tilt for each in quoted(market)}


def of_root(found: dict[tuple[str, float], tuple[float, float]], root: str, which: int) -> Floats:
    """Return kinks (0) or tilts (1) of a root, by expiry from ten days to a year."""
    return np.array([f[which] for (r, y), f in found.items() if r == root and 0.03 < y < 1.0])


def test_calls_less_puts_bend_by_the_size_asked_for_alike_in_all_expiries_of_a_root() -> None:
    kinks, apart = [], []
    for seed in range(10):
        found = measured(open_market(KINK, seed))
        for root in S_AND_P:
            kink = of_root(found, root, 0)
            kinks.append(np.median(kink))
            apart.append(np.std(kink))
    # 20 normals of deviation one; the slope of prices is not the delta that the market bends by,
    # which costs the regression up to an eighth.
    assert 0.5 < np.std(kinks) < 1.4
    assert abs(np.mean(kinks)) < 0.65
    assert 0.05 < np.median(apart) < 0.3
    assert np.min(kinks) < -0.5 < 0.5 < np.max(kinks)


def test_no_kink_and_no_tilt_on_a_day_without() -> None:
    found = measured(open_market(EXACT)).items()
    worst = np.abs([f for (_, years), f in found if years > 0.03]).max(axis=0)
    assert worst[0] < 0.05
    assert worst[1] < 0.5


@pytest.mark.parametrize("points", [0.3, 2.0])
def test_kink_and_tilt_are_in_proportion_to_the_size_of_the_day(points: float) -> None:
    (one, years, _), (other, _, _) = (errors_of(3, lagging(size)) for size in (1.0, points))
    np.testing.assert_allclose(other.at(years).kink, points * one.at(years).kink, rtol=1e-12)
    np.testing.assert_allclose(other.at(years).tilt, points * one.at(years).tilt, rtol=1e-12)


def test_only_the_leg_in_the_money_errs() -> None:
    market = open_market(lagging(2.0, EXACT))
    fair, count = market.fair_prices(), len(market.listing)
    bid, ask = market.book.bid[:count], market.book.ask[:count]
    off = np.abs((bid + ask) / 2 - fair)
    forward = np.array([market.truth().forward(*key) for key in market.truth().series])
    strike, forward = market.listing.strike, forward[market.listing.series_of]
    inside = np.where(market.listing.is_call, strike < forward, strike > forward)
    known = (bid > 0) & ~np.isnan(ask)
    assert off[known & ~inside].max() <= 0.1 + 1e-9  # a tick
    assert np.median(off[known & inside]) > 0.5


@pytest.fixture(scope="module")
def tilts() -> dict[str, Floats]:
    """Tilts of twelve markets in bp, (markets, bands of tenors), by root."""
    bands = [(5 / 365, 12 / 365), (20 / 365, 35 / 365), (0.5, 1.0)]
    found: dict[str, list[list[float]]] = {root: [] for root in S_AND_P}
    for seed in range(12):
        by_key = measured(open_market(TILT, seed))
        for root, rows in found.items():
            mine = {years: tilt for (r, years), (_, tilt) in by_key.items() if r == root}
            rows.append(
                [
                    float(np.median([t for y, t in mine.items() if low <= y < high] or [np.nan]))
                    for low, high in bands
                ]
            )
    return {root: np.array(rows) for root, rows in found.items()}


def test_the_tilt_is_one_error_of_the_discount_factor_for_all_short_expiries(
    tilts: dict[str, Floats],
) -> None:
    near, middle, far = tilts["SPXW"].T
    assert np.corrcoef(near, middle)[0, 1] > 0.8
    assert 0.8 < np.median(np.abs(near)) < 4.0
    assert np.max(np.abs(near)) < 12.0 * 3.5
    assert np.median(np.abs(far)) < 0.5 * np.median(np.abs(middle))


def test_the_tilt_is_seen_in_the_quotes_of_each_root_as_one_of_its_own(
    tilts: dict[str, Floats],
) -> None:
    one, other = (tilts[root][:, 1] for root in S_AND_P)
    assert np.median(np.abs(one - other)) > 0.4
    assert np.max(np.abs(one)) > 2.0


@pytest.mark.parametrize("share", [0.0, 0.7])
def test_roots_on_one_index_err_alike_as_far_as_asked_for(share: float) -> None:
    errors, years, weekly = errors_of(3, replace(lagging(1.0), roots_share=share))
    month = [np.argmin(np.abs(years - 0.08) + 9 * (weekly == is_other)) for is_other in (0, 1)]
    series = np.array(month, dtype=np.intp)
    kinks, tilts = np.empty((2, 3_000, 2))
    for at in range(3_000):
        errors.move(20_000.0)
        now = errors.at(years)
        kinks[at], tilts[at] = now.kink[series], now.tilt[series]
    found = [np.corrcoef(np.sign(each.T))[0, 1] for each in (kinks, tilts)]
    # Of two normals with this correlation; each kink has a small part of its expiry's own.
    expected = 2 / np.pi * np.arcsin(share)
    assert found == pytest.approx([expected, expected], abs=0.07)


def errors_of(
    listing_seed: int, conditions: Conditions
) -> tuple[MarketErrors, Floats, NDArray[np.bool_]]:
    """Return errors alone, with the years of each series and whether it is of SPXW."""
    market = open_market(conditions, listing_seed)
    series, truth = market.listing.series, market.truth()
    years = np.array([truth.series[s.product.root, s.expiry].years for s in series])
    weekly = np.array([s.product.root == "SPXW" for s in series])
    nobody = np.zeros(len(series), np.bool_)
    return MarketErrors(series, years, nobody, conditions, listing_seed), years, weekly


def test_kink_and_tilt_forget_themselves_within_hours() -> None:
    errors, years, weekly = errors_of(3, lagging(1.0))
    kinks, tilts = [], []
    for _ in range(4_000):
        errors.move(1_800.0)
        now = errors.at(years)
        kinks.append(np.median(now.kink[weekly]) * 5_000 / 7_480)
        tilts.append(np.median(now.tilt[weekly & (years < 0.1)]) * 1e4)
    kink, tilt = np.array(kinks), np.array(tilts)
    assert np.std(kink) == pytest.approx(1.0, abs=0.1)
    assert abs(np.mean(kink)) < 0.12
    for steps in (1, 2, 4):  # half an hour each; the correlation falls to 1/e in an hour
        kept = np.corrcoef(kink[steps:], kink[:-steps])[0, 1]
        assert kept == pytest.approx(np.exp(-steps / 2), abs=0.08)
    assert np.corrcoef(tilt[48:], tilt[:-48])[0, 1] < 0.1
    assert 0.8 < np.median(np.abs(tilt)) < 3.0
    assert np.quantile(np.abs(tilt), 0.98) > 4.0  # sizes vary: a normal law would have 3 or so


def test_the_tilt_fades_further_out() -> None:
    errors, years, weekly = errors_of(3, TILT)
    squares = np.zeros(len(years))
    for _ in range(2_000):
        errors.move(7_200.0)
        squares += errors.at(years).tilt ** 2
    short = np.argmin(np.where(weekly, years, np.inf))
    for half in np.flatnonzero(weekly & (years > 0.1)):
        expected = (1 + years[short] / 0.15) / (1 + years[half] / 0.15)
        ratio = np.sqrt(squares[half] / squares[short])
        assert ratio == pytest.approx(expected, rel=0.15)


@pytest.mark.parametrize("name", ["lagging_small", "lagging_large", "thin_far"])
def test_same_seed_and_instants_give_the_same_lagging_market(name: str) -> None:
    first, second, other = (open_market(CONDITIONS[name], seed, ("XSP",)) for seed in (3, 3, 4))
    for market in (first, second, other):
        pass_secs(market, 8)
    np.testing.assert_array_equal(first.book.bid, second.book.bid)
    np.testing.assert_array_equal(first.book.quoted_at_secs, second.book.quoted_at_secs)
    assert not np.array_equal(first.book.ask, other.book.ask, equal_nan=True)


def test_the_spot_takes_the_same_path_on_every_kind_of_day() -> None:
    spots = []
    for name in ("normal", "lagging_small", "lagging_large"):
        market = open_market(CONDITIONS[name], 3, ("XSP",))
        market.advance(OPENING + timedelta(seconds=1))
        spots.append(market.truth().spot("XSP"))
    assert spots[0] == spots[1] == spots[2] != 748.0


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


def test_the_fair_price_stays_between_bid_and_ask_of_the_largest_lag() -> None:
    market = open_market(lagging(2.0, CONDITIONS["stressed"]), 5, ALL_ROOTS)
    count, fair = len(market.listing), market.fair_prices()
    bid, ask = market.book.bid[:count], market.book.ask[:count]
    both = ~np.isnan(bid) & ~np.isnan(ask)
    assert np.all((bid <= fair + 1e-9)[both] & (ask >= fair - 1e-9)[both])
