"""Kinds of days on the simulated market: how wide and how well it is quoted.

The normal day is fitted by eye to closing chains (``quoting.py``); the others to real chains of
such days: an intraday one of September 2025 is about as tight as the quiet one, the night session
of August 2025 as wide as the night, 2020-03-20 as the stressed one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Conditions:
    """How makers quote.

    Attributes:
        width: half-spreads, as a multiple of the normal ones.
        mid_noise: standard deviation of a mid around the fair price, in half-spreads.
        shared: part of that noise's variance that stands still and that neighbouring strikes have
            in common: a maker leans to one side over a stretch of strikes. 0 to 1.
        no_ask_share: contracts without an ask, as a share of all.
        volatility: implied volatilities, as a multiple of the normal ones.
    """

    width: float = 1.0
    mid_noise: float = 0.06
    shared: float = 0.0
    no_ask_share: float = 0.001
    volatility: float = 1.0


NORMAL = Conditions()
CONDITIONS = {
    "normal": NORMAL,
    "quiet": Conditions(width=0.5, mid_noise=0.05),
    "wide": Conditions(width=3.0, mid_noise=0.08),
    "night": Conditions(width=8.0, mid_noise=0.08, shared=0.5, no_ask_share=0.03),
    "stressed": Conditions(width=5.0, mid_noise=0.10, shared=0.8, volatility=2.5),
}
"""By name."""

_STRETCH = 12.0  # strikes over which the correlation of a lean falls to 1/e


def leans(conditions: Conditions, series_of: NDArray[np.intp], random: Generator) -> Floats:
    """Return how far each contract's mid leans from its fair price for good, in half-spreads.

    Args:
        conditions: kind of day; nothing is drawn where no noise is shared.
        series_of: number of each contract's series; they go strike by strike, call before put.
        random: source of the leans.
    """
    lean = np.zeros(len(series_of))
    deviation = float(conditions.mid_noise * np.sqrt(conditions.shared))
    if deviation == 0.0:
        return lean
    drawn = random.standard_normal(len(series_of))
    kept = np.exp(-1.0 / _STRETCH)
    for row in range(len(lean)):
        below = row - 2  # the same right at the strike below
        if below < 0 or series_of[below] != series_of[row]:
            lean[row] = drawn[row]
        else:
            lean[row] = kept * lean[below] + np.sqrt(1.0 - kept**2) * drawn[row]
    lean *= deviation
    return lean
