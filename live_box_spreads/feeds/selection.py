"""Which expiries and strikes of a listing a universe takes. Pure: the time is an argument."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from live_box_spreads.model.settlement import expiry_instant

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from numpy.typing import NDArray

    from live_box_spreads.feeds.base import ExpirySelection
    from live_box_spreads.model.products import Settlement

_STRIKES_WEIGHT: Final = 0.5
"""An expiry with every strike may lie this many steps further off than one with none."""


@dataclass(frozen=True, slots=True)
class ListedExpiry:
    """One expiry of one root, as far as the choice depends on it.

    Attributes:
        expiry: expiration date.
        settlement: ``AM`` or ``PM``.
        strikes: number of strikes listed; monthlies have the most.
    """

    expiry: date
    settlement: Settlement
    strikes: int


def choose_expiries(
    listed: Sequence[ListedExpiry], count: int, how: ExpirySelection, now: datetime
) -> list[date]:
    """Choose the expiries to quote, expired ones excluded.

    Args:
        listed: expiries of one root, in any order.
        count: at most this many; 0 takes all.
        how: ``nearest`` takes the soonest. ``spread`` takes the soonest, the farthest, and
            between them dates at equal ratios of the days left, preferring near-by expiries
            with many strikes.
        now: an instant with a time zone.

    Returns:
        Expiration dates, soonest first.
    """
    alive = sorted(
        (
            item
            for item in listed
            if item.strikes and expiry_instant(item.expiry, item.settlement) > now
        ),
        key=lambda item: item.expiry,
    )
    if count and len(alive) > count:
        alive = alive[:count] if how == "nearest" or count == 1 else _spread(alive, count, now)
    return [item.expiry for item in alive]


def _spread(alive: Sequence[ListedExpiry], count: int, now: datetime) -> list[ListedExpiry]:
    """Take both ends, and for each point of a geometric grid between them the best expiry left.

    The score is the distance from the grid point in steps, plus a charge for missing strikes.
    """
    most_strikes = max(item.strikes for item in alive)
    today = now.date()
    log_days = {item: math.log(max((item.expiry - today).days, 0) + 1) for item in alive}
    first, last = log_days[alive[0]], log_days[alive[-1]]
    step = (last - first) / (count - 1) or 1.0
    chosen = {alive[0], alive[-1]}
    for point in range(1, count - 1):
        target = first + point * step

        def score(item: ListedExpiry, target: float = target) -> float:
            missing = 1.0 - item.strikes / most_strikes
            return abs(log_days[item] - target) / step + _STRIKES_WEIGHT * missing

        chosen.add(min((item for item in alive if item not in chosen), key=score))
    return sorted(chosen, key=lambda item: item.expiry)


def within_moneyness(
    strikes: NDArray[np.float64], spot: float, moneyness: tuple[float, float]
) -> NDArray[np.bool_]:
    """Return which strikes lie within a window around the spot, ends included.

    Args:
        strikes: index points, any shape.
        spot: price of the underlying, index points; NaN matters only to a bounded window.
        moneyness: lowest and highest strike as a fraction of the spot; (0, inf) takes all.

    Returns:
        Booleans of the shape of ``strikes``.
    """
    lowest, highest = moneyness
    taken = np.ones(strikes.shape, np.bool_)
    if lowest > 0:
        taken &= strikes >= lowest * spot
    if math.isfinite(highest):
        taken &= strikes <= highest * spot
    return taken


def is_bounded(moneyness: tuple[float, float]) -> bool:
    """Return whether a moneyness window leaves anything out, so that the spot is needed."""
    return moneyness[0] > 0 or math.isfinite(moneyness[1])
