"""Which quote most likely causes an inverted band.

An inverted band is a contradiction between the quotes of at most four strikes: those of the best
box to lend and of the best box to borrow. Three steps name one leg:

1. Each of those strikes is left out in turn. The suspect is the one without which the least
   inversion is left, best of all none.
2. Where several take it away alike, it is the one farthest from the others: a line
   ``syn = G - D·K`` is laid through the mids of the other strikes by medians, so that bad ones
   among them do not bend it, and a strike's distance is how far its ``syn_bid`` is above it or
   its ``syn_ask`` below it.
3. A synthetic forward is too dear to sell because a call's bid is too high or a put's ask too low;
   too cheap to buy because a call's ask is too low or a put's bid too high. Each leg is compared
   with the mids of its own right at the strikes around; the one that is farther beyond is named.

These are likelihoods: with three strikes any of them may be the wrong one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from live_box_spreads.books.boxes.filters import BoxFilters
from live_box_spreads.books.curves.band import bands
from live_box_spreads.books.curves.parity_line import NARROWEST, first_line
from live_box_spreads.books.strikes.blocks import StrikeBlocks

if TYPE_CHECKING:
    from datetime import date

    from numpy.typing import NDArray

    from live_box_spreads.books.strikes.synthetics import Legs, Synthetics
    from live_box_spreads.model.contracts import Right

    Floats = NDArray[np.float64]

Side = Literal["bid", "ask"]

_FEWEST_FOR_A_LINE = 2
_NEIGHBOURS = 3
"""Strikes on each side that say what a leg should cost."""


@dataclass(frozen=True, slots=True)
class Suspect:
    """The quote that most likely inverts a band.

    Attributes:
        root: option root.
        expiry: expiration date.
        strike: index points.
        right: ``C`` or ``P``.
        side: the side that is off.
        price: the quoted price, index points.
        excess: how far the strike's synthetic forward is beyond the others, index points; NaN
            where there are too few to tell.
        alone: whether the band is in order without this strike.
    """

    root: str
    expiry: date
    strike: float
    right: Right
    side: Side
    price: float
    excess: float
    alone: bool

    def __str__(self) -> str:
        """Say it in a few words, such as ``call 6500 bid 812.40, 25.10 beyond parity``."""
        right = {"C": "call", "P": "put"}[self.right]
        beyond = "" if np.isnan(self.excess) else f", {self.excess:.2f} beyond parity"
        others = "" if self.alone else ", and not the only one"
        return f"{right} {self.strike:g} {self.side} {self.price:.2f}{beyond}{others}"


def suspect_leg(
    synthetic: Synthetics,
    filters: BoxFilters = BoxFilters(),  # noqa: B008 # frozen
    min_size: float = 0.0,
) -> Suspect | None:
    """Return the leg that most likely inverts the band of an expiry; None if it is in order.

    Args:
        synthetic: the strikes of one root and expiry.
        filters: the thresholds under which the band was found.
        min_size: the least size under which it was found.
    """
    whole = StrikeBlocks.of([synthetic])
    inversion, strikes = _inversion(whole, filters, min_size)
    if inversion == 0.0:
        return None
    left = {
        strike: _inversion(whole.without(strike), filters, min_size)[0] for strike in set(strikes)
    }
    beyond = {strike: _beyond_the_others(synthetic, strike) for strike in left}

    def suspicion(strike: int) -> tuple[float, float]:
        return -left[strike], float(np.nan_to_num(max(beyond[strike], key=np.nan_to_num)))

    worst = max(sorted(left), key=suspicion)
    too_dear, too_cheap = beyond[worst]
    dear = bool(np.nan_to_num(too_dear) >= np.nan_to_num(too_cheap))
    right, side, price = _leg(synthetic, worst, dear=dear)
    return Suspect(
        root=synthetic.root,
        expiry=synthetic.expiry,
        strike=float(synthetic.forwards.strike[worst]),
        right=right,
        side=side,
        price=price,
        excess=too_dear if dear else too_cheap,
        alone=left[worst] == 0.0,
    )


def _inversion(
    block: StrikeBlocks, filters: BoxFilters, min_size: float
) -> tuple[float, tuple[int, ...]]:
    """Return by how much the band of one block is inverted (0 if not), and its strikes' places."""
    band = bands(block, filters, min_size)
    sides = (band.lend, band.borrow)
    strikes = tuple(int(at[0]) for side in sides for at in (side.low, side.high))
    return float(band.inversion[0]), strikes


def _beyond_the_others(synthetic: Synthetics, strike: int) -> tuple[float, float]:
    """Return how far ``syn_bid`` is above the line of the others, and ``syn_ask`` below it."""
    forwards = synthetic.forwards
    mid = 0.5 * (forwards.syn_bid + forwards.syn_ask)
    others = np.flatnonzero(np.isfinite(mid) & (np.arange(mid.size) != strike))
    if others.size < _FEWEST_FOR_A_LINE:
        return np.nan, np.nan
    half_spread = 0.5 * (forwards.syn_ask - forwards.syn_bid)[others]
    discount, level = first_line(
        forwards.strike[others], mid[others], np.maximum(half_spread, NARROWEST)
    )
    fair = level - discount * forwards.strike[strike]
    return float(forwards.syn_bid[strike] - fair), float(fair - forwards.syn_ask[strike])


def _leg(synthetic: Synthetics, strike: int, *, dear: bool) -> tuple[Right, Side, float]:
    """Return right, side and price of the leg of a strike that is farther from its neighbours."""
    call, put = synthetic.call, synthetic.put
    call_mid, put_mid = (_expected(synthetic.forwards.strike, leg, strike) for leg in (call, put))
    if dear:
        sides: tuple[Side, Side] = ("bid", "ask")
        prices = call.bid[strike], put.ask[strike]
        call_excess, put_excess = prices[0] - call_mid, put_mid - prices[1]
    else:
        sides = ("ask", "bid")
        prices = call.ask[strike], put.bid[strike]
        call_excess, put_excess = call_mid - prices[0], prices[1] - put_mid
    if np.nan_to_num(put_excess) > np.nan_to_num(call_excess):
        return "P", sides[1], float(prices[1])
    return "C", sides[0], float(prices[0])


def _expected(strikes: Floats, leg: Legs, strike: int) -> float:
    """Return what the strikes around say that a leg is worth, index points; NaN if they cannot.

    The median of straight lines between the nearest, second nearest, … strikes on each side; at
    an end of the list, between the two nearest strikes.
    """
    mid = 0.5 * (leg.bid + leg.ask)
    quoted = np.flatnonzero(np.isfinite(mid) & (np.arange(mid.size) != strike))
    below, above = quoted[quoted < strike][::-1], quoted[quoted > strike]
    pairs = list(zip(below[:_NEIGHBOURS], above[:_NEIGHBOURS], strict=False))
    if not pairs:
        nearest = below[:2] if below.size else above[:2]
        pairs = [(nearest[0], nearest[1])] if nearest.size > 1 else []
    lines = [
        mid[a] + (mid[b] - mid[a]) * (strikes[strike] - strikes[a]) / (strikes[b] - strikes[a])
        for a, b in pairs
    ]
    return float(np.median(lines)) if lines else np.nan
