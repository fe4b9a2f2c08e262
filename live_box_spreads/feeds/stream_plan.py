"""What the update stream subscribes, and in which order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from live_box_spreads.feeds.dxlink.subscriptions import Subscription, SubscriptionPlan

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from live_box_spreads.feeds.base import Contracts

NUMBERS: Final = {
    "Quote": ("bidPrice", "askPrice", "bidSize", "askSize"),
    "Trade": ("price",),
}
"""Numeric fields that are read, by event type."""

FIELDS: Final = {event_type: ("eventSymbol", *names) for event_type, names in NUMBERS.items()}
"""Fields that are asked for, by event type."""


@dataclass(frozen=True, slots=True)
class StreamPlan:
    """What is streamed and in which order contracts matter.

    Attributes:
        underlyings: whose ``Trade`` events are the spot.
        symbols: streamer symbol by row.
        order: row numbers, near the money first.
        subscriptions: for DXLink, within the limits of its sessions.
    """

    underlyings: tuple[str, ...]
    symbols: tuple[str, ...]
    order: NDArray[np.int64]
    subscriptions: SubscriptionPlan

    @classmethod
    def of(cls, contracts: Contracts, spots: Mapping[str, float]) -> StreamPlan:
        """Plan the stream of these contracts around the last known prices of underlyings."""
        underlyings = tuple(contracts.table["underlying"].unique().sort())
        symbols = tuple(contracts.table["streamer_symbol"])
        order = near_the_money_first(contracts.table, spots)
        trades = [Subscription("Trade", name) for name in underlyings]
        quotes = [Subscription("Quote", symbols[row]) for row in order]
        return cls(underlyings, symbols, order, SubscriptionPlan.of([*trades, *quotes]))


def near_the_money_first(contracts: pl.DataFrame, spots: Mapping[str, float]) -> NDArray[np.int64]:
    """Return row numbers by distance of the strike from the spot, as a ratio.

    Args:
        contracts: columns of ``CONTRACT_SCHEMA``.
        spots: price by underlying; without one, the middle strike of the root stands in.
    """
    spot = pl.col("underlying").replace_strict(dict(spots), default=None, return_dtype=pl.Float64)
    center = pl.coalesce(spot, pl.col("strike").median().over("root"))
    distance = (pl.col("strike") / center).log().abs()
    ordered = contracts.with_row_index("row").sort(distance, maintain_order=True)
    return ordered["row"].to_numpy().astype(np.int64)
