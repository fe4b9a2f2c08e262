"""How fast a full chain is fitted: 60 expiries of 400 strikes, with standard errors.

Run by ``python -m benchmarks.curve``; the columns are explained in ``benchmarks/README.md``.
"""

from __future__ import annotations

from datetime import date, timedelta
from itertools import pairwise
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.plain_estimators import robust_line_and_error, scipy_line
from benchmarks.timing import json_file, timed, write_json
from live_box_spreads.books.curves.parity_fit import parity_fits
from live_box_spreads.books.kernels import PARITY
from live_box_spreads.books.strikes.blocks import StrikeBlocks

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

EXPIRIES, STRIKES = 60, 400
ROUNDS = 31
TARGET_SECS = 10e-3
FEWEST_COVERED = 0.85  # of the expiries, within two standard errors of the truth
MISSING = 0.06  # of the sides, as in real chains


def quoted_blocks() -> tuple[StrikeBlocks, Floats]:
    """Quote 400 strikes of 60 expiries around parity; return them and the true discount factors."""
    rng = np.random.default_rng(20261124)
    strike = np.tile(2000.0 + 20.0 * np.arange(STRIKES), EXPIRIES)
    years = np.linspace(0.01, 5.0, EXPIRIES)
    discount = np.exp(-0.042 * years)
    forward = 6800.0 * np.exp(0.028 * years)
    parity = np.repeat(discount, STRIKES) * (np.repeat(forward, STRIKES) - strike)
    half_spread = (0.3 + 0.001 * np.abs(strike - 6800.0)) * rng.uniform(0.7, 1.4, strike.size)
    mid = parity + 0.06 * half_spread * rng.standard_normal(strike.size)
    missing = rng.random((2, strike.size)) < MISSING
    unknown = np.full(strike.size, np.nan)
    first = date(2026, 11, 27)
    blocks = StrikeBlocks(
        keys=tuple(("SPXW", first + timedelta(days=30 * block)) for block in range(EXPIRIES)),
        starts=np.arange(0, strike.size + 1, STRIKES, dtype=np.intp),
        strike=strike,
        syn_bid=np.where(missing[0], np.nan, np.round(mid - half_spread, 2)),
        syn_ask=np.where(missing[1], np.nan, np.round(mid + half_spread, 2)),
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
    return blocks, discount


def one_by_one(
    blocks: StrikeBlocks, fit: Callable[[Floats, Floats, Floats], object]
) -> list[object]:
    """Fit each expiry by itself."""
    found = []
    for a, b in pairwise(blocks.starts.tolist()):
        bid, ask = blocks.syn_bid[a:b], blocks.syn_ask[a:b]
        both = ~np.isnan(bid + ask)
        bid, ask = bid[both], ask[both]
        found.append(fit(blocks.strike[a:b][both], (bid + ask) / 2, (ask - bid) / 2))
    return found


def main() -> None:
    """Check the ways against the truth and each other, time each many times, print medians."""
    file = json_file()
    blocks, discount = quoted_blocks()
    by_numpy = parity_fits(blocks)
    assert not any(by_numpy.reasons)
    assert np.mean(np.abs(by_numpy.discount - discount) < 2 * by_numpy.std_error) > FEWEST_COVERED
    seconds = {
        "numpy and LAPACK": timed(lambda: parity_fits(blocks), 7),
        "plain robust fit, numpy": timed(lambda: one_by_one(blocks, robust_line_and_error), 7),
        "plain robust fit, scipy": timed(lambda: one_by_one(blocks, scipy_line), 3),
    }
    began = perf_counter()
    PARITY.load()
    print(f"loading the compiled kernel: {perf_counter() - began:.1f} s")
    compiled = parity_fits(blocks)
    np.testing.assert_allclose(compiled.discount, by_numpy.discount, rtol=1e-10)
    np.testing.assert_allclose(compiled.std_error, by_numpy.std_error, rtol=1e-6)
    seconds = {"compiled": timed(lambda: parity_fits(blocks), ROUNDS), **seconds}
    report(seconds)
    write_json(file, "curve", seconds)


def report(seconds: dict[str, list[float]]) -> None:
    """Print milliseconds and ratios to the compiled kernel."""
    base = median(seconds["compiled"])
    print(f"\n{EXPIRIES} expiries x {STRIKES} strikes, discount factor and standard error")
    print(f"{'way':<28}{'ms, median':>12}{'best':>12}{'x compiled':>12}")
    for name, taken in seconds.items():
        typical, best = median(taken), min(taken)
        print(f"{name:<28}{typical * 1e3:>12,.2f}{best * 1e3:>12,.2f}{typical / base:>12,.1f}")
    print(f"target {TARGET_SECS * 1e3:g} ms: {'reached' if base <= TARGET_SECS else 'missed'}")


if __name__ == "__main__":
    main()
