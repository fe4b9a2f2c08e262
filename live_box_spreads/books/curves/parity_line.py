"""The parity line of one expiry: synthetic forward against strike, fitted by numpy and LAPACK.

At every strike ``D·(F - K)`` is what a synthetic forward is worth, so the slope of the mids is -D.
The line is found by generalised least squares, twice: under one error model of
``error_models.py`` from a first line that bad quotes cannot bend, and under all of them from that.
Each time, strikes are weighed by how far they lie off the line before:

- within ``FULL_WEIGHT`` robust standard deviations they count in full;
- beyond, their variance grows with the square of the distance (Huber's weights; Robust Statistics,
  1981, chapter 7);
- beyond ``OFF_LINE`` they are left out.

``kernels/parity.py`` has the same in machine code.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import import_module
from math import nan, sqrt
from typing import TYPE_CHECKING, Any

import numpy as np

from live_box_spreads.books.curves.error_models import FIRST_MODEL, MODELS, ErrorModel, blend

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

FEWEST_STRIKES = 5
"""A line through fewer gives no estimate of its error."""
FULL_WEIGHT, OFF_LINE = 2.5, 6.0
"""In robust standard deviations of the residuals."""

MAD_TO_DEVIATION = 1.4826
"""The median distance of a normal variable from zero is its standard deviation over this."""
NARROWEST = 0.01
"""A cent: the least half-spread that is believed, index points."""
ROUNDING = 0.003
"""Standard deviation of a price rounded to the cent, index points: no line is known better."""


@dataclass(frozen=True, slots=True)
class ParityLine:
    """``syn(K) = level - discount · K``.

    Attributes:
        discount: the discount factor D; NaN where there is no line.
        level: D times the forward, index points.
        std_error: standard error of the discount factor.
        used: strikes that the line rests on.
        off_line: strikes left out because their mid is off the line.
    """

    discount: float
    level: float
    std_error: float
    used: int
    off_line: int


def fit_line(strike: Floats, mid: Floats, half_spread: Floats) -> ParityLine:
    """Fit the line of one expiry.

    Args:
        strike: (m,) index points, ascending.
        mid: (m,) mids of the synthetic forwards, finite.
        half_spread: (m,) their half-spreads, not negative.
    """
    if strike.size < FEWEST_STRIKES:
        return ParityLine(nan, nan, nan, int(strike.size), 0)
    spread = np.maximum(half_spread, NARROWEST)
    typical = float(np.median(spread))
    discount, level = first_line(strike, mid, spread)
    variance, kept = nan, np.ones(strike.size, dtype=np.bool_)
    for models in (MODELS[FIRST_MODEL : FIRST_MODEL + 1], MODELS):
        residual = mid - (level - discount * strike)
        kept = _distances(residual, np.sqrt(spread / typical)) <= OFF_LINE
        if np.count_nonzero(kept) < FEWEST_STRIKES:
            return ParityLine(nan, nan, nan, int(np.count_nonzero(kept)), int(np.sum(~kept)))
        centre, unit = strike_unit(strike[kept], spread[kept])
        place = (strike[kept] - centre) / unit
        found = [
            _generalised_least_squares(place, residual[kept], spread[kept] / typical, model)
            for model in models
        ]
        if models is MODELS:
            (shift, tilt), variance = blend(*map(np.array, zip(*found, strict=True)))
        else:
            [((shift, tilt), variance, _)] = found
        discount -= tilt / unit
        level += shift - tilt * centre / unit
        variance /= unit**2
    used = int(np.count_nonzero(kept))
    return ParityLine(discount, level, sqrt(variance), used, strike.size - used)


def first_line(strike: Floats, mid: Floats, spread: Floats) -> tuple[float, float]:
    """Return D and level of a rough line that a quarter of bad quotes cannot bend.

    D is the median of the slopes between strikes half the list apart, weighted by width over
    spread; the level is the median of the levels that the strikes then give.
    """
    apart = strike.size // 2
    width = strike[apart:] - strike[:-apart]
    slope = (mid[:-apart] - mid[apart:]) / width
    discount = _weighted_median(slope, width / np.hypot(spread[:-apart], spread[apart:]))
    return discount, float(np.median(mid + discount * strike))


def _weighted_median(values: Floats, weights: Floats) -> float:
    order = np.argsort(values)
    below = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(below, 0.5 * below[-1])])


def _distances(residual: Floats, scale: Floats) -> Floats:
    """Return the absolute residuals in robust standard deviations, (m,)."""
    scaled = np.abs(residual) / scale
    deviation = max(MAD_TO_DEVIATION * float(np.median(scaled)), ROUNDING)
    distances: Floats = scaled / deviation
    return distances


def strike_unit(strike: Floats, spread: Floats) -> tuple[float, float]:
    """Return the mean and standard deviation of the strikes, each weighted by 1 / spread."""
    weight = 1.0 / spread / np.sum(1.0 / spread)
    centre = float(weight @ strike)
    return centre, sqrt(float(weight @ (strike - centre) ** 2))


def _generalised_least_squares(
    place: Floats, residual: Floats, spread: Floats, model: ErrorModel
) -> tuple[Floats, float, float]:
    """Fit ``residual = shift + tilt · place`` under one error model.

    Returns:
        (shift, tilt), the variance of tilt, and the restricted log-likelihood (Harville,
        Biometrika 61, 1974), up to a constant that all models share.
    """
    scale = spread**model.spread_power
    excess = np.maximum(_distances(residual, scale) / FULL_WEIGHT, 1.0) ** 2
    columns = np.column_stack([np.ones_like(place), place, residual]) / scale[:, None]
    product, log_determinant = whitened_products(
        columns, excess * (1.0 - model.shared), place, model
    )
    normal, right = product[:2, :2], product[:2, 2]
    estimate = np.asarray(np.linalg.solve(normal, right), dtype=np.float64)
    freedom = place.size - 2
    variance = (product[2, 2] - estimate @ right) / freedom + ROUNDING**2
    determinant = normal[0, 0] * normal[1, 1] - normal[0, 1] ** 2
    log_likelihood = -0.5 * (
        freedom * np.log(variance)
        + log_determinant
        + 2.0 * np.sum(np.log(scale))
        + np.log(determinant)
    )
    return estimate, float(variance * normal[0, 0] / determinant), float(log_likelihood)


def whitened_products(
    columns: Floats, alone: Floats, place: Floats, model: ErrorModel
) -> tuple[Floats, float]:
    """Return ``columns' V⁻¹ columns`` and ln det V, V being the errors' correlation matrix.

    V is ``diag(alone)`` plus the covariance of an Ornstein-Uhlenbeck process, whose inverse Q is
    tridiagonal: with A = diag(1/alone), ``V⁻¹ = A - A (Q + A)⁻¹ A`` and
    ``det V = det(Q + A) / (det Q · det A)``, in linear time.
    """
    weighted = columns / alone[:, None]
    product: Floats = columns.T @ weighted
    log_determinant = float(np.sum(np.log(alone)))
    if model.shared == 0.0:
        return product, log_determinant
    fade = np.exp(-np.diff(place) / model.reach)
    fresh = -np.expm1(-2.0 * np.diff(place) / model.reach)  # 1 - fade²
    diagonal = 1.0 / alone
    diagonal[0] += 1.0 / model.shared
    diagonal[1:] += 1.0 / (model.shared * fresh)
    diagonal[:-1] += fade**2 / (model.shared * fresh)
    lapack = _lapack()
    pivots, multipliers, _ = lapack.dpttrf(diagonal, -fade / (model.shared * fresh))
    solved, _ = lapack.dpttrs(pivots, multipliers, weighted)
    log_determinant += float(np.sum(np.log(pivots)) + np.sum(np.log(fresh)))
    log_determinant += place.size * np.log(model.shared)
    return product - weighted.T @ solved, log_determinant


@cache
def _lapack() -> Any:
    """Load scipy's LAPACK, once it is needed: importing it takes a tenth of a second."""
    return import_module("scipy.linalg.lapack")
