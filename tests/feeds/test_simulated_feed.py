from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from live_box_spreads.feeds.simulated import SimulatedFeed
from live_box_spreads.model.chain import Timeliness
from live_box_spreads.model.errors import FeedError
from live_box_spreads.simulator.exchange import SimulatorOptions
from tests.feeds.conformance import FeedConformance

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class TestSimulatedFeed(FeedConformance):
    timeliness = Timeliness.SIMULATED

    @pytest.fixture
    async def feed(self) -> AsyncIterator[SimulatedFeed]:
        options = SimulatorOptions(seed=5, roots=("SPX", "XSP"))
        async with SimulatedFeed(options=options) as feed:
            yield feed


async def test_closed_feed_says_so() -> None:
    feed = SimulatedFeed(seed=1)
    with pytest.raises(FeedError, match="not open"):
        await feed.contracts(FeedConformance.universe)
