"""The band of an expiry: the best executable rates to lend and to borrow at.

``D_hi``, the least ``ask_cost / width`` of all pairs of strikes, is the discount factor of the best
box to lend with; ``D_lo``, the greatest ``bid_cost / width``, that of the best box to borrow with.
They bound the discount factors for which some forward G/D meets every quote, ``syn_bid(K) ≤
G - D·K ≤ syn_ask(K)``: D_hi and D_lo are that linear programme's optima, and a pair of strikes is a
vertex of its dual. ``D_lo > D_hi`` is money for nothing, and nearly always a bad quote
(``books/curves/suspects.py`` says which).

The thresholds that belong to a strike (quality, volume, open interest, and a size for at least so
many boxes) leave out strikes, a side at a time for the size: the size of a box is the least of its
strikes'. The width window belongs to a pair. ``max_abs_rate`` is not applied: it would not take a
bad quote away, only put the limit itself in the place of the bad rate. Whoever shows a rate checks
it, as ``band_table`` does.

Enumerating with numpy and the kernel ``kernels/band.py``, which needs a handful of passes, give the
same numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from live_box_spreads.books.boxes.filters import BoxFilters
from live_box_spreads.books.boxes.prices import StrikePairs
from live_box_spreads.books.kernels import BAND

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from numpy.typing import NDArray

    from live_box_spreads.books.strikes.blocks import StrikeBlocks

    Floats = NDArray[np.float64]
    Indices = NDArray[np.intp]


_ROUNDING = 1e-9
"""Discount factors closer than this are equal: a cent on a box of 10,000 points is 1e-6."""


@dataclass(frozen=True, slots=True)
class BandSide:
    """The best executable box of each block on one side; (n,) arrays.

    Attributes:
        discount: its price over its width; NaN where no box can be executed.
        low: where its ``kl`` is in the blocks' arrays; -1 where there is none.
        high: where its ``ks`` is.
        kl: lower strike, index points; NaN where there is none.
        ks: higher strike.
        size: boxes at the top of the book, the least of its four legs; NaN unknown.
    """

    discount: Floats
    low: Indices
    high: Indices
    kl: Floats
    ks: Floats
    size: Floats


@dataclass(frozen=True, slots=True)
class Bands:
    """The band of each (root, expiry).

    Attributes:
        keys: (root, expiry) of each of the n blocks.
        lend: the cheapest boxes to buy; ``lend.discount`` is D_hi.
        borrow: the dearest boxes to sell; ``borrow.discount`` is D_lo.
    """

    keys: tuple[tuple[str, date], ...]
    lend: BandSide
    borrow: BandSide

    @property
    def inversion(self) -> Floats:
        """By how much ``D_lo`` is above ``D_hi``, (n,); zero where it is not, or one is NaN."""
        by = self.borrow.discount - self.lend.discount
        return np.where(by > _ROUNDING, by, 0.0)

    @property
    def inverted(self) -> NDArray[np.bool_]:
        """Where ``D_lo > D_hi``: an arbitrage on the screen; (n,)."""
        return self.inversion > 0.0


def bands(
    blocks: StrikeBlocks,
    filters: BoxFilters | Callable[[str], BoxFilters] = BoxFilters(),  # noqa: B008 # frozen
    min_size: float = 0.0,
) -> Bands:
    """Find the best executable boxes of each block, to lend and to borrow.

    Of boxes that are equally good one is taken, always the same.

    Args:
        blocks: strikes; the quality rules have already closed sides there.
        filters: thresholds, or what gives them by root; ``max_abs_rate`` is not applied.
        min_size: least boxes at the top of the book. Where it is set an unknown size counts as
            none; without one it does not matter.
    """
    by_block = [filters if isinstance(filters, BoxFilters) else filters(r) for r, _ in blocks.keys]
    gaps = (
        np.array([item.min_strike_gap for item in by_block], dtype=np.float64),
        np.array([item.max_strike_gap for item in by_block], dtype=np.float64),
    )
    usable = _usable_strikes(blocks, by_block)
    buy = _closed(blocks.syn_ask, usable, blocks.buy_size, min_size)
    sell = _closed(blocks.syn_bid, usable, blocks.sell_size, min_size)
    discount, low, high = _cheapest(blocks, buy, sell, gaps)
    lend = _side(blocks, discount, low, high, (blocks.buy_size, blocks.sell_size))
    # The dearest box to sell is, with all signs turned, the cheapest to buy.
    discount, low, high = _cheapest(blocks, -sell, -buy, gaps)
    borrow = _side(blocks, -discount, low, high, (blocks.sell_size, blocks.buy_size))
    return Bands(blocks.keys, lend, borrow)


def numpy_cheapest(
    strike: Floats, buy: Floats, sell: Floats, min_gap: float, max_gap: float
) -> tuple[float, int, int]:
    """Return the least ``(buy[i] - sell[j]) / (strike[j] - strike[i])``, by trying every pair.

    Args:
        strike: (m,) index points, ascending.
        buy: (m,) what a synthetic forward costs at each; NaN where it cannot be bought.
        sell: (m,) what it brings; NaN where it cannot be sold.
        min_gap: least width, index points.
        max_gap: greatest width.

    Returns:
        The quotient, i and j; NaN, -1, -1 where no pair can be executed.
    """
    i, j = StrikePairs.within(strike, min_gap, max_gap).indices()
    quotient = (buy[i] - sell[j]) / (strike[j] - strike[i])
    if np.isnan(quotient).all():
        return np.nan, -1, -1
    best = int(np.nanargmin(quotient))
    return float(quotient[best]), int(i[best]), int(j[best])


def _usable_strikes(blocks: StrikeBlocks, by_block: list[BoxFilters]) -> NDArray[np.bool_]:
    """Return the strikes whose legs have the volume and open interest asked for, (m,)."""
    usable = np.ones(blocks.strike.size, dtype=np.bool_)
    counts = np.diff(blocks.starts)
    for name in ("volume", "open_interest"):
        least = np.array([getattr(item, f"min_{name}") for item in by_block], dtype=np.float64)
        if np.any(least > 0):
            usable &= np.nan_to_num(getattr(blocks, name)) >= np.repeat(least, counts)
    return usable


def _closed(price: Floats, usable: NDArray[np.bool_], size: Floats, min_size: float) -> Floats:
    """Return the prices, NaN where a strike is left out or has too few at the top of the book."""
    if min_size > 0:
        usable = usable & (size >= min_size)
    return price if usable.all() else np.where(usable, price, np.nan)


def _cheapest(
    blocks: StrikeBlocks, buy: Floats, sell: Floats, gaps: tuple[Floats, Floats]
) -> tuple[Floats, Indices, Indices]:
    """Return the least quotient of each block, and where its two strikes are; (n,) arrays."""
    discount = np.empty(len(blocks))
    low, high = np.empty((2, len(blocks)), dtype=np.intp)
    if (kernel := BAND.code) is not None:
        sides = (blocks.strike, buy, sell)
        kernel.fill(blocks.starts, sides, gaps, discount, low, high)
        return discount, low, high
    for block, (a, b) in enumerate(zip(blocks.starts[:-1], blocks.starts[1:], strict=True)):
        part = blocks.strike[a:b], buy[a:b], sell[a:b]
        discount[block], i, j = numpy_cheapest(*part, gaps[0][block], gaps[1][block])
        low[block], high[block] = (a + i, a + j) if i >= 0 else (-1, -1)
    return discount, low, high


def _side(
    blocks: StrikeBlocks,
    discount: Floats,
    low: Indices,
    high: Indices,
    sizes: tuple[Floats, Floats],
) -> BandSide:
    """Describe the best box of each block; ``sizes`` are those of the sides used at kl and ks."""
    found = low >= 0
    nothing = np.full(low.size, np.nan)
    if not found.any():
        return BandSide(discount, low, high, nothing, nothing, nothing)

    def at(values: Floats, index: Indices) -> Floats:
        return np.where(found, values[index], np.nan)

    return BandSide(
        discount=discount,
        low=low,
        high=high,
        kl=at(blocks.strike, low),
        ks=at(blocks.strike, high),
        size=np.minimum(at(sizes[0], low), at(sizes[1], high)),
    )
