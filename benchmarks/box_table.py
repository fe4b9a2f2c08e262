"""How fast boxes are computed: all pairs of a 400-strike expiry, against plain Python.

Run by ``python benchmarks/box_table.py``; the columns are explained in ``benchmarks/README.md``.
"""

from __future__ import annotations

from dataclasses import astuple
from datetime import UTC, date, datetime
from itertools import combinations
from math import expm1, log
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from benchmarks.timing import json_file, timed, write_json
from live_box_spreads.books.boxes.prices import (
    StrikePairs,
    box_prices,
    numpy_prices,
)
from live_box_spreads.books.kernels import BOXES
from live_box_spreads.boxspread import BoxSpread
from live_box_spreads.model.chain import Chain, Timeliness
from live_box_spreads.model.quality import QualityRules
from live_box_spreads.model.rates import Compounding
from tests.books.by_desk import box_table, synthetics

if TYPE_CHECKING:
    from collections.abc import Callable

    from live_box_spreads.books.strikes.synthetics import SyntheticForwards

STRIKES = 400
PAIRS = STRIKES * (STRIKES - 1) // 2
ROUNDS = 21
TARGET_PAIRS_A_SECOND = 60e6
ROOT, EXPIRY, YEARS = "SPX", date(2027, 12, 17), 390 / 365
NOW = datetime(2026, 11, 24, 20, tzinfo=UTC)


def quoted_chain() -> Chain:
    """Quote both rights at 400 strikes around a forward of 6,800, with uneven half-spreads."""
    rng = np.random.default_rng(20261124)
    strike = 3000.0 + 20.0 * np.arange(STRIKES)
    parity = 0.958 * (6800.0 - strike)
    put = np.maximum(-parity, 0.0) + 50.0
    sides = []
    for right, fair in (("C", parity + put), ("P", put)):
        half_spread = np.round(rng.uniform(0.1, 2.5, STRIKES), 2)
        sides.append(
            pl.DataFrame(
                {
                    "strike": strike,
                    "right": right,
                    "bid": np.round(fair - half_spread, 2),
                    "ask": np.round(fair + half_spread, 2),
                    "bid_size": 10.0,
                    "ask_size": 12.0,
                    "volume": rng.integers(0, 500, STRIKES),
                    "open_interest": rng.integers(0, 9000, STRIKES),
                }
            )
        )
    rows = pl.concat(sides).with_columns(
        root=pl.lit(ROOT), underlying=pl.lit(ROOT), expiry=EXPIRY, settlement=pl.lit("AM")
    )
    return Chain.build(
        rows,
        snapshot_time=NOW,
        feed="benchmark",
        timeliness=Timeliness.SIMULATED,
        spot={ROOT: 6700.0},
    )


def python_loop(forwards: SyntheticForwards) -> list[tuple[float, ...]]:
    """Price every pair of strikes, one row at a time, in plain Python."""
    rows = zip(
        forwards.strike.tolist(), forwards.syn_bid.tolist(), forwards.syn_ask.tolist(), strict=True
    )
    boxes = []
    for (kl, bid_kl, ask_kl), (ks, bid_ks, ask_ks) in combinations(rows, 2):
        width = ks - kl
        bid_cost, ask_cost = bid_kl - ask_ks, ask_kl - bid_ks
        costs = (bid_cost, (bid_cost + ask_cost) / 2, ask_cost)
        boxes.append((*costs, *(expm1(-log(cost / width) / YEARS) for cost in costs)))
    return boxes


def box_objects(chain: Chain) -> list[tuple[float, ...]]:
    """Price every pair of strikes as ``BoxSpread`` objects."""
    return [
        (box.bid_cost, box.mid_cost, box.ask_cost, box.bid_rate, box.mid_rate, box.ask_rate)
        for box in BoxSpread.all_from_chain(chain, ROOT, EXPIRY)
    ]


def main() -> None:
    """Check the ways against each other, time each many times in a row, print medians."""
    file = json_file()
    chain = quoted_chain()
    forwards = synthetics(chain, ROOT, EXPIRY, QualityRules()).forwards
    pairs = StrikePairs.within(forwards.strike)
    began = perf_counter()
    BOXES.load()
    print(f"loading the compiled kernel: {perf_counter() - began:.1f} s")
    expected = np.array(python_loop(forwards))
    found = box_prices(forwards, pairs, YEARS, Compounding.EFFECTIVE)
    np.testing.assert_allclose(np.array(astuple(found)).T, expected, rtol=1e-11, atol=1e-14)
    ways: dict[str, tuple[Callable[[], object], int]] = {
        "compiled kernel": (
            lambda: box_prices(forwards, pairs, YEARS, Compounding.EFFECTIVE),
            ROUNDS,
        ),
        "numpy kernel": (
            lambda: numpy_prices(forwards, pairs, YEARS, Compounding.EFFECTIVE),
            ROUNDS,
        ),
        "whole box_table": (lambda: box_table(chain, ROOT, EXPIRY), ROUNDS),
        "plain Python loop": (lambda: python_loop(forwards), 7),
        "BoxSpread objects": (lambda: box_objects(chain), 1),
    }
    seconds = {name: timed(way, rounds) for name, (way, rounds) in ways.items()}
    report(seconds)
    write_json(file, "box_table", seconds)


def report(seconds: dict[str, list[float]]) -> None:
    """Print boxes a second and ratios to the plain loop."""
    loop = PAIRS / median(seconds["plain Python loop"])
    print(f"\n{PAIRS:,} boxes: costs and three rates; polars threads: {pl.thread_pool_size()}")
    print(f"{'way':<20}{'boxes/s, median':>18}{'best':>16}{'x plain loop':>14}")
    for name, taken in seconds.items():
        speed = PAIRS / median(taken)
        print(f"{name:<20}{speed:>18,.0f}{PAIRS / min(taken):>16,.0f}{speed / loop:>14,.1f}")
    kernel = PAIRS / median(seconds["compiled kernel"])
    verdict = "reached" if kernel >= TARGET_PAIRS_A_SECOND else "missed"
    print(f"target for the kernel, {TARGET_PAIRS_A_SECOND:,.0f} boxes/s on one core: {verdict}")


if __name__ == "__main__":
    main()
