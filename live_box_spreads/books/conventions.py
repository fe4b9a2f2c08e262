"""How a chain is read: time, rates, thresholds and doubts. Imports no computation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from live_box_spreads.books.boxes.filters import BoxFilters
from live_box_spreads.model.quality import QualityRules
from live_box_spreads.model.rates import Compounding
from live_box_spreads.model.settlement import TimeBasis

if TYPE_CHECKING:
    from live_box_spreads.books.curves.smooth_curve import SmoothCurve
    from live_box_spreads.model.reference_curve import ReferenceCurve

FiltersOfRoot = Callable[[str], BoxFilters]
"""Returns the thresholds for the boxes of a root."""


class CurveFit(StrEnum):
    """How fair rates are found."""

    JOINT = "joint"
    """All expiries of a root together: they share errors, which the fit finds and takes away."""
    ONE_CURVE = "one_curve"
    """Likewise, and all roots of an index, such as SPX and SPXW, share one discount curve."""
    PER_EXPIRY = "per_expiry"
    """Each expiry by itself, as in version 0.1.0, with a spline through them."""


@dataclass(frozen=True, slots=True)
class Conventions:
    """How a chain is read.

    Attributes:
        basis: how years are counted.
        compounding: convention of the rates.
        filters: which boxes count, or what gives that by root. The fair rate does not depend on
            it: it uses all strikes that ``rules`` let in.
        rules: which legs are flagged, and which flags leave them out.
        reference: rates to compare with; None for none.
        fit: how fair rates are found.
        filtered: the filtered curve of each root that is followed over snapshots, to show beside
            the rates of this one; None shows none.
    """

    basis: TimeBasis = TimeBasis.SETTLEMENT
    compounding: Compounding = Compounding.EFFECTIVE
    filters: BoxFilters | FiltersOfRoot = field(default_factory=BoxFilters)
    rules: QualityRules = field(default_factory=QualityRules)
    reference: ReferenceCurve | None = None
    fit: CurveFit = CurveFit.JOINT
    filtered: Mapping[str, SmoothCurve] | None = None

    def filters_of(self, root: str) -> BoxFilters:
        """Return the thresholds for the boxes of a root."""
        return self.filters if isinstance(self.filters, BoxFilters) else self.filters(root)
