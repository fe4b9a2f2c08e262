"""The joint curve of a root: from its strikes to a fair discount factor for each expiry."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from live_box_spreads.books.curves.joint_fit import JointFit, joint_fit
from live_box_spreads.books.curves.joint_model import INDEX_LEVEL, Lines, Scales
from live_box_spreads.books.curves.kinked_fit import KinkedFits, kinked_fits, why_not
from live_box_spreads.books.curves.parity_fit import ParityFits
from live_box_spreads.books.curves.smooth_curve import SmoothCurve
from live_box_spreads.model.products import is_loan
from live_box_spreads.model.settlement import (
    DAYS_PER_YEAR,
    expiry_instant,
    payment_date,
    premium_date,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from live_box_spreads.books.strikes.blocks import Strikes

    Floats = NDArray[np.float64]
    Indices = NDArray[np.intp]

_ONE_SIDE, _UNKNOWN_KINK = 0.05, 5.0
"""Of the strikes; and a standard deviation of kinks, points, beyond which no root's is."""
_LARGEST_TILT, _TILT_ERRORS = 40e-4, 5.0
"""Of the discount factor, and standard errors of it: real roots have up to 16 bp."""


@dataclass(frozen=True, slots=True, eq=False)
class RootLines:
    """The lines of one root, before they meet.

    Attributes:
        strikes: of the root alone.
        years: (n,) from payment to payment; NaN where nothing is left.
        fits: the kinked line of each expiry.
        reasons: why an expiry takes no part; empty where it does.
        index_scale: points of the index in one point of an index at 5,000.
    """

    strikes: Strikes
    years: Floats
    fits: KinkedFits
    reasons: tuple[str, ...]
    index_scale: float

    @property
    def root(self) -> str:
        """The option root."""
        return self.strikes.blocks.keys[0][0]

    def refused(self, why: str) -> RootLines:
        """Return the same with no expiry that takes part, for this reason."""
        return replace(self, reasons=tuple(reason or why for reason in self.reasons))

    @property
    def part(self) -> Indices:
        """The blocks that take part."""
        return np.flatnonzero([not reason for reason in self.reasons])

    def _with_unknown_kinks(self, covariance: Floats) -> Floats:
        """Return the covariances, (n, 2, 2), with the kinks of lines from one side unknown.

        On one side of the forward a bend is nearly a slope, and only its assumed shape tells them
        apart. So such a line gives D for each kink, and no kink.
        """
        blocks, forward = self.strikes.blocks, self.fits.forward(self.fits.discount, self.fits.kink)
        below = blocks.usable & (blocks.strike < np.repeat(forward, np.diff(blocks.starts)))
        counts = blocks.counts(blocks.usable)
        share = np.divide(
            blocks.counts(below), counts, where=counts > 0, out=np.full(counts.size, 0.5)
        )
        for row, block in enumerate(self.part):
            if not _ONE_SIDE < share[block] < 1.0 - _ONE_SIDE:
                along = np.array([covariance[row, 0, 1] / covariance[row, 1, 1], 1.0])
                covariance[row] += _UNKNOWN_KINK**2 * np.outer(along, along)
        return covariance

    def seen(self, number: int) -> Lines:
        """Return the lines that take part as the joint fit sees them, with the root's number."""
        part, fits = self.part, self.fits
        discount, scale = fits.discount[part], self.index_scale
        # Derivatives of -log D and of the scaled kink.
        unit = np.stack([-1.0 / discount, np.full(part.size, 1.0 / scale)], axis=1)
        raw = [fits.discount_variance, fits.covariance, fits.covariance, fits.kink_variance]
        covariance = np.stack([each[part] for each in raw], axis=1).reshape(-1, 2, 2)
        return Lines(
            years=self.years[part],
            log_growth=-np.log(discount),
            kink=fits.kink[part] / scale,
            covariance=self._with_unknown_kinks(covariance * unit[:, :, None] * unit[:, None, :]),
            relative_spread=fits.half_spread[part] / fits.strike_deviation[part],
            root=np.full(part.size, number, dtype=np.intp),
            inflation=np.ones(part.size),
        )


@dataclass(frozen=True, slots=True, eq=False)
class JointCurve:
    """The joint curve of one root.

    Attributes:
        lines: what each expiry tells by itself.
        fit: the curve; None where no expiry takes part.
        rows: the root's expiries among those of ``fit``.
    """

    lines: RootLines
    fit: JointFit | None
    rows: slice

    def fits(self) -> ParityFits:
        """Return discount factor and forward of each expiry, with the reasons where there is none.

        The discount factor is that of the curve. The forward is the expiry's own, given its
        discount factor and the kink at it.
        """
        count = len(self.lines.years)
        discount, forward, error = np.full((3, count), np.nan)
        blocks, part = self.lines.strikes.blocks, self.lines.part
        if self.fit is not None:
            growth, growth_error = (each[self.rows] for each in self.fit.growth())
            kink = np.zeros(count)
            kink[part] = self.fit.kink()[0][self.rows] * self.lines.index_scale
            discount[part] = np.exp(-growth)
            error[part] = discount[part] * growth_error
            forward[part] = self.lines.fits.forward(discount, kink)[part]
        return ParityFits(
            keys=blocks.keys,
            discount=discount,
            forward=forward,
            std_error=error,
            strikes_used=self.lines.fits.used,
            one_sided=blocks.counts(blocks.one_sided),
            crossed=blocks.counts(blocks.crossed),
            off_line=self.lines.fits.off_line,
            reasons=self.lines.reasons,
        )

    def largest_tilt(self) -> tuple[float, float]:
        """Return the largest tilt of an expiry, as a share of D without sign, and its error.

        Both 0 where no expiry takes part.
        """
        if self.fit is None:
            return 0.0, 0.0
        tilt, error = (each[self.rows] for each in self.fit.tilt())
        worst = int(np.argmax(np.abs(tilt)))
        return abs(float(tilt[worst])), float(error[worst])

    def smooth(self) -> SmoothCurve | None:
        """Return the curve at any date; None where no expiry takes part."""
        if self.fit is None:
            return None
        keys = self.lines.strikes.blocks.keys
        return SmoothCurve(
            root=self.lines.root,
            premium_date=premium_date(self.lines.strikes.snapshot_time),
            payment_dates=tuple(payment_date(keys[block][1]) for block in self.lines.part),
            excess_bps=float("nan"),
            inflation=self.fit.lines.inflation[self.rows],
            posterior=self.fit,
            rows=self.rows,
        )


def joint_curves(
    lines: Sequence[RootLines], start: Sequence[Scales] | None = None
) -> dict[str, JointCurve]:
    """Fit one curve to the expiries of one root, or to those of several that share it.

    Args:
        lines: of each root. Tilt, kink and forwards are each root's own.
        start: scales of nearly the same chain; see ``joint_fit``.
    """
    found = _met(lines, start)
    # The worst first: a root that shares its curve with it may be right.
    while absurd := {root: why for root, curve in found.items() if (why := _why_absurd(curve))}:
        worst = max(absurd, key=lambda root: found[root].largest_tilt()[0])
        lines = [each.refused(absurd[worst]) if each.root == worst else each for each in lines]
        found = _met(lines, start)
    return found


def _met(lines: Sequence[RootLines], start: Sequence[Scales] | None) -> dict[str, JointCurve]:
    seen = [each.seen(number) for number, each in enumerate(lines)]
    ends = np.cumsum([0, *(each.years.size for each in seen)])
    fit = None
    if ends[-1]:
        together = Lines(*(np.concatenate(columns) for columns in zip(*seen, strict=True)))
        fit = joint_fit(together, start)
    return {
        each.root: JointCurve(each, fit if each.part.size else None, slice(int(a), int(b)))
        for each, a, b in zip(lines, ends[:-1], ends[1:], strict=True)
    }


def _why_absurd(curve: JointCurve) -> str:
    """Return why the quotes of a root cannot be those of options; empty if they can."""
    tilt, error = curve.largest_tilt()
    if tilt <= max(_LARGEST_TILT, _TILT_ERRORS * error):
        return ""
    return (
        f"short discount factors are {1e4 * tilt:.0f} bp off what a loan of no time "
        "has, which is one: prices are not those of options on this index"
    )


def root_lines(strikes: Strikes) -> RootLines:
    """Fit the line of each expiry of one root, and say which take part.

    Those that have expired, and those of a root on which a box is no loan, do not.
    """
    now, parts = strikes.snapshot_time, strikes.expiries
    paid = premium_date(now)
    days = [(payment_date(part.expiry) - paid).days for part in parts]
    left = np.array(
        [
            now < expiry_instant(part.expiry, part.settlement) and count >= 0
            for part, count in zip(parts, days, strict=True)
        ],
        dtype=np.bool_,
    )
    years = np.where(left, np.array(days) / DAYS_PER_YEAR, np.nan)
    fits = kinked_fits(strikes.blocks, years)
    reasons = why_not(fits, years, parts[0].spot)
    for block, part in enumerate(parts):
        if not left[block]:
            reasons[block] = reasons[block] or "the options have expired"
        if not is_loan(part.root):
            reasons[block] = "a box is no loan: the root is not known to be European"
    good = np.array([not reason for reason in reasons], dtype=np.bool_)
    forward = fits.forward(fits.discount, fits.kink)[good]
    level = float(np.median(forward)) if forward.size else INDEX_LEVEL
    return RootLines(strikes, years, fits, tuple(reasons), level / INDEX_LEVEL)
