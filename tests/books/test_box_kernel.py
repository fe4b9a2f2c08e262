from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import astuple
from decimal import Decimal, localcontext
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as nps

from live_box_spreads.books.boxes.prices import (
    BoxPrices,
    StrikePairs,
    box_prices,
    numpy_prices,
)
from live_box_spreads.books.kernels import BOXES
from live_box_spreads.books.kernels import boxes as compiled_kernel
from live_box_spreads.books.strikes.synthetics import SyntheticForwards
from live_box_spreads.model.rates import Compounding

if TYPE_CHECKING:
    from collections.abc import Callable

SIDES = ("bid", "mid", "ask")


@pytest.fixture(scope="module", autouse=True)
def _compiled() -> None:
    BOXES.load()


@st.composite
def forwards(draw: st.DrawFn) -> SyntheticForwards:
    """Synthetic forwards as wild as quotes can be, with missing sides."""
    size = draw(st.integers(0, 12))
    steps = draw(nps.arrays(np.int64, size, elements=st.integers(1, 400)))
    strike = 5.0 * np.cumsum(steps)
    cents = nps.arrays(np.int64, size, elements=st.integers(-400_000, 400_000))
    spread = draw(nps.arrays(np.int64, size, elements=st.integers(0, 20_000)))
    missing = nps.arrays(np.bool_, size)
    bid = draw(cents) / 100
    ask = bid + spread / 100
    return SyntheticForwards(
        strike,
        np.where(draw(missing), np.nan, bid),
        np.where(draw(missing), np.nan, ask),
    )


years_of_loans = st.floats(1 / 365, 6.0)


@given(forwards(), years_of_loans, st.sampled_from(Compounding))
def test_machine_code_agrees_with_numpy(
    synthetic: SyntheticForwards, years: float, compounding: Compounding
) -> None:
    pairs = StrikePairs.within(synthetic.strike)
    fast = box_prices(synthetic, pairs, years, compounding)
    slow = numpy_prices(synthetic, pairs, years, compounding)
    for side in SIDES:
        cost = getattr(slow, f"{side}_cost")
        np.testing.assert_array_equal(getattr(fast, f"{side}_cost"), cost)
        # numpy rounds cost/width before its logarithm: one part in 2^53, over the years. The
        # rate answers to that with (1 + rate).
        rate = getattr(slow, f"{side}_rate")
        found = getattr(fast, f"{side}_rate")
        np.testing.assert_array_equal(np.isnan(found), np.isnan(rate))
        finite = np.isfinite(rate) & (np.abs(rate) < 1e300)
        rounding = 4e-16 / years * (1 + np.abs(rate[finite]))
        allowed = 1e-13 * np.abs(rate[finite]) * max(1.0, 0.1 / years) + rounding
        assert np.all(np.abs(found[finite] - rate[finite]) <= allowed)


@given(st.integers(1, 2_000_000), st.integers(100, 500_000), st.integers(1, 2200))
def test_machine_code_is_exact_to_1e_13_of_a_rate(cents: int, width_cents: int, days: int) -> None:
    # The true rate, with 50 decimal digits.
    cost, width, years = cents / 100, width_cents / 100, days / 365
    with localcontext() as context:
        context.prec = 50
        growth = -(Decimal(cost) / Decimal(width)).ln() / Decimal(years)
        if not Decimal(-600) < growth < Decimal(600):
            return
        true = {
            Compounding.EFFECTIVE: growth.exp() - 1,
            Compounding.CONTINUOUS: growth,
            Compounding.SIMPLE: (Decimal(width) / Decimal(cost) - 1) / (Decimal(years) * 365 / 360),
            Compounding.BOND_EQUIVALENT: 2 * ((growth / 2).exp() - 1),
        }
        # A growth of 600 loses three digits in any float64 exponential.
        relative = Decimal("1e-13") * max(Decimal(1), abs(growth) / 50)
    synthetic = SyntheticForwards(
        np.array([0.0, width]), np.array([cost, 0.0]), np.array([cost, 0.0])
    )
    pairs = StrikePairs.within(synthetic.strike)
    for compounding, rate in true.items():
        [found] = box_prices(synthetic, pairs, years, compounding).mid_rate
        assert abs(Decimal(float(found)) - rate) <= relative * abs(rate)


@given(forwards(), years_of_loans, st.sampled_from(Compounding))
def test_rates_are_ordered_as_costs(
    synthetic: SyntheticForwards, years: float, compounding: Compounding
) -> None:
    prices = box_prices(synthetic, StrikePairs.within(synthetic.strike), years, compounding)
    both = ~np.isnan(prices.mid_cost)
    assert np.all(prices.bid_cost[both] <= prices.mid_cost[both])
    assert np.all(prices.mid_cost[both] <= prices.ask_cost[both])
    rated = both & (prices.bid_cost > 0)
    slack = 1e-12 * (1 + np.abs(prices.ask_rate[rated]))
    assert np.all(prices.ask_rate[rated] <= prices.mid_rate[rated] + slack)
    assert np.all(prices.mid_rate[rated] <= prices.bid_rate[rated] + slack)


@given(forwards(), years_of_loans, st.integers(1, 20))
def test_adding_a_constant_to_strikes_and_forwards_changes_nothing(
    synthetic: SyntheticForwards, years: float, step: int
) -> None:
    # Strikes by 64 points, forwards by 32: sums of such numbers are exact in binary.
    whole = SyntheticForwards(
        np.round(synthetic.strike), np.round(synthetic.syn_bid), np.round(synthetic.syn_ask)
    )
    moved = SyntheticForwards(
        whole.strike + 64.0 * step, whole.syn_bid + 32.0 * step, whole.syn_ask + 32.0 * step
    )
    pairs = StrikePairs.within(whole.strike)
    here = box_prices(whole, pairs, years, Compounding.EFFECTIVE)
    there = box_prices(moved, pairs, years, Compounding.EFFECTIVE)
    for a, b in zip(astuple(here), astuple(there), strict=True):
        np.testing.assert_array_equal(a, b)


@given(
    forwards(),
    st.integers(0, 4000),
    st.one_of(st.just(np.inf), st.integers(0, 4000)),
)
def test_width_window_has_exactly_the_pairs_in_it(
    synthetic: SyntheticForwards, min_gap: float, max_gap: float
) -> None:
    strike = synthetic.strike
    pairs = StrikePairs.within(strike, min_gap, max_gap)
    every = [(i, j) for i in range(strike.size) for j in range(i + 1, strike.size)]
    width = {pair: strike[pair[1]] - strike[pair[0]] for pair in every}
    low, high = pairs.indices()
    inside = [pair for pair in every if min_gap <= width[pair] <= max_gap]
    assert list(zip(low.tolist(), high.tolist(), strict=True)) == inside
    assert len(pairs) == len(inside)
    if min_gap <= max_gap:
        assert pairs.narrow == sum(width[pair] < min_gap for pair in every)
        assert pairs.wide == sum(width[pair] > max_gap for pair in every)


@pytest.mark.parametrize("engine", [box_prices, numpy_prices])
@pytest.mark.parametrize("years", [0.0, -0.5, float("nan")])
def test_no_time_left_is_no_rate(engine: object, years: float) -> None:
    assert callable(engine)
    synthetic = SyntheticForwards(*(np.array([100.0, 10.0]) for _ in range(3)))
    ascending = SyntheticForwards(np.array([10.0, 110.0]), synthetic.syn_bid, synthetic.syn_ask)
    pairs = StrikePairs.within(ascending.strike)
    for compounding in Compounding:
        prices: BoxPrices = engine(ascending, pairs, years, compounding)
        assert prices.mid_cost.tolist() == [90.0]
        assert np.isnan([prices.bid_rate, prices.mid_rate, prices.ask_rate]).all()


@pytest.mark.parametrize("engine", [box_prices, numpy_prices])
def test_a_cost_of_nothing_is_zero_and_has_no_rate(
    engine: Callable[[SyntheticForwards, StrikePairs, float, Compounding], BoxPrices],
) -> None:
    syn_bid, syn_ask = 3.3 - 1.1, 5.5 - 3.3
    assert 0.0 < abs(syn_bid - 2.2) < 1e-15  # what floating point leaves of nothing
    forwards = SyntheticForwards(
        np.array([100.0, 200.0]), np.array([syn_bid, 2.2]), np.array([syn_ask, 2.2])
    )
    prices = engine(forwards, StrikePairs.within(forwards.strike), 0.5, Compounding.EFFECTIVE)
    assert [*prices.bid_cost, *prices.mid_cost, *prices.ask_cost] == [0.0, 0.0, 0.0]
    assert np.isnan([prices.bid_rate, prices.mid_rate, prices.ask_rate]).all()


def test_absurd_discounts_of_an_hour_neither_raise_nor_lie() -> None:
    strike = np.array([0.0, 100.0])
    hour = 1 / (365 * 24)
    for cost, wanted in ((1.0, np.inf), (1e4, -1.0)):
        synthetic = SyntheticForwards(strike, np.array([cost, 0.0]), np.array([cost, 0.0]))
        prices = box_prices(synthetic, StrikePairs.within(strike), hour, Compounding.EFFECTIVE)
        assert prices.ask_rate.tolist() == [wanted]


def test_compiles_where_no_folder_can_keep_the_machine_code(tmp_path: Path) -> None:
    # A file in the place of each folder that numba would cache in: nobody, not even root, can.
    copy = tmp_path / "kernel_copy.py"
    copy.write_text(Path(compiled_kernel.__file__).read_text("utf-8"), "utf-8")
    blocked = tmp_path / "blocked"
    blocked.touch()
    (tmp_path / "__pycache__").touch()
    env = {name: value for name, value in os.environ.items() if not name.startswith("NUMBA_")} | {
        "HOME": str(blocked),
        "XDG_CACHE_HOME": str(blocked),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    code = "import kernel_copy; print(kernel_copy._exp_minus_one(0.0))"
    done = subprocess.run(  # noqa: S603 # our own interpreter
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "0.0\n"), done.stderr


@pytest.mark.parametrize("exponent", [709.43, 709.45, 709.7, 709.78, 709.79, 1e4, -700.0, -1e4])
def test_the_exponential_is_finite_as_far_as_a_float_goes(exponent: float) -> None:
    with np.errstate(over="ignore"):
        wanted = np.expm1(exponent)
    assert compiled_kernel._exp_minus_one(exponent) == pytest.approx(wanted, rel=1e-14)
