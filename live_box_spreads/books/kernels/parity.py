"""The parity fit in machine code. Importing this module imports numba, which takes seconds.

It does what ``curves/parity_line.py`` does, block after block, but passes over the strikes once for
each error model instead of solving a tridiagonal system: a Kalman filter whitens the columns as it
goes (the innovations of an Ornstein-Uhlenbeck process seen through noise; Harvey, Forecasting,
Structural Time Series Models, 1989, section 3.4).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from live_box_spreads.books.curves.error_models import FIRST_MODEL, PROXIES, TABLE
from live_box_spreads.books.curves.parity_line import (
    FEWEST_STRIKES,
    FULL_WEIGHT,
    MAD_TO_DEVIATION,
    NARROWEST,
    OFF_LINE,
    ROUNDING,
)
from live_box_spreads.books.kernels.jit import jit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Indices = NDArray[np.intp]

_LARGE = 1e100  # the product of variances is kept between this and its inverse


@jit
def _weighted_median(values: Floats, weights: Floats) -> float:
    order = np.argsort(values)
    half = 0.5 * np.sum(weights)
    below = 0.0
    for i in order:
        below += weights[i]
        if below >= half:
            return float(values[i])
    return float(values[order[-1]])


@jit
def first_line(strike: Floats, mid: Floats, spread: Floats) -> tuple[float, float]:
    """Return D and level of a rough line; see ``parity_line.first_line``."""
    apart = strike.size // 2
    pairs = strike.size - apart
    slope, weight = np.empty(pairs), np.empty(pairs)
    for i in range(pairs):
        width = strike[i + apart] - strike[i]
        slope[i] = (mid[i] - mid[i + apart]) / width
        weight[i] = width / np.sqrt(spread[i] ** 2 + spread[i + apart] ** 2)
    discount = _weighted_median(slope, weight)
    return discount, float(np.median(mid + discount * strike))


@jit
def deviation(residual: Floats, scale: Floats) -> float:
    """Return the robust standard deviation of the residuals over their scale."""
    return max(MAD_TO_DEVIATION * float(np.median(np.abs(residual) / scale)), ROUNDING)


@jit
def _keep(
    strike: Floats, spread: Floats, residual: Floats, typical: float, place: Floats
) -> tuple[int, float, float]:
    """Move the strikes that lie near the line to the front; return how many, and their unit.

    ``strike``, ``spread`` and ``residual`` are changed; ``place`` is filled.
    """
    limit = OFF_LINE * deviation(residual, np.sqrt(spread / typical))
    kept = 0
    total, centre = 0.0, 0.0
    for i in range(strike.size):
        if np.abs(residual[i]) <= limit * np.sqrt(spread[i] / typical):
            strike[kept], spread[kept], residual[kept] = strike[i], spread[i], residual[i]
            total += 1.0 / spread[kept]
            centre += strike[kept] / spread[kept]
            kept += 1
    centre /= total
    square = 0.0
    for i in range(kept):
        square += (strike[i] - centre) ** 2 / spread[i]
    unit = np.sqrt(square / total)
    for i in range(kept):
        place[i] = (strike[i] - centre) / unit
    return kept, centre, unit


@jit
def _weigh(residual: Floats, spread: Floats, power: float, scale: Floats, excess: Floats) -> None:
    """Fill the scale of each strike's error, and how many times its variance is for being far."""
    for i in range(residual.size):
        scale[i] = np.sqrt(spread[i]) if power == 0.5 else spread[i] ** power  # noqa: PLR2004
    full_weight = FULL_WEIGHT * deviation(residual, scale)
    for i in range(residual.size):
        far = max(np.abs(residual[i]) / (scale[i] * full_weight), 1.0)
        excess[i] = far * far


@jit
def _generalised_least_squares(
    columns: tuple[Floats, Floats, Floats, Floats, Floats], shared: float, out: Floats
) -> None:
    """Write shift, tilt, the variance of tilt and the restricted log-likelihood of one model.

    ``columns``: place, residual, scale, excess, and the correlation with the next strike.
    """
    place, residual, scale, excess, fade = columns
    a00, a01, a11, b0, b1, square = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    log_determinant, product = 0.0, 1.0
    variance, mean0, mean1, mean2 = shared, 0.0, 0.0, 0.0
    for i in range(place.size):
        inverse = 1.0 / scale[i]
        total = variance + (1.0 - shared) * excess[i]
        new0 = inverse - mean0
        new1 = place[i] * inverse - mean1
        new2 = residual[i] * inverse - mean2
        weight = 1.0 / total
        a00 += new0 * new0 * weight
        a01 += new0 * new1 * weight
        a11 += new1 * new1 * weight
        b0 += new0 * new2 * weight
        b1 += new1 * new2 * weight
        square += new2 * new2 * weight
        product *= total * scale[i] * scale[i]
        if product > _LARGE or product < 1.0 / _LARGE:
            log_determinant += np.log(product)
            product = 1.0
        gain = variance * weight
        variance = shared + fade[i] * fade[i] * (variance * (1.0 - gain) - shared)
        mean0 = fade[i] * (mean0 + gain * new0)
        mean1 = fade[i] * (mean1 + gain * new1)
        mean2 = fade[i] * (mean2 + gain * new2)
    log_determinant += np.log(product)
    determinant = a00 * a11 - a01 * a01
    out[0] = (a11 * b0 - a01 * b1) / determinant
    out[1] = (a00 * b1 - a01 * b0) / determinant
    freedom = place.size - 2
    noise = (square - out[0] * b0 - out[1] * b1) / freedom + ROUNDING**2
    out[2] = noise * a00 / determinant
    out[3] = -0.5 * (freedom * np.log(noise) + log_determinant + np.log(determinant))


@jit
def _fit_models(
    quotes: tuple[Floats, Floats, Floats], table: Floats, rows: tuple[int, int], found: Floats
) -> None:
    """Fit some models, writing their rows of ``found``; what rows of one kind share is found once.

    ``quotes``: place, residual and spread of the strikes that count.
    """
    place, residual, spread = quotes
    scale, excess = np.empty(place.size), np.empty(place.size)
    fade = np.zeros(place.size)
    power, reach = np.nan, np.nan
    for j in range(rows[0], rows[1]):
        if table[j, 0] != power:
            power = table[j, 0]
            _weigh(residual, spread, power, scale, excess)
        if table[j, 1] > 0.0 and table[j, 2] != reach:
            reach = table[j, 2]
            for i in range(place.size - 1):
                fade[i] = np.exp((place[i] - place[i + 1]) / reach)
        _generalised_least_squares((place, residual, scale, excess, fade), table[j, 1], found[j])


@jit
def _blend(found: Floats, proxies: Indices) -> tuple[float, float, float]:
    """Return shift, tilt and the variance of tilt; see ``error_models.blend``."""
    probability = np.exp(found[:, 3] - np.max(found[:, 3]))
    probability /= np.sum(probability)
    shift, tilt = 0.0, 0.0
    for j in range(len(found)):
        shift += probability[j] * found[proxies[j], 0]
        tilt += probability[j] * found[proxies[j], 1]
    variance = 0.0
    for j in range(len(found)):
        variance += probability[j] * (found[j, 2] + (found[j, 1] - tilt) ** 2)
    return shift, tilt, variance


@jit
def _fit(
    quotes: tuple[Floats, Floats, Floats], models: tuple[Floats, Indices], out: Floats
) -> tuple[int, int]:
    """Write discount, level and standard error of one block; return strikes used and off line."""
    strike, mid, half_spread = quotes
    table, proxies = models
    out[:] = np.nan
    if strike.size < FEWEST_STRIKES:
        return strike.size, 0
    spread = np.maximum(half_spread, NARROWEST)
    typical = np.median(spread)
    discount, level = first_line(strike, mid, spread)
    found = np.empty((len(proxies), 4))
    place = np.empty(strike.size)
    kept, std_error = 0, np.nan
    for last in (False, True):
        residual = mid - (level - discount * strike)
        near_strike, near_spread = strike.copy(), spread.copy()
        kept, centre, unit = _keep(near_strike, near_spread, residual, typical, place)
        if kept < FEWEST_STRIKES:
            return kept, strike.size - kept
        near = (place[:kept], residual[:kept], near_spread[:kept] / typical)
        if last:
            _fit_models(near, table, (0, len(found)), found)
            shift, tilt, variance = _blend(found, proxies)
        else:
            _fit_models(near, table, (FIRST_MODEL, FIRST_MODEL + 1), found)
            first = found[FIRST_MODEL]
            shift, tilt, variance = first[0], first[1], first[2]
        discount -= tilt / unit
        level += shift - tilt * centre / unit
        std_error = np.sqrt(variance) / unit
    out[0], out[1], out[2] = discount, level, std_error
    return kept, strike.size - kept


@jit
def fill(
    starts: Indices,
    quotes: tuple[Floats, Floats, Floats],
    models: tuple[Floats, Indices],
    lines: Floats,
    used: Indices,
    off_line: Indices,
) -> None:
    """Fit the line of each block.

    Args:
        starts: (n + 1,) bounds of the blocks.
        quotes: (m,) arrays strike (ascending within a block), mid, half-spread, all finite.
        models: ``error_models.TABLE`` and ``PROXIES``; as arguments, because numba keeps machine
            code by the age of this file and would not see them change.
        lines: (n, 3) to fill: discount factor, level, standard error of the discount factor; NaN
            where there is no line.
        used: (n,) to fill: strikes that the line rests on.
        off_line: (n,) to fill: strikes left out because their mid is off the line.
    """
    strike, mid, half_spread = quotes
    for block in range(starts.size - 1):
        a, b = starts[block], starts[block + 1]
        part = (strike[a:b], mid[a:b], half_spread[a:b])
        used[block], off_line[block] = _fit(part, models, lines[block])


def warm_up() -> None:
    """Compile ``fill`` by calling it on one block of as few strikes as a line needs."""
    strike = np.arange(float(FEWEST_STRIKES))
    counts = np.zeros(1, dtype=np.intp)
    quotes = (strike, -strike, np.ones_like(strike))
    starts = np.array([0, strike.size], dtype=np.intp)
    fill(starts, quotes, (TABLE, PROXIES), np.empty((1, 3)), counts, counts.copy())
