"""What the stream tests share: a small universe, quick times, and a view of what came."""

from __future__ import annotations

import asyncio
import random
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from live_box_spreads.feeds.base import Universe
from live_box_spreads.feeds.dxlink.session import LinkTimes
from live_box_spreads.feeds.tastytrade import FeedTimes, TastytradeFeed
from live_box_spreads.simulator.credentials import DEMO_CLIENT_SECRET, DEMO_REFRESH_TOKEN
from live_box_spreads.tastytrade_client import Credentials, TastytradeClient

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from live_box_spreads.feeds.base import Contracts, Update
    from live_box_spreads.simulator.exchange import SimulatedExchange

DEMO = Credentials(client_secret=DEMO_CLIENT_SECRET, refresh_token=DEMO_REFRESH_TOKEN)
SMALL = Universe(("XSP",), 2, "nearest", (0.97, 1.03))
QUICK = FeedTimes(link=LinkTimes(first_retry=0.05, longest_retry=0.1))
LONGEST_SECS = 20.0


def feed_on(exchange: SimulatedExchange, times: FeedTimes = QUICK) -> TastytradeFeed:
    client = TastytradeClient(DEMO, exchange.base_url)
    return TastytradeFeed(client, times=times, rng=random.Random(1))  # noqa: S311  jitter


@dataclass
class Seen:
    """The quotes as a reader of the stream has them; a lost link clears them all.

    Attributes:
        streamed: rows quoted by the stream on this connection, not by REST.
        links_lost: how often the stream said that its link is down.
        asked: contracts whose quotes are subscribed on the connections that stand.
    """

    contracts: Contracts
    bid: np.ndarray = field(init=False)
    ask: np.ndarray = field(init=False)
    bid_size: np.ndarray = field(init=False)
    streamed: np.ndarray = field(init=False)
    links_lost: int = 0
    asked: int = 0

    def __post_init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        count = len(self.contracts)
        self.bid, self.ask, self.bid_size = (np.full(count, np.nan) for _ in range(3))
        self.streamed = np.zeros(count, np.bool_)
        self.asked = 0

    def take(self, update: Update) -> None:
        if update.lost is not None:
            self.links_lost += 1
            self.forget()
        if update.progress is not None:
            self.asked = update.progress.quotes
        if update.quotes is not None:
            rows = update.quotes.rows
            self.bid[rows], self.ask[rows] = update.quotes.bid, update.quotes.ask
            self.bid_size[rows] = update.quotes.bid_size
            self.streamed[rows] |= update.activity is None  # only REST brings activity


class Stream:
    """An open stream, read as far as a test wants."""

    def __init__(self, contracts: Contracts, updates: AsyncIterator[Update]) -> None:
        self.contracts = contracts
        self.seen = Seen(contracts)
        self._updates = updates

    async def until(self, enough: Callable[[Seen], object]) -> Seen:
        """Read until the condition holds; a test that waits in vain fails."""
        async with asyncio.timeout(LONGEST_SECS):
            while not enough(self.seen):
                self.seen.take(await anext(self._updates))
        return self.seen


@asynccontextmanager
async def streaming(exchange: SimulatedExchange, times: FeedTimes = QUICK) -> AsyncIterator[Stream]:
    """Open the stream of the small universe."""
    async with feed_on(exchange, times) as feed:
        contracts = await feed.contracts(SMALL)
        async with aclosing(feed.updates(contracts)) as updates:
            yield Stream(contracts, updates)
