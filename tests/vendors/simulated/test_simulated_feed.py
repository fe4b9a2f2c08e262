from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from live_box_spreads.model.chain import Timeliness
from live_box_spreads.model.errors import FeedError
from live_box_spreads.simulator.exchange import SimulatorOptions
from live_box_spreads.testing import FeedConformance
from live_box_spreads.vendors.simulated.feed import SimulatedFeed
from tests.vendors.tastytrade.stream_helpers import withdraw_at_the_money

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from live_box_spreads.feeds.base import Contracts, Feed


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def feed() -> AsyncIterator[SimulatedFeed]:
    """One exchange, and so one event loop, for the whole suite: opening a market takes a while."""
    async with SimulatedFeed(options=SimulatorOptions(seed=5, roots=("SPX", "XSP"))) as feed:
        yield feed


@pytest.mark.asyncio(loop_scope="module")
class TestSimulatedFeed(FeedConformance):
    timeliness = Timeliness.SIMULATED

    @pytest.fixture
    def another(self) -> Callable[[], Feed]:
        return lambda: SimulatedFeed(options=SimulatorOptions(seed=6, roots=("SPX", "XSP")))

    async def withdraw_an_ask(self, feed: Feed, contracts: Contracts) -> int:
        assert isinstance(feed, SimulatedFeed)
        assert feed._exchange is not None
        return withdraw_at_the_money(feed._exchange, contracts)


async def test_closed_feed_says_so() -> None:
    feed = SimulatedFeed(seed=1)
    with pytest.raises(FeedError, match="not open"):
        await feed.contracts(FeedConformance.universe)
