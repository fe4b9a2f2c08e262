"""How a chain is read: time, rates, thresholds and doubts. Imports no computation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from live_box_spreads.books.boxes.filters import BoxFilters
from live_box_spreads.model.quality import QualityRules
from live_box_spreads.model.rates import Compounding
from live_box_spreads.model.settlement import TimeBasis

if TYPE_CHECKING:
    from live_box_spreads.model.reference_curve import ReferenceCurve

FiltersOfRoot = Callable[[str], BoxFilters]
"""Returns the thresholds for the boxes of a root."""


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
    """

    basis: TimeBasis = TimeBasis.SETTLEMENT
    compounding: Compounding = Compounding.EFFECTIVE
    filters: BoxFilters | FiltersOfRoot = field(default_factory=BoxFilters)
    rules: QualityRules = field(default_factory=QualityRules)
    reference: ReferenceCurve | None = None

    def filters_of(self, root: str) -> BoxFilters:
        """Return the thresholds for the boxes of a root."""
        return self.filters if isinstance(self.filters, BoxFilters) else self.filters(root)
