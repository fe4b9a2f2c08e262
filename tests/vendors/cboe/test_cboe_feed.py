from __future__ import annotations

import asyncio
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import httpx2
import numpy as np
import pytest
import structlog

from live_box_spreads.collector.live_book import LiveBook
from live_box_spreads.feeds.base import StreamProgress
from live_box_spreads.model.chain import KEY, Timeliness
from live_box_spreads.model.errors import (
    AnswerTooLargeError,
    ApiError,
    ConfigError,
    FeedError,
    FeedUnavailableError,
)
from live_box_spreads.net.client import Limits
from live_box_spreads.testing import FeedConformance
from live_box_spreads.vendors.cboe.client import CboeClient, Pace
from live_box_spreads.vendors.cboe.feed import CboeFeed
from live_box_spreads.vendors.cboe.vendor import MIN_INTERVAL_SECS
from tests.feeds.made_market import FIRST, ROOTS, SPACING, made_chains, page_of, without_ask
from tests.vendors.cboe.cboe_server import CboeServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from live_box_spreads.feeds.base import Contracts, Feed
    from live_box_spreads.model.chain import Chain

QUICK_SECS = 0.05
DELAY = timedelta(minutes=15)
UNIVERSE = FeedConformance.universe


def _pages(chain: Chain) -> dict[str, bytes]:
    told_at = chain.snapshot_time + DELAY
    return {name: page_of(chain, name, told_at) for name in ROOTS}


@pytest.fixture(scope="module")
def first_pages() -> dict[str, bytes]:
    return _pages(made_chains()[0])


@pytest.fixture
def server(first_pages: dict[str, bytes]) -> Iterator[CboeServer]:
    with CboeServer(dict(first_pages)) as server:
        yield server


def _feed_on(server: CboeServer, min_interval_secs: float = 0.0) -> CboeFeed:
    client = CboeClient(server.base_url, pace=Pace(min_interval_secs))
    return CboeFeed(client, interval_secs=QUICK_SECS)


@asynccontextmanager
async def _streaming(server: CboeServer) -> AsyncIterator[tuple[CboeFeed, LiveBook, Callable]]:  # type: ignore[type-arg]
    """Open a stream whose updates a book takes in."""
    async with _feed_on(server) as feed:
        contracts = await feed.contracts(UNIVERSE)
        book = LiveBook(contracts)
        async with aclosing(feed.updates(contracts)) as updates:

            async def until(enough: Callable[[LiveBook], object]) -> None:
                async with asyncio.timeout(20.0):
                    while not enough(book):
                        book.apply(await anext(updates))

            yield feed, book, until


class TestCboeFeed(FeedConformance):
    timeliness = Timeliness.DELAYED

    @pytest.fixture
    async def feed(self, server: CboeServer) -> AsyncIterator[CboeFeed]:
        async with _feed_on(server) as feed:
            yield feed

    @pytest.fixture
    def another(self, server: CboeServer) -> Callable[[], Feed]:
        return lambda: _feed_on(server)

    @pytest.fixture(autouse=True)
    def _remember(self, server: CboeServer) -> None:
        self.server = server

    async def withdraw_an_ask(self, feed: Feed, contracts: Contracts) -> int:
        assert feed.name == "cboe"
        row = len(contracts) // 4
        while (
            not made_chains()[0].quotes.join(contracts.table[row], on=KEY, how="semi")["bid"][0] > 0
        ):
            row += 1
        key = contracts.table.row(row, named=True)
        later = without_ask(made_chains()[1], {name: key[name] for name in KEY})
        self.server.pages |= _pages(later)
        return row


async def test_the_quotes_are_those_of_the_page_fifteen_minutes_ago(server: CboeServer) -> None:
    made = made_chains()[0]
    async with _feed_on(server) as feed:
        contracts = await feed.contracts(UNIVERSE)
        chain = await feed.snapshot(contracts)
    assert chain.snapshot_time == made.snapshot_time == FIRST
    assert chain.spot == made.spot
    assert chain.rejected == {}
    assert chain.quotes.equals(made.quotes.join(chain.quotes, on=KEY, how="semi").sort(KEY))


async def test_a_page_that_has_not_changed_is_not_sent_again(server: CboeServer) -> None:
    async with _streaming(server) as (feed, book, until):
        await until(lambda book: book.quoted == len(book))
        await until(lambda _: len(server.asked("SPX")) >= 6)
        held = book.snapshot(feed.market_time(), feed.name, feed.timeliness)
    assert set(server.asked("SPX")[1:]) == set(server.asked("XSP")[1:]) == {304}
    assert held.snapshot_time == FIRST
    agents = {headers["User-Agent"] for _, _, headers in server.requests}
    assert all(agent.startswith("live-box-spreads/") for agent in agents)


async def test_if_modified_since_is_sent_back_where_there_is_no_etag(server: CboeServer) -> None:
    server.headers = {"Last-Modified": "Tue, 24 Nov 2026 15:15:00 GMT", "ETag": ""}
    async with _feed_on(server) as feed:
        contracts = await feed.contracts(UNIVERSE)
        await feed.snapshot(contracts)
    last = server.requests[-1][2]
    assert last["If-Modified-Since"] == "Tue, 24 Nov 2026 15:15:00 GMT"


async def test_no_page_is_asked_for_faster_than_is_polite(server: CboeServer) -> None:
    clock = {"now": 0.0}
    client = CboeClient(server.base_url, clock=lambda: clock["now"])
    async with CboeFeed(client) as feed:
        contracts = await feed.contracts(UNIVERSE)
        for _ in range(5):
            await feed.snapshot(contracts)
            await feed.contracts(UNIVERSE)
        assert server.asked("SPX") == [200]
        clock["now"] = MIN_INTERVAL_SECS
        await feed.snapshot(contracts)
    assert server.asked("SPX") == server.asked("XSP") == [200, 304]


async def test_one_request_at_a_time(first_pages: dict[str, bytes]) -> None:
    running = most = 0

    async def answer(request: httpx2.Request) -> httpx2.Response:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.01)
        running -= 1
        name = request.url.path.rpartition("_")[2].removesuffix(".json")
        return httpx2.Response(200, content=first_pages[name])

    client = CboeClient("https://example.test/q", transport=httpx2.MockTransport(answer))
    async with CboeFeed(client) as feed:
        await asyncio.gather(*(feed.contracts(UNIVERSE) for _ in range(4)))
    assert most == 1


async def test_the_server_may_ask_for_patience(server: CboeServer) -> None:
    clock = {"now": 0.0}
    server.statuses, server.headers = {"SPX": 429}, {"Retry-After": "600"}
    client = CboeClient(server.base_url, pace=Pace(30.0), clock=lambda: clock["now"])
    async with client:
        for now in (0.0, 31.0, 599.0):
            clock["now"] = now
            with pytest.raises(FeedUnavailableError, match="429"):
                await client.page("SPX")
        assert server.asked("SPX") == [429]
        server.statuses, clock["now"] = {}, 600.0
        assert len((await client.page("SPX")).quotes) > 0
    assert server.asked("SPX") == [429, 200]


async def test_an_index_that_fails_stops_no_other(server: CboeServer) -> None:
    server.statuses = {"SPX": 403}
    async with _feed_on(server) as feed:
        contracts = await feed.contracts(UNIVERSE)
        assert set(contracts.table["root"]) == {"XSP"}
        assert "status 403" in contracts.failures["SPX"]
        assert (await feed.contracts(replace(UNIVERSE, roots=("XSP", "RUT")))).failures.keys() == {
            "RUT"
        }


async def test_nothing_at_all_is_an_error(server: CboeServer) -> None:
    server.statuses = {"SPX": 500, "XSP": 404}
    async with _feed_on(server) as feed:
        with pytest.raises(FeedError, match="nothing to quote") as raised:
            await feed.contracts(UNIVERSE)
    assert "status 500" in str(raised.value)
    assert "no delayed quotes of XSP" in str(raised.value)
    assert "\n" not in str(raised.value)


async def test_a_lost_server_is_told_and_found_again(server: CboeServer) -> None:
    async with _streaming(server) as (feed, book, until):
        await until(lambda book: book.quoted == len(book))
        server.statuses = {"SPX": 502, "XSP": 502}
        with structlog.testing.capture_logs() as logs:
            await until(lambda book: book.progress and book.progress.connections == 0)
        assert {log["underlying"] for log in logs} == {"SPX", "XSP"}
        held = book.snapshot(feed.market_time(), feed.name, feed.timeliness)
        assert held.snapshot_time == FIRST
        assert set(held.quotes["quote_time"]) == {FIRST}
        server.pages |= _pages(made_chains()[1])
        server.statuses = {}
        before = feed.health()
        assert before.losses["pages_failed"] >= 2
        assert before.rest_calls["502"] >= 2
        await until(lambda _: feed.market_time() == FIRST + SPACING)
        assert feed.health().rest_calls["200"] > before.rest_calls["200"]
        await until(lambda book: book.progress and book.progress.is_complete)
        held = book.snapshot(feed.market_time(), feed.name, feed.timeliness)
        assert set(held.quotes["quote_time"]) == {FIRST + SPACING}


async def test_an_index_that_stops_grows_old_beside_one_that_goes_on(server: CboeServer) -> None:
    async with _streaming(server) as (feed, book, until):
        await until(lambda book: book.quoted == len(book))
        server.statuses = {"SPX": 502}
        server.pages |= _pages(made_chains()[2])
        await until(lambda _: feed.market_time() == FIRST + 2 * SPACING)
        quotes = book.snapshot(feed.market_time(), feed.name, feed.timeliness).quotes
    times = {root: set(quotes.filter(quotes["root"] == root)["quote_time"]) for root in ROOTS}
    assert times == {"SPX": {FIRST}, "XSP": {FIRST + 2 * SPACING}}


async def test_progress_counts_what_was_asked_for(server: CboeServer) -> None:
    async with _feed_on(server) as feed:
        contracts = await feed.contracts(UNIVERSE)
        async with aclosing(feed.updates(contracts)) as updates:
            first, second = [await anext(updates) for _ in range(2)]
    total = len(contracts)
    assert second.progress == StreamProgress(total, total, total, total)
    assert first.progress is not None
    assert 0 < first.progress.quotes < total
    assert first.quotes is not None
    assert first.progress.quotes == len(np.unique(first.quotes.rows))


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://example.test/q", "not encrypted"),
        ("ftp://example.test", "no web address"),
        ("https://me:secret@example.test", "remove it"),
    ],
)
def test_addresses_that_are_not_safe_are_refused(url: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says) as raised:
        CboeClient(url)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    ("answer", "error", "says"),
    [
        (
            httpx2.ConnectError("refused"),
            FeedUnavailableError,
            "refused; check the network",
        ),
        (httpx2.ReadTimeout("slow"), FeedUnavailableError, "did not answer in time"),
        (httpx2.Response(302, headers={"Location": "http://x"}), ApiError, "status 302, refused"),
        (httpx2.Response(304), ApiError, "status 304"),
        (httpx2.Response(200, content=b"<html>"), FeedError, "not the JSON"),
        (httpx2.Response(200, content=b'{"timestamp": "x"}'), FeedError, "not the JSON"),
        (
            httpx2.Response(200, content=b'{"timestamp": "soon", "data": {"options": []}}'),
            FeedError,
            "not the JSON",
        ),
    ],
)
async def test_what_goes_wrong_is_typed_and_one_line(
    answer: httpx2.Response | Exception, error: type[FeedError], says: str
) -> None:
    def respond(_request: httpx2.Request) -> httpx2.Response:
        if isinstance(answer, Exception):
            raise answer
        return answer

    client = CboeClient("https://example.test/q", transport=httpx2.MockTransport(respond))
    async with client:
        with pytest.raises(error, match=says) as raised:
            await client.page("SPX")
        assert client.calls.total() == 1
        with pytest.raises(error, match=says):  # from memory: it is not asked again so soon
            await client.page("SPX")
        assert client.calls.total() == 1
    assert "\n" not in str(raised.value)


async def test_a_body_without_end_is_given_up() -> None:
    transport = httpx2.MockTransport(lambda _: httpx2.Response(200, content=b"x" * 11))
    client = CboeClient("https://example.test/q", transport=transport, limits=Limits(body_bytes=10))
    async with client:
        with pytest.raises(AnswerTooLargeError, match="more than 10 bytes"):
            await client.page("SPX")


async def test_a_closed_feed_says_so() -> None:
    feed = CboeFeed(CboeClient("https://example.test/q"))
    with pytest.raises(FeedError, match="not open"):
        await feed.contracts(UNIVERSE)
    with pytest.raises(FeedError, match="after the first page"):
        feed.market_time()
