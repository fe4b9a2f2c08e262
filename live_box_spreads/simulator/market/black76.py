"""Black's (1976) formula for European options on a forward."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_erf = np.vectorize(math.erf, otypes=[np.float64])


def _normal_cdf(values: NDArray[np.float64]) -> NDArray[np.float64]:
    probabilities: NDArray[np.float64] = 0.5 * (1.0 + _erf(values / math.sqrt(2.0)))
    return probabilities


def call_price_and_delta(
    forward: NDArray[np.float64], strike: NDArray[np.float64], total_variance: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return undiscounted call prices and deltas to the forward; all shapes alike.

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
