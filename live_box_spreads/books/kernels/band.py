"""The band kernel in machine code. Importing this module imports numba, which takes seconds.

The twin of ``curves/band.numpy_cheapest``.

The best pair minimises a quotient, ``(buy[i] - sell[j]) / (strike[j] - strike[i])`` over ``i < j``.
At a trial value D the pair with the least ``(buy[i] + D·strike[i]) - (sell[j] + D·strike[j])``
is found in one pass, because its two halves separate: the least first half so far, or, within a
width window, the least of a sliding window. The quotient of that pair is the next D, until it gets
no better. This is Dinkelbach's method (Management Science 13, 1967, 492-498): the values fall
strictly, the last one is the minimum, and a handful of passes reach it. In the plane of the design
page, each pass turns the tangent at the hull of the sold synthetics.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from live_box_spreads.books.kernels.jit import jit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Indices = NDArray[np.intp]

_PAR = 1.0  # the first trial value; any would do


@jit
def _least_excess(strike: Floats, buy: Floats, sell: Floats, trial: float) -> tuple[int, int]:
    """Return the pair with the least buying less selling price at a trial discount factor.

    (-1, -1) where no pair can be executed.
    """
    cheapest, bought = np.inf, -1
    least, low, high = np.inf, -1, -1
    for j in range(strike.size):
        slope = trial * strike[j]
        excess = cheapest - (sell[j] + slope)  # NaN, and so never less, where j cannot be sold
        if excess < least:
            least, low, high = excess, bought, j
        price = buy[j] + slope
        if price < cheapest:
            cheapest, bought = price, j
    return low, high


@jit
def _least_excess_in_window(
    sides: tuple[Floats, Floats, Floats],
    gaps: tuple[float, float],
    trial: float,
    queue: Indices,
    price: Floats,
) -> tuple[int, int]:
    """Return what ``_least_excess`` does, of the pairs whose width is in a window.

    ``queue[head:tail]`` holds the strikes that may be bought with the present one or a later one,
    ascending in strike and in ``price``: the first is the cheapest within the window.
    """
    strike, buy, sell = sides
    min_gap, max_gap = gaps
    head, tail, entering = 0, 0, 0
    least, low, high = np.inf, -1, -1
    for j in range(strike.size):
        while entering < j and strike[entering] + min_gap <= strike[j]:
            cost = buy[entering] + trial * strike[entering]
            if cost == cost:  # noqa: PLR0124 # not NaN
                while tail > head and price[tail - 1] >= cost:
                    tail -= 1
                queue[tail], price[tail] = entering, cost
                tail += 1
            entering += 1
        while head < tail and strike[queue[head]] + max_gap < strike[j]:
            head += 1
        if head < tail:
            excess = price[head] - (sell[j] + trial * strike[j])
            if excess < least:
                least, low, high = excess, queue[head], j
    return low, high


@jit
def _cheapest_pair(
    sides: tuple[Floats, Floats, Floats], gaps: tuple[float, float], queue: Indices, price: Floats
) -> tuple[float, int, int]:
    """Return the least quotient and its pair; (inf, -1, -1) where there is none."""
    strike, buy, sell = sides
    windowed = gaps[0] > 0.0 or gaps[1] < np.inf
    best, kl, ks, trial = np.inf, -1, -1, _PAR
    while True:
        if windowed:
            low, high = _least_excess_in_window(sides, gaps, trial, queue, price)
        else:
            low, high = _least_excess(strike, buy, sell, trial)
        if low < 0:
            break
        trial = (buy[low] - sell[high]) / (strike[high] - strike[low])
        if not trial < best:
            break
        best, kl, ks = trial, low, high
    return best, kl, ks


@jit
def fill(
    starts: Indices,
    sides: tuple[Floats, Floats, Floats],
    gaps: tuple[Floats, Floats],
    discount: Floats,
    low: Indices,
    high: Indices,
) -> None:
    """Write the least quotient of each block and the pair of strikes that has it.

    Args:
        starts: (n + 1,) bounds of the blocks.
        sides: (m,) arrays strike (ascending within a block), buy, sell, in index points; NaN where
            a synthetic forward cannot be bought or sold.
        gaps: (n,) arrays: least and greatest width of a pair.
        discount: (n,) to fill; NaN where no pair can be executed.
        low: (n,) to fill: where the lower strike is in the arrays; -1 where there is none.
        high: (n,) to fill: where the higher one is.
    """
    strike, buy, sell = sides
    longest = np.max(np.diff(starts)) if starts.size > 1 else 0
    queue, price = np.empty(longest, np.intp), np.empty(longest)
    for block in range(starts.size - 1):
        a, b = starts[block], starts[block + 1]
        part = (strike[a:b], buy[a:b], sell[a:b])
        best, kl, ks = _cheapest_pair(part, (gaps[0][block], gaps[1][block]), queue, price)
        found = kl >= 0
        discount[block] = best if found else np.nan
        low[block] = a + kl if found else -1
        high[block] = a + ks if found else -1


def warm_up() -> None:
    """Compile ``fill`` by calling it on one block of two strikes."""
    example, one = np.array([0.0, 1.0]), np.array([1.0])
    indices = np.array([0, 2], dtype=np.intp)
    fill(indices, (example, example, example), (one, one), one.copy(), indices[:1], indices[1:])
