"""The joint fit: one curve through the lines of all expiries of a root, with what they share.

The model is in ``joint_model.py``. Its scales are those of the greatest posterior density, found
from several starts, since on steep chains it has two peaks: then both count, by their weight. An
expiry that stands out from what the others foretell counts for less (three rounds).

What comes out is a distribution: means and covariances of the zero rates at any times. All parts of
the error that expiries share are in it, and in every difference of two rates.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np

from live_box_spreads.books.curves.joint_model import (
    BOUNDS,
    CENTRE,
    KINK_DEVIATION,
    RATE,
    JointModel,
    Lines,
    Scales,
    curve_covariance,
    inverse,
    place,
)
from live_box_spreads.books.curves.one_thread import one_thread

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

FLOOR: Final = 1.5e-4
"""Standard error that no rate is below: residuals say nothing of an error that all makers share."""
STANDS_OUT: Final = 2.5
"""Standard errors from what the others say, beyond which an expiry counts for less."""
ROUNDS: Final = 3
_STARTS: Final = (
    CENTRE,
    CENTRE._replace(bend=3.0 * CENTRE.bend, tilt=0.4 * CENTRE.tilt),
    CENTRE._replace(bend=0.4 * CENTRE.bend, tilt=3.0 * CENTRE.tilt),
    CENTRE._replace(kink=3.0 * CENTRE.kink),
)
_LEAST_WEIGHT = 6.0  # logarithm: a peak lower by more counts for nothing
_SAME_PEAK = 0.15
_SHORTEST_YEARS = 1e-4  # below, a rate is that of the limit


@dataclass(frozen=True, eq=False)
class Peak:
    """The curve for one set of scales."""

    model: JointModel
    scales: Scales
    cost: float

    @cached_property
    def precision(self) -> Floats:
        """(2n, 2n) inverse of the covariance of the values."""
        return inverse(self.model.covariance(self.scales))[0]

    @cached_property
    def pull(self) -> Floats:
        """(2n,) precision times values."""
        return self.precision @ self.model.values

    def at(self, years: Floats) -> tuple[Floats, Floats]:
        """Return mean (k,) and covariance (k, k) of z at some times."""
        count = self.model.lines.years.size
        across = curve_covariance(self.model.lines.years, years, self.scales.bend)
        mean = RATE * years + across.T @ self.pull[:count]
        explained = across.T @ self.precision[:count, :count] @ across
        return mean, curve_covariance(years, years, self.scales.bend) - explained

    def tilt(self) -> tuple[Floats, Floats]:
        """Return mean and variance of the tilt of each expiry, (n,)."""
        count = self.model.lines.years.size
        prior = self.model.shared(self.scales)[0]
        return self._part(prior, slice(0, count))

    def kink(self) -> tuple[Floats, Floats]:
        """Return mean and variance of the shared kink at each expiry, (n,)."""
        count = self.model.lines.years.size
        prior = self.model.shared(self.scales)[1] + KINK_DEVIATION**2 * self.model.same_root
        return self._part(prior, slice(count, 2 * count))

    def _part(self, prior: Floats, rows: slice) -> tuple[Floats, Floats]:
        explained = np.einsum("ij,jk,ki->i", prior, self.precision[rows, rows], prior)
        return prior @ self.pull[rows], np.diag(prior) - explained

    def left_out(self) -> tuple[Floats, Floats]:
        """Return how far each Z is off what the other expiries foretell, and the variance; (n,).

        Two values are left out together (Rasmussen and Williams, equation 5.12, for blocks).
        """
        count = self.model.lines.years.size
        z, kink = np.arange(count), np.arange(count, 2 * count)
        a, b, c = (self.precision[pair] for pair in ((z, z), (z, kink), (kink, kink)))
        determinant = a * c - b**2
        off = (c * self.pull[:count] - b * self.pull[count:]) / determinant
        return off, c / determinant


@dataclass(frozen=True, eq=False)
class JointFit:
    """The curve of one root, or of several that share it, as a distribution.

    Attributes:
        peaks: the sets of scales that count.
        weights: of each peak; they add up to one.
    """

    peaks: tuple[Peak, ...]
    weights: Floats

    @property
    def lines(self) -> Lines:
        """The lines that the curve rests on, with their ``inflation``."""
        return self.peaks[0].model.lines

    @property
    def size_bytes(self) -> int:
        """About what its matrices take: a dozen of (n, n) in all and some of (2n, 2n) a peak."""
        return 8 * self.lines.years.size**2 * (12 + 8 * len(self.peaks))

    def at(self, years: Floats) -> tuple[Floats, Floats]:
        """Return mean (k,) and covariance (k, k) of the continuous zero rates at some times."""
        lent = np.maximum(years, _SHORTEST_YEARS)
        grown, covariance = self._mixed([peak.at(lent) for peak in self.peaks])
        rates: Floats = grown / lent
        total: Floats = covariance / np.outer(lent, lent) + floor(lent)
        return rates, total

    def growth(self) -> tuple[Floats, Floats]:
        """Return mean and standard error of z at the expiries themselves, both (n,)."""
        years = self.lines.years
        grown, covariance = self._mixed([peak.at(years) for peak in self.peaks])
        return grown, np.sqrt(np.maximum(np.diag(covariance), 0.0) + (FLOOR * years) ** 2)

    def tilt(self) -> tuple[Floats, Floats]:
        """Return the tilt of each expiry as a share of D, and its standard error; (n,)."""
        return self._mixed_errors([peak.tilt() for peak in self.peaks])

    def kink(self) -> tuple[Floats, Floats]:
        """Return the kink at each expiry, points of an index at 5,000, and its standard error."""
        return self._mixed_errors([peak.kink() for peak in self.peaks])

    def left_out(self) -> tuple[Floats, Floats]:
        """Return how far each zero rate is off what the others foretell, and its standard error.

        Both (n,); NaN for an expiry on the premium's date.
        """
        years = np.where(self.lines.years > 0.0, self.lines.years, np.nan)
        off, error = self._mixed_errors([peak.left_out() for peak in self.peaks])
        return off / years, error / years

    def _mixed(self, found: Sequence[tuple[Floats, Floats]]) -> tuple[Floats, Floats]:
        """Return mean and covariance of a mixture (the law of total variance)."""
        mean = sum(weight * each for weight, (each, _) in zip(self.weights, found, strict=True))
        total = sum(
            weight * (covariance + np.outer(each - mean, each - mean))
            for weight, (each, covariance) in zip(self.weights, found, strict=True)
        )
        return np.asarray(mean), np.asarray(total)

    def _mixed_errors(self, found: Sequence[tuple[Floats, Floats]]) -> tuple[Floats, Floats]:
        mean = sum(weight * each for weight, (each, _) in zip(self.weights, found, strict=True))
        total = sum(
            weight * (variance + (each - mean) ** 2)
            for weight, (each, variance) in zip(self.weights, found, strict=True)
        )
        return np.asarray(mean), np.sqrt(np.maximum(total, 0.0))


def floor(years: Floats) -> Floats:
    """Return the covariance (k, k) of the error that no zero rate is below.

    Rates of near times miss the truth alike, so that forward rates between them stay known.
    """
    apart = place(years)[:, None] - place(years)[None, :]
    least: Floats = FLOOR**2 * np.exp(-0.5 * apart**2)
    return least


def joint_fit(lines: Lines, start: Sequence[Scales] | None = None) -> JointFit:
    """Fit the curve of some lines.

    Args:
        lines: of at least one expiry; their ``inflation`` is where the rounds start from.
        start: scales of the peaks of nearly the same chain, such as the snapshot before: the only
            starts then, which is several times as fast.

    Raises:
        numpy.linalg.LinAlgError: a covariance is not positive definite, which no real line has.
    """
    with one_thread():
        return _joint_fit(lines, start)


def _joint_fit(lines: Lines, start: Sequence[Scales] | None) -> JointFit:
    peaks = _peaks(JointModel.of(lines), start or _STARTS)
    changed = False
    for _ in range(ROUNDS):
        off, variance = peaks[0].left_out()
        far = np.abs(off) / np.sqrt(variance) / STANDS_OUT
        inflation = peaks[0].model.lines.inflation
        raised = np.maximum(inflation * np.maximum(far, 0.5), 1.0)
        if np.allclose(raised, inflation, rtol=0.02):
            break
        model = JointModel.of(lines._replace(inflation=raised))
        peaks = _peaks(model, [peak.scales for peak in peaks])
        changed = True
    if changed and not start:
        peaks = _peaks(peaks[0].model, [*_STARTS, *(peak.scales for peak in peaks)])
    weights = np.exp([peaks[0].cost - peak.cost for peak in peaks])
    for peak in peaks:
        _ = peak.pull  # found here, while linear algebra has one thread
    return JointFit(tuple(peaks), weights / np.sum(weights))


def _peaks(model: JointModel, starts: Sequence[Scales]) -> list[Peak]:
    """Climb from each start; return the peaks that count, each once, highest first."""
    found = sorted((_climb(model, start) for start in starts), key=lambda peak: peak.cost)
    peaks: list[Peak] = []
    for each in found:
        near = [np.max(np.abs(np.log(each.scales) - np.log(peak.scales))) for peak in peaks]
        if each.cost < found[0].cost + _LEAST_WEIGHT and all(np.array(near) > _SAME_PEAK):
            peaks.append(each)
    return peaks


def _climb(model: JointModel, start: Scales) -> Peak:
    from scipy.optimize import minimize  # noqa: PLC0415 - importing it takes a tenth of a second

    climbed = minimize(
        model.cost,
        np.log(start),
        jac=True,
        method="L-BFGS-B",
        bounds=BOUNDS,
        options={"maxiter": 60, "ftol": 1e-7, "gtol": 1e-3},
    )
    return Peak(model, Scales(*map(float, np.exp(climbed.x))), float(climbed.fun))
