"""The parity fit against a slow twin of dense matrices, against the truth, and with bad quotes."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from live_box_spreads.books.curves.error_models import MODELS, PROXIES, ErrorModel
from live_box_spreads.books.curves.parity_fit import ParityFits, parity_fits
from live_box_spreads.books.kernels import PARITY
from live_box_spreads.books.strikes.blocks import StrikeBlocks

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Quotes = tuple[Floats, Floats, Floats]

DISCOUNT, FORWARD = 0.96, 5000.0
ALONE, TOGETHER = MODELS[0], MODELS[1]
STRIKE = np.arange(3000.0, 7000.0, 20.0)


@pytest.fixture(params=["numpy", "compiled"])
def _each_way(request: pytest.FixtureRequest) -> Iterator[None]:
    PARITY.unload()
    if request.param == "compiled":
        PARITY.load()
    yield
    PARITY.unload()


@pytest.fixture
def _compiled() -> Iterator[None]:
    PARITY.load()
    yield
    PARITY.unload()


def blocks_of(quotes: Sequence[Quotes]) -> StrikeBlocks:
    """Lay (strike, syn_bid, syn_ask) of some expiries end to end."""
    strike, syn_bid, syn_ask = (np.concatenate(part) for part in zip(*quotes, strict=True))
    unknown = np.full(strike.size, np.nan)
    return StrikeBlocks(
        keys=tuple(
            ("SPX", date(2027, 1, 1) + timedelta(days=number)) for number in range(len(quotes))
        ),
        starts=np.cumsum([0, *(part[0].size for part in quotes)], dtype=np.intp),
        strike=strike,
        syn_bid=syn_bid,
        syn_ask=syn_ask,
        buy_size=unknown,
        sell_size=unknown,
        volume=unknown,
        open_interest=unknown,
        call_mid=unknown,
        put_mid=unknown,
        call_age_secs=unknown,
        put_age_secs=unknown,
        flags=np.zeros(strike.size, dtype=np.uint8),
    )


def quoted(
    rng: np.random.Generator, model: ErrorModel, strike: Floats = STRIKE, noise: float = 0.1
) -> Quotes:
    """Quote strikes around parity with half-spreads like a chain's, and errors as a model has."""
    depth = np.abs(strike - FORWARD) / FORWARD
    half_spread = (0.4 + 12.0 * depth) * rng.uniform(0.7, 1.4, strike.size)
    weight = 1.0 / half_spread / np.sum(1.0 / half_spread)
    unit = np.sqrt(weight @ (strike - weight @ strike) ** 2)
    drawn, own = rng.standard_normal((2, strike.size))
    for i, fade in enumerate(np.exp(-np.diff(strike) / unit / model.reach), 1):
        drawn[i] = fade * drawn[i - 1] + np.sqrt(1.0 - fade**2) * drawn[i]
    error = np.sqrt(model.shared) * drawn + np.sqrt(1.0 - model.shared) * own
    mid = DISCOUNT * (FORWARD - strike) + noise * half_spread**model.spread_power * error
    return strike, mid - half_spread, mid + half_spread


def dense_fit(strike: Floats, mid: Floats, half_spread: Floats) -> tuple[float, float, float]:
    """Return D, level and standard error by dense matrices: the slow twin, from the definitions."""
    spread = np.maximum(half_spread, 0.01)
    typical = np.median(spread)
    apart = strike.size // 2
    pairs = [(i, i + apart) for i in range(strike.size - apart)]
    slopes = [(mid[i] - mid[j]) / (strike[j] - strike[i]) for i, j in pairs]
    weights = [(strike[j] - strike[i]) / np.hypot(spread[i], spread[j]) for i, j in pairs]
    discount = weighted_median(slopes, weights)
    level = np.median(mid + discount * strike)
    for last in (False, True):
        residual = mid - level + discount * strike
        near = np.abs(residual) / np.sqrt(spread / typical)
        kept = near <= 6.0 * max(1.4826 * np.median(near), 0.003)
        k, h, r = strike[kept], spread[kept] / typical, residual[kept]
        unit = float(np.sqrt(np.cov(k, aweights=1.0 / h, ddof=0)))
        if not last:
            (shift, tilt), _, _ = dense_model(k, r, h, MODELS[1], unit)
            discount, level = discount - tilt, level + shift
            continue
        found = [dense_model(k, r, h, model, unit) for model in MODELS]
        chance = np.exp([part[2] - max(part[2] for part in found) for part in found])
        chance /= chance.sum()
        shift, tilt = sum(p * found[s][0] for p, s in zip(chance, PROXIES, strict=True))
        variance = sum(
            p * (part[1] + (part[0][1] - tilt) ** 2) for p, part in zip(chance, found, strict=True)
        )
        discount, level = discount - tilt, level + shift
    return discount, level, float(np.sqrt(variance))


def dense_model(
    strike: Floats, residual: Floats, spread: Floats, model: ErrorModel, unit: float
) -> tuple[Floats, float, float]:
    """Return the coefficients of (1, strike), the slope's variance and the log-likelihood."""
    scale = spread**model.spread_power
    distance = np.abs(residual) / scale
    distance /= max(1.4826 * float(np.median(distance)), 0.003)
    covariance = model.shared * np.exp(
        -np.abs(strike[:, None] - strike[None, :]) / unit / model.reach
    )
    covariance += np.diag((1.0 - model.shared) * np.maximum(distance / 2.5, 1.0) ** 2)
    covariance *= np.outer(scale, scale)
    design = np.column_stack([np.ones_like(strike), strike])
    inverse = np.linalg.inv(covariance)
    normal = design.T @ inverse @ design
    beta = np.linalg.solve(normal, design.T @ inverse @ residual)
    left = residual - design @ beta
    variance = left @ inverse @ left / (strike.size - 2) + 0.003**2
    log_likelihood = -0.5 * (
        (strike.size - 2) * np.log(variance)
        + np.linalg.slogdet(covariance)[1]
        + np.linalg.slogdet(normal)[1]
    )
    return beta, float(variance * np.linalg.inv(normal)[1, 1]), float(log_likelihood)


def weighted_median(values: Sequence[float], weights: Sequence[float]) -> float:
    below = 0.0
    for value, weight in sorted(zip(values, weights, strict=True)):
        below += weight
        if below >= sum(weights) / 2:
            return value
    raise AssertionError


def mids(quotes: Quotes) -> Quotes:
    strike, syn_bid, syn_ask = quotes
    return strike, (syn_bid + syn_ask) / 2, (syn_ask - syn_bid) / 2


@pytest.mark.usefixtures("_each_way")
def test_agrees_with_dense_matrices() -> None:
    rng = np.random.default_rng(1)
    quotes = [quoted(rng, model, STRIKE[::step]) for model in MODELS for step in (25, 11, 3, 1)]
    fits = parity_fits(blocks_of(quotes))
    for block, expiry in enumerate(quotes):
        discount, level, std_error = dense_fit(*mids(expiry))
        assert fits.discount[block] == pytest.approx(discount, rel=1e-9)
        assert fits.forward[block] == pytest.approx(level / discount, rel=1e-9)
        assert fits.std_error[block] == pytest.approx(std_error, rel=1e-6)


@pytest.mark.usefixtures("_each_way")
def test_finds_a_line_without_errors_to_the_last_digit() -> None:
    mid = DISCOUNT * (FORWARD - STRIKE)
    [fit] = [parity_fits(blocks_of([(STRIKE, mid - 0.5, mid + 0.5)]))]
    assert fit.discount[0] == pytest.approx(DISCOUNT, rel=1e-12)
    assert fit.forward[0] == pytest.approx(FORWARD, rel=1e-12)
    assert 0 < fit.std_error[0] < 2e-6
    assert (fit.strikes_used[0], fit.rejected(0), fit.reasons) == (200, {}, ("",))


@pytest.mark.usefixtures("_compiled")
@pytest.mark.parametrize("model", MODELS, ids=str)
def test_two_standard_errors_hold_the_truth_in_nineteen_cases_of_twenty(model: ErrorModel) -> None:
    rng = np.random.default_rng(7)
    fits = parity_fits(blocks_of([quoted(rng, model) for _ in range(400)]))
    errors = (fits.discount - DISCOUNT) / fits.std_error
    # 400 draws of a 95 % chance lie within 92 % and 98 % in all but 1 % of cases.
    assert 0.92 <= np.mean(np.abs(errors) < 2.0) <= 0.99
    assert abs(np.mean(errors)) < 0.15


@pytest.mark.usefixtures("_compiled")
def test_neighbours_that_err_together_make_a_larger_standard_error() -> None:
    rng = np.random.default_rng(3)
    alone = parity_fits(blocks_of([quoted(rng, ALONE) for _ in range(50)]))
    together = parity_fits(blocks_of([quoted(rng, MODELS[3]) for _ in range(50)]))
    assert np.median(together.std_error) > 3 * np.median(alone.std_error)


@pytest.mark.usefixtures("_each_way")
@pytest.mark.parametrize("off_points", [30.0, -30.0, 400.0])
def test_bad_quotes_do_not_move_it(off_points: float) -> None:
    rng = np.random.default_rng(11)
    strike, syn_bid, syn_ask = quoted(rng, ALONE)
    clean = parity_fits(blocks_of([(strike, syn_bid, syn_ask)]))
    bad = np.array([0, 3, 60, 101, 140, 150, 160, 170, 197, 199])
    syn_bid, syn_ask = syn_bid.copy(), syn_ask.copy()
    syn_bid[bad] += off_points
    syn_ask[bad] += off_points
    planted = parity_fits(blocks_of([(strike, syn_bid, syn_ask)]))
    assert planted.off_line[0] == bad.size
    assert planted.rejected(0) == {"mid is off the parity line": 10}
    assert planted.discount[0] == pytest.approx(clean.discount[0], abs=2 * clean.std_error[0])
    assert planted.std_error[0] == pytest.approx(clean.std_error[0], rel=0.5)


@pytest.mark.usefixtures("_each_way")
def test_a_stale_wing_is_left_out() -> None:
    rng = np.random.default_rng(13)
    strike, syn_bid, syn_ask = quoted(rng, ALONE)
    stale = np.where(strike < 3800.0, 25.0, 0.0)  # the calls there are as old as the index
    fits = parity_fits(blocks_of([(strike, syn_bid + stale, syn_ask + stale)]))
    assert fits.off_line[0] >= 35
    assert fits.discount[0] == pytest.approx(DISCOUNT, abs=5 * fits.std_error[0])
    assert fits.std_error[0] < 5e-5


@pytest.mark.usefixtures("_each_way")
def test_wide_wings_hardly_count() -> None:
    rng = np.random.default_rng(17)
    strike, syn_bid, syn_ask = quoted(rng, ALONE)
    wing = strike > 6000.0
    low = np.where(wing, syn_bid - 400.0, syn_bid)  # bids far away: half-spread and mid shift
    fits = parity_fits(blocks_of([(strike, low, syn_ask)]))
    assert fits.discount[0] == pytest.approx(DISCOUNT, abs=3 * fits.std_error[0])


def test_counts_what_it_leaves_out() -> None:
    mid = DISCOUNT * (FORWARD - STRIKE)
    syn_bid, syn_ask = mid - 0.5, mid + 0.5
    syn_bid[:4] = np.nan
    syn_ask[2:6] = np.nan
    syn_bid[10] = syn_ask[10] + 0.1
    syn_bid[20] += 9.0
    syn_ask[20] += 9.0
    fits = parity_fits(blocks_of([(STRIKE, syn_bid, syn_ask)]))
    assert fits.strikes_used[0] == 200 - 6 - 1 - 1
    assert fits.rejected(0) == {
        "synthetic forward has one side or none": 6,
        "synthetic forward is crossed": 1,
        "mid is off the parity line": 1,
    }


@pytest.mark.usefixtures("_each_way")
def test_gives_a_reason_instead_of_a_bad_number() -> None:
    mid = DISCOUNT * (FORWARD - STRIKE)
    few = (STRIKE[:4], mid[:4] - 1, mid[:4] + 1)
    none = (STRIKE[:3], np.full(3, np.nan), mid[:3])
    rising = (STRIKE, STRIKE - 1, STRIKE + 1)
    rng = np.random.default_rng(5)
    noise = mid + 500.0 * rng.standard_normal(mid.size)
    vague = (STRIKE, noise - 900.0, noise + 900.0)
    fits = parity_fits(blocks_of([few, none, rising, vague]))
    assert np.isnan([fits.discount, fits.forward, fits.std_error]).all()
    assert fits.reasons[:3] == (
        "4 two-sided strikes; a parity line needs 5",
        "0 two-sided strikes; a parity line needs 5",
        "the parity line has discount factor -1.0000, which no loan has",
    )
    assert fits.reasons[3].startswith("the discount factor is known only to ±")


@pytest.mark.usefixtures("_each_way")
def test_stands_a_chain_without_expiries_and_an_expiry_without_strikes() -> None:
    empty = np.empty(0)
    fits = parity_fits(blocks_of([(empty, empty, empty)]))
    assert fits.reasons == ("0 two-sided strikes; a parity line needs 5",)
    nothing = replace(
        blocks_of([(empty, empty, empty)]), keys=(), starts=np.zeros(1, dtype=np.intp)
    )
    assert parity_fits(nothing).discount.size == 0


def scaled(fits: ParityFits) -> tuple[Floats, Floats, Floats]:
    return fits.discount, fits.forward, fits.std_error


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10_000), shift=st.floats(-2000, 2000), count=st.integers(8, 60))
def test_shifting_strikes_shifts_the_forward_alone(seed: int, shift: float, count: int) -> None:
    rng = np.random.default_rng(seed)
    strike, syn_bid, syn_ask = quoted(rng, TOGETHER, STRIKE[:count])
    fits = parity_fits(blocks_of([(strike, syn_bid, syn_ask)]))
    moved = parity_fits(blocks_of([(strike + shift, syn_bid, syn_ask)]))
    np.testing.assert_allclose(moved.discount, fits.discount, rtol=1e-7)
    np.testing.assert_allclose(moved.forward, fits.forward + shift, rtol=1e-7, atol=1e-5)
    np.testing.assert_allclose(moved.std_error, fits.std_error, rtol=1e-5)


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10_000), counts=st.lists(st.integers(2, 40), min_size=1, max_size=5))
def test_each_expiry_is_fitted_by_itself(seed: int, counts: list[int]) -> None:
    rng = np.random.default_rng(seed)
    quotes = [quoted(rng, TOGETHER, STRIKE[:count]) for count in counts]
    together = parity_fits(blocks_of(quotes))
    for block, expiry in enumerate(quotes):
        alone = parity_fits(blocks_of([expiry]))
        for part, whole in zip(scaled(alone), scaled(together), strict=True):
            np.testing.assert_array_equal(part[0], whole[block])
