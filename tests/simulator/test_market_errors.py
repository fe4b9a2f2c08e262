"""A whole root errs together: kink and tilt, of the sizes asked for."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest

from live_box_spreads.simulator.market.conditions import (
    CONDITIONS,
    Conditions,
    lagging,
)
from live_box_spreads.simulator.market.market_errors import MarketErrors
from tests.simulator.erring_markets import (
    EXACT,
    KINK,
    OPENING,
    S_AND_P,
    TILT,
    measured,
    of_root,
    open_market,
    pass_secs,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


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


def test_the_errors_draw_nothing_from_the_random_source_of_the_market() -> None:
    spots = []
    for name in ("normal", "lagging_small", "lagging_large"):
        market = open_market(CONDITIONS[name], 3, ("XSP",))
        market.advance(OPENING + timedelta(seconds=1))
        spots.append(market.truth().spot("XSP"))
    assert spots[0] == spots[1] == spots[2] != 748.0
