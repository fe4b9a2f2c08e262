"""A search for the best boxes: which are wanted, what is fair, and the columns of the answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import polars as pl

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
class Search:
    """Which boxes to look for.

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

    @property
    def other_side(self) -> Side:
        """The side that is not searched for."""
        return "borrow" if self.side == "lend" else "lend"
