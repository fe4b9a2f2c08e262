"""What the update stream subscribes, over how many connections, and in which order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl

from live_box_spreads.dxlink.subscriptions import (
    MAX_SUBSCRIPTIONS,
    Subscription,
    SubscriptionPlan,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from live_box_spreads.feeds.base import Contracts

NUMBERS: Final = {
    "Quote": ("bidPrice", "askPrice", "bidSize", "askSize"),
    "Trade": ("price", "dayVolume"),
    "Summary": ("openInterest",),
}
"""Numeric fields that are read, by event type; the most wanted type first."""

FIELDS: Final = {event_type: ("eventSymbol", *names) for event_type, names in NUMBERS.items()}
"""Fields that are asked for, by event type."""


@dataclass(frozen=True, slots=True)
class StreamLimits:
    """How much is streamed; the rest is polled.

    Attributes:
        connections: how many may be open. One less than the server's five leaves room for a new
            one while the server still counts a lost one.
        subscriptions_each: what one may hold.
    """

    connections: int = 4
    subscriptions_each: int = MAX_SUBSCRIPTIONS


@dataclass(frozen=True, slots=True)
class StreamPlan:
    """What is streamed and in which order contracts matter.

    Attributes:
        underlyings: whose ``Trade`` events are the spot.
        symbols: streamer symbol by row.
        order: row numbers, near the money first.
        subscriptions: for DXLink, within the limits of its sessions: underlyings, all quotes, then
            the slow fields: volume and last price before open interest, which changes by the day.
    """

    underlyings: tuple[str, ...]
    symbols: tuple[str, ...]
    order: NDArray[np.int64]
    subscriptions: SubscriptionPlan

    @classmethod
    def of(
        cls,
        contracts: Contracts,
        spots: Mapping[str, float],
        limits: StreamLimits | None = None,
    ) -> StreamPlan:
        """Plan the stream of these contracts around the last known prices of underlyings."""
        limits = limits or StreamLimits()
        underlyings = tuple(contracts.table["underlying"].unique().sort())
        symbols = tuple(contracts.table["streamer_symbol"])
        order = near_the_money_first(contracts.table, spots)
        spot = [Subscription("Trade", name) for name in underlyings]
        by_type = [Subscription(kind, symbols[row]) for kind in NUMBERS for row in order]
        plan = SubscriptionPlan.of([*spot, *by_type], limits.connections, limits.subscriptions_each)
        return cls(underlyings, symbols, order, plan)


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
