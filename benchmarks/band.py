"""How fast the band of a full chain is found: 60 expiries of 400 strikes, to lend and to borrow.

Run by ``python benchmarks/band.py``; the columns are explained in ``benchmarks/README.md``.
"""

from __future__ import annotations

from datetime import date, timedelta
from itertools import combinations, pairwise
from math import inf
from statistics import median
from time import perf_counter

import numpy as np

from benchmarks.timing import json_file, timed, write_json
from live_box_spreads.books.boxes.filters import BoxFilters
from live_box_spreads.books.curves.band import Bands, bands
from live_box_spreads.books.kernels import BAND
from live_box_spreads.books.strikes.blocks import StrikeBlocks

EXPIRIES, STRIKES = 60, 400
ROUNDS = 51
TARGET_SECS, TARGET_WINDOW_RATIO = 1e-3, 10.0
ALL, WINDOW = BoxFilters(), BoxFilters(min_strike_gap=50.0, max_strike_gap=3000.0)
MIN_SIZE = 5.0
MISSING = 0.06  # of the sides, as in real chains


def quoted_blocks() -> StrikeBlocks:
    """Quote 400 strikes of 60 expiries, wider away from the money, some sides missing."""
    rng = np.random.default_rng(20261124)
    strike = np.tile(2000.0 + 20.0 * np.arange(STRIKES), EXPIRIES)
    years = np.repeat(np.linspace(0.01, 5.0, EXPIRIES), STRIKES)
    mid = np.exp(-0.042 * years) * (6800.0 * np.exp(0.028 * years) - strike)
    half_spread = (0.1 + 0.002 * np.abs(strike - 6800.0)) * rng.uniform(0.5, 2.0, strike.size)
    missing = rng.random((2, strike.size)) < MISSING
    sizes = rng.integers(1, 60, (2, strike.size)).astype(np.float64)
    counts = rng.integers(0, 900, (2, strike.size)).astype(np.float64)
    first = date(2026, 11, 27)
    return StrikeBlocks(
        keys=tuple(("SPXW", first + timedelta(days=30 * block)) for block in range(EXPIRIES)),
        starts=np.arange(0, strike.size + 1, STRIKES, dtype=np.intp),
        strike=strike,
        syn_bid=np.where(missing[0], np.nan, np.round(mid - half_spread, 2)),
        syn_ask=np.where(missing[1], np.nan, np.round(mid + half_spread, 2)),
        buy_size=sizes[0],
        sell_size=sizes[1],
        volume=counts[0],
        open_interest=counts[1],
        call_mid=np.full(strike.size, np.nan),
        put_mid=np.full(strike.size, np.nan),
        call_age_secs=np.full(strike.size, np.nan),
        put_age_secs=np.full(strike.size, np.nan),
        flags=np.zeros(strike.size, dtype=np.uint8),
    )


def python_loop(blocks: StrikeBlocks) -> tuple[list[float], list[float]]:
    """Try every pair of strikes in plain Python: D_hi and D_lo of each block."""
    lend, borrow = [], []
    for a, b in pairwise(blocks.starts.tolist()):
        rows = zip(
            blocks.strike[a:b].tolist(),
            blocks.syn_bid[a:b].tolist(),
            blocks.syn_ask[a:b].tolist(),
            strict=True,
        )
        lowest, highest = inf, -inf
        for (kl, bid_kl, ask_kl), (ks, bid_ks, ask_ks) in combinations(rows, 2):
            dear = (ask_kl - bid_ks) / (ks - kl)
            cheap = (bid_kl - ask_ks) / (ks - kl)
            lowest = min(lowest, dear)  # never NaN: the comparison is false
            highest = max(highest, cheap)
        lend.append(lowest)
        borrow.append(highest)
    return lend, borrow


def assert_equal(found: Bands, wanted: Bands) -> None:
    """Check that two ways found the same band."""
    for one, other in ((found.lend, wanted.lend), (found.borrow, wanted.borrow)):
        np.testing.assert_allclose(one.discount, other.discount, rtol=0, atol=1e-13)


def main() -> None:
    """Check the ways against each other, time each many times in a row, print medians."""
    file = json_file()
    blocks = quoted_blocks()
    seconds = {
        "numpy, every pair": timed(lambda: bands(blocks, ALL), 5),
        "numpy, every pair in the window": timed(lambda: bands(blocks, WINDOW), 5),
        "plain Python loop": timed(lambda: python_loop(blocks), 1),
    }
    enumerated = {filters: bands(blocks, filters) for filters in (ALL, WINDOW)}
    for side, loop in zip(
        (enumerated[ALL].lend, enumerated[ALL].borrow), python_loop(blocks), strict=True
    ):
        np.testing.assert_allclose(side.discount, loop, rtol=0, atol=1e-13)
    began = perf_counter()
    BAND.load()
    print(f"loading the compiled kernel: {perf_counter() - began:.1f} s")
    for filters, wanted in enumerated.items():
        assert_equal(bands(blocks, filters), wanted)
    seconds = {
        "compiled": timed(lambda: bands(blocks, ALL), ROUNDS),
        "compiled, width window": timed(lambda: bands(blocks, WINDOW), ROUNDS),
        "compiled, at least 5 boxes": timed(lambda: bands(blocks, ALL, MIN_SIZE), ROUNDS),
        **seconds,
    }
    report(seconds)
    write_json(file, "band", seconds)


def report(seconds: dict[str, list[float]]) -> None:
    """Print milliseconds and ratios to the compiled kernel without a window."""
    base = median(seconds["compiled"])
    print(f"\n{EXPIRIES} expiries x {STRIKES} strikes, to lend and to borrow")
    print(f"{'way':<34}{'ms, median':>12}{'best':>12}{'x compiled':>12}")
    for name, taken in seconds.items():
        typical, best = median(taken), min(taken)
        print(f"{name:<34}{typical * 1e3:>12,.2f}{best * 1e3:>12,.2f}{typical / base:>12,.1f}")
    window = median(seconds["compiled, width window"]) / base
    print(f"target {TARGET_SECS * 1e3:g} ms: {'reached' if base <= TARGET_SECS else 'missed'}")
    verdict = "reached" if window <= TARGET_WINDOW_RATIO else "missed"
    print(f"target {TARGET_WINDOW_RATIO:g} x with a width window: {verdict}")


if __name__ == "__main__":
    main()
