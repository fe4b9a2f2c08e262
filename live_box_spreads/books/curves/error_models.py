"""Models of the errors of synthetic mids: how large they are, and how neighbours err together.

A synthetic mid misses parity by something between nothing and its half-spread. Plots of real
chains (SPX, XSP and NDX, 2011 to 2026, closing, intraday and night quotes) show three things:

- The error grows with the half-spread h, mostly more slowly than h. Its variance is often about in
  proportion to h: at h = 0.5 points the mids scatter by some 0.05, at h = 4 by some 0.15.
- Neighbours err together. A market maker's quotes are shifted or tilted over whole stretches of
  strikes, and jump to the next stretch where another maker or another width begins. Twenty strikes
  of one stretch tell little more about the discount factor than two of them.
- Some are just wrong: one leg is old, or one side is far away.

So the error of the mid at strike K is ``scale(K) · (u(K) + e(K))``: ``scale`` a power of h, ``u``
an Ornstein-Uhlenbeck process along the strikes, ``e`` independent, with variances that add up to
one; strikes whose error stands out count for less, or not at all (``parity_line.py``).

How far neighbours err together differs between chains and cannot be estimated from one of them.
Therefore several models make the estimate and its standard error, each as far as it explains the
residuals: see ``blend``.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ErrorModel:
    """One idea of the errors.

    Attributes:
        spread_power: the scale is the half-spread to this power.
        shared: part of the variance that neighbours share, 0 (each strike errs alone) to below 1.
        reach: distance over which the shared part's correlation falls to 1/e, in standard
            deviations of the strikes, each weighted by 1/h.
    """

    spread_power: float
    shared: float
    reach: float = 1.0


MODELS = (
    ErrorModel(0.5, 0.0),
    ErrorModel(0.5, 0.5, 1 / 3),
    ErrorModel(0.5, 0.8),
    ErrorModel(0.5, 0.97),
    ErrorModel(0.75, 0.5, 1 / 3),
    ErrorModel(1.0, 0.0),
    ErrorModel(1.0, 0.8),
    ErrorModel(1.0, 0.97),
)
"""For a scale that grows as the root of the half-spread, and for one that grows (nearly) as it
does: each strike errs alone, or neighbours err together, more and more.

The numbers are round, and not critical: the rates of real chains are as smooth over expiries with a
shared part of 0.3 to 0.8 and a reach of 0.15 to 0.5 in the second model.
"""

PROXIES: NDArray[np.intp] = np.array([0, 1, 1, 1, 4, 5, 4, 4])
"""For each model, the model whose estimate is used in its place.

Where neighbours err together, that of the model in which they do so the least: one that sees long
stretches gives up what the far strikes know about the slope, which real chains prove to be much. So
does one whose scale grows as the half-spread, which is why the fifth model stops short of it.
"""

FIRST_MODEL = 1
"""The model of the first fit, from whose line the distances of all strikes are measured."""

TABLE: Floats = np.array([astuple(model) for model in MODELS])
"""One row a model: spread power, shared part, reach."""


def blend(estimates: Floats, variances: Floats, log_likelihoods: Floats) -> tuple[Floats, float]:
    """Return one estimate of two coefficients, and the variance of the second.

    Each model has a probability, by its likelihood; for the estimate it counts for its proxy.
    The variance is the expected squared distance from that estimate under all models, each with its
    own probability (the law of total variance).

    Args:
        estimates: (models, 2) coefficients found by each of ``MODELS``.
        variances: (models,) variance of the second coefficient by each.
        log_likelihoods: (models,) restricted log-likelihood of each.
    """
    probability = np.exp(log_likelihoods - np.max(log_likelihoods))
    probability /= np.sum(probability)
    estimate = probability @ estimates[PROXIES]
    distance = variances + (estimates[:, 1] - estimate[1]) ** 2
    return estimate, float(probability @ distance)
