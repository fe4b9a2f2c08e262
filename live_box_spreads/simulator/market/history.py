"""What the exchange really quoted, and until when: the measure for what a client shows."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from numpy.typing import NDArray

    from live_box_spreads.simulator.market.market import Market

STILL = np.inf
NEVER = -np.inf


class _Step(NamedTuple):
    """Quotes that changed at an instant, in epoch seconds."""

    at_secs: float
    rows: NDArray[np.intp]
    bid: NDArray[np.float64]
    ask: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class QuoteWindow:
    """The quotes of all contracts over a while.

    Attributes:
        bid: at the beginning, index points, one entry a contract; NaN where not quoted.
        ask: the same.
        steps: what changed since, oldest first.
    """

    bid: NDArray[np.float64]
    ask: NDArray[np.float64]
    steps: Sequence[_Step]

    def held_until_secs(
        self,
        rows: NDArray[np.intp],
        bid: NDArray[np.float64],
        ask: NDArray[np.float64],
        now_secs: float,
    ) -> NDArray[np.float64]:
        """Return until when each contract was really quoted like this.

        Args:
            rows: numbers of the contracts, each once.
            bid: shown bids; NaN for none. Same shape as ``rows``.
            ask: shown asks; NaN for none.
            now_secs: what changed after this does not count, in epoch seconds.

        Returns:
            Epoch seconds, shape of ``rows``; ``STILL`` where it is quoted so now, ``NEVER`` where
            it was not within the window.
        """
        place = np.full(len(self.bid), -1)
        place[rows] = np.arange(len(rows))
        holds = _same(bid, self.bid[rows]) & _same(ask, self.ask[rows])
        until = np.full(len(rows), NEVER)
        for step in self.steps:
            if step.at_secs > now_secs:
                break
            at = place[step.rows]
            asked = at >= 0
            at = at[asked]
            until[at[holds[at]]] = step.at_secs
            same_bid = _same(bid[at], step.bid[asked])
            holds[at] = same_bid & _same(ask[at], step.ask[asked])
        until[holds] = STILL
        return until


class QuoteHistory:
    """Keeps what the market quoted over the last while."""

    def __init__(self, market: Market, keep_secs: float) -> None:
        """Begin with the market as it stands.

        Args:
            market: whose quotes to keep.
            keep_secs: for how long, in seconds of the market's time.
        """
        self._market = market
        self._keep = timedelta(seconds=keep_secs)
        contracts = len(market.listing)
        self._bid, self._ask = (
            market.book.bid[:contracts].copy(),
            market.book.ask[:contracts].copy(),
        )
        self._steps: deque[_Step] = deque()
        self._noted_step = market.book.step

    def note(self) -> None:
        """Keep what has changed since the last call."""
        book, contracts = self._market.book, len(self._bid)
        rows = np.flatnonzero(book.quote_step[:contracts] > self._noted_step)
        self._noted_step = book.step
        now = self._market.now
        self._steps.append(_Step(now.timestamp(), rows, book.bid[rows], book.ask[rows]))
        self._forget_before(now - self._keep)

    def window(self) -> QuoteWindow:
        """Return what is kept; later changes do not touch it."""
        return QuoteWindow(self._bid.copy(), self._ask.copy(), tuple(self._steps))

    def _forget_before(self, instant: datetime) -> None:
        while self._steps and self._steps[0].at_secs < instant.timestamp():
            step = self._steps.popleft()
            self._bid[step.rows], self._ask[step.rows] = step.bid, step.ask


def _same(one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.bool_]:
    same: NDArray[np.bool_] = (one == other) | (np.isnan(one) & np.isnan(other))
    return same
