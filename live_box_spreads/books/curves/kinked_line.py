"""The kinked line of one expiry: synthetic forward against strike, with a bend around the money.

In-the-money legs are refreshed later than the others, so their mids lag the spot, and mids of
synthetic forwards bend in a V around the money. At strike K they are fitted by

    mid = D·(F - K) + kink · g(K) + error,    g = (2·Δ - 1)²

with Δ the risk-neutral probability of ending above K, from the slope of out-of-the-money prices
(Breeden and Litzenberger, Journal of Business 51, 1978): g is 0 at the money and 1 far from it.
One expiry tells kink and D apart badly. So what a line gives is both, with their covariance;
``joint_fit.py`` makes a curve of the lines of all expiries of a root.

Errors are in proportion to the root of the half-spread. Half of their variance is each strike's
own, half is an Ornstein-Uhlenbeck process along the strikes. A leg older than the newest one of its
expiry errs by what the spot may have moved meanwhile, times its delta. In ``PASSES`` passes,
strikes that lie far off the line before count for less, or are left out (see ``parity_line.py``).

``kernels/kinked.py`` has the same in machine code.
"""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from live_box_spreads.books.curves.error_models import ErrorModel
from live_box_spreads.books.curves.parity_line import (
    FULL_WEIGHT,
    MAD_TO_DEVIATION,
    NARROWEST,
    OFF_LINE,
    ROUNDING,
    first_line,
    strike_unit,
    whitened_products,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

FEWEST_STRIKES: Final = 6
"""Three coefficients through fewer give no estimate of their error."""
PASSES: Final = 4
MODEL: Final = ErrorModel(spread_power=0.5, shared=0.5, reach=1 / 3)
SECS_A_YEAR: Final = 252 * 6.5 * 3600.0
"""Of trading: the spot moves while the market is open."""
STRADDLE: Final = 0.8
"""A straddle at the money costs so many standard deviations of the forward: sqrt(2/pi)."""
LEAST_YEARS: Final = 1 / 365


class Quotes(NamedTuple):
    """Mids of the usable strikes of one expiry; (m,) arrays, finite, strikes ascending."""

    strike: Floats
    mid: Floats
    half_spread: Floats
    call_mid: Floats
    put_mid: Floats
    call_lag_secs: Floats
    put_lag_secs: Floats

    def of(self, rows: slice | NDArray[np.intp]) -> Quotes:
        """Return the quotes of some strikes."""
        return Quotes(*(column[rows] for column in self))


class KinkedLine(NamedTuple):
    """What the strikes of one expiry tell; NaN throughout where there is no line.

    Attributes:
        discount: discount factor D.
        kink: amplitude of the bend, index points.
        discount_variance: variance of ``discount``.
        covariance: of ``discount`` and ``kink``.
        kink_variance: variance of ``kink``.
        mean_mid: weighted mean of the mids, index points.
        mean_strike: likewise of the strikes.
        mean_bend: likewise of g: ``mean_mid = D·(F - mean_strike) + kink · mean_bend``.
        half_spread: median half-spread, index points.
        strike_deviation: standard deviation of the strikes, index points.
        step: by how much strikes above the forward lie higher than those below it, beside line and
            kink, index points.
        step_error: standard error of ``step``.
        scatter: standard deviation of the mids around the line, at a strike of median half-spread,
            index points.
    """

    discount: float
    kink: float
    discount_variance: float
    covariance: float
    kink_variance: float
    mean_mid: float
    mean_strike: float
    mean_bend: float
    half_spread: float
    strike_deviation: float
    step: float
    step_error: float
    scatter: float


NO_LINE: Final = KinkedLine(*[np.nan] * len(KinkedLine._fields))


def fit_kinked_line(quotes: Quotes, years: float) -> tuple[KinkedLine, int, int]:
    """Fit the line of one expiry.

    Args:
        quotes: its usable strikes.
        years: to the expiry; only as far as old legs are concerned.

    Returns:
        The line, strikes that it rests on, and strikes left out because their mid is off it.
    """
    strike, mid, half_spread = quotes.strike, quotes.mid, quotes.half_spread
    if strike.size < FEWEST_STRIKES:
        return NO_LINE, int(strike.size), 0
    spread = np.maximum(half_spread, NARROWEST)
    discount, level = first_line(strike, mid, spread)
    if not (discount > 0.0 and np.isfinite(level)):
        return NO_LINE, int(strike.size), 0
    above = probability_above(quotes, discount, level / discount)
    bend = (2.0 * above - 1.0) ** 2
    old = _variance_of_old_legs(quotes, above, discount, level / discount, years)
    centre, unit = strike_unit(strike, spread)
    columns = np.column_stack(
        [
            np.ones_like(strike),
            (strike - centre) / unit,
            bend,
            np.where(strike < level / discount, -0.5, 0.5),
            mid - (level - discount * strike),
        ]
    )
    scale = np.sqrt(spread / np.median(spread))
    found: Floats = np.zeros(3)
    kept = np.ones(strike.size, dtype=np.bool_)
    product, noise = np.zeros((5, 5)), np.nan
    for _ in range(PASSES):
        residual = columns[:, 4] - columns[:, :3] @ found
        kept = np.abs(residual) <= OFF_LINE * _deviation(residual / scale) * scale
        used = int(np.count_nonzero(kept))
        if used < FEWEST_STRIKES:
            return NO_LINE, used, strike.size - used
        deviation = _deviation(residual[kept] / scale[kept])
        far = np.abs(residual[kept]) / (scale[kept] * deviation * FULL_WEIGHT)
        alone = (1.0 - MODEL.shared) * np.maximum(far, 1.0) ** 2
        alone += old[kept] / (scale[kept] * deviation) ** 2
        scaled = columns[kept] / scale[kept, None]
        product, _ = whitened_products(scaled, alone, columns[kept, 1], MODEL)
        normal, right = product[:3, :3], product[:3, 4]
        if not np.linalg.cond(normal) < 1e12:  # noqa: PLR2004 - strikes all far from the money
            return NO_LINE, used, strike.size - used
        found = np.asarray(np.linalg.solve(normal, right), dtype=np.float64)
        noise = (product[4, 4] - found @ right) / (used - 3) + ROUNDING**2
    covariance = noise * np.linalg.inv(product[:3, :3])
    discount_found = discount - found[1] / unit
    mean_strike = centre + unit * product[0, 1] / product[0, 0]
    line = KinkedLine(
        discount=discount_found,
        kink=float(found[2]),
        discount_variance=covariance[1, 1] / unit**2,
        covariance=-covariance[1, 2] / unit,
        kink_variance=covariance[2, 2],
        mean_mid=product[0, 4] / product[0, 0] + level - discount * mean_strike,
        mean_strike=mean_strike,
        mean_bend=product[0, 2] / product[0, 0],
        half_spread=float(np.median(half_spread[kept])),
        strike_deviation=unit,
        **_step(product, noise),
        scatter=sqrt(noise),
    )
    return line, int(np.count_nonzero(kept)), int(np.count_nonzero(~kept))


def probability_above(quotes: Quotes, discount: float, forward: float) -> Floats:
    """Return the risk-neutral probability of ending above each strike, (m,).

    Slopes of put prices below the forward and of call prices above it, made monotone by isotonic
    regression (pool adjacent violators), between strikes by straight lines.
    """
    from scipy.optimize import isotonic_regression  # noqa: PLC0415 - slow to import

    strike = quotes.strike
    below = strike < forward
    apart = np.diff(strike)
    slope = np.diff(np.where(below, quotes.put_mid, quotes.call_mid)) / apart / discount
    ending_below = np.clip(np.where(below[1:], slope, 1.0 + slope), 0.0, 1.0)
    same_side = below[:-1] == below[1:]
    smooth = isotonic_regression(ending_below[same_side], weights=apart[same_side]).x
    middle = 0.5 * (strike[1:] + strike[:-1])[same_side]
    above: Floats = 1.0 - np.interp(strike, middle, smooth)
    return above


def _variance_of_old_legs(
    quotes: Quotes, above: Floats, discount: float, forward: float, years: float
) -> Floats:
    """Return the variance that the spot's moves since a leg's quote add, (m,), points squared."""
    nearest = int(np.argmin(np.abs(quotes.strike - forward)))
    straddle = quotes.call_mid[nearest] + quotes.put_mid[nearest]
    variance_a_year = (straddle / discount / STRADDLE) ** 2 / max(years, LEAST_YEARS)
    lagging = above**2 * quotes.call_lag_secs + (1.0 - above) ** 2 * quotes.put_lag_secs
    variance: Floats = variance_a_year * lagging / SECS_A_YEAR
    return variance


def _deviation(scaled: Floats) -> float:
    """Return the robust standard deviation of residuals over their scale."""
    return max(MAD_TO_DEVIATION * float(np.median(np.abs(scaled))), ROUNDING)


def _step(product: Floats, noise: float) -> dict[str, float]:
    """Return the coefficient of the step column beside the others, and its standard error."""
    explained = np.linalg.solve(product[:3, :3], product[:3, [3, 4]])
    own = product[3, 3] - product[3, :3] @ explained[:, 0]
    if not own > 1e-9 * product[3, 3]:  # all strikes on one side of the forward
        return {"step": np.nan, "step_error": np.nan}
    step = (product[3, 4] - product[3, :3] @ explained[:, 1]) / own
    return {"step": float(step), "step_error": sqrt(noise / own)}
