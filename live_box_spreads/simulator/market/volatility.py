"""The volatility surface that the simulated market quotes from, and option prices by it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_erf = np.vectorize(math.erf, otypes=[np.float64])


@dataclass(frozen=True, slots=True)
class VarianceTerm:
    """At-the-money variance by tenor, reverting to its mean (Heston's expected variance).

    Attributes:
        short_volatility: volatility of the nearest expiry, annual, as a fraction.
        long_volatility: the one it reverts to.
        reversion_per_year: speed of the reversion.
    """

    short_volatility: float
    long_volatility: float
    reversion_per_year: float = 2.0

    def total_variance(self, years: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return total variances at the forward for times to expiry in years, same shape."""
        positive = np.maximum(years, 1e-9)
        scaled = self.reversion_per_year * positive
        short, long = self.short_volatility**2, self.long_volatility**2
        variances: NDArray[np.float64] = (
            long + (short - long) * -np.expm1(-scaled) / scaled
        ) * positive
        return variances


@dataclass(frozen=True, slots=True)
class Smile:
    """How variance changes away from the forward.

    The SSVI surface of Gatheral and Jacquier (2014), "Arbitrage-free SVI volatility surfaces",
    eq. 4.1, with phi(theta) = curvature / sqrt(theta (1 + theta)). No butterfly and no calendar
    arbitrage as long as ``curvature * (1 + |skew|) <= 2`` (their section 4).

    Attributes:
        skew: correlation of spot and volatility; negative makes low strikes dear.
        curvature: how strongly the wings rise.
    """

    skew: float
    curvature: float

    def total_variance(
        self, log_moneyness: NDArray[np.float64], at_the_money: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Return total variances, shapes alike.

        Args:
            log_moneyness: ln(strike / forward).
            at_the_money: total variance at the forward, positive.
        """
        scaled = self.curvature / np.sqrt(at_the_money * (1.0 + at_the_money)) * log_moneyness
        root = np.sqrt((scaled + self.skew) ** 2 + 1.0 - self.skew**2)
        variances: NDArray[np.float64] = 0.5 * at_the_money * (1.0 + self.skew * scaled + root)
        return variances


def _normal_cdf(values: NDArray[np.float64]) -> NDArray[np.float64]:
    probabilities: NDArray[np.float64] = 0.5 * (1.0 + _erf(values / math.sqrt(2.0)))
    return probabilities


def call_price_and_delta(
    forward: NDArray[np.float64], strike: NDArray[np.float64], total_variance: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return undiscounted call prices and deltas to the forward (Black, 1976); all shapes alike.

    A put follows from parity, exactly: price ``call - (forward - strike)``, delta ``delta - 1``.

    Args:
        forward: positive.
        strike: positive, in the forward's unit.
        total_variance: volatility squared times years; zero gives the exercise value.
    """
    deviation = np.sqrt(np.maximum(total_variance, 1e-16))
    d1 = np.log(forward / strike) / deviation + 0.5 * deviation
    delta = _normal_cdf(d1)
    price = forward * delta - strike * _normal_cdf(d1 - deviation)
    return np.maximum(price, np.maximum(forward - strike, 0.0)), delta
