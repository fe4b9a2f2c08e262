"""How market makers quote around a fair price: half-spreads, ticks, missing sides, sizes.

The shapes are fitted by eye to medians of real SPX, XSP and NDX chains: pennies in the wings,
tenths to a point at the money, several points in the money, all growing with the tenor; mids
within about a tenth of a half-spread of parity.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from live_box_spreads.simulator.market.conditions import (
    INDEX_UNIT,
    NORMAL,
    Conditions,
    leans,
)
from live_box_spreads.simulator.market.spots import INDICES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.random import Generator
    from numpy.typing import NDArray

    from live_box_spreads.simulator.market.universe import Series

_JITTER = 0.08
_MOST_OFF = 0.95
"""How far a mid may be off, in half-spreads."""


@dataclass(frozen=True, slots=True)
class SpreadScale:
    """How wide a product is quoted.

    Attributes:
        at_the_money: half-spread of a one-month option at the money, in tenths of a point.
        in_the_money: half-spread added deep in the money, in multiples of 8.5 points.
    """

    at_the_money: float
    in_the_money: float


SPREAD_SCALES = {
    "SPX": SpreadScale(1.0, 1.0),
    "XSP": SpreadScale(0.25, 0.1),
    "NDX": SpreadScale(8.0, 1.4),
}
"""By underlying."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What does not change about some contracts; arrays of one length.

    Attributes:
        at_the_money: ``SpreadScale.at_the_money``, with the contract's own factor.
        in_the_money: ``SpreadScale.in_the_money``, with the contract's own factor.
        tick_below: price step under the threshold.
        tick_above: price step from the threshold on.
        threshold: price at which the step changes.
        quoted: False where there is no market.
        lean: how far the mid stands from the fair price for good, in half-spreads.
        one_maker: whether the mids of the expiry come from one maker and have no noise.
        least_half_spread: half-spread that is not undercut, index points; 0 for none.
    """

    at_the_money: NDArray[np.float64]
    in_the_money: NDArray[np.float64]
    tick_below: NDArray[np.float64]
    tick_above: NDArray[np.float64]
    threshold: NDArray[np.float64]
    quoted: NDArray[np.bool_]
    lean: NDArray[np.float64]
    one_maker: NDArray[np.bool_]
    least_half_spread: NDArray[np.float64]

    def __getitem__(self, rows: NDArray[np.intp]) -> Terms:
        """Return the terms of some rows."""
        return Terms(
            self.at_the_money[rows],
            self.in_the_money[rows],
            self.tick_below[rows],
            self.tick_above[rows],
            self.threshold[rows],
            self.quoted[rows],
            self.lean[rows],
            self.one_maker[rows],
            self.least_half_spread[rows],
        )


@dataclass(frozen=True, slots=True)
class QuotedSides:
    """Fresh quotes; NaN is a side that is not quoted; arrays of one length."""

    bid: NDArray[np.float64]
    ask: NDArray[np.float64]
    bid_size: NDArray[np.float64]
    ask_size: NDArray[np.float64]


def quoting_terms(
    series: Sequence[Series],
    series_of: NDArray[np.intp],
    random: Generator,
    one_maker: NDArray[np.bool_],
    conditions: Conditions = NORMAL,
) -> Terms:
    """Return the terms of all contracts.

    Args:
        series: what is listed.
        series_of: number of each contract's series.
        random: source of each contract's own width and lean, and of the few without a market.
        one_maker: whether one maker alone quotes each series.
        conditions: kind of day.
    """
    own_width = conditions.width * np.exp(0.15 * random.standard_normal(len(series_of)))
    quoted = random.random(len(series_of)) >= 0.003  # noqa: PLR2004 - share without a market

    def column(values: list[float]) -> NDArray[np.float64]:
        return np.array(values)[series_of]

    scales = [SPREAD_SCALES[item.product.underlying] for item in series]
    ticks = [item.product.ticks for item in series]
    return Terms(
        at_the_money=column([scale.at_the_money for scale in scales]) * own_width,
        in_the_money=column([scale.in_the_money for scale in scales]) * own_width,
        tick_below=column([item.below for item in ticks]),
        tick_above=column([item.above for item in ticks]),
        threshold=column([item.threshold for item in ticks]),
        quoted=quoted,
        lean=leans(conditions, series_of, random),
        one_maker=one_maker[series_of],
        least_half_spread=column([_least_half_spread(item, conditions) for item in series]),
    )


def _least_half_spread(series: Series, conditions: Conditions) -> float:
    """Return the half-spread of each leg of a thin expiry in index points; 0 for the others."""
    if not series.thin:
        return 0.0
    level = INDICES[series.product.underlying].level
    return conditions.thin_half_spread_points / 2.0 * level / INDEX_UNIT


def half_spread(
    delta_size: NDArray[np.float64], years: NDArray[np.float64], terms: Terms
) -> NDArray[np.float64]:
    """Return half-spreads in index points before ticks.

    Args:
        delta_size: absolute delta to the forward, 0 to 1.
        years: time to expiry.
        terms: the contracts' terms.
    """
    near = terms.at_the_money * (0.1 + 0.5 * years + 0.25 * years**2)
    near *= 0.25 + 0.75 * np.minimum(1.0, 2.0 * delta_size)
    depth = np.maximum(0.0, (delta_size - 0.6) / 0.4)
    deep = terms.in_the_money * 8.5 * depth**3 * (1.0 + 0.7 * years)
    widths: NDArray[np.float64] = np.maximum(near + deep, terms.least_half_spread)
    return widths


def in_the_money(delta: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how deep legs are in the money, from 0 (at it or out of it) to 1.

    Args:
        delta: to the forward, of a put below zero.
    """
    depth: NDArray[np.float64] = np.clip(2.0 * np.abs(delta) - 1.0, 0.0, 1.0)
    return depth


def quote(
    fair: NDArray[np.float64],
    width: NDArray[np.float64],
    terms: Terms,
    random: Generator,
    conditions: Conditions = NORMAL,
    error: NDArray[np.float64] | float = 0.0,
) -> QuotedSides:
    """Quote both sides of some contracts, ticks rounded away from the fair price.

    The fair price stays between bid and ask, whatever the noise.

    Args:
        fair: fair prices in index points.
        width: half-spreads in index points.
        terms: the contracts' terms.
        random: source of this round's noise.
        conditions: kind of day.
        error: how far the mids are off together with others, index points; less than ``width``.
    """
    count = len(fair)
    own_noise = conditions.mid_noise * np.sqrt(1.0 - conditions.shared)
    noise = np.clip(terms.lean + own_noise * random.standard_normal(count), -0.5, 0.5)
    jittered = width * (1.0 + _JITTER * random.random(count))
    off = np.where(terms.one_maker, 0.0, noise) * width + error
    middle = fair + np.clip(off, -_MOST_OFF * width, _MOST_OFF * width)
    bid = _to_tick(np.maximum(middle - jittered, 0.0), terms, np.floor)
    ask = _to_tick(np.maximum(middle + jittered, terms.tick_below), terms, np.ceil)
    no_ask = random.random(count) < conditions.no_ask_share
    bid_size, ask_size = _sizes(width, random), _sizes(width, random)
    return QuotedSides(
        bid=bid,
        ask=np.where(no_ask, np.nan, ask),
        bid_size=np.where(bid > 0, bid_size, 0.0),
        ask_size=np.where(no_ask, np.nan, ask_size),
    )


def _to_tick(prices: NDArray[np.float64], terms: Terms, rounding: np.ufunc) -> NDArray[np.float64]:
    """Round to the price steps; the tiny nudge keeps prices already on a step where they are."""
    step = np.where(prices < terms.threshold, terms.tick_below, terms.tick_above)
    nudge = 1e-7 if rounding is np.floor else -1e-7
    on_step: NDArray[np.float64] = rounding(prices / step + nudge) * step
    rounded: NDArray[np.float64] = np.round(on_step, 2)
    return rounded


def _sizes(width: NDArray[np.float64], random: Generator) -> NDArray[np.float64]:
    """Return contracts on offer: tens where the market is tight, a few where it is wide."""
    typical = 3.0 + 60.0 / (1.0 + 4.0 * width)
    sizes: NDArray[np.float64] = np.ceil(typical * np.exp(0.7 * random.standard_normal(len(width))))
    return sizes
