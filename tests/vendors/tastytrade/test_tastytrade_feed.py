from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import httpx2
import pytest

from live_box_spreads.model.chain import Timeliness
from live_box_spreads.model.errors import FeedError, LoginRefusedError
from live_box_spreads.simulator.exchange import SimulatedExchange, SimulatorOptions
from live_box_spreads.tastytrade_client import Credentials, TastytradeClient
from live_box_spreads.testing import FeedConformance
from live_box_spreads.vendors.tastytrade.feed import FeedTimes, TastytradeFeed
from tests.vendors.tastytrade.stream_helpers import DEMO, SMALL, feed_on, withdraw_at_the_money

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from live_box_spreads.feeds.base import Contracts, Feed


class TestTastytradeFeed(FeedConformance):
    timeliness = Timeliness.LIVE

    @pytest.fixture
    async def feed(self, exchange: SimulatedExchange) -> AsyncIterator[TastytradeFeed]:
        async with feed_on(exchange) as feed:
            yield feed

    @pytest.fixture
    def another(self, exchange: SimulatedExchange) -> Callable[[], Feed]:
        return lambda: feed_on(exchange)

    @pytest.fixture(autouse=True)
    def _remember(self, exchange: SimulatedExchange) -> None:
        self.exchange = exchange

    async def withdraw_an_ask(self, feed: Feed, contracts: Contracts) -> int:
        assert feed.name == "tastytrade"
        return withdraw_at_the_money(self.exchange, contracts)


async def test_demo_level_is_delayed() -> None:
    with SimulatedExchange(SimulatorOptions(roots=("XSP",), level="demo")) as exchange:
        async with feed_on(exchange) as feed:
            await feed.contracts(SMALL)
            assert feed.timeliness is Timeliness.DELAYED


@pytest.mark.parametrize(
    ("url", "level", "expected"),
    [
        ("wss://tasty-openapi-ws.dxfeed.com/realtime", "api", Timeliness.LIVE),
        ("wss://tasty-demo-ws.dxfeed.com/delayed", "demo", Timeliness.DELAYED),
        ("wss://tasty-demo-ws.dxfeed.com/delayed", "api", Timeliness.DELAYED),
        ("wss://tasty-openapi-ws.dxfeed.com/realtime", "demo", Timeliness.DELAYED),
    ],
)
async def test_the_vendors_quote_token_tells_live_from_delayed(
    url: str, level: str, expected: Timeliness
) -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        if request.url.path == "/oauth/token":
            return httpx2.Response(200, json={"access_token": "a", "expires_in": 900})
        if request.url.path == "/api-quote-tokens":
            body = {"data": {"token": "t", "dxlink-url": url, "level": level}}
            return httpx2.Response(200, json=body)
        return httpx2.Response(404, json={"error": {"code": "x", "message": "not here"}})

    transport = httpx2.MockTransport(answer)
    client = TastytradeClient(DEMO, "https://api.example.test", transport=transport)
    async with TastytradeFeed(client, times=FeedTimes(spot_wait=0.1)) as feed:
        with pytest.raises(FeedError, match="known after the first call"):
            assert feed.timeliness
        with pytest.raises(FeedError, match="nothing to quote"):
            await feed.contracts(replace(SMALL, moneyness=(0.0, float("inf"))))
        assert feed.timeliness is expected


async def test_wrong_credentials_end_it(exchange: SimulatedExchange) -> None:
    wrong = Credentials(client_secret="no", refresh_token="neither")
    async with TastytradeFeed(TastytradeClient(wrong, exchange.base_url)) as feed:
        with pytest.raises(LoginRefusedError):
            await feed.contracts(SMALL)
