"""Which strikes have quotes that do not belong to the others: far from parity, or from neighbours.

The fit (``parity_line.py``) leaves out what would bend the line; here each single quote is judged,
because one that hardly bends the line still makes the best-looking box.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from live_box_spreads.books.curves.parity_line import MAD_TO_DEVIATION

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from live_box_spreads.books.strikes.synthetics import SyntheticForwards

    Floats = NDArray[np.float64]

_USUAL = 6.0
_LEAST_HALF_SPREADS = 0.25
_NOISE_TICKS = 2.0
_AROUND = 4  # strikes on each side


def far_from_parity(forwards: SyntheticForwards, discount: float, tick: float) -> NDArray[np.bool_]:
    """Return which strikes have a mid that does not belong to the others, (m,).

    A mid's distance is taken twice: from the parity line, whose level is that of the tighter half
    of the strikes, and from the strikes around it. The second sees more, because neighbours err
    together; the first sees a whole stretch that is wrong. A mid is far where either distance, in
    its own half-spreads, is beyond six times what is usual in the expiry (a normal deviation, by
    the median) and beyond a quarter of a half-spread, and in points beyond two ticks.

    Args:
        forwards: synthetic forwards; a strike without both sides is never far.
        discount: discount factor of the expiry.
        tick: price step, index points.
    """
    mid = 0.5 * (forwards.syn_bid + forwards.syn_ask)
    quoted = np.flatnonzero(np.isfinite(mid))
    far = np.zeros(mid.size, dtype=np.bool_)
    if not quoted.size:
        return far
    half_spread = 0.5 * (forwards.syn_ask - forwards.syn_bid)[quoted]
    half_spread = np.maximum(half_spread, 0.5 * tick)
    level = (mid + discount * forwards.strike)[quoted]
    tight = half_spread <= _median(half_spread)
    for distance in (level - _median(level[tight]), level - _median_around(level)):
        far[quoted] |= _stands_out(np.abs(distance), half_spread, tick)
    return far


def _stands_out(distance: Floats, half_spread: Floats, tick: float) -> NDArray[np.bool_]:
    in_half_spreads = distance / half_spread
    usual = MAD_TO_DEVIATION * _median(in_half_spreads)
    limit = max(_USUAL * usual, _LEAST_HALF_SPREADS)
    found: NDArray[np.bool_] = (in_half_spreads > limit) & (distance > _NOISE_TICKS * tick)
    return found


def _median(values: Floats) -> float:
    """Return the median of some numbers without NaN; np.median takes ten times as long for few."""
    ordered = np.sort(values)
    return float(0.5 * (ordered[(ordered.size - 1) // 2] + ordered[ordered.size // 2]))


def _median_around(level: Floats) -> Floats:
    """Return the median of the nearest strikes on each side of every strike, (m,)."""
    beyond = np.full(_AROUND, np.nan)
    windows = sliding_window_view(np.concatenate([beyond, level, beyond]), 2 * _AROUND + 1).copy()
    windows[:, _AROUND] = np.nan if level.size > 1 else level
    # Sorting puts NaN last. np.nanmedian goes row by row in Python, a hundred times as slow.
    windows.sort(axis=1)
    known = np.count_nonzero(~np.isnan(windows), axis=1)
    row = np.arange(level.size)
    median: Floats = 0.5 * (windows[row, (known - 1) // 2] + windows[row, known // 2])
    return median
