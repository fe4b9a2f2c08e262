"""Which boxes a table keeps, and how many it left out for which reason.

Every pair of listed strikes is counted exactly once: kept, or under the first reason that removes
it, in this order:

1. a strike with only a call or only a put;
2. a strike with a leg that the quality rules exclude, by flag;
3. a leg volume under ``min_volume``;
4. a leg open interest under ``min_open_interest``;
5. a width under ``min_strike_gap``, or over ``max_strike_gap``;
6. neither side can be executed;
7. with a ``max_abs_rate``: a cost, on a side that can be executed, that is not positive;
8. likewise: a rate there that is beyond it (not asked of expired boxes).

The first four are properties of a strike: dropping k of n strikes removes
``n(n - 1)/2 - (n - k)(n - k - 1)/2`` boxes before a single one is priced.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf, isinf, isnan
from typing import TYPE_CHECKING

import numpy as np

from live_box_spreads.model.errors import ModelError
from live_box_spreads.model.quality import LegFlag, describe_flags

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from live_box_spreads.books.boxes.prices import BoxPrices, StrikePairs
    from live_box_spreads.books.strikes.synthetics import Synthetics

    Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class BoxFilters:
    """Thresholds; the defaults keep every box that can be executed, at whatever cost.

    Attributes:
        min_strike_gap: least width, index points.
        max_strike_gap: greatest width, index points.
        min_volume: least volume of each of the four legs, contracts. Where a minimum is set an
            unknown volume counts as zero; without one it does not matter.
        min_open_interest: least open interest of each leg, contracts; unknown as for volume.
        max_abs_rate: greatest rate either way, as a fraction, on each side that can be executed.
            A cost that is not positive has no rate, and is beyond any limit. Infinity, the
            default, asks nothing of costs and rates: narrow boxes of wide quotes stay.
    """

    min_strike_gap: float = 0.0
    max_strike_gap: float = inf
    min_volume: int = 0
    min_open_interest: int = 0
    max_abs_rate: float = inf

    def __post_init__(self) -> None:
        """Refuse thresholds that no box can meet."""
        for name in ("min_strike_gap", "min_volume", "min_open_interest", "max_abs_rate"):
            value = getattr(self, name)
            if isnan(value) or value < 0:
                raise ModelError(f"{name} is {value}; it must be 0 or more")
        if not self.max_strike_gap >= self.min_strike_gap:
            raise ModelError(
                f"max_strike_gap is {self.max_strike_gap}, under min_strike_gap "
                f"{self.min_strike_gap}; no box is in between"
            )


@dataclass(slots=True)
class Removals:
    """Boxes left out, by the first reason that applied to each."""

    boxes: dict[str, int] = field(default_factory=dict)

    def add(self, reason: str, boxes: int) -> None:
        """Count boxes under a reason; none leaves no trace."""
        if boxes:
            self.boxes[reason] = self.boxes.get(reason, 0) + boxes

    def apply(self, keep: Mask, reason: str, wanted: Mask) -> Mask:
        """Return the rows of ``keep`` that are wanted, and count the others."""
        left = keep & wanted
        self.add(reason, int(np.count_nonzero(keep)) - int(np.count_nonzero(left)))
        return left


def usable_strikes(synthetic: Synthetics, filters: BoxFilters, removals: Removals) -> Mask:
    """Return which strikes may be in a box, as an (m,) mask; count the boxes of the others."""
    keep = np.ones(synthetic.forwards.strike.size, dtype=np.bool_)
    left = int(keep.size)
    removals.add("only a call or only a put", pairs_of(synthetic.listed_strikes) - pairs_of(left))
    for reason, wanted in _strike_conditions(synthetic, filters):
        keep &= wanted
        before, left = left, int(np.count_nonzero(keep))
        removals.add(reason, pairs_of(before) - pairs_of(left))
    return keep


def usable_boxes(prices: BoxPrices, filters: BoxFilters, years: float, removals: Removals) -> Mask:
    """Return which priced boxes to keep, as a (pairs,) mask; count the others."""
    sides = ((prices.bid_cost, prices.bid_rate), (prices.ask_cost, prices.ask_rate))
    absent = [np.isnan(cost) for cost, _ in sides]
    keep = removals.apply(
        np.ones(prices.mid_cost.size, dtype=np.bool_),
        "neither side can be executed",
        ~(absent[0] & absent[1]),
    )
    if isinf(filters.max_abs_rate):
        return keep
    for (cost, _), missing in zip(sides, absent, strict=True):
        keep = removals.apply(keep, "cost is not positive", missing | (cost > 0.0))
    if years > 0.0:
        for (_, rate), missing in zip(sides, absent, strict=True):
            within = np.abs(rate) <= filters.max_abs_rate
            keep = removals.apply(keep, "rate is beyond max_abs_rate", missing | within)
    return keep


def count_widths(pairs: StrikePairs, removals: Removals) -> None:
    """Count the boxes outside the width window."""
    removals.add("narrower than min_strike_gap", pairs.narrow)
    removals.add("wider than max_strike_gap", pairs.wide)


def _strike_conditions(synthetic: Synthetics, filters: BoxFilters) -> Iterator[tuple[str, Mask]]:
    present = int(np.bitwise_or.reduce(synthetic.excluded_by, initial=0))
    for flag in LegFlag:
        if present & flag:
            yield f"leg is {describe_flags(flag)}", synthetic.excluded_by != flag
    call, put = synthetic.call, synthetic.put
    if filters.min_volume > 0:
        least = np.fmin(np.nan_to_num(call.volume), np.nan_to_num(put.volume))
        yield "leg volume is under min_volume", least >= filters.min_volume
    if filters.min_open_interest > 0:
        least = np.fmin(np.nan_to_num(call.open_interest), np.nan_to_num(put.open_interest))
        yield "leg open interest is under min_open_interest", least >= filters.min_open_interest


def pairs_of(strikes: int) -> int:
    """Return how many boxes so many strikes make."""
    return strikes * (strikes - 1) // 2
