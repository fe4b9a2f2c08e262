"""Every estimator behind one interface: a chain and a root in, rates and their errors at dates out.

The sections of the page know estimators by their labels only. A new one is a line in
``ESTIMATORS``, or in ``FILTERS`` if it follows a sequence of chains.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import numpy as np

from benchmarks.accuracy.estimates import BP, each_line
from benchmarks.accuracy.version_010 import old_curve
from benchmarks.plain_estimators import least_squares_line, robust_line_and_error
from live_box_spreads.books.conventions import Conventions, CurveFit
from live_box_spreads.books.curves.curve_filter import filtered
from live_box_spreads.books.desk import Desk
from live_box_spreads.model.rates import Compounding
from live_box_spreads.model.settlement import DAYS_PER_YEAR, payment_date, premium_date

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from numpy.typing import NDArray

    from benchmarks.accuracy.chain_files import ChainFile
    from live_box_spreads.books.curves.curve_filter import FilterState
    from live_box_spreads.books.curves.smooth_curve import SmoothCurve
    from live_box_spreads.model.chain import Chain

    Floats = NDArray[np.float64]

JOINT, OLD = "joint", "version 0.1.0"
FILTERED = "filtered"
LEAST_SQUARES, ROBUST_LINE = "plain least squares", "robust line"
FIT_LABELS = {"joint": JOINT, "per_expiry": OLD, "one_curve": "one curve"}
"""What the page calls each fit of a desk."""
FITS_BY_LABEL = {label: fit for fit, label in FIT_LABELS.items()}


class RateCurve(Protocol):
    """Rates of one root at one instant."""

    @property
    def premium_date(self) -> date:
        """When the money is lent."""
        ...

    @property
    def last_date(self) -> date:
        """The last payment date for which quotes say anything."""
        ...

    def at(self, dates: Sequence[date]) -> tuple[Floats, Floats]:
        """Return rates to payment dates and their standard errors: bp, continuous.

        NaN beyond ``last_date`` and where unknown.
        """
        ...


Estimator = Callable[["Chain", str], "RateCurve | None"]
"""Fits a root of a chain; None where it has too few expiries."""


class ChainFilter(Protocol):
    """An estimator over time: it takes chains in their order and remembers what they said."""

    def update(self, chain: Chain) -> RateCurve | None:
        """Take the next chain and return the curve that rests on all so far."""
        ...


@dataclass(frozen=True, slots=True)
class DeskCurve:
    """The smooth curve of a desk."""

    smooth: SmoothCurve

    @property
    def premium_date(self) -> date:
        """When the money is lent."""
        return self.smooth.premium_date

    @property
    def last_date(self) -> date:
        """The payment date of the last expiry."""
        return self.smooth.payment_dates[-1]

    def at(self, dates: Sequence[date]) -> tuple[Floats, Floats]:
        """Return rates and standard errors, bp, continuous; NaN beyond the last expiry."""
        said = self.smooth.rates(dates, Compounding.CONTINUOUS)
        known = np.array([day <= self.last_date for day in dates], dtype=np.bool_)
        return (
            np.where(known, said["rate"].to_numpy() / BP, np.nan),
            np.where(known, said["std_error_bps"].to_numpy(), np.nan),
        )


@dataclass(frozen=True, slots=True)
class LineCurve:
    """``-ln D`` of each expiry's own line, interpolated in days; 0 at no days.

    Attributes:
        premium_date: when the money is lent.
        days: (n,) to each payment, ascending.
        grown: (n,) ``-ln D``.
        error: (n,) its standard error; NaN unknown.
    """

    premium_date: date
    days: Floats
    grown: Floats
    error: Floats

    def without(self, repaid: date) -> LineCurve:
        """Return the curve through the other expiries; lines are fitted each alone."""
        kept = self.days != (repaid - self.premium_date).days
        return LineCurve(self.premium_date, self.days[kept], self.grown[kept], self.error[kept])

    @property
    def last_date(self) -> date:
        """The payment date of the last expiry."""
        return type(self.premium_date).fromordinal(
            self.premium_date.toordinal() + int(self.days[-1])
        )

    def at(self, dates: Sequence[date]) -> tuple[Floats, Floats]:
        """Return rates and standard errors, bp, continuous; NaN beyond the last expiry."""
        days = np.array([(day - self.premium_date).days for day in dates], dtype=np.float64)
        known = (days > 0) & (days <= self.days[-1])
        years = np.where(known, days, np.nan) / DAYS_PER_YEAR
        nodes = np.concatenate([[0.0], self.days])
        grown = np.interp(days, nodes, np.concatenate([[0.0], self.grown]))
        error = np.interp(days, nodes, np.concatenate([[0.0], self.error]))
        return grown / years / BP, error / years / BP


class FilteredRoot:
    """The filter of a root over snapshots, as an estimator over a sequence."""

    def __init__(self, root: str) -> None:
        """Begin with nothing known."""
        self._root = root
        self._state: FilterState | None = None

    def update(self, chain: Chain) -> RateCurve | None:
        """Take the next chain and return the curve that rests on all so far."""
        lines = desk_of(chain, "joint").lines(self._root)
        self._state = filtered(self._state, lines)
        return None if self._state is None else DeskCurve(self._state.smooth())


def desk_of(chain: Chain, fit: str) -> Desk:
    """Return a desk with a fit of ``CurveFit``, by its value; rates are continuous."""
    return Desk(chain, Conventions(compounding=Compounding.CONTINUOUS, fit=CurveFit(fit)))


def desk_estimator(fit: str) -> Estimator:
    """Return the smooth curves of a desk with this fit as an estimator."""

    def estimate(chain: Chain, root: str) -> RateCurve | None:
        if root not in chain.roots:
            return None
        smooth = desk_of(chain, fit).smooth(root)
        return None if smooth is None else DeskCurve(smooth)

    return estimate


def line_estimator(
    line: Callable[[Floats, Floats, Floats], tuple[float, float]],
) -> Estimator:
    """Return a line through the mids of each expiry alone as an estimator."""

    def estimate(chain: Chain, root: str) -> RateCurve | None:
        if root not in chain.roots:
            return None
        blocks = desk_of(chain, "per_expiry").strikes(root).blocks
        paid = premium_date(chain.snapshot_time)
        days = np.array([(payment_date(expiry) - paid).days for _, expiry in blocks.keys])
        discount, error = each_line(blocks, line).T
        known = np.flatnonzero((days > 0) & (discount > 0))
        days, discount, error = days[known], discount[known], error[known]
        days, first = np.unique(days, return_index=True)
        if not first.size:
            return None
        return LineCurve(
            paid,
            days.astype(np.float64),
            -np.log(discount[first]),
            error[first] / discount[first],
        )

    return estimate


def _least_squares(strike: Floats, mid: Floats, half_spread: Floats) -> tuple[float, float]:
    return least_squares_line(strike, mid, half_spread), np.nan


ESTIMATORS: dict[str, Estimator] = {
    JOINT: desk_estimator("joint"),
    OLD: old_curve,
    LEAST_SQUARES: line_estimator(_least_squares),
    ROBUST_LINE: line_estimator(robust_line_and_error),
}
DESK_FITS = {JOINT: "joint", OLD: "per_expiry"}

FILTERS: dict[str, Callable[[str], ChainFilter]] = {FILTERED: FilteredRoot}
"""Makers of estimators over a sequence of chains of a root, by label."""


@dataclass(frozen=True, slots=True)
class OneByOne:
    """An estimator of single chains taken for one of a sequence: it remembers nothing."""

    estimate: Estimator
    root: str

    def update(self, chain: Chain) -> RateCurve | None:
        """Return the curve of the chain alone."""
        return self.estimate(chain, self.root)


@dataclass(frozen=True, slots=True)
class Fitted:
    """Curves of files by estimator and root, each fitted once.

    Attributes:
        estimators: by label.
        fits: those of them that are fits of a desk: label to value of ``CurveFit``.
    """

    estimators: dict[str, Estimator]
    fits: dict[str, str]
    _curves: dict[tuple[str, str, str], RateCurve | None] = field(default_factory=dict)

    def curve(self, estimator: str, file: ChainFile, root: str) -> RateCurve | None:
        """Return the curve of a root of a file; None where there is none."""
        key = estimator, file.name, root
        if key not in self._curves:
            self._curves[key] = self.estimators[estimator](file.chain, root)
        return self._curves[key]

    def filters(self, root: str) -> dict[str, ChainFilter]:
        """Return a fresh estimator over a sequence of chains for each label."""
        single: dict[str, ChainFilter] = {
            label: OneByOne(estimate, root) for label, estimate in self.estimators.items()
        }
        return single | {label: make(root) for label, make in FILTERS.items()}
