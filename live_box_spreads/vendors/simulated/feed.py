"""A feed without an account: starts the local exchange and talks to it with the real client."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, aclosing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self

from live_box_spreads.feeds.base import FeedHealth
from live_box_spreads.model.chain import Timeliness
from live_box_spreads.model.errors import FeedError
from live_box_spreads.simulator.credentials import DEMO_CLIENT_SECRET, DEMO_REFRESH_TOKEN
from live_box_spreads.simulator.exchange import SimulatedExchange, SimulatorOptions
from live_box_spreads.vendors.tastytrade.client import TastytradeClient
from live_box_spreads.vendors.tastytrade.feed import FeedTimes, TastytradeFeed
from live_box_spreads.vendors.tastytrade.login import Credentials
from live_box_spreads.vendors.tastytrade.rest_pass import RestTimes

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from live_box_spreads.feeds.base import Contracts, FeedSetup, Universe, Update
    from live_box_spreads.model.chain import Chain

_CREDENTIALS = Credentials(client_secret=DEMO_CLIENT_SECRET, refresh_token=DEMO_REFRESH_TOKEN)


class SimulatedFeed:
    """Quotes of a made-up market; the exchange runs as long as the feed is open.

    Attributes:
        name: ``simulated``.
    """

    name = "simulated"

    def __init__(
        self,
        seed: int = 1,
        *,
        options: SimulatorOptions | None = None,
        times: FeedTimes | None = None,
    ) -> None:
        """Prepare without starting.

        Args:
            seed: the same seed gives the same market.
            options: how to run the exchange; its own seed goes before ``seed``.
            times: when the feed acts by itself; None polls the slow fields every minute.
        """
        self._options = options or SimulatorOptions(seed=seed)
        self._times = times or FeedTimes(rest=RestTimes(every=60.0))
        self._open = AsyncExitStack()
        self._exchange: SimulatedExchange | None = None
        self._feed: TastytradeFeed | None = None

    @property
    def timeliness(self) -> Timeliness:
        """Always simulated."""
        return Timeliness.SIMULATED

    def market_time(self) -> datetime:
        """Return the current time: the exchange trades as we watch."""
        return datetime.now(UTC)

    async def __aenter__(self) -> Self:
        """Start the exchange.

        Raises:
            FeedError: it cannot be started.
        """
        exchange = SimulatedExchange(self._options)
        # Both ends take a while and would hold up every other task.
        await asyncio.to_thread(exchange.__enter__)
        self._exchange = exchange
        self._open.push_async_callback(asyncio.to_thread, exchange.__exit__, None, None, None)
        feed = TastytradeFeed(
            TastytradeClient(_CREDENTIALS, exchange.base_url),
            name=self.name,
            timeliness=self.timeliness,
            times=self._times,
        )
        self._feed = await self._open.enter_async_context(feed)
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Close every connection, then the exchange."""
        self._exchange = self._feed = None
        await self._open.aclose()

    async def contracts(self, universe: Universe) -> Contracts:
        """List the contracts of a universe.

        Raises:
            FeedError: nothing at all can be listed.
        """
        return await self._running().contracts(universe)

    async def snapshot(self, contracts: Contracts) -> Chain:
        """Ask once for the quotes of these contracts.

        Raises:
            FeedError: the quotes cannot be had.
        """
        return await self._running().snapshot(contracts)

    async def updates(self, contracts: Contracts) -> AsyncGenerator[Update]:
        """Stream updates of these contracts until the iterator is closed.

        Raises:
            FeedError: the stream cannot be had and a retry is of no use.
        """
        async with aclosing(self._running().updates(contracts)) as updates:
            async for update in updates:
                yield update

    def health(self) -> FeedHealth:
        """Return what was lost and how REST answered, since the feed was opened."""
        return FeedHealth({}, {}) if self._feed is None else self._feed.health()

    def _running(self) -> TastytradeFeed:
        if self._feed is None:
            raise FeedError("the simulated feed is not open; use it in an async with block")
        return self._feed


def make_feed(setup: FeedSetup) -> SimulatedFeed:
    """Return the feed that the section ``simulator`` of the configuration describes."""
    return SimulatedFeed(**setup.options)
