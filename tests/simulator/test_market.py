from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest

from live_box_spreads.model.errors import UnknownRootError
from live_box_spreads.simulator.market.conditions import CONDITIONS
from live_box_spreads.simulator.market.market import Market
from live_box_spreads.simulator.market.universe import ALL_ROOTS, Series

if TYPE_CHECKING:
    from numpy.typing import NDArray


def legs(series: Series) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    calls = np.arange(series.start, series.stop, 2)
    return calls, calls + 1


def walked(market: Market, opening: datetime, steps: int) -> Market:
    for step in range(steps):
        market.advance(opening + timedelta(seconds=0.25 * (step + 1)))
    return market


def test_lists_more_than_twenty_thousand_contracts_of_all_roots(full_market: Market) -> None:
    assert len(full_market.listing) >= 20_000
    assert {series.product.root for series in full_market.listing.series} == set(ALL_ROOTS)
    assert len(set(full_market.symbols)) == len(full_market.symbols)


def test_one_dxlink_session_can_hold_a_quote_of_every_contract(full_market: Market) -> None:
    assert len(full_market.listing) <= 25_000


def test_fair_calls_less_puts_are_the_discounted_forward(full_market: Market) -> None:
    fair, truth = full_market.fair_prices(), full_market.truth()
    for series in full_market.listing.series:
        calls, puts = legs(series)
        of = truth.series[series.product.root, series.expiry]
        expected = of.discount * (of.forward - series.strikes)
        np.testing.assert_allclose(fair[calls] - fair[puts], expected, atol=1e-8)


def test_fair_prices_admit_no_butterfly(full_market: Market) -> None:
    fair = full_market.fair_prices()
    for series in full_market.listing.series:
        calls, _ = legs(series)
        slopes = np.diff(fair[calls]) / np.diff(series.strikes)
        assert np.all(np.diff(slopes) >= -1e-9), (series.product.root, series.expiry)


def test_quotes_surround_the_fair_price_and_never_cross(small_market: Market) -> None:
    book, count = small_market.book, len(small_market.listing)
    bid, ask = book.bid[:count], book.ask[:count]
    both = ~np.isnan(bid) & ~np.isnan(ask)
    fair = small_market.fair_prices()
    assert np.all(bid[both] < ask[both])
    assert np.all(bid[both] <= fair[both] + 1e-9)
    assert np.all(ask[both] >= fair[both] - 1e-9)


def test_prices_lie_on_the_products_ticks(full_market: Market) -> None:
    for series in full_market.listing.series:
        ticks = series.product.ticks
        rows = slice(series.start, series.stop)
        for prices in (full_market.book.bid[rows], full_market.book.ask[rows]):
            quoted = prices[~np.isnan(prices)]
            step = np.where(quoted < ticks.threshold, ticks.below, ticks.above)
            assert np.allclose(quoted / step, np.round(quoted / step), atol=1e-6)


def test_missing_sides_are_as_frequent_as_in_real_chains(full_market: Market) -> None:
    count = len(full_market.listing)
    bid, ask = full_market.book.bid[:count], full_market.book.ask[:count]
    assert 0.04 <= np.mean(bid == 0) <= 0.08
    assert 0 < np.mean(np.isnan(ask)) < 0.01
    assert np.mean(np.isnan(bid)) < 0.01


def test_mids_scatter_around_parity_without_bias(full_market: Market) -> None:
    count = len(full_market.listing)
    bid, ask = full_market.book.bid[:count], full_market.book.ask[:count]
    good = (bid > 0) & ~np.isnan(ask)
    half = (ask - bid)[good] / 2
    scatter = ((bid + ask)[good] / 2 - full_market.fair_prices()[good]) / half
    assert abs(np.mean(scatter)) < 0.02
    assert 0.03 < np.std(scatter) < 0.35
    assert np.all(np.abs(scatter) < 1.0)


def test_the_slope_of_mids_gives_back_the_true_rate(opening: datetime) -> None:
    errors_bps = []
    for seed in range(3):
        market = walked(Market(opening, seed=seed, roots=("SPX",)), opening, 40)
        truth, book = market.truth(), market.book
        for series in market.listing.series:
            of = truth.series["SPX", series.expiry]
            if of.years < 60 / 365:
                continue
            calls, puts = legs(series)
            mid = (book.bid[calls] + book.ask[calls] - book.bid[puts] - book.ask[puts]) / 2
            half = (book.ask[calls] - book.bid[calls] + book.ask[puts] - book.bid[puts]) / 2
            good = (book.bid[calls] > 0) & (book.bid[puts] > 0) & ~np.isnan(mid)
            slope = np.polyfit(series.strikes[good], mid[good], 1, w=1 / half[good])[0]
            errors_bps.append(1e4 * (-np.log(-slope) / of.years - of.rate))
    assert np.sqrt(np.mean(np.square(errors_bps))) < 2.0
    assert abs(np.mean(errors_bps)) < 0.5


def test_same_seed_and_instants_give_the_same_market(opening: datetime) -> None:
    first, second, other = (
        walked(Market(opening, seed=seed, roots=("NDX",)), opening, 8) for seed in (3, 3, 4)
    )
    np.testing.assert_array_equal(first.book.bid, second.book.bid)
    np.testing.assert_array_equal(first.book.volume, second.book.volume)
    assert first.truth().spots == second.truth().spots
    assert not np.array_equal(first.book.ask, other.book.ask, equal_nan=True)


def test_only_some_contracts_requote_in_a_step_and_all_within_half_a_minute(
    small_market: Market, opening: datetime
) -> None:
    small_market.advance(opening + timedelta(seconds=0.25))
    quoted = small_market.book.quote_step[: len(small_market.listing)]
    assert 0 < np.mean(quoted == 1) < 0.9
    for second in range(1, 32):
        small_market.advance(opening + timedelta(seconds=0.25 + second))
    assert np.all(quoted[quoted >= 0] > 0)


def test_time_that_does_not_pass_changes_nothing(small_market: Market, opening: datetime) -> None:
    before = small_market.book.bid.copy()
    small_market.advance(opening)
    small_market.advance(opening - timedelta(seconds=5))
    np.testing.assert_array_equal(before, small_market.book.bid)
    assert small_market.book.step == 0


def test_volume_only_grows_in_whole_contracts(opening: datetime) -> None:
    market = Market(opening, seed=2, roots=("SPXW",))
    before = market.book.volume[: len(market.listing)].copy()
    after = walked(market, opening, 20).book.volume[: len(market.listing)]
    assert np.all(after >= before)
    assert np.sum(after) > np.sum(before)
    assert np.all(after == np.round(after))


def test_open_interest_prefers_round_strikes(full_market: Market) -> None:
    listing, held = full_market.listing, full_market.book.open_interest
    spx = np.char.startswith(np.array(listing.occ_symbols), "SPX ")
    is_round = listing.strike % 100 == 0
    near = np.abs(listing.strike / 7_480 - 1) < 0.05
    held = held[: len(listing)]
    assert np.mean(held[spx & near & is_round]) > 2 * np.mean(held[spx & near & ~is_round])


def test_xsp_is_a_tenth_of_spx(full_market: Market) -> None:
    spots = full_market.truth().spots
    assert spots["XSP"] == pytest.approx(spots["SPX"] / 10, abs=1e-12)


def test_expiries_agree_with_the_listed_calendars(full_market: Market) -> None:
    # Cboe's and OCC's calendars: June 18 is a Friday bank holiday's eve in 2027 (Juneteenth
    # observed), so June 2027 expires on Thursday the 17th.
    expiries = {
        root: [s.expiry for s in full_market.listing.series if s.product.root == root]
        for root in ALL_ROOTS
    }
    assert expiries["SPX"][:3] == [date(2026, 12, 18), date(2027, 1, 15), date(2027, 2, 19)]
    assert date(2027, 6, 17) in expiries["SPX"]
    assert expiries["SPX"][-1] == date(2031, 12, 19)
    assert expiries["SPXW"][:3] == [date(2026, 11, 24), date(2026, 11, 25), date(2026, 11, 27)]
    assert date(2026, 12, 31) in expiries["SPXW"]
    assert date(2026, 12, 25) not in expiries["XSP"]
    for days in expiries.values():
        assert all(first < second for first, second in pairwise(days))


def test_payments_follow_the_settlement_calendar(full_market: Market) -> None:
    truth = full_market.truth().series["SPX", date(2026, 12, 18)]
    assert truth.premium_date == date(2026, 11, 25)
    assert truth.payment_date == date(2026, 12, 21)
    assert truth.years == pytest.approx(26 / 365)
    assert truth.discount == pytest.approx(np.exp(-truth.rate * 26 / 365))


def test_an_expiry_of_today_is_listed_until_its_close() -> None:
    before = Market(datetime(2026, 11, 27, 17, 59, tzinfo=UTC), roots=("SPXW",))
    after = Market(datetime(2026, 11, 27, 18, 1, tzinfo=UTC), roots=("SPXW",))
    friday = date(2026, 11, 27)  # the day after Thanksgiving closes at 13:00 New York
    assert before.listing.series[0].expiry == friday
    assert after.listing.series[0].expiry == date(2026, 11, 30)


def test_an_unlisted_root_is_named() -> None:
    with pytest.raises(UnknownRootError, match=r"VIX.*choose from SPX"):
        Market(datetime(2026, 11, 24, tzinfo=UTC), roots=("VIX",))


@pytest.mark.parametrize("name", CONDITIONS)
def test_quotes_surround_the_fair_price_on_every_kind_of_day(name: str, opening: datetime) -> None:
    market = Market(opening, roots=("SPX",), conditions=CONDITIONS[name])
    count = len(market.listing)
    bid, ask, fair = market.book.bid[:count], market.book.ask[:count], market.fair_prices()
    both = ~np.isnan(bid) & ~np.isnan(ask)
    assert np.all(bid[both] <= fair[both] + 1e-9)
    assert np.all(ask[both] >= fair[both] - 1e-9)


def test_nights_are_wide_and_lack_asks(opening: datetime) -> None:
    normal = Market(opening, roots=("SPX",))
    night = Market(opening, roots=("SPX",), conditions=CONDITIONS["night"])
    count = len(normal.listing)
    width = [
        np.nanmedian(market.book.ask[:count] - market.book.bid[:count])
        for market in (normal, night)
    ]
    assert width[1] > 5 * width[0]
    assert np.mean(np.isnan(night.book.ask[:count])) > 0.02


def test_makers_lean_over_stretches_of_strikes_in_a_stressed_market(opening: datetime) -> None:
    def neighbours(market: Market) -> float:
        series = max(market.listing.series, key=lambda item: len(item.strikes))
        puts = legs(series)[1]
        bid, ask = market.book.bid[puts], market.book.ask[puts]
        off = ((bid + ask) / 2 - market.fair_prices()[puts]) / (ask - bid)
        off = off[~np.isnan(off) & (bid > 1.0)]
        return float(np.corrcoef(off[1:], off[:-1])[0, 1])

    assert abs(neighbours(Market(opening, roots=("SPX",)))) < 0.25
    stressed = Market(opening, roots=("SPX",), conditions=CONDITIONS["stressed"])
    assert neighbours(stressed) > 0.5
