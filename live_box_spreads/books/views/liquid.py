"""Weights of boxes: the tighter the quotes of a box, the better they determine the rate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

TIGHT_SHARE = 0.25
LEAST_SPREAD = 1e-7
"""A thousandth of a basis point: where the two sides are locked, the weight stays finite."""

RATE_SPREAD = pl.col("bid_rate") - pl.col("ask_rate")
"""Distance of the two executable rates, as a fraction; NaN unless both sides can be executed."""


def tight_spread(spread: Floats) -> float:
    """Return the median spread of the tightest quarter of some boxes; NaN where none has one.

    The quarter is at least one box, and has every box that ties with the last one taken.

    Args:
        spread: (n,) ``RATE_SPREAD`` of each box, NaN where only one side can be executed.
    """
    known = np.sort(spread[np.isfinite(spread)])
    if not known.size:
        return float("nan")
    last = known[int(TIGHT_SHARE * (known.size - 1))]
    taken = int(np.searchsorted(known, last, side="right"))
    return float(
        0.5 * (known[(taken - 1) // 2] + known[taken // 2])
    )  # their median: they are sorted


def weighted_median(rates: Floats, spread: Floats) -> float:
    """Return the median of some rates, each weighing ``1 / spread**2``; NaN where none weighs.

    The error of a mid grows with the width of its quotes, so this is the weight that the precision
    of each box earns; a median, so that a few bad quotes do not move it. Boxes without a spread
    weigh nothing; those with a spread under ``LEAST_SPREAD``, either way, weigh as much as one of
    that spread.

    Args:
        rates: (n,) rate of each box.
        spread: (n,) ``RATE_SPREAD`` of each.
    """
    known = np.isfinite(spread)
    rates, spread = rates[known], spread[known]
    if not rates.size:
        return float("nan")
    order = np.argsort(rates)
    with np.errstate(over="ignore"):  # an absurd spread: its square is infinite, it weighs nothing
        below = np.cumsum(1.0 / np.maximum(np.abs(spread[order]), LEAST_SPREAD) ** 2)
    return float(rates[order][np.searchsorted(below, 0.5 * below[-1])])
