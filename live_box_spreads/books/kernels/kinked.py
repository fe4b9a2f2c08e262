"""The kinked line in machine code. Importing this module imports numba, which takes seconds.

It does what ``curves/kinked_line.py`` does, block after block. A Kalman filter whitens the columns
as it passes over the strikes (see ``kernels/parity.py``); isotonic regression pools adjacent
violators (Barlow, Bartholomew, Bremner and Brunk, Statistical Inference under Order Restrictions,
1972).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from live_box_spreads.books.curves.kinked_line import (
    FEWEST_STRIKES,
    LEAST_YEARS,
    MODEL,
    NO_LINE,
    PASSES,
    SECS_A_YEAR,
    STRADDLE,
)
from live_box_spreads.books.curves.parity_line import FULL_WEIGHT, NARROWEST, OFF_LINE, ROUNDING
from live_box_spreads.books.kernels.jit import jit
from live_box_spreads.books.kernels.parity import deviation, first_line

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Indices = NDArray[np.intp]

_SHARED, _REACH = MODEL.shared, MODEL.reach
_COLUMNS, _FITTED = 5, 3
_FIELDS = len(NO_LINE)


@jit
def _pool(values: Floats, weights: Floats) -> None:
    """Make ``values`` ascend: their isotonic regression, in place."""
    level, weight = np.empty(values.size), np.empty(values.size)
    count = np.empty(values.size, dtype=np.intp)
    pools = 0
    for i in range(values.size):
        level[pools], weight[pools], count[pools] = values[i], weights[i], 1
        pools += 1
        while pools > 1 and level[pools - 2] >= level[pools - 1]:
            total = weight[pools - 2] + weight[pools - 1]
            mean = level[pools - 2] * weight[pools - 2] + level[pools - 1] * weight[pools - 1]
            level[pools - 2] = mean / total
            weight[pools - 2] = total
            count[pools - 2] += count[pools - 1]
            pools -= 1
    at = 0
    for pool in range(pools):
        for _ in range(count[pool]):
            values[at] = level[pool]
            at += 1


@jit
def _probability_above(
    quotes: tuple[Floats, ...], discount: float, forward: float, above: Floats
) -> None:
    """Fill ``above``; see ``kinked_line.probability_above``."""
    strike, call, put = quotes[0], quotes[3], quotes[4]
    middle, below, weight = np.empty(strike.size), np.empty(strike.size), np.empty(strike.size)
    count = 0
    for i in range(strike.size - 1):
        left, right = strike[i] < forward, strike[i + 1] < forward
        if left != right:
            continue
        apart = strike[i + 1] - strike[i]
        price = put if left else call
        slope = (price[i + 1] - price[i]) / apart / discount
        below[count] = min(max(slope if left else 1.0 + slope, 0.0), 1.0)
        middle[count] = 0.5 * (strike[i] + strike[i + 1])
        weight[count] = apart
        count += 1
    _pool(below[:count], weight[:count])
    j = 0
    for i in range(strike.size):
        if strike[i] <= middle[0]:
            above[i] = 1.0 - below[0]
        elif strike[i] >= middle[count - 1]:
            above[i] = 1.0 - below[count - 1]
        else:
            while middle[j + 1] < strike[i]:
                j += 1
            part = (strike[i] - middle[j]) / (middle[j + 1] - middle[j])
            above[i] = 1.0 - (below[j] + part * (below[j + 1] - below[j]))


@jit
def _variance_of_old_legs(
    quotes: tuple[Floats, ...], above: Floats, line: tuple[float, float], years: float, old: Floats
) -> None:
    """Fill ``old``; see ``kinked_line._variance_of_old_legs``. ``line``: discount and forward."""
    nearest = np.argmin(np.abs(quotes[0] - line[1]))
    straddle = quotes[3][nearest] + quotes[4][nearest]
    a_year = (straddle / line[0] / STRADDLE) ** 2 / max(years, LEAST_YEARS)
    for i in range(old.size):
        lagging = above[i] ** 2 * quotes[5][i] + (1.0 - above[i]) ** 2 * quotes[6][i]
        old[i] = a_year * lagging / SECS_A_YEAR


@jit
def _whiten(columns: Floats, rows: Indices, scale: Floats, alone: Floats, product: Floats) -> None:
    """Fill ``product`` with columns' V⁻¹ columns of some rows.

    ``columns`` is (m, 5): one, place, bend, step and mid. The sums are written out one by one,
    which is several times as fast as loops over five.
    """
    p00, p01, p02, p03, p04, p11, p12, p13 = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    p14, p22, p23, p24, p33, p34, p44 = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    mean0, mean1, mean2, mean3, mean4 = 0.0, 0.0, 0.0, 0.0, 0.0
    variance, before, gain = _SHARED, columns[rows[0], 1], 0.0
    for i in range(rows.size):
        row = rows[i]
        place = columns[row, 1]
        if i > 0:
            fade = np.exp((before - place) / _REACH)
            variance = _SHARED + fade * fade * (variance * (1.0 - gain) - _SHARED)
            mean0, mean1, mean2 = fade * mean0, fade * mean1, fade * mean2
            mean3, mean4 = fade * mean3, fade * mean4
        before = place
        inverse = 1.0 / scale[row]
        weight = 1.0 / (variance + alone[i])
        gain = variance * weight
        new0, new1, new2 = (
            inverse - mean0,
            place * inverse - mean1,
            columns[row, 2] * inverse - mean2,
        )
        new3, new4 = columns[row, 3] * inverse - mean3, columns[row, 4] * inverse - mean4
        mean0, mean1, mean2 = mean0 + gain * new0, mean1 + gain * new1, mean2 + gain * new2
        mean3, mean4 = mean3 + gain * new3, mean4 + gain * new4
        w0, w1, w2, w3 = new0 * weight, new1 * weight, new2 * weight, new3 * weight
        p00, p01, p02, p03 = p00 + w0 * new0, p01 + w0 * new1, p02 + w0 * new2, p03 + w0 * new3
        p04, p11, p12, p13 = p04 + w0 * new4, p11 + w1 * new1, p12 + w1 * new2, p13 + w1 * new3
        p14, p22, p23, p24 = p14 + w1 * new4, p22 + w2 * new2, p23 + w2 * new3, p24 + w2 * new4
        p33, p34, p44 = p33 + w3 * new3, p34 + w3 * new4, p44 + new4 * new4 * weight
    product[0, 0], product[0, 1], product[0, 2], product[0, 3], product[0, 4] = (
        p00,
        p01,
        p02,
        p03,
        p04,
    )
    product[1, 1], product[1, 2], product[1, 3], product[1, 4] = p11, p12, p13, p14
    product[2, 2], product[2, 3], product[2, 4] = p22, p23, p24
    product[3, 3], product[3, 4], product[4, 4] = p33, p34, p44
    for i in range(_COLUMNS):
        for j in range(i):
            product[i, j] = product[j, i]


@jit
def _inverse(product: Floats, out: Floats) -> bool:
    """Fill ``out`` with the inverse of the upper left 3 by 3 of ``product``; False if it has none.

    By Gauss and Jordan, on the matrix with a unit diagonal.
    """
    work = np.empty((_FITTED, 2 * _FITTED))
    unit = np.empty(_FITTED)
    for i in range(_FITTED):
        if not product[i, i] > 0.0:
            return False
        unit[i] = np.sqrt(product[i, i])
    units = np.outer(unit, unit)
    work[:, :_FITTED] = product[:_FITTED, :_FITTED] / units
    work[:, _FITTED:] = np.eye(_FITTED)
    for i in range(_FITTED):
        pivot = work[i, i]
        if not pivot > 1e-10:  # noqa: PLR2004 - one column is a sum of the others
            return False
        work[i] /= pivot
        for j in range(_FITTED):
            if j != i:
                work[j] -= work[j, i] * work[i]
    out[:_FITTED, :_FITTED] = work[:, _FITTED:] / units
    return True


@jit
def _fill_columns(
    quotes: tuple[Floats, ...], line: tuple[float, float, float, float], above: Floats, out: Floats
) -> None:
    """Fill the (m, 5) columns; ``line``: discount, level, centre and unit of the strikes."""
    discount, level, centre, unit = line
    for i in range(above.size):
        strike = quotes[0][i]
        out[i, 0] = 1.0
        out[i, 1] = (strike - centre) / unit
        out[i, 2] = (2.0 * above[i] - 1.0) ** 2
        out[i, 3] = -0.5 if strike < level / discount else 0.5
        out[i, 4] = quotes[1][i] - (level - discount * strike)


@jit
def _residual(columns: Floats, found: Floats) -> Floats:
    """Return how far each mid is off the line ``found``."""
    residual = np.empty(len(columns))
    for i in range(residual.size):
        fitted = columns[i, 0] * found[0] + columns[i, 1] * found[1] + columns[i, 2] * found[2]
        residual[i] = columns[i, 4] - fitted
    return residual


@jit
def _pass(
    columns: Floats, scale: Floats, old: Floats, found: Floats, products: Floats
) -> tuple[int, float]:
    """Fit once more from the line ``found``, which is changed; return strikes kept and noise.

    ``products``: (2, 5, 5) to fill: the weighted products, and in the second the inverse.
    """
    residual = _residual(columns, found)
    limit = OFF_LINE * deviation(residual, scale)
    rows = np.flatnonzero(np.abs(residual) <= limit * scale)
    if rows.size < FEWEST_STRIKES:
        return rows.size, np.nan
    typical = deviation(residual[rows], scale[rows])
    alone = np.empty(rows.size)
    for i in range(rows.size):
        row = rows[i]
        unit = scale[row] * typical
        far = max(np.abs(residual[row]) / (unit * FULL_WEIGHT), 1.0)
        alone[i] = (1.0 - _SHARED) * far * far + old[row] / (unit * unit)
    product, inverse = products[0], products[1]
    _whiten(columns, rows, scale, alone, product)
    if not _inverse(product, inverse):
        return rows.size, np.nan
    square = product[4, 4]
    for i in range(_FITTED):
        found[i] = 0.0
        for j in range(_FITTED):
            found[i] += inverse[i, j] * product[j, 4]
        square -= found[i] * product[i, 4]
    return rows.size, square / (rows.size - 3) + ROUNDING**2


@jit
def _step(products: Floats, noise: float) -> tuple[float, float]:
    """Return the step and its standard error; see ``kinked_line._step``."""
    product, inverse = products[0], products[1]
    own, right = product[3, 3], product[3, 4]
    for i in range(_FITTED):
        for j in range(_FITTED):
            own -= product[3, i] * inverse[i, j] * product[j, 3]
            right -= product[3, i] * inverse[i, j] * product[j, 4]
    if not own > 1e-9 * product[3, 3]:  # all strikes on one side of the forward
        return np.nan, np.nan
    return right / own, np.sqrt(noise / own)


@jit
def _unit(strike: Floats, spread: Floats) -> tuple[float, float]:
    """Return mean and standard deviation of the strikes, each weighted by 1 / spread."""
    weight = 1.0 / spread
    total = np.sum(weight)
    centre = np.sum(weight * strike) / total
    return centre, np.sqrt(np.sum(weight * (strike - centre) ** 2) / total)


@jit
def _fit(quotes: tuple[Floats, ...], years: float, out: Floats) -> tuple[int, int]:
    """Write the line of one block; return strikes used and off line."""
    strike, mid, half_spread = quotes[0], quotes[1], quotes[2]
    out[:] = np.nan
    if strike.size < FEWEST_STRIKES:
        return strike.size, 0
    spread = np.maximum(half_spread, NARROWEST)
    discount, level = first_line(strike, mid, spread)
    if not (discount > 0.0 and np.isfinite(level)):
        return strike.size, 0
    above, old, columns = np.empty(strike.size), np.empty(strike.size), np.empty((strike.size, 5))
    _probability_above(quotes, discount, level / discount, above)
    _variance_of_old_legs(quotes, above, (discount, level / discount), years, old)
    centre, unit = _unit(strike, spread)
    _fill_columns(quotes, (discount, level, centre, unit), above, columns)
    scale = np.sqrt(spread / np.median(spread))
    found, products = np.zeros(_FITTED), np.zeros((2, _COLUMNS, _COLUMNS))
    kept, noise = 0, np.nan
    last = np.zeros(_FITTED)
    for _ in range(PASSES):
        last[:] = found
        kept, noise = _pass(columns, scale, old, found, products)
        if not noise > 0.0:
            return kept, strike.size - kept
    product, inverse = products[0], products[1]
    residual = _residual(columns, last)
    rows = np.flatnonzero(np.abs(residual) <= OFF_LINE * deviation(residual, scale) * scale)
    out[0], out[1] = discount - found[1] / unit, found[2]
    out[2], out[3] = noise * inverse[1, 1] / unit**2, -noise * inverse[1, 2] / unit
    out[4] = noise * inverse[2, 2]
    out[6] = centre + unit * product[0, 1] / product[0, 0]
    out[5] = product[0, 4] / product[0, 0] + level - discount * out[6]
    out[7] = product[0, 2] / product[0, 0]
    out[8], out[9] = np.median(half_spread[rows]), unit
    out[10], out[11] = _step(products, noise)
    out[12] = np.sqrt(noise)
    return kept, strike.size - kept


@jit
def fill(
    starts: Indices,
    quotes: tuple[Floats, Floats, Floats, Floats, Floats, Floats, Floats],
    years: Floats,
    lines: Floats,
    counts: Indices,
) -> None:
    """Fit the kinked line of each block.

    Args:
        starts: (n + 1,) bounds of the blocks.
        quotes: the (m,) columns of ``kinked_line.Quotes``.
        years: (n,) to the expiry of each block.
        lines: (n, 13) to fill: the fields of ``KinkedLine``; NaN where there is no line.
        counts: (2, n) to fill: strikes that the line rests on, and strikes off it.
    """
    for block in range(starts.size - 1):
        a, b = starts[block], starts[block + 1]
        part = (
            quotes[0][a:b],
            quotes[1][a:b],
            quotes[2][a:b],
            quotes[3][a:b],
            quotes[4][a:b],
            quotes[5][a:b],
            quotes[6][a:b],
        )
        counts[0, block], counts[1, block] = _fit(part, years[block], lines[block])


def warm_up() -> None:
    """Compile ``fill`` by calling it on one block of as few strikes as a line needs."""
    strike = np.arange(float(FEWEST_STRIKES))
    ones = np.ones_like(strike)
    starts = np.array([0, strike.size], dtype=np.intp)
    quotes = (strike, -strike, ones, ones, ones, ones, ones)
    fill(starts, quotes, ones[:1], np.empty((1, _FIELDS)), np.zeros((2, 1), dtype=np.intp))
