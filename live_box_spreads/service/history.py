"""Which snapshots a history draws: some of those that there are, evenly over a window of time."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Self

import numpy as np

from live_box_spreads.stores.names import time_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

HISTORY_ROWS = 40
_LONGEST_SECS = 100 * 365 * 86_400.0
_LEAST_APART_SECS = 0.5
"""The name of a snapshot has its second: two of one second cannot be ordered."""


@dataclass(frozen=True, slots=True)
class Past:
    """Snapshots of a window of time that ends with the one shown.

    Attributes:
        names: those that are drawn, oldest first, the one shown last.
        within: number of snapshots in the window.
        older: number of snapshots from before it.
    """

    names: list[str]
    within: int
    older: int

    @classmethod
    def of(cls, kept: Sequence[str], shown: str, minutes: float) -> Self:
        """Choose about ``HISTORY_ROWS`` snapshots at most; none is newer than the one shown.

        Args:
            kept: names of all snapshots, oldest first; the one shown may have been pruned.
            shown: name of the last one of the history.
            minutes: length of the window.
        """
        until = time_of(shown)
        window_secs = min(60.0 * minutes, _LONGEST_SECS)
        # Halving the list twice: making a date of each of 65,000 names takes seconds.
        older = bisect_left(kept, until - timedelta(seconds=window_secs), key=time_of)
        names = list(kept[older : bisect_right(kept, until, key=time_of)])
        names = [*(names[: names.index(shown)] if shown in names else names), shown]
        seconds = np.array([time_of(name).timestamp() for name in names])
        taken = evenly(seconds, window_secs, HISTORY_ROWS)
        return cls([names[at] for at in taken], len(names), older)


def evenly(seconds: NDArray[np.float64], window_secs: float, most: int) -> NDArray[np.intp]:
    """Return which of ascending instants to take: one more than ``most`` of them at most.

    The window is cut into ``most`` parts, and each part into halves as long as no more are taken;
    the last instant of each piece is. The pieces stand still while the window moves on, and halves
    have their ends in common with the whole, so that the same ones are taken when some are added.

    Args:
        seconds: (n,) seconds since 1970, the newest last; at least one.
        window_secs: length of the window that they are from.
        most: parts of the window.
    """

    def last_of_pieces(piece_secs: float) -> NDArray[np.intp]:
        piece = np.floor(seconds / piece_secs)
        return np.flatnonzero(np.append(piece[1:] != piece[:-1], True))

    if seconds.size <= most:
        return np.arange(seconds.size)
    piece_secs = window_secs / most
    taken = last_of_pieces(piece_secs)
    while piece_secs > _LEAST_APART_SECS:
        piece_secs /= 2
        finer = last_of_pieces(piece_secs)
        if finer.size > most + 1:
            break
        taken = finer
    return taken
