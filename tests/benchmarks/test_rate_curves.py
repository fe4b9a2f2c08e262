"""Estimators behind one interface."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest

from benchmarks.accuracy.chain_files import ChainFile
from benchmarks.accuracy.rate_curves import (
    ESTIMATORS,
    FILTERS,
    LEAST_SQUARES,
    OLD,
    ROBUST_LINE,
    DeskCurve,
    Fitted,
    LineCurve,
    RateCurve,
)
from benchmarks.accuracy.simulated import OPENED, chain_of
from benchmarks.accuracy.version_010 import OldCurve
from live_box_spreads.books.curves.smooth_curve import SmoothCurve
from live_box_spreads.simulator.market.market import Market

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from live_box_spreads.model.chain import Chain

    Floats = NDArray[np.float64]

PAID = date(2025, 9, 2)


@pytest.fixture(scope="module")
def market() -> Market:
    return Market(OPENED, seed=5, roots=("SPXW",))


@pytest.fixture(scope="module")
def chain(market: Market) -> Chain:
    return chain_of(market)


def curve(*nodes: tuple[float, float, float]) -> LineCurve:
    days, grown, error = np.array(nodes).T
    return LineCurve(PAID, days, grown, error)


def after(days: int) -> date:
    return PAID + timedelta(days=days)


def test_between_expiries_minus_log_discount_is_straight_in_days() -> None:
    made = curve((10, 0.001, 1e-4), (20, 0.003, 3e-4))
    rate, error = made.at([after(15)])
    assert rate[0] == pytest.approx(0.002 * 365 / 15 * 1e4)
    assert error[0] == pytest.approx(2e-4 * 365 / 15 * 1e4)


def test_before_the_first_expiry_nothing_has_grown_at_no_days() -> None:
    rate, _ = curve((10, 0.001, 1e-4), (20, 0.003, 3e-4)).at([after(5)])
    assert rate[0] == pytest.approx(0.0005 * 365 / 5 * 1e4)


def test_beyond_the_last_expiry_and_before_the_premium_nothing_is_known() -> None:
    rate, error = curve((10, 0.001, 1e-4)).at([after(11), after(0), after(-3)])
    assert np.isnan(rate).all()
    assert np.isnan(error).all()


def test_a_curve_without_an_expiry_runs_through_the_others() -> None:
    whole = curve((10, 0.001, 1e-4), (15, 0.009, 1e-4), (20, 0.003, 3e-4))
    rate, _ = whole.without(after(15)).at([after(15)])
    assert rate[0] == pytest.approx(0.002 * 365 / 15 * 1e4)
    assert whole.without(after(20)).last_date == after(15)


@pytest.mark.parametrize("label", [OLD, LEAST_SQUARES, ROBUST_LINE])
def test_estimators_find_the_rate_of_a_made_up_market(
    label: str, chain: Chain, market: Market
) -> None:
    found = ESTIMATORS[label](chain, "SPXW")
    assert found is not None
    expiry = chain.expiries("SPXW")[-1]
    true = market.truth().rate("SPXW", expiry) * 1e4
    assert found.at([found.last_date])[0][0] == pytest.approx(true, abs=5.0)
    assert np.isnan(found.at([found.last_date + timedelta(days=1)])[0][0])


@pytest.mark.parametrize("label", ESTIMATORS)
def test_an_absent_root_has_no_curve(label: str, chain: Chain) -> None:
    assert ESTIMATORS[label](chain, "XSP") is None


class _Counting:
    def __init__(self) -> None:
        self.chains: list[str] = []

    def __call__(self, _chain: Chain, root: str) -> RateCurve | None:
        self.chains.append(root)
        return None


def test_a_root_of_a_file_is_fitted_once_even_where_there_is_no_curve(chain: Chain) -> None:
    counting = _Counting()
    fitted = Fitted({"made up": counting}, {})
    file = ChainFile("a", PAID, chain)
    assert fitted.curve("made up", file, "SPXW") is None
    assert fitted.curve("made up", file, "SPXW") is None
    assert counting.chains == ["SPXW"]


class _Last:
    """Remembers how many chains it has seen, as a rate."""

    def __init__(self, _root: str) -> None:
        self.seen = 0

    def update(self, _chain: Chain) -> RateCurve | None:
        self.seen += 1
        return curve((40, self.seen * 0.001, 1e-4))


def test_estimators_over_a_sequence_start_afresh_each_time(
    chain: Chain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(FILTERS, "last", _Last)
    fitted = Fitted({}, {})
    for _ in range(2):
        follower = fitted.filters("SPXW")["last"]
        rates = [found.at([after(40)])[0][0] for _ in range(2) if (found := follower.update(chain))]
        assert rates[1] == pytest.approx(2 * rates[0])


class _Vague:
    """Knows every rate to 3 % ± 500 bp."""

    def at(self, years: Floats) -> tuple[Floats, Floats]:
        return np.full(years.size, 0.03), np.eye(years.size) * 0.05**2

    def left_out(self) -> tuple[Floats, Floats]:
        return np.zeros(1), np.ones(1)


def test_version_010_gives_rates_that_the_desk_refuses() -> None:
    smooth = SmoothCurve("SPXW", PAID, (after(400),), np.nan, np.ones(1), _Vague())
    (rate, error), (refused, _) = (made(smooth).at([after(30)]) for made in (OldCurve, DeskCurve))
    assert (rate[0], error[0]) == pytest.approx((300.0, 500.0))
    assert np.isnan(refused[0])
    assert np.isnan(OldCurve(smooth).at([after(401)])[0][0])
