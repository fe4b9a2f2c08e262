"""What else people estimate a discount factor with, from the mids of one expiry.

Each takes (m,) strikes, mids and half-spreads of synthetic forwards and returns D.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import least_squares

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_HUBER = 1.345  # 95 % efficient where errors are normal
_MAD_TO_DEVIATION = 1.4826


def box_mean(strike: Floats, mid: Floats, _half_spread: Floats) -> float:
    """Mean of mid cost over width, of all boxes."""
    return float(np.mean(_all_boxes(strike, mid)))


def box_median(strike: Floats, mid: Floats, _half_spread: Floats) -> float:
    """Median of the same."""
    return float(np.median(_all_boxes(strike, mid)))


def adjacent_strikes(strike: Floats, mid: Floats, _half_spread: Floats) -> float:
    """Mean over boxes of neighbouring strikes."""
    return float(np.mean(-np.diff(mid) / np.diff(strike)))


def least_squares_line(strike: Floats, mid: Floats, _half_spread: Floats) -> float:
    """Ordinary least squares through all mids, each as good as the other."""
    return _line(strike, mid, np.ones_like(mid))[0]


def robust_line(strike: Floats, mid: Floats, half_spread: Floats) -> float:
    """Huber's fit with weights 1 / half-spread², by reweighting: the usual careful choice."""
    return robust_line_and_error(strike, mid, half_spread)[0]


def robust_line_and_error(
    strike: Floats, mid: Floats, half_spread: Floats, rounds: int = 25
) -> tuple[float, float]:
    """Return the same with the standard error of independent errors, as it is usually quoted."""
    base = 1.0 / half_spread**2
    weight = base
    discount, deviation = np.nan, np.nan
    for _ in range(rounds):
        discount, level = _line(strike, mid, weight)
        scaled = np.abs(mid - level + discount * strike) / half_spread
        deviation = max(_MAD_TO_DEVIATION * float(np.median(scaled)), 1e-6)
        weight = base * np.minimum(1.0, _HUBER * deviation / np.maximum(scaled, 1e-12))
    centre = np.average(strike, weights=weight)
    return discount, deviation / float(np.sqrt(np.sum(weight * (strike - centre) ** 2)))


def scipy_line(strike: Floats, mid: Floats, half_spread: Floats) -> float:
    """Fit by ``scipy.optimize.least_squares``, Huber's loss beyond a tenth of a half-spread."""
    centre = float(np.mean(strike))
    start = np.array([1.0, float(np.median(mid + strike - centre))])

    def residuals(line: Floats) -> Floats:
        off: Floats = (mid - line[1] + line[0] * (strike - centre)) / half_spread
        return off

    found = least_squares(residuals, start, loss="huber", f_scale=0.1, x_scale=[1e-3, 1.0])
    return float(found.x[0])


ESTIMATORS = {
    "mean of all boxes": box_mean,
    "median of all boxes": box_median,
    "adjacent strikes": adjacent_strikes,
    "plain least squares": least_squares_line,
    "robust line, 1/h²": robust_line,
}


def _all_boxes(strike: Floats, mid: Floats) -> Floats:
    low, high = np.triu_indices(strike.size, 1)
    discounts: Floats = (mid[low] - mid[high]) / (strike[high] - strike[low])
    return discounts


def _line(strike: Floats, mid: Floats, weight: Floats) -> tuple[float, float]:
    centre, level = np.average(strike, weights=weight), np.average(mid, weights=weight)
    away = strike - centre
    slope = np.sum(weight * away * (mid - level)) / np.sum(weight * away**2)
    return float(-slope), float(level - slope * centre)
