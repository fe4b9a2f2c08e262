"""The best boxes of one expiry on one side: which are credible, how they rank, and variety.

Within an expiry a rate falls strictly as the discount factor ``price / width`` rises, so boxes are
compared by discount factors. A rate is computed only where it decides: hundreds of thousands of
pairs have a price, a few dozen need their rate.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from math import ceil
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np

from live_box_spreads.books.boxes.filters import Removals, count_widths, pairs_of, usable_strikes
from live_box_spreads.books.boxes.prices import StrikePairs
from live_box_spreads.books.curves.off_parity import far_from_parity
from live_box_spreads.model.fees import opening_fees
from live_box_spreads.model.products import product
from live_box_spreads.model.quality import describe_flags
from live_box_spreads.model.rates import discount_from_rate, rate_from_discount

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from live_box_spreads.books.boxes.filters import BoxFilters
    from live_box_spreads.books.boxes.search import FairValue, Search, Side
    from live_box_spreads.books.strikes.synthetics import Synthetics
    from live_box_spreads.model.products import UsualBox
    from live_box_spreads.model.rates import Compounding

    Floats = NDArray[np.float64]
    Indices = NDArray[np.intp]

ONE_SIDED = "only one side is quoted"
OFF_PARITY = "a quote is far from the parity line of its expiry"
TOO_FEW = "too few at the top of the book, or unknown how many"
BEYOND_DOUBT = "better than fair beyond doubt: a quote must be wrong"
_DOUBT_STD_ERRORS, _DOUBT_OF_QUOTED, _DOUBT_BPS = 3.0, 0.25, 2.0
"""The fair rate lies between the quotes of nearly every box. A rate better than fair by more than
so many standard errors, or more than that part of what its own quotes are apart, and by so many
basis points on top, is not believed."""
_MARGIN = 1e-9
"""Closer than this, as a fraction, to a limit on discount factors, the rate itself decides."""


@dataclass(frozen=True, slots=True)
class _Loan:
    """One expiry: how discount factors become rates, and what is fair."""

    years: float
    compounding: Compounding
    fair_discount: float
    fair_rate: float
    std_error_bps: float

    @classmethod
    def of(cls, years: float, compounding: Compounding, fair: FairValue) -> Self:
        around = fair.discount + np.array([1.0, 0.0, -1.0]) * np.nan_to_num(fair.std_error)
        low, middle, high = rate_from_discount(around, years, compounding).tolist()
        std_error_bps = 0.5e4 * (high - low) if np.isfinite(fair.std_error) else np.nan
        return cls(years, compounding, fair.discount, middle, std_error_bps)

    def rate(self, discount: Floats) -> Floats:
        return rate_from_discount(discount, self.years, self.compounding)

    def discount(self, rate: Floats) -> Floats:
        return discount_from_rate(rate, self.years, self.compounding)


def rank_expiry(
    part: Synthetics,
    years: float,
    fair: FairValue,
    search: Search,
    compounding: Compounding,
    filters: BoxFilters,
) -> tuple[dict[str, Any], Removals]:
    """Return the best boxes of one expiry, best first, and what kept the others out.

    Args:
        part: the strikes of one root and expiry; the root has to be in the registry.
        years: time between the two payments.
        fair: what a payment at the end is worth.
        search: which boxes to look for.
        compounding: convention of the rates.
        filters: thresholds.

    Returns:
        The columns of ``OPPORTUNITY_SCHEMA`` as arrays, at most ``search.per_expiry`` rows; boxes
        left out, by reason.
    """
    removals = Removals()
    loan, item = _Loan.of(years, compounding, fair), product(part.root)
    part = part.take(_sound_strikes(part, loan, filters, removals))
    boxes = _candidates(part, loan, search, filters, removals)
    lots = max(1, ceil(search.min_size))
    fees_dollars = opening_fees(item, lots) / lots
    odd_strike, odd_width = _unusual(part.forwards.strike, boxes, item.usual)
    given = (odd_strike.astype(np.float64) + odd_width) * item.ticks.above
    worse = search.sign * fees_dollars / item.multiplier
    scored = (boxes.price + worse + search.sign * given) / boxes.width
    # A lender's better rate is a lower price; a price that is not positive has no rate.
    merit = np.where(scored > 0.0, -search.sign * scored, -np.inf)
    usual_kind = ~(odd_strike | odd_width) & (boxes.width == item.usual.width)
    best = _varied(
        part.forwards.strike, boxes, merit, usual_kind, item.usual.strike, search.per_expiry
    )
    chosen = boxes.take(best)
    other = _price(part, chosen.low, chosen.high, search.other_side)
    prices = np.stack([chosen.price, other, chosen.price + worse])
    rate, other_rate, net_rate, score_rate = loan.rate(
        np.concatenate([prices / chosen.width, scored[best][None]])
    )
    spread_bps = (net_rate - loan.fair_rate) * 1e4
    rows = {
        "side": [search.side] * best.size,
        "root": [part.root] * best.size,
        "expiry": [part.expiry] * best.size,
        "tte_years": np.full(best.size, years),
        "width": chosen.width,
        "price": chosen.price,
        "fair_price": loan.fair_discount * chosen.width,
        "rate": rate,
        "quoted_spread_bps": np.abs(rate - other_rate) * 1e4,
        "size": _size(part, chosen.low, chosen.high, search.side),
        **_of_legs(part, chosen),
        "fees_dollars": np.full(best.size, fees_dollars),
        "net_rate": net_rate,
        "fair_rate": np.full(best.size, loan.fair_rate),
        "std_error_bps": np.full(best.size, loan.std_error_bps),
        "spread_bps": spread_bps,
        "spread_std_errors": spread_bps / loan.std_error_bps,
        "score_bps": search.sign * (score_rate - loan.fair_rate) * 1e4,
        "why": [
            _why(*findings, item.usual)
            for findings in zip(chosen.width, odd_strike[best], odd_width[best], strict=True)
        ],
    }
    return rows, removals


class _Boxes(NamedTuple):
    """Boxes by the places of their strikes, with what they cost on the side searched for."""

    low: Indices
    high: Indices
    price: Floats
    width: Floats

    def take(self, index: NDArray[np.intp] | NDArray[np.bool_]) -> _Boxes:
        return _Boxes(self.low[index], self.high[index], self.price[index], self.width[index])


def _candidates(
    part: Synthetics, loan: _Loan, search: Search, filters: BoxFilters, removals: Removals
) -> _Boxes:
    """Return the boxes that may compete; count the others.

    Args:
        part: the strikes whose quotes may be traded on.
        loan: the expiry.
        search: which boxes to look for.
        filters: thresholds.
        removals: where the others are counted.
    """
    strike = part.forwards.strike
    pairs = StrikePairs.within(strike, filters.min_strike_gap, filters.max_strike_gap)
    count_widths(pairs, removals)
    low, high = pairs.indices()
    boxes = _Boxes(low, high, _price(part, low, high, search.side), strike[high] - strike[low])
    keep = _believable(part, boxes, loan, search, filters, removals)
    return boxes if keep.all() else boxes.take(keep)


def _price(part: Synthetics, low: Indices, high: Indices, side: Side) -> Floats:
    """Return what a box costs to buy (lend), or brings when it is sold (borrow); index points."""
    bid, ask = part.forwards.syn_bid, part.forwards.syn_ask
    return ask[low] - bid[high] if side == "lend" else bid[low] - ask[high]


def _size(part: Synthetics, low: Indices, high: Indices, side: Side) -> Floats:
    """Return how many boxes the top of the book has on a side."""
    first, second = part.buy_size, part.sell_size
    if side == "borrow":
        first, second = second, first
    return np.minimum(first[low], second[high])


def _sound_strikes(
    part: Synthetics, loan: _Loan, filters: BoxFilters, removals: Removals
) -> Indices:
    """Return the strikes whose quotes may be traded on; count the boxes of the others."""
    keep = usable_strikes(part, filters, removals)
    both = np.isfinite(part.forwards.syn_bid + part.forwards.syn_ask)
    tick = product(part.root).ticks.above
    far = far_from_parity(part.forwards.take(np.flatnonzero(keep)), loan.fair_discount, tick)
    near = np.ones_like(keep)
    near[keep] = ~far
    for reason, wanted in ((ONE_SIDED, both), (OFF_PARITY, near)):
        before = int(np.count_nonzero(keep))
        keep &= wanted
        removals.add(reason, pairs_of(before) - pairs_of(int(np.count_nonzero(keep))))
    return np.flatnonzero(keep)


def _believable(
    part: Synthetics,
    boxes: _Boxes,
    loan: _Loan,
    search: Search,
    filters: BoxFilters,
    removals: Removals,
) -> NDArray[np.bool_]:
    """Return which boxes are large enough and have a price to believe; count the others."""
    keep = np.ones(boxes.price.size, dtype=np.bool_)
    if search.min_size > 0:
        size = _size(part, boxes.low, boxes.high, search.side)
        keep = removals.apply(keep, TOO_FEW, size >= search.min_size)
    keep = removals.apply(keep, "cost is not positive", boxes.price > 0.0)
    discount = boxes.price / boxes.width
    within = np.ones(keep.size, dtype=np.bool_)
    if filters.max_abs_rate < np.inf:
        far = np.flatnonzero(keep & ~_surely_within(discount, loan, filters.max_abs_rate))
        within[far] = np.abs(loan.rate(discount[far])) <= filters.max_abs_rate
        keep = removals.apply(keep, "rate is beyond max_abs_rate", within)
    better = np.flatnonzero(keep & _may_be_better(discount, loan, search.sign))
    credible = np.ones(keep.size, dtype=np.bool_)
    credible[better] = _credible(part, boxes.take(better), loan, search)
    return removals.apply(keep, BEYOND_DOUBT, credible)


def _surely_within(discount: Floats, loan: _Loan, limit: float) -> NDArray[np.bool_]:
    """Tell which rates are within a limit either way, without computing them; near it is no."""
    least, most = loan.discount(np.array([limit, -limit]))
    most = most if most > 0.0 else np.inf  # no effective rate is under -100 %
    inside: NDArray[np.bool_] = (discount > least * (1.0 + _MARGIN)) & (
        discount < most * (1.0 - _MARGIN)
    )
    return inside


def _may_be_better(discount: Floats, loan: _Loan, sign: float) -> NDArray[np.bool_]:
    """Tell which rates may be better than fair by more than is believed of any box."""
    edge = float(loan.discount(np.array(loan.fair_rate + sign * _DOUBT_BPS * 1e-4)))
    if not edge > 0.0:  # no such rate, so every one has to be computed
        return np.ones(discount.size, dtype=np.bool_)
    # A lender's better rate is a lower price.
    beyond: NDArray[np.bool_] = sign * discount < sign * edge * (1.0 + sign * _MARGIN)
    return beyond


def _credible(part: Synthetics, boxes: _Boxes, loan: _Loan, search: Search) -> NDArray[np.bool_]:
    """Return which boxes are better than fair by no more than their quotes leave open."""
    other = _price(part, boxes.low, boxes.high, search.other_side)
    rate, other_rate = loan.rate(np.stack([boxes.price, other]) / boxes.width)
    quoted = np.abs(rate - other_rate) * 1e4
    unsure = np.fmin(_DOUBT_STD_ERRORS * loan.std_error_bps, _DOUBT_OF_QUOTED * quoted)
    better = search.sign * (rate - loan.fair_rate) * 1e4
    credible: NDArray[np.bool_] = better <= np.nan_to_num(unsure) + _DOUBT_BPS
    return credible


def _varied(
    strike: Floats,
    boxes: _Boxes,
    merit: Floats,
    usual_kind: NDArray[np.bool_],
    step: float,
    most: int,
) -> Indices:
    """Return the best boxes, best first, no two with a common strike or close to one another.

    One of them is of the usual kind if there is any: it is what finds the other side soonest.

    Args:
        strike: of the expiry, index points.
        boxes: those that may compete.
        merit: by which they rank, higher is better; -inf out of the running. It is changed.
        usual_kind: which are of the kind that trades most.
        step: boxes with both strikes nearer than this to another's are close to it, index points.
        most: how many at most.
    """
    chosen: list[int] = []
    while merit.size and len(chosen) < most:
        best = int(np.argmax(merit))
        if len(chosen) == most - 1 and not usual_kind[chosen].any():
            usual = int(np.argmax(np.where(usual_kind, merit, -np.inf)))
            best = usual if usual_kind[usual] and merit[usual] > -np.inf else best
        if merit[best] == -np.inf:
            break
        chosen.append(best)
        if len(chosen) < most:
            merit[_alike(strike, boxes, best, step)] = -np.inf
    return np.array(chosen, dtype=np.intp)


def _alike(strike: Floats, boxes: _Boxes, best: int, step: float) -> NDArray[np.bool_]:
    """Return which boxes share a strike with one, or have both strikes within a step of its."""
    low, high = boxes.low[best], boxes.high[best]
    shared = np.zeros(strike.size, dtype=np.bool_)
    shared[[low, high]] = True
    near_low, near_high = (np.abs(strike - strike[end]) < step for end in (low, high))
    # By strike first: there are hundreds of boxes to each.
    alike: NDArray[np.bool_] = shared[boxes.low] | shared[boxes.high]
    alike |= near_low[boxes.low] & near_high[boxes.high]
    return alike


def _unusual(
    strike: Floats, boxes: _Boxes, usual: UsualBox
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which boxes have a strike that is not round, and which an unusual width."""
    odd = np.mod(strike, usual.strike) != 0
    # A width is a multiple where both strikes leave the same rest; one division a strike, not one
    # a box.
    rest = np.mod(strike, usual.width)
    return odd[boxes.low] | odd[boxes.high], rest[boxes.low] != rest[boxes.high]


def _why(width: float, odd_strike: bool, odd_width: bool, usual: UsualBox) -> str:  # noqa: FBT001 # two findings
    """Say how usual a box is, and what that costs in the ranking."""
    if odd_strike or odd_width:
        odd = [f"strike off {usual.strike:g}s"] * bool(odd_strike)
        odd += [f"width off {usual.width:,g}s"] * bool(odd_width)
        return f"{', '.join(odd)}: {len(odd)} tick{'s' * (len(odd) > 1)} worse"
    if width == usual.width:
        return f"round strikes, {width:,g} wide: what trades most"
    return f"round strikes, width in {usual.width:,g}s"


def _of_legs(part: Synthetics, boxes: _Boxes) -> dict[str, Any]:
    """Return the columns that a box has from its strikes and its four legs."""
    call, put = part.call, part.put
    ends = (boxes.low, boxes.high)

    def over_legs(name: str, least_or_most: Callable[[Floats, Floats], Floats]) -> Floats:
        legs = [getattr(leg, name)[end] for leg in (call, put) for end in ends]
        return reduce(least_or_most, legs)

    flags = over_legs("flags", np.bitwise_or)
    return {
        "kl": part.forwards.strike[boxes.low],
        "ks": part.forwards.strike[boxes.high],
        "oldest_quote_secs": over_legs("age_secs", np.maximum),
        "min_leg_volume": over_legs("volume", np.minimum),
        "total_leg_volume": over_legs("volume", np.add),
        "min_leg_open_interest": over_legs("open_interest", np.minimum),
        "quality": [describe_flags(int(flag)) for flag in flags],
    }
