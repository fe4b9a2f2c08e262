"""Prices of underlyings: from REST quotes, or from a short look at the stream."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING

import structlog

from live_box_spreads.dxlink import messages as m
from live_box_spreads.dxlink.decoder import FeedDecoder
from live_box_spreads.vendors.tastytrade.plan import NUMBERS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from live_box_spreads.dxlink.connection import DXLinkConnection
    from live_box_spreads.vendors.tastytrade.messages import MarketData

log = structlog.get_logger(__name__)


def spots_of(quotes: Mapping[str, MarketData], underlyings: Sequence[str]) -> dict[str, float]:
    """Return the prices of underlyings that REST knows: the last, else the mark, else a close."""
    found = {}
    for name in underlyings:
        item = quotes.get(name)
        if item is not None:
            prices = (item.last, item.mark, item.close, item.prev_close)
            price = next((p for p in prices if p is not None and p > 0), None)
            if price is not None:
                found[name] = price
    return found


async def streamed_spots(
    connection: DXLinkConnection, underlyings: Sequence[str], longest_secs: float
) -> dict[str, float]:
    """Return prices of underlyings from a short-lived connection, for accounts without REST quotes.

    Args:
        connection: one that subscribes the ``Trade`` of each.
        underlyings: index symbols.
        longest_secs: how long to wait for the last of them, in seconds.
    """
    decoder = FeedDecoder({"Trade": {name: at for at, name in enumerate(underlyings)}}, NUMBERS)
    found: dict[str, float] = {}
    try:
        async with asyncio.timeout(longest_secs), aclosing(connection.events()) as events:
            async for event in events:
                if isinstance(event, m.Configured):
                    decoder.configure(event.event_fields)
                elif isinstance(event, m.Data):
                    for batch in decoder.decode(event.data):
                        prices = zip(batch.rows, batch.columns["price"], strict=True)
                        found |= {underlyings[at]: float(p) for at, p in prices if p > 0}
                if len(found) == len(underlyings):
                    break
    except TimeoutError:
        log.warning("no_price", underlyings=[name for name in underlyings if name not in found])
    return found
