"""What is believed of the lines of a chain before they are seen: the covariances of the joint fit.

Of expiry i, ``T_i`` years from payment to payment, a kinked line tells ``Z_i = -log D_i`` and the
kink (``kinked_line.py``). Both err by what a whole chain shares:

    Z_i    = z(T_i) + tilt(T_i) + error_i
    kink_i = kink(T_i) + error_i

- **Curve** z: the integral of a forward rate, and the forward rate is a level, a slope and an
  integrated Wiener process in ``x = log(1 + T / 0.25)``. So it bends freely at the short end, where
  policy meetings are, and little at the long one. z(0) is 0: a discount factor at time zero is one.
- **Tilt**: an Ornstein-Uhlenbeck process in the root of T, fading as ``1 / (1 + T / 0.15)``. All
  short expiries of a root miss their discount factor by nearly the same. Since z(0) = 0, those of
  some days, which say nothing about their own rate, show it.
- **Kink**: a mean of the root, an Ornstein-Uhlenbeck process in the root of T and a part of each
  expiry, in points of an index at 5,000.
- **error**: the line's own covariance times a factor, an excess, and a part in proportion to
  half-spread over strike deviation, which the expiries of a root share in part.

Real chains gave the model and the numbers below (docs/accuracy.md says which): between expiries
of the other root, halves of the strikes and the days around, they agree best with it. The numbers
in ``PRIORS`` are learnt again from each chain; fixed ones do clearly worse.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

RATE, RATE_DEVIATION, SLOPE_DEVIATION = 0.03, 0.03, 0.01
"""The short rate a priori, its standard deviation, and that of the slope per unit of x."""
KINK_DEVIATION: Final = 0.8
"""Standard deviation of the mean kink of a root, points of an index at 5,000."""
INDEX_LEVEL: Final = 5000.0
SPREAD_SHARED: Final = 0.3
"""Of the variance in proportion to the half-spread, the part that all expiries of a root share."""
_BEND_YEARS, _FADE_YEARS = 0.25, 0.15


class Scales(NamedTuple):
    """What is learnt from each chain.

    Attributes:
        bend: of the forward rate's integrated Wiener process, per x to the power 3/2.
        tilt: standard deviation of the tilt at time zero, as a share of the discount factor.
        reach: roots of years over which the correlation of tilt and kink falls to 1/e.
        excess: standard deviation of an expiry's own error of the discount factor.
        factor: times the standard errors of the lines.
        half_spread: error of the discount factor per half-spread over strike deviation.
        kink: standard deviation of what neighbouring expiries share of the kink, points.
        own_kink: of what each expiry has alone, points.
    """

    bend: float
    tilt: float
    reach: float
    excess: float
    factor: float
    half_spread: float
    kink: float
    own_kink: float


CENTRE: Final = Scales(0.006, 2.5e-4, 0.35, 0.7e-4, 1.0, 0.03, 0.4, 0.15)
LOG_DEVIATION: Final = Scales(0.8, 0.8, 0.5, 0.7, 0.35, 0.7, 1.0, 0.7)
"""Log-normal priors: the median of each scale, and the standard deviation of its logarithm."""


class Lines(NamedTuple):
    """The lines of n expiries as the joint fit sees them.

    Attributes:
        years: (n,) from payment to payment; 0 for one that expires with the premium's date.
        log_growth: (n,) ``-log D``.
        kink: (n,) points of an index at 5,000.
        covariance: (n, 2, 2) of ``log_growth`` and ``kink``.
        relative_spread: (n,) half-spread over strike deviation.
        root: (n,) number of the root that each belongs to.
        inflation: (n,) times its errors are raised, because it stands out.
    """

    years: Floats
    log_growth: Floats
    kink: Floats
    covariance: Floats
    relative_spread: Floats
    root: NDArray[np.intp]
    inflation: Floats


@dataclass(frozen=True, slots=True, eq=False)
class JointModel:
    """The parts of the covariance of 2 n values that do not depend on the scales.

    Values go ``log_growth`` of all expiries, then ``kink`` of all.
    """

    lines: Lines
    values: Floats
    """(2n,) less their prior means."""
    own: Floats
    """(2n, 2n) covariance of the lines, raised where one stands out."""
    prior: Floats
    """(n, n) of z by level and slope."""
    bend: Floats
    """(n, n) of z by the integrated Wiener process of scale one."""
    apart: Floats
    """(n, n) distance in roots of years."""
    fade: Floats
    """(n, n) of the tilt."""
    same_root: Floats
    """(n, n) 1 for two expiries of one root, else 0."""
    excess: Floats
    """(n,) 1, raised where one stands out."""
    spread: Floats
    """(n, n) of the error in proportion to the half-spread, raised where one stands out."""

    @classmethod
    def of(cls, lines: Lines) -> JointModel:
        """Lay out the parts for some lines."""
        years, count = lines.years, lines.years.size
        raised = np.concatenate([lines.inflation, lines.inflation])
        own = np.zeros((2 * count, 2 * count))
        row = np.arange(count)
        own[row, row] = lines.covariance[:, 0, 0]
        own[row + count, row + count] = lines.covariance[:, 1, 1]
        own[row, row + count] = own[row + count, row] = lines.covariance[:, 0, 1]
        root_years, fade = np.sqrt(years), 1.0 / (1.0 + years / _FADE_YEARS)
        same = (lines.root[:, None] == lines.root[None, :]).astype(np.float64)
        return cls(
            lines=lines,
            values=np.concatenate([lines.log_growth - RATE * years, lines.kink]),
            own=own * np.outer(raised, raised),
            prior=level_and_slope(years, years),
            bend=integrated_bend(years, years),
            apart=np.abs(root_years[:, None] - root_years[None, :]),
            fade=np.outer(fade, fade),
            same_root=same,
            excess=lines.inflation**2,
            spread=_spread_errors(lines, same),
        )

    def shared(self, scales: Scales) -> tuple[Floats, Floats]:
        """Return the (n, n) covariances of the tilt, and of the kink less its mean."""
        together = np.exp(-self.apart / scales.reach) * self.same_root
        return scales.tilt**2 * together * self.fade, scales.kink**2 * together

    def covariance(self, scales: Scales) -> Floats:
        """Return the (2n, 2n) covariance of the values."""
        return self._covariance(scales, *self.shared(scales))

    def errors(self, scales: Scales) -> Floats:
        """Return the (2n, 2n) covariance of the values around the curve: tilt, kink and errors."""
        return self._errors(scales, *self.shared(scales))

    def _covariance(self, scales: Scales, tilt: Floats, kink: Floats) -> Floats:
        count = self.lines.years.size
        total = self._errors(scales, tilt, kink)
        total[:count, :count] += self.prior + scales.bend**2 * self.bend
        return total

    def _errors(self, scales: Scales, tilt: Floats, kink: Floats) -> Floats:
        count = self.lines.years.size
        row = np.arange(count)
        total = scales.factor**2 * self.own
        total[:count, :count] += tilt
        total[:count, :count] += scales.half_spread**2 * self.spread
        total[count:, count:] += KINK_DEVIATION**2 * self.same_root + kink
        total[row, row] += scales.excess**2 * self.excess
        total[row + count, row + count] += scales.own_kink**2
        return total

    def cost(self, log_scales: Floats) -> tuple[float, Floats]:
        """Return minus the log posterior density of the scales, and its (8,) gradient.

        Rasmussen and Williams, Gaussian Processes for Machine Learning, 2006, section 5.4.1.
        """
        scales = Scales(*np.exp(log_scales))
        tilt, kink = self.shared(scales)
        precision, half_log_determinant = inverse(self._covariance(scales, tilt, kink))
        pull = precision @ self.values
        away = (log_scales - _LOG_CENTRE) / _LOG_DEVIATION
        cost = 0.5 * float(self.values @ pull + away @ away) + half_log_determinant
        slope = precision - np.outer(pull, pull)
        count = self.lines.years.size
        of_z, of_kink = slope[:count, :count], slope[count:, count:]
        own_z, own_kink = np.diag(of_z), np.diag(of_kink)
        tilts, kinks = of_z * tilt, of_kink * kink
        gradient = [
            scales.bend**2 * np.sum(of_z * self.bend),
            np.sum(tilts),
            0.5 * np.sum((tilts + kinks) * self.apart) / scales.reach,
            scales.excess**2 * (own_z @ self.excess),
            scales.factor**2 * np.sum(slope * self.own),
            scales.half_spread**2 * np.sum(of_z * self.spread),
            np.sum(kinks),
            scales.own_kink**2 * np.sum(own_kink),
        ]
        return cost, np.array(gradient) + away / _LOG_DEVIATION


def _spread_errors(lines: Lines, same_root: Floats) -> Floats:
    """Return the (n, n) covariance of the error in proportion to half-spread, of scale one."""
    spread = lines.relative_spread
    total: Floats = SPREAD_SHARED * np.outer(spread, spread) * same_root
    row = np.arange(spread.size)
    total[row, row] += (1.0 - SPREAD_SHARED) * (spread * lines.inflation) ** 2
    return total


_LOG_CENTRE, _LOG_DEVIATION = np.log(CENTRE), np.array(LOG_DEVIATION)
_FARTHEST = 4.0
BOUNDS: Final = np.column_stack(
    [_LOG_CENTRE - _FARTHEST * _LOG_DEVIATION, _LOG_CENTRE + _FARTHEST * _LOG_DEVIATION]
)
"""(8, 2) logarithms of the least and the greatest scales tried: four deviations of the prior. A
step of a search to far beyond ends in matrices that are singular to rounding."""


def inverse(covariance: Floats) -> tuple[Floats, float]:
    """Return the inverse of a covariance, and half the logarithm of its determinant.

    Raises:
        numpy.linalg.LinAlgError: it is not positive definite.
    """
    from scipy.linalg import lapack  # noqa: PLC0415 - importing it takes a tenth of a second

    factor, failed = lapack.dpotrf(covariance, lower=1, clean=1)
    if failed:
        raise np.linalg.LinAlgError(f"covariance of {len(covariance)} is not positive definite")
    half, _ = lapack.dpotri(factor, lower=1)
    full = half + half.T
    row = np.arange(len(full))
    full[row, row] *= 0.5
    return full, float(np.sum(np.log(np.diag(factor))))


def curve_covariance(years: Floats, other: Floats, bend: float) -> Floats:
    """Return the prior covariance of z at some times (n,) with z at others (m,): (n, m)."""
    total: Floats = level_and_slope(years, other) + bend**2 * integrated_bend(years, other)
    return total


def level_and_slope(years: Floats, other: Floats) -> Floats:
    """Return the part of it by level and slope of the forward rate."""
    total: Floats = RATE_DEVIATION**2 * np.outer(years, other)
    return total + SLOPE_DEVIATION**2 * np.outer(_slope(years), _slope(other))


def _slope(years: Floats) -> Floats:
    """Return the integral of x over time."""
    place = np.log1p(years / _BEND_YEARS)
    total: Floats = _BEND_YEARS * (np.exp(place) * (place - 1.0) + 1.0)
    return total


def integrated_bend(years: Floats, other: Floats) -> Floats:
    """Return the covariance of integrals over time of an integrated Wiener process in x.

    With ``y = exp(x)``, what a shock at place v adds to the integral up to T is
    ``0.25 · (y·(x - v - 1) + exp(v))``; the covariance is the integral of the product of two of
    these over the places that both have passed, which has the closed form below.
    """
    x, u = np.log1p(years / _BEND_YEARS)[:, None], np.log1p(other / _BEND_YEARS)[None, :]
    y, w, least = np.exp(x), np.exp(u), np.minimum(x, u)
    p, q, grown = x - 1.0, u - 1.0, np.exp(least)
    both = p * q * least - (p + q) * least**2 / 2.0 + least**3 / 3.0
    total: Floats = _BEND_YEARS**2 * (
        y * w * both
        + y * ((p - least + 1.0) * grown - (p + 1.0))
        + w * ((q - least + 1.0) * grown - (q + 1.0))
        + 0.5 * (grown**2 - 1.0)
    )
    return total


def place(years: Floats) -> Floats:
    """Return x, the time in which the forward rate bends evenly."""
    return np.log1p(years / _BEND_YEARS)


def years_at(places: Floats) -> Floats:
    """Return the years at some places x."""
    years: Floats = _BEND_YEARS * np.expm1(places)
    return years
