from __future__ import annotations

import asyncio
import random
from contextlib import aclosing
from typing import TYPE_CHECKING

import numpy as np
import pytest

from live_box_spreads.feeds.base import Universe
from live_box_spreads.feeds.dxlink.session import LinkTimes
from live_box_spreads.feeds.tastytrade import FeedTimes, TastytradeFeed
from live_box_spreads.model.chain import Timeliness
from live_box_spreads.model.errors import LoginRefusedError
from live_box_spreads.simulator.credentials import DEMO_CLIENT_SECRET, DEMO_REFRESH_TOKEN
from live_box_spreads.simulator.exchange import SimulatedExchange, SimulatorOptions
from live_box_spreads.tastytrade_client import Credentials, TastytradeClient
from tests.feeds.conformance import FeedConformance

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

DEMO = Credentials(client_secret=DEMO_CLIENT_SECRET, refresh_token=DEMO_REFRESH_TOKEN)
SMALL = Universe(("XSP",), 2, "nearest", (0.97, 1.03))
QUICK = FeedTimes(link=LinkTimes(first_retry=0.05, longest_retry=0.1))


def feed_on(exchange: SimulatedExchange, times: FeedTimes = QUICK) -> TastytradeFeed:
    client = TastytradeClient(DEMO, exchange.base_url)
    return TastytradeFeed(client, times=times, rng=random.Random(1))  # noqa: S311  jitter


class TestTastytradeFeed(FeedConformance):
    timeliness = Timeliness.LIVE

    @pytest.fixture
    async def feed(self, exchange: SimulatedExchange) -> AsyncIterator[TastytradeFeed]:
        async with feed_on(exchange) as feed:
            yield feed


async def test_lost_link_is_told_and_mended(exchange: SimulatedExchange) -> None:
    async with feed_on(exchange) as feed:
        contracts = await feed.contracts(SMALL)
        fresh = np.zeros(len(contracts), np.bool_)
        down = 0
        async with asyncio.timeout(20), aclosing(feed.updates(contracts)) as updates:
            async for update in updates:
                if update.link_down:
                    down += 1
                    fresh[:] = False
                if update.quotes is not None:
                    fresh[update.quotes.rows] = True
                if fresh.all() and down:
                    break
                if fresh.all():
                    exchange.faults.resets += 1
                    fresh[:] = False
    assert down == 1


async def test_silent_symbols_are_quoted_by_rest(exchange: SimulatedExchange) -> None:
    async with feed_on(exchange) as feed:
        contracts = await feed.contracts(SMALL)
        symbols = contracts.table["streamer_symbol"]
        exchange.faults.silent_symbols |= {symbols[0], symbols[1]}
        quoted: set[int] = set()
        async with asyncio.timeout(20), aclosing(feed.updates(contracts)) as updates:
            async for update in updates:
                if update.quotes is not None:
                    quoted |= set(update.quotes.rows.tolist())
                if len(quoted) == len(contracts):
                    break
        exchange.faults.silent_symbols.clear()
    assert quoted == set(range(len(contracts)))


async def test_frozen_link_is_replaced(exchange: SimulatedExchange) -> None:
    times = FeedTimes(link=LinkTimes(silence=0.7, first_retry=0.05, longest_retry=0.1))
    async with feed_on(exchange, times) as feed:
        contracts = await feed.contracts(SMALL)
        exchange.faults.frozen = False
        async with asyncio.timeout(20), aclosing(feed.updates(contracts)) as updates:
            async for update in updates:
                exchange.faults.frozen = True
                if update.link_down:
                    break
        exchange.faults.frozen = False
    assert update.link_down


async def test_demo_level_is_delayed() -> None:
    with SimulatedExchange(SimulatorOptions(roots=("XSP",), level="demo")) as exchange:
        async with feed_on(exchange) as feed:
            await feed.contracts(SMALL)
            assert feed.timeliness is Timeliness.DELAYED


async def test_wrong_credentials_end_it(exchange: SimulatedExchange) -> None:
    wrong = Credentials(client_secret="no", refresh_token="neither")
    async with TastytradeFeed(TastytradeClient(wrong, exchange.base_url)) as feed:
        with pytest.raises(LoginRefusedError):
            await feed.contracts(SMALL)
