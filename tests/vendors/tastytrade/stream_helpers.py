"""What the stream tests share: a small universe, quick times, and a view of what came."""

from __future__ import annotations

import asyncio
import random
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from live_box_spreads.dxlink.session import ConnectionTimes
from live_box_spreads.feeds.base import StreamProgress, Universe
from live_box_spreads.simulator.credentials import DEMO_CLIENT_SECRET, DEMO_REFRESH_TOKEN
from live_box_spreads.tastytrade_client import Credentials, TastytradeClient
from live_box_spreads.vendors.tastytrade.feed import FeedTimes, TastytradeFeed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from live_box_spreads.feeds.base import Contracts, Update
    from live_box_spreads.simulator.exchange import SimulatedExchange
    from live_box_spreads.vendors.tastytrade.plan import StreamLimits

DEMO = Credentials(client_secret=DEMO_CLIENT_SECRET, refresh_token=DEMO_REFRESH_TOKEN)
SMALL = Universe(("XSP",), 2, "nearest", (0.97, 1.03))
QUICK = FeedTimes(connection=ConnectionTimes(first_retry=0.05, longest_retry=0.1))
LONGEST_SECS = 20.0


def feed_on(
    exchange: SimulatedExchange, times: FeedTimes = QUICK, limits: StreamLimits | None = None
) -> TastytradeFeed:
    client = TastytradeClient(DEMO, exchange.base_url)
    rng = random.Random(1)  # noqa: S311  jitter
    return TastytradeFeed(client, times=times, limits=limits, rng=rng)


@dataclass
class Seen:
    """The quotes as a reader of the stream has them; a lost connection clears what was on it.

    Attributes:
        streamed: rows quoted by the stream on the connections that stand, not by REST.
        active: rows whose volume is known.
        doubted: rows about which the stream fell silent by itself.
        connections_lost: how often the stream said that a connection is down.
        gaps: how often it said that something was missed on a connection that stands.
        progress: what the stream told last of its subscribing.
    """

    contracts: Contracts
    bid: np.ndarray = field(init=False)
    ask: np.ndarray = field(init=False)
    bid_size: np.ndarray = field(init=False)
    streamed: np.ndarray = field(init=False)
    active: np.ndarray = field(init=False)
    doubted: np.ndarray = field(init=False)
    connections_lost: int = 0
    gaps: int = 0
    progress: StreamProgress = field(default_factory=lambda: StreamProgress(0, 1, 0, 1, 0, 0, 1))

    def __post_init__(self) -> None:
        count = len(self.contracts)
        self.bid, self.ask, self.bid_size = (np.full(count, np.nan) for _ in range(3))
        self.streamed, self.active, self.doubted = np.zeros((3, count), np.bool_)

    def forget(self, rows: np.ndarray | slice = slice(None)) -> None:
        for column in (self.bid, self.ask, self.bid_size):
            column[rows] = np.nan
        self.streamed[rows] = False

    @property
    def all_asked(self) -> bool:
        """Whether every quote is subscribed."""
        return self.progress.quotes == len(self.contracts)

    def take(self, update: Update) -> None:
        if update.lost is not None:
            self.connections_lost += update.progress is not None
            self.gaps += update.progress is None
            self.forget(update.lost)
        if update.doubted is not None:
            self.doubted[update.doubted] = True
        if update.progress is not None:
            self.progress = update.progress
        if update.activity is not None:
            self.active[update.activity.rows[~np.isnan(update.activity.volume)]] = True
        if update.quotes is not None:
            rows = update.quotes.rows
            self.bid[rows], self.ask[rows] = update.quotes.bid, update.quotes.ask
            self.bid_size[rows] = update.quotes.bid_size
            self.streamed[rows] |= update.quotes.times is None  # what REST says has its own time


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
async def streaming(
    exchange: SimulatedExchange, times: FeedTimes = QUICK, limits: StreamLimits | None = None
) -> AsyncIterator[Stream]:
    """Open the stream of the small universe."""
    async with feed_on(exchange, times, limits) as feed:
        contracts = await feed.contracts(SMALL)
        async with aclosing(feed.updates(contracts)) as updates:
            yield Stream(contracts, updates)


def withdraw_at_the_money(exchange: SimulatedExchange, contracts: Contracts) -> int:
    """Take away the ask of a contract that surely has one; return its row."""
    row = len(contracts) // 4
    while not exchange.quote(contracts.table["occ_symbol"][row]).bid > 0:
        row += 1
    exchange.withdraw_ask(contracts.table["occ_symbol"][row])
    return row
