"""A smoothing spline of zero rates over time, as a distribution: means, errors, covariances.

The continuous zero rate is a smooth function of ``u = ln(1 + t / MONTH)``: days at the short end
and years at the long end weigh alike, as the bends of a curve do. A priori it is an integrated
Wiener process in u with any level and slope, whose posterior mean is the cubic smoothing spline
(Wahba, Journal of the Royal Statistical Society B 40, 1978). The spline, its errors and the
covariance of any two of its rates come from one formula (universal kriging; Rasmussen and Williams,
Gaussian Processes for Machine Learning, 2006, section 2.7).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

MONTH = 1 / 12
"""Years below which the curve is smooth in t rather than in ln t."""
STANDS_OUT = 2.5
"""Standard errors from what the others say, beyond which a rate counts for less."""
ROUNDS = 4

BP = 1e-4
USUAL_FLEXIBILITY, USUAL_EXCESS = 50 * BP, 1 * BP
"""Centres of the priors: bend of the zero rate per u to the power 3/2, and excess dispersion.

The prior of the logarithm of each has standard deviation 1."""
_TRIED = np.exp(np.linspace(-3.0, 3.0, 9))  # of the usual values
_FREEDOM = 4.0  # of Student's distribution: heavy tails


class SplinePosterior:
    """Zero rates at any time, given some; see the head of this module."""

    def __init__(self, years: Floats, zero: Floats, variance: Floats, flexibility: float) -> None:
        """Factor what every answer needs.

        Args:
            years: (n,) from payment to payment.
            zero: (n,) continuous zero rates.
            variance: (n,) of their errors, the excess included.
            flexibility: scale of the prior.
        """
        self._place = _place(years)
        self._flexibility = flexibility
        self._trend = _trend(self._place)
        covariance = _prior(self._place, self._place, flexibility) + np.diag(variance)
        self._half = np.linalg.inv(np.linalg.cholesky(covariance))
        whitened = self._half @ self._trend
        self._normal = np.linalg.inv(whitened.T @ whitened)
        self._level = self._normal @ whitened.T @ (self._half @ zero)
        left = self._half @ (zero - self._trend @ self._level)
        self._pull = self._half.T @ left
        projected = self._half.T @ whitened
        self._precision = self._half.T @ self._half - projected @ self._normal @ projected.T

    def at(self, years: Floats) -> tuple[Floats, Floats]:
        """Return the mean (k,) and covariance (k, k) of the zero rates at some times."""
        place = _place(np.maximum(years, 0.0))
        across = _prior(self._place, place, self._flexibility)
        trend = _trend(place)
        mean: Floats = trend @ self._level + across.T @ self._pull
        whitened = self._half @ across
        unexplained = trend.T - self._trend.T @ (self._half.T @ whitened)
        covariance: Floats = (
            _prior(place, place, self._flexibility)
            - whitened.T @ whitened
            + unexplained.T @ self._normal @ unexplained
        )
        return mean, covariance

    def left_out(self) -> tuple[Floats, Floats]:
        """Return how far each rate is off what the others say, and the standard error of that.

        Both (n,). ``[P z]_i / P_ii`` and ``P_ii^(-1/2)``, with P the precision after the trend is
        taken out (Dubrule, Mathematical Geology 15, 1983).
        """
        precision = np.diag(self._precision)
        return self._pull / precision, 1.0 / np.sqrt(precision)


def fit_spline(
    years: Floats, zero: Floats, std_error: Floats
) -> tuple[SplinePosterior, float, Floats]:
    """Fit a spline through zero rates.

    Flexibility and excess dispersion are those with which each rate is best foretold from the
    others: the product of the densities of what leaving one out leaves is greatest. The densities
    have heavy tails, so that a single bad rate decides nothing, and weak priors matter where rates
    are few. A rate that stands out from what the others say counts for less: its error is raised
    until it stands out no more.

    Args:
        years: (n,) from payment to payment, positive.
        zero: (n,) continuous zero rates, fractions.
        std_error: (n,) of them, without the excess.

    Returns:
        The spline, the excess, and (n,) how many times each error was raised.
    """
    inflation = np.ones_like(zero)
    for _ in range(ROUNDS):
        fit, excess = _best_prediction(years, zero, std_error, inflation)
        off, error = fit.left_out()
        far = np.abs(off / error) / STANDS_OUT
        raised = np.maximum(inflation * np.maximum(far, 0.5), 1.0)
        if np.array_equal(raised, inflation):
            return fit, excess, inflation
        inflation = raised
    return (*_best_prediction(years, zero, std_error, inflation), inflation)


def _best_prediction(
    years: Floats, zero: Floats, std_error: Floats, inflation: Floats
) -> tuple[SplinePosterior, float]:
    """Try flexibilities and excesses around their usual values; return the best."""
    tried = []
    for flexibility in USUAL_FLEXIBILITY * _TRIED:
        for excess in USUAL_EXCESS * _TRIED:
            variance = (std_error**2 + excess**2) * inflation**2
            fit = SplinePosterior(years, zero, variance, flexibility)
            away = np.log([flexibility / USUAL_FLEXIBILITY, excess / USUAL_EXCESS])
            score = _log_density(*fit.left_out()) - 0.5 * float(away @ away)
            tried.append((score, fit, float(excess)))
    _, fit, excess = max(tried, key=lambda item: item[0])
    return fit, excess


def _log_density(off: Floats, error: Floats) -> float:
    """Return the logarithm of the product of Student's densities, up to a constant."""
    tails = np.log1p((off / error) ** 2 / _FREEDOM)
    return float(-0.5 * (_FREEDOM + 1.0) * np.sum(tails) - np.sum(np.log(error)))


def _place(years: Floats) -> Floats:
    return np.log1p(years / MONTH)


def _trend(place: Floats) -> Floats:
    return np.column_stack([np.ones_like(place), place])


def _prior(place: Floats, other: Floats, flexibility: float) -> Floats:
    """Return the covariance of an integrated Wiener process from zero on."""
    low = np.minimum(place[:, None], other[None, :])
    apart = np.abs(place[:, None] - other[None, :])
    covariance: Floats = flexibility**2 * (low**3 / 3.0 + low**2 * apart / 2.0)
    return covariance
