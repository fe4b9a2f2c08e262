"""The filtered curve: on the simulated market, whose truth is known, and by its own rules."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest

from benchmarks.accuracy.simulated import chain_of
from live_box_spreads.books.curves.curve_filter import (
    KNOTS,
    LONGEST_GAP,
    FilterState,
    filtered,
    integrals,
    moved_on,
    sessions_between,
    straight,
)
from live_box_spreads.books.desk import Desk
from live_box_spreads.books.kernels import KINKED
from live_box_spreads.model.errors import ModelError
from live_box_spreads.model.settlement import premium_date
from live_box_spreads.simulator.market.conditions import lagging
from live_box_spreads.simulator.market.market import Market
from tests.real_data import DATA, NO_DATA

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from live_box_spreads.books.curves.joint_curve import RootLines
    from live_box_spreads.model.chain import Chain

OPENED = datetime(2026, 11, 24, 15, tzinfo=UTC)
DAYS = np.array([30, 91, 182, 365])
CALM = sorted((DATA / "chains_more").glob("spx_2025082*_161[04].csv.gz"))


@pytest.fixture(scope="module", autouse=True)
def _compiled() -> Iterator[None]:
    KINKED.load()
    yield
    KINKED.unload()


def market(seed: int = 3) -> Market:
    return Market(OPENED, seed=seed, roots=("SPX",), conditions=lagging(1.0))


def lines(chain: Chain, root: str = "SPX") -> RootLines:
    return Desk(chain).lines(root)


def followed(one: Market, minutes: list[int], state: FilterState | None = None) -> FilterState:
    for minute in minutes:
        one.advance(OPENED + timedelta(minutes=minute))
        state = filtered(state, lines(chain_of(one)))
    assert state is not None
    return state


def rates(state: FilterState) -> NDArray[np.float64]:
    return state.smooth().posterior.at(DAYS / 365)[0]


def errors(state: FilterState) -> NDArray[np.float64]:
    return np.sqrt(np.diag(state.smooth().posterior.at(DAYS / 365)[1]))


def true_rates(one: Market) -> NDArray[np.float64]:
    truth = one.truth()
    paid = premium_date(one.now)
    nodes = sorted(
        ((series.payment_date - paid).days, truth.rate("SPX", series.expiry))
        for series in one.listing.series
    )
    days, found = np.array(nodes).T
    interpolated: NDArray[np.float64] = np.interp(DAYS, days, found)
    return interpolated


def test_a_forward_rate_that_is_straight_between_knots_has_its_own_integral() -> None:
    forwards = np.random.default_rng(1).normal(0.04, 0.01, KNOTS.size)
    years = np.array([0.0, 1 / 365, 0.1, 0.9, 3.3, 7.0])
    for end, integral in zip(years, integrals(years) @ forwards, strict=True):
        fine = np.linspace(0.0, end, 20_001)
        assert integral == pytest.approx(np.trapezoid(straight(fine) @ forwards, fine), rel=1e-6)
    assert integrals(years).sum(axis=1) == pytest.approx(years)


def test_time_runs_in_sessions() -> None:
    friday = datetime(2025, 8, 29, 20, 14, tzinfo=UTC)
    sunday, tuesday = datetime(2025, 9, 1, 0, 15, tzinfo=UTC), datetime(2025, 9, 2, 4, tzinfo=UTC)
    rest_of_friday = (24 - 16 - 14 / 60) / 24
    assert sessions_between(friday, sunday) == pytest.approx(rest_of_friday)
    assert sessions_between(friday, tuesday) == pytest.approx(rest_of_friday)  # Labor Day
    assert sessions_between(friday, tuesday + timedelta(hours=12)) == pytest.approx(
        rest_of_friday + 0.5
    )


def test_it_knows_more_than_its_last_snapshot_and_says_so() -> None:
    one = market()
    state = followed(one, [0])
    single = errors(state)
    state = followed(one, [60, 150, 240, 330], state)
    apart = rates(state) - true_rates(one)
    assert np.all(np.abs(apart) < 2.5 * errors(state))
    assert np.all(errors(state)[:2] < 0.8 * single[:2])
    assert state.snapshots == 5


def test_a_jump_of_ten_basis_points_is_followed_by_the_next_snapshot() -> None:
    """docs/method.md: within one snapshot, where the root has expiries of a year and more."""
    for seed in (3, 4, 5):
        one = market(seed)
        state = followed(one, [0, 1, 2])
        before = rates(state)
        one.shift_curve(10.0)
        state = followed(one, [3], state)
        moved = (rates(state) - before) * 1e4
        assert state.jumped_at == one.now
        assert 7.0 < moved[-1] < 13.0
        assert np.all(np.abs(rates(state) - true_rates(one)) < 2.5 * errors(state))


def test_a_calm_day_has_no_jump() -> None:
    for seed in (3, 4):
        state = followed(market(seed), list(range(0, 330, 30)))
        assert state.jumped_at is None


def test_looking_more_often_teaches_no_more() -> None:
    seldom = followed(market(), [0, 30, 60])
    often = followed(market(), list(range(0, 61, 3)))
    assert errors(often) == pytest.approx(errors(seldom), rel=0.15)


def test_the_same_snapshots_give_the_same_bits() -> None:
    one, other = (followed(market(), [0, 20, 40]) for _ in range(2))
    np.testing.assert_array_equal(one.mean, other.mean)
    np.testing.assert_array_equal(one.covariance, other.covariance)
    assert one.scales == other.scales


def test_a_long_gap_begins_anew() -> None:
    state = followed(market(), [0, 60])
    old = replace(state, quoted_at=OPENED - LONGEST_GAP - timedelta(hours=1), mean=state.mean + 0.5)
    again = filtered(old, lines(chain_of(market())))
    assert again is not None
    assert again.snapshots == 1
    assert rates(again) == pytest.approx(true_rates(market()), abs=30e-4)


def test_forwards_stay_on_their_dates_when_the_premium_date_moves_on() -> None:
    state = followed(market(), [0])
    after = OPENED + timedelta(days=1)
    paid = premium_date(after)
    days = (paid - state.premium_date).days
    assert days == 2  # Thanksgiving is between
    mean, covariance = moved_on(state, after, paid)
    years = np.array([10, 50, 200, 900]) / 365
    on_dates = straight(years + days / 365) @ state.mean
    assert straight(years) @ mean == pytest.approx(on_dates, abs=0.05e-4)
    still = moved_on(state, OPENED, paid)[1]
    assert np.diag(covariance - still) == pytest.approx(np.full(KNOTS.size, (4**2 + 3**2) * 1e-8))


def test_snapshots_out_of_order_and_of_another_root_are_refused() -> None:
    state = followed(market(), [0, 5])
    with pytest.raises(ModelError, match="not after that of"):
        filtered(state, lines(chain_of(market())))
    with pytest.raises(ModelError, match="keep one a root"):
        filtered(replace(state, root="XSP"), lines(chain_of(market())))


def test_a_snapshot_without_a_usable_expiry_changes_nothing() -> None:
    state = followed(market(), [0])
    chain = chain_of(market())
    later = OPENED + timedelta(hours=1)
    stale = replace(chain, snapshot_time=later)  # all quotes are an hour old
    assert filtered(state, lines(stale)) is state
    assert filtered(None, lines(stale)) is None


def test_a_filtered_curve_leaves_no_expiry_out() -> None:
    with pytest.raises(ModelError, match="leaves no expiry out"):
        followed(market(), [0]).smooth().left_out()


@pytest.mark.realdata
@pytest.mark.skipif(not CALM, reason=NO_DATA)
def test_real_snapshots_of_calm_days_move_less_when_filtered() -> None:
    from live_box_spreads.feeds.importers.box_csv import read_chain_csv  # noqa: PLC0415

    chains = [read_chain_csv(path) for path in CALM]
    state: FilterState | None = None
    before: FilterState | None = None
    single = []
    for chain in chains:
        before, state = state, filtered(state, lines(chain, "SPXW"))
        own = filtered(None, lines(chain, "SPXW"))
        assert own is not None
        single.append(rates(own)[0])
    assert before is not None
    assert state is not None
    assert abs(rates(state)[0] - rates(before)[0]) < abs(single[1] - single[0])
