"""All boxes of one expiry at once: costs and three rates of every pair of strikes.

Numpy and the kernel ``kernels/boxes.py`` give the same numbers, but for the last digits.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Self

import numpy as np

from live_box_spreads.books.kernels import BOXES
from live_box_spreads.model.legs import LEAST_COST
from live_box_spreads.model.rates import Compounding, rate_from_discount

if TYPE_CHECKING:
    from types import ModuleType

    from numpy.typing import NDArray

    from live_box_spreads.books.strikes.synthetics import SyntheticForwards

    Floats = NDArray[np.float64]
    Indices = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class StrikePairs:
    """Pairs of strikes ``kl < ks`` whose width is in a window, ordered by ``kl``, then ``ks``.

    Attributes:
        first: (m,) for each strike as ``kl``, the index of its first ``ks``.
        stop: (m,) one past the index of its last ``ks``; equal to ``first`` where there is none.
        narrow: pairs left out because the width is under the window.
        wide: pairs left out because the width is over it.
    """

    first: Indices
    stop: Indices
    narrow: int
    wide: int

    @classmethod
    def within(cls, strike: Floats, min_gap: float = 0.0, max_gap: float = np.inf) -> Self:
        """Find the pairs with ``min_gap <= ks - kl <= max_gap``.

        Args:
            strike: (m,) strikes, ascending, index points.
            min_gap: least width, index points.
            max_gap: greatest width, index points.
        """
        own = np.arange(1, strike.size + 1)
        first = np.maximum(own, np.searchsorted(strike, strike + min_gap, side="left"))
        stop = np.searchsorted(strike, strike + max_gap, side="right")
        wide = int(np.sum(strike.size - np.maximum(stop, own)))
        stop = np.maximum(first, stop)
        narrow = strike.size * (strike.size - 1) // 2 - wide - int(np.sum(stop - first))
        return cls(first, stop, narrow, wide)

    def __len__(self) -> int:
        """Return the number of pairs."""
        return int(np.sum(self.stop - self.first))

    def indices(self) -> tuple[Indices, Indices]:
        """Return the index of ``kl`` and of ``ks`` of each pair, as (pairs,) arrays."""
        counts = self.stop - self.first
        low = np.repeat(np.arange(counts.size), counts)
        row_begins = np.cumsum(counts) - counts
        return low, np.arange(low.size) + np.repeat(self.first - row_begins, counts)


@dataclass(frozen=True, slots=True)
class BoxPrices:
    """Costs (index points) and rates (fractions) of boxes, as (pairs,) arrays.

    ``bid_cost <= mid_cost <= ask_cost`` and ``ask_rate <= mid_rate <= bid_rate``. A side that
    cannot be executed is NaN, and with it the mid. A cost that is not positive has a NaN rate; one
    under ``LEAST_COST`` is zero.
    """

    bid_cost: Floats
    mid_cost: Floats
    ask_cost: Floats
    bid_rate: Floats
    mid_rate: Floats
    ask_rate: Floats

    def where(self, keep: NDArray[np.bool_]) -> BoxPrices:
        """Return the boxes for which ``keep`` is true; itself, not a copy, if it always is."""
        if keep.all():
            return self
        return BoxPrices(*(getattr(self, item.name)[keep] for item in fields(self)))


def box_prices(
    forwards: SyntheticForwards, pairs: StrikePairs, years: float, compounding: Compounding
) -> BoxPrices:
    """Price every pair of strikes.

    ``ask_cost = syn_ask(kl) - syn_bid(ks)`` buys the box (lends), ``bid_cost = syn_bid(kl) -
    syn_ask(ks)`` sells it (borrows), ``mid_cost`` is their mean; ``D = cost / width``.

    Args:
        forwards: synthetic forwards by strike.
        pairs: the pairs of its strikes to price.
        years: time between the two payments; rates are NaN unless it is positive.
        compounding: convention of the rates.
    """
    years = years if years > 0.0 else np.nan
    if (kernel := BOXES.code) is not None:
        return _compiled_prices(kernel, forwards, pairs, years, compounding)
    return numpy_prices(forwards, pairs, years, compounding)


def numpy_prices(
    forwards: SyntheticForwards, pairs: StrikePairs, years: float, compounding: Compounding
) -> BoxPrices:
    """Price every pair of strikes as ``box_prices`` does, with numpy alone."""
    low, high = pairs.indices()
    bid_cost = forwards.syn_bid[low] - forwards.syn_ask[high]
    ask_cost = forwards.syn_ask[low] - forwards.syn_bid[high]
    width = forwards.strike[high] - forwards.strike[low]
    sums = (bid_cost, 0.5 * (bid_cost + ask_cost), ask_cost)
    costs = [np.where(np.abs(cost) < LEAST_COST, 0.0, cost) for cost in sums]
    discounts = (np.where(cost > 0.0, cost, np.nan) / width for cost in costs)
    return BoxPrices(*costs, *(rate_from_discount(d, years, compounding) for d in discounts))


def _compiled_prices(
    kernel: ModuleType,
    forwards: SyntheticForwards,
    pairs: StrikePairs,
    years: float,
    compounding: Compounding,
) -> BoxPrices:
    convention, exponent, gain = {
        Compounding.EFFECTIVE: (kernel.PERIODIC, -1.0 / years, 1.0),
        Compounding.BOND_EQUIVALENT: (kernel.PERIODIC, -1.0 / (2.0 * years), 2.0),
        Compounding.CONTINUOUS: (kernel.CONTINUOUS, -1.0 / years, np.nan),
        Compounding.SIMPLE: (kernel.SIMPLE, np.nan, 360.0 / (365.0 * years)),
    }[compounding]
    bid_cost, mid_cost, ask_cost, bid_rate, mid_rate, ask_rate = np.empty((6, len(pairs)))
    kernel.fill(
        (forwards.strike, forwards.syn_bid, forwards.syn_ask),
        (pairs.first, pairs.stop),
        convention,
        exponent,
        gain,
        (bid_cost, mid_cost, ask_cost),
        (bid_rate, mid_rate, ask_rate),
    )
    return BoxPrices(bid_cost, mid_cost, ask_cost, bid_rate, mid_rate, ask_rate)
