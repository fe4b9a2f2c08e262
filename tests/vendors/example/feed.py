"""The example's feed: one made-up chain, asked for again and again."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Self

from live_box_spreads.feeds.chain_listing import contracts_of_quotes
from live_box_spreads.feeds.differences import Differences, quotes_of_contracts
from live_box_spreads.model.chain import Chain, Timeliness
from live_box_spreads.model.errors import CredentialsError
from tests.feeds.made_market import made_chains

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from datetime import datetime

    import polars as pl

    from live_box_spreads.feeds.base import Contracts, FeedSetup, Universe, Update


class ExampleFeed:
    """Quotes of a market that never moves."""

    name = "example"
    timeliness = Timeliness.DELAYED

    def __init__(self, interval_secs: float) -> None:
        self._interval_secs = interval_secs
        self.chain = made_chains()[0]

    def market_time(self) -> datetime:
        return self.chain.snapshot_time

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        pass

    async def contracts(self, universe: Universe) -> Contracts:
        chain = self.chain
        return contracts_of_quotes(
            chain.quotes, chain.spot, universe, chain.snapshot_time, source="the example"
        )

    async def snapshot(self, contracts: Contracts) -> Chain:
        return self._build(quotes_of_contracts(contracts, self.chain.quotes))

    async def updates(self, contracts: Contracts) -> AsyncGenerator[Update]:
        differences = Differences(contracts)
        while True:
            chain = self.chain
            yield differences.update(chain.quotes, chain.snapshot_time, chain.spot)
            await asyncio.sleep(self._interval_secs)

    def replace(self, quotes: pl.DataFrame) -> None:
        """Let the market have other quotes from now on."""
        self.chain = self._build(quotes)

    def _build(self, quotes: pl.DataFrame) -> Chain:
        return Chain.build(
            quotes,
            snapshot_time=self.market_time(),
            feed=self.name,
            timeliness=self.timeliness,
            spot=self.chain.spot,
        )


def make_feed(setup: FeedSetup) -> ExampleFeed:
    """Return the feed that the section ``example`` of the configuration describes."""
    if not setup.env.get("EXAMPLE_KEY"):
        raise CredentialsError("set EXAMPLE_KEY")
    return ExampleFeed(setup.options["interval_secs"])
