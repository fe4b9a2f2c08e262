"""The checks of ``boxes doctor`` for the simulated feed: none is needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from live_box_spreads.feeds.vendor import Check, Outcome
from live_box_spreads.vendors.tastytrade.checks import NAMES

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from live_box_spreads.feeds.base import FeedSetup, Universe


async def check_feed(setup: FeedSetup, universe: Universe) -> AsyncIterator[Check]:
    """List what a feed with an account would need."""
    del setup, universe
    reason = "the feed is simulated; set `feed: tastytrade` for the vendor's quotes"
    for name in NAMES:
        yield Check(name, Outcome.NOT_NEEDED, reason)
