"""Quotes, trades and open interest of all instruments, as columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from live_box_spreads.simulator.market.quoting import QuotedSides

NEVER = -1


@dataclass(slots=True)
class Book:
    """The state of every instrument; arrays have one entry each. NaN: none, unknown.

    A reader who remembers ``step`` sees what changed since by the three ``*_step`` columns.

    Attributes:
        bid: index points; 0 for a bid of nothing, NaN where there is no market.
        ask: index points.
        bid_size: contracts.
        ask_size: contracts.
        last: price of the last trade, index points.
        last_size: contracts of the last trade.
        volume: contracts traded today, whole.
        open_interest: contracts held at the start of the day, whole.
        close: price at the previous close, index points.
        quoted_at_secs: when the last quote was made, epoch seconds; NaN without one.
        quote_step: step of the last quote; ``NEVER`` for an index.
        trade_step: step of the last trade or index print.
        step: number of the market's last step, from 0.
        day_step: step at which the trading day began.
    """

    bid: NDArray[np.float64]
    ask: NDArray[np.float64]
    bid_size: NDArray[np.float64]
    ask_size: NDArray[np.float64]
    last: NDArray[np.float64]
    last_size: NDArray[np.float64]
    volume: NDArray[np.float64]
    open_interest: NDArray[np.float64]
    close: NDArray[np.float64]
    quoted_at_secs: NDArray[np.float64]
    quote_step: NDArray[np.int64]
    trade_step: NDArray[np.int64]
    step: int = 0
    day_step: int = 0

    @classmethod
    def empty(cls, contracts: int, indices: int) -> Book:
        """Return a book in which nothing is known yet, contracts first."""
        prices = np.full((10, contracts + indices), np.nan)
        steps = np.full((2, contracts + indices), NEVER)
        return cls(*prices, *steps)

    def quote(self, rows: NDArray[np.intp], sides: QuotedSides, at_secs: float) -> None:
        """Replace the quotes of some contracts, at an instant in epoch seconds."""
        self.bid[rows], self.ask[rows] = sides.bid, sides.ask
        self.bid_size[rows], self.ask_size[rows] = sides.bid_size, sides.ask_size
        self.quoted_at_secs[rows] = at_secs
        self.quote_step[rows] = self.step

    def start_day(
        self,
        close: NDArray[np.float64],
        last: NDArray[np.float64],
        volume: NDArray[np.float64],
        open_interest: NDArray[np.float64],
    ) -> None:
        """Give the contracts their past as a day begins; one entry a contract."""
        contracts = slice(0, len(close))
        self.close[contracts], self.last[contracts] = close, last
        self.volume[contracts], self.open_interest[contracts] = volume, open_interest
        self.trade_step[contracts] = self.day_step = self.step

    def trade(
        self, rows: NDArray[np.intp], prices: NDArray[np.float64], sizes: NDArray[np.float64]
    ) -> None:
        """Print trades of some contracts, each named once."""
        self.last[rows], self.last_size[rows] = prices, sizes
        self.volume[rows] += sizes
        self.trade_step[rows] = self.step

    def print_index(self, rows: NDArray[np.intp], levels: NDArray[np.float64]) -> None:
        """Print index levels, in points; those that did not move stay silent."""
        moved = self.last[rows] != levels
        self.last[rows] = levels
        self.trade_step[rows[moved]] = self.step
