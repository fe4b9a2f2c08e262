"""The best boxes of one expiry on one side: who may compete, what counts, and variety."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import reduce
from math import ceil
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
import polars as pl

from live_box_spreads.books.boxes.filters import Removals, count_widths, pairs_of, usable_strikes
from live_box_spreads.books.boxes.prices import StrikePairs
from live_box_spreads.books.curves.off_parity import far_from_parity
from live_box_spreads.model.fees import opening_fees
from live_box_spreads.model.products import product
from live_box_spreads.model.quality import describe_flags
from live_box_spreads.model.rates import rate_from_discount

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from live_box_spreads.books.boxes.filters import BoxFilters
    from live_box_spreads.books.strikes.synthetics import Synthetics
    from live_box_spreads.model.products import UsualBox
    from live_box_spreads.model.rates import Compounding

    Floats = NDArray[np.float64]
    Indices = NDArray[np.intp]

Side = Literal["lend", "borrow"]

OPPORTUNITY_SCHEMA = pl.Schema(
    {
        "side": pl.String(),
        "root": pl.String(),
        "expiry": pl.Date(),
        "tte_years": pl.Float64(),
        "kl": pl.Float64(),
        "ks": pl.Float64(),
        "width": pl.Float64(),
        "price": pl.Float64(),
        "fair_price": pl.Float64(),
        "fees_dollars": pl.Float64(),
        "rate": pl.Float64(),
        "net_rate": pl.Float64(),
        "fair_rate": pl.Float64(),
        "std_error_bps": pl.Float64(),
        "spread_bps": pl.Float64(),
        "spread_std_errors": pl.Float64(),
        "score_bps": pl.Float64(),
        "quoted_spread_bps": pl.Float64(),
        "size": pl.Float64(),
        "oldest_quote_secs": pl.Float64(),
        "min_leg_volume": pl.Float64(),
        "total_leg_volume": pl.Float64(),
        "min_leg_open_interest": pl.Float64(),
        "quality": pl.String(),
        "why": pl.String(),
    }
)
"""Index points: strikes, width, ``price`` (paid to lend, received to borrow), ``fair_price``.
``fees_dollars`` to open one box. Fractions: ``rate`` (at the price), ``net_rate`` (after fees),
``fair_rate``. ``spread_bps`` is ``net_rate - fair_rate``: a lender wants it high, a borrower low;
``spread_std_errors`` is the same in standard errors of the fair rate. ``score_bps``: what the list
is sorted by, higher is better on both sides; ``quoted_spread_bps`` lies between the rates of the
two sides, before fees. Boxes: ``size``. Contracts: volumes, and open interest of the weakest leg.
NaN is unknown."""

ONE_SIDED = "only one side is quoted"
OFF_PARITY = "a quote is far from the parity line of its expiry"
TOO_FEW = "too few at the top of the book, or unknown how many"
BEYOND_DOUBT = "better than fair beyond doubt: a quote must be wrong"
_DOUBT_STD_ERRORS, _DOUBT_OF_QUOTED, _DOUBT_BPS = 3.0, 0.25, 2.0
"""The fair rate lies between the quotes of nearly every box. A rate better than fair by more than
so many standard errors, or more than that part of what its own quotes are apart, and by so many
basis points on top, is not believed."""


class FairValue(NamedTuple):
    """What a payment of 1 at the end of an expiry is worth.

    Attributes:
        discount: the discount factor; NaN where there is none.
        std_error: its standard error; NaN unknown.
        reason: why there is none; empty where there is one.
    """

    discount: float
    std_error: float
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Wish:
    """What kind of boxes to look for.

    Attributes:
        side: to lend or to borrow.
        min_size: least boxes at the top of the book; fees are those of an order of so many. An
            unknown size counts as none where a minimum is set.
        limit: most boxes of the whole list.
        per_expiry: most boxes of one expiry.
    """

    side: Side
    min_size: float = 0.0
    limit: int = 50
    per_expiry: int = 3

    @property
    def sign(self) -> float:
        """1 to lend, -1 to borrow: which way of price is worse, and of rate is better."""
        return 1.0 if self.side == "lend" else -1.0


@dataclass(frozen=True, slots=True)
class _Loan:
    """One expiry: how prices become rates, and what is fair."""

    years: float
    compounding: Compounding
    fair: FairValue

    def rate(self, price: Floats, width: Floats) -> Floats:
        return rate_from_discount(price / width, self.years, self.compounding)

    @property
    def fair_rate(self) -> float:
        return rate_from_discount(self.fair.discount, self.years, self.compounding)

    @property
    def std_error_bps(self) -> float:
        low, high = (
            rate_from_discount(self.fair.discount + side, self.years, self.compounding)
            for side in (self.fair.std_error, -self.fair.std_error)
        )
        return 0.5e4 * (high - low)


def best_boxes(
    part: Synthetics,
    years: float,
    fair: FairValue,
    wish: Wish,
    compounding: Compounding,
    filters: BoxFilters,
) -> tuple[pl.DataFrame, Removals]:
    """Return the best boxes of one expiry, best first, and what kept the others out.

    Args:
        part: the strikes of one root and expiry; the root has to be in the registry.
        years: time between the two payments.
        fair: what a payment at the end is worth.
        wish: what kind of boxes to look for.
        compounding: how rates are said.
        filters: thresholds.

    Returns:
        ``OPPORTUNITY_SCHEMA``, at most ``wish.per_expiry`` rows; boxes left out, by reason.
    """
    removals = Removals()
    loan, item = _Loan(years, compounding, fair), product(part.root)
    boxes = _candidates(part, loan, wish, filters, removals)
    lots = max(1, ceil(wish.min_size))
    fees_dollars = opening_fees(item, lots) / lots
    net_price = boxes.price + wish.sign * fees_dollars / item.multiplier
    odd_strike, odd_width = _unusual(boxes, item.usual)
    given = (odd_strike.astype(np.float64) + odd_width) * item.ticks.above
    scored = loan.rate(net_price + wish.sign * given, boxes.width)
    score_bps = wish.sign * (scored - loan.fair_rate) * 1e4
    best = _varied(boxes, score_bps, wish.per_expiry, item.usual)
    net_rate = loan.rate(net_price[best], boxes.width[best])
    frame = pl.DataFrame(
        {
            **_of_boxes(part, boxes.take(best), loan),
            "fees_dollars": np.full(best.size, fees_dollars),
            "net_rate": net_rate,
            "spread_bps": (net_rate - loan.fair_rate) * 1e4,
            "score_bps": score_bps[best],
            "why": [
                _why(*findings, item.usual)
                for findings in zip(
                    boxes.width[best], odd_strike[best], odd_width[best], strict=True
                )
            ],
        }
    ).with_columns(
        side=pl.lit(wish.side),
        root=pl.lit(part.root),
        expiry=pl.lit(part.expiry),
        tte_years=pl.lit(years),
        fair_rate=pl.lit(loan.fair_rate),
        std_error_bps=pl.lit(loan.std_error_bps),
        spread_std_errors=pl.col("spread_bps") / loan.std_error_bps,
    )
    return frame.select(
        pl.col(name).cast(kind) for name, kind in OPPORTUNITY_SCHEMA.items()
    ), removals


@dataclass(frozen=True, slots=True)
class _Boxes:
    """Boxes by the places of their strikes, with what they cost on the side wished for."""

    low: Indices
    high: Indices
    kl: Floats
    ks: Floats
    price: Floats
    other_price: Floats
    size: Floats

    @property
    def width(self) -> Floats:
        return self.ks - self.kl

    def take(self, index: NDArray[np.intp] | NDArray[np.bool_]) -> _Boxes:
        return _Boxes(*(getattr(self, item.name)[index] for item in fields(self)))


def _candidates(
    part: Synthetics, loan: _Loan, wish: Wish, filters: BoxFilters, removals: Removals
) -> _Boxes:
    """Return the boxes that may compete; count the others."""
    usable = _sound_strikes(part, loan, filters, removals)
    strike = part.forwards.strike
    window = filters.min_strike_gap, filters.max_strike_gap
    pairs = StrikePairs.within(strike[usable], *window)
    count_widths(pairs, removals)
    low, high = (usable[index] for index in pairs.indices())
    bid, ask = part.forwards.syn_bid, part.forwards.syn_ask
    price, other_price = ask[low] - bid[high], bid[low] - ask[high]
    if wish.side == "lend":
        size = np.minimum(part.buy_size[low], part.sell_size[high])
    else:
        price, other_price = other_price, price
        size = np.minimum(part.sell_size[low], part.buy_size[high])
    boxes = _Boxes(low, high, strike[low], strike[high], price, other_price, size)
    return boxes.take(_believable(boxes, loan, wish, filters, removals))


def _sound_strikes(
    part: Synthetics, loan: _Loan, filters: BoxFilters, removals: Removals
) -> Indices:
    """Return the strikes whose quotes may be traded on; count the boxes of the others."""
    keep = usable_strikes(part, filters, removals)
    both = np.isfinite(part.forwards.syn_bid + part.forwards.syn_ask)
    tick = product(part.root).ticks.above
    far = far_from_parity(part.forwards.take(np.flatnonzero(keep)), loan.fair.discount, tick)
    near = np.ones_like(keep)
    near[keep] = ~far
    for reason, wanted in ((ONE_SIDED, both), (OFF_PARITY, near)):
        before = int(np.count_nonzero(keep))
        keep &= wanted
        removals.add(reason, pairs_of(before) - pairs_of(int(np.count_nonzero(keep))))
    return np.flatnonzero(keep)


def _believable(
    boxes: _Boxes, loan: _Loan, wish: Wish, filters: BoxFilters, removals: Removals
) -> NDArray[np.bool_]:
    """Return which boxes are large enough and have a price to believe; count the others."""
    keep = np.ones(boxes.price.size, dtype=np.bool_)
    if wish.min_size > 0:
        keep = removals.apply(keep, TOO_FEW, boxes.size >= wish.min_size)
    keep = removals.apply(keep, "cost is not positive", boxes.price > 0.0)
    rate = loan.rate(boxes.price, boxes.width)
    if filters.max_abs_rate < np.inf:
        within = np.abs(rate) <= filters.max_abs_rate
        keep = removals.apply(keep, "rate is beyond max_abs_rate", within)
    quoted = np.abs(rate - loan.rate(boxes.other_price, boxes.width)) * 1e4
    unsure = np.fmin(_DOUBT_STD_ERRORS * loan.std_error_bps, _DOUBT_OF_QUOTED * quoted)
    better = wish.sign * (rate - loan.fair_rate) * 1e4
    return removals.apply(keep, BEYOND_DOUBT, better <= np.nan_to_num(unsure) + _DOUBT_BPS)


def _varied(boxes: _Boxes, score: Floats, most: int, usual: UsualBox) -> Indices:
    """Return the best boxes, best first, no two with a common strike or close to one another.

    One of them is of the usual kind if there is any: it is what finds the other side soonest.
    """
    chosen: list[int] = []
    free = np.isfinite(score)
    of_the_kind = ~np.logical_or(*_unusual(boxes, usual)) & (boxes.width == usual.width)
    while len(chosen) < most and free.any():
        lacking = len(chosen) == most - 1 and not of_the_kind[chosen].any()
        wanted = free & of_the_kind if lacking and (free & of_the_kind).any() else free
        best = int(np.argmax(np.where(wanted, score, -np.inf)))
        chosen.append(best)
        kl, ks = boxes.kl[best], boxes.ks[best]
        for strike in (boxes.kl, boxes.ks):
            free &= (strike != kl) & (strike != ks)
        step = usual.strike
        free &= (np.abs(boxes.kl - kl) >= step) | (np.abs(boxes.ks - ks) >= step)
    return np.array(chosen, dtype=np.intp)


def _unusual(boxes: _Boxes, usual: UsualBox) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which boxes have a strike that is not round, and which an unusual width."""
    odd_strike = (np.mod(boxes.kl, usual.strike) != 0) | (np.mod(boxes.ks, usual.strike) != 0)
    return odd_strike, np.mod(boxes.width, usual.width) != 0


def _why(width: float, odd_strike: bool, odd_width: bool, usual: UsualBox) -> str:  # noqa: FBT001 # two findings
    """Say how usual a box is, and what that is worth."""
    if odd_strike or odd_width:
        odd = [f"strike off {usual.strike:g}s"] * bool(odd_strike)
        odd += [f"width off {usual.width:,g}s"] * bool(odd_width)
        return f"{', '.join(odd)}: {len(odd)} tick{'s' * (len(odd) > 1)} worse"
    if width == usual.width:
        return f"round strikes, {width:,g} wide: what trades most"
    return f"round strikes, width in {usual.width:,g}s"


def _of_boxes(part: Synthetics, boxes: _Boxes, loan: _Loan) -> dict[str, Any]:
    """Return the columns that a box has from its strikes, its price and its four legs."""
    call, put = part.call, part.put
    ends = (boxes.low, boxes.high)

    def over_legs(name: str, least_or_most: Callable[[Floats, Floats], Floats]) -> Floats:
        legs = [getattr(leg, name)[end] for leg in (call, put) for end in ends]
        return reduce(least_or_most, legs)

    flags = over_legs("flags", np.bitwise_or)
    return {
        "kl": boxes.kl,
        "ks": boxes.ks,
        "width": boxes.width,
        "price": boxes.price,
        "fair_price": loan.fair.discount * boxes.width,
        "rate": loan.rate(boxes.price, boxes.width),
        "quoted_spread_bps": np.abs(
            loan.rate(boxes.price, boxes.width) - loan.rate(boxes.other_price, boxes.width)
        )
        * 1e4,
        "size": boxes.size,
        "oldest_quote_secs": over_legs("age_secs", np.maximum),
        "min_leg_volume": over_legs("volume", np.minimum),
        "total_leg_volume": over_legs("volume", np.add),
        "min_leg_open_interest": over_legs("open_interest", np.minimum),
        "quality": [describe_flags(int(flag)) for flag in flags],
    }
