"""The indices of the simulated market: where they start and how they move."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from live_box_spreads.simulator.market.volatility import VarianceTerm

if TYPE_CHECKING:
    from numpy.random import Generator

SECS_A_YEAR = 365.0 * 86_400.0


@dataclass(frozen=True, slots=True)
class Index:
    """One index.

    Attributes:
        level: where it starts, in points.
        volatility: of its own moves, annual over calendar time, as a fraction (calm).
        dividend_yield: continuous, as a fraction.
        variance: what its options are priced with.
    """

    level: float
    volatility: float
    dividend_yield: float
    variance: VarianceTerm


_S_AND_P_VARIANCE = VarianceTerm(short_volatility=0.115, long_volatility=0.205)
INDICES = {
    "SPX": Index(7_480.0, 0.06, 0.0118, _S_AND_P_VARIANCE),
    "XSP": Index(748.0, 0.06, 0.0118, _S_AND_P_VARIANCE),
    "NDX": Index(27_150.0, 0.08, 0.0062, VarianceTerm(0.155, 0.240)),
}
"""By symbol. XSP is a tenth of SPX at every instant."""

_CORRELATION = 0.9


class Spots:
    """Index levels on seeded, correlated Brownian paths.

    Attributes:
        levels: points by index, unrounded.
    """

    def __init__(self) -> None:
        """Start every index at its level."""
        self.levels = {symbol: index.level for symbol, index in INDICES.items()}

    def move(self, elapsed_secs: float, random: Generator) -> None:
        """Move all indices by the elapsed time; two normals are drawn whatever happens."""
        common, own = random.standard_normal(2)
        shocks = {
            "SPX": common,
            "NDX": _CORRELATION * common + math.sqrt(1.0 - _CORRELATION**2) * own,
        }
        moved = dict(self.levels)
        for symbol, shock in shocks.items():
            deviation = INDICES[symbol].volatility * math.sqrt(elapsed_secs / SECS_A_YEAR)
            moved[symbol] *= math.exp(deviation * shock - 0.5 * deviation**2)
        moved["XSP"] = moved["SPX"] / 10.0
        self.levels = moved
