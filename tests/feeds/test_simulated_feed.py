from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from live_box_spreads.feeds.simulated import SimulatedFeed
from live_box_spreads.model.chain import Timeliness
from live_box_spreads.model.errors import FeedError
from live_box_spreads.simulator.exchange import SimulatorOptions
from tests.feeds.conformance import FeedConformance

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def feed() -> AsyncIterator[SimulatedFeed]:
    """One exchange, and so one event loop, for the whole suite: opening a market takes a while."""
    async with SimulatedFeed(options=SimulatorOptions(seed=5, roots=("SPX", "XSP"))) as feed:
        yield feed


@pytest.mark.asyncio(loop_scope="module")
class TestSimulatedFeed(FeedConformance):
    timeliness = Timeliness.SIMULATED


async def test_closed_feed_says_so() -> None:
    feed = SimulatedFeed(seed=1)
    with pytest.raises(FeedError, match="not open"):
        await feed.contracts(FeedConformance.universe)
