"""What every feed promises, as one suite: inherit it and give it the feed.

A subclass gives the fixture ``feed`` (an open feed of a market that lists SPX and XSP), the fixture
``another`` (a feed of the same kind that is not open yet) and ``withdraw_an_ask``.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from live_box_spreads.collector.live_book import LiveBook
from live_box_spreads.feeds.base import (
    CONTRACT_SCHEMA,
    Activity,
    Contracts,
    Feed,
    Quotes,
    StreamProgress,
    TellsHealth,
    Universe,
    Update,
)
from live_box_spreads.model.chain import KEY, Timeliness
from live_box_spreads.model.errors import FeedError

try:
    import pytest
except ModuleNotFoundError as missing:
    raise ImportError(
        "the feed conformance suite needs pytest, which is not installed; "
        "pip install pytest pytest-asyncio"
    ) from missing

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

FIRST_ROUND_SECS = 20.0
_CLOCKS_DIFFER_BY = timedelta(seconds=1)
_DESCRIPTORS = Path("/proc/self/fd")


class FeedConformance:
    """Subclasses say how old the quotes of their feed are by nature, and how one is withdrawn."""

    timeliness: Timeliness
    universe = Universe(("XSP", "SPX"), 3, "spread", (0.95, 1.05))

    async def withdraw_an_ask(self, feed: Feed, contracts: Contracts) -> int:
        """Let nobody offer some contract any more; return its row."""
        raise NotImplementedError

    async def test_contracts_are_sorted_complete_and_within_the_universe(self, feed: Feed) -> None:
        contracts = await feed.contracts(self.universe)
        table = contracts.table
        assert table.schema == CONTRACT_SCHEMA
        assert table.equals(table.unique(KEY).sort(KEY))
        assert table.null_count().sum_horizontal().item() == 0
        assert set(table["root"]) == set(self.universe.roots)
        for root in self.universe.roots:
            mine = table.filter(table["root"] == root)
            assert mine["expiry"].n_unique() == 3
        assert contracts.failures == {}
        assert feed.timeliness is self.timeliness

    async def test_a_failing_root_is_reported_and_stops_no_other(self, feed: Feed) -> None:
        roots = ("XSP", "SPY", "NOPE")  # the second is American, the third unknown
        contracts = await feed.contracts(replace(self.universe, roots=roots))
        assert set(contracts.table["root"]) == {"XSP"}
        assert set(contracts.failures) == {"SPY", "NOPE"}
        assert all("\n" not in line for line in contracts.failures.values())

    async def test_what_it_tells_of_its_health_are_counts_that_never_fall(self, feed: Feed) -> None:
        if not isinstance(feed, TellsHealth):
            return  # any feed may tell, none has to
        before = feed.health()
        await feed.snapshot(await feed.contracts(self.universe))
        after = feed.health()
        for earlier, later in (
            (before.losses, after.losses),
            (before.rest_calls, after.rest_calls),
        ):
            assert all(later[name] >= count >= 0 for name, count in earlier.items())

    async def test_nothing_to_quote_is_an_error(self, feed: Feed) -> None:
        with pytest.raises(FeedError, match="American"):
            await feed.contracts(replace(self.universe, roots=("SPY",)))

    async def test_snapshot_has_exactly_the_contracts(self, feed: Feed) -> None:
        contracts = await feed.contracts(self.universe)
        chain = await feed.snapshot(contracts)
        assert chain.quotes.select(KEY).equals(contracts.table.select(KEY))
        assert (chain.feed, chain.timeliness) == (feed.name, self.timeliness)
        assert set(chain.spot) == {"XSP", "SPX"}
        quoted = chain.quotes.filter(chain.quotes["ask"].is_finite())
        assert len(quoted) > 0.9 * len(contracts)
        assert (quoted["bid"].fill_nan(0.0) <= quoted["ask"]).all()

    async def test_the_time_of_the_quotes_is_the_market_s(self, feed: Feed) -> None:
        contracts = await feed.contracts(self.universe)
        before = feed.market_time()
        chain = await feed.snapshot(contracts)
        assert before.utcoffset() == timedelta(0)
        assert before <= chain.snapshot_time <= feed.market_time()
        too_late = chain.quotes["quote_time"] > chain.snapshot_time + _CLOCKS_DIFFER_BY
        assert not too_late.any()

    async def test_first_round_covers_every_contract(self, feed: Feed) -> None:
        contracts = await feed.contracts(self.universe)
        book = LiveBook(contracts)
        quoted = np.zeros(len(contracts), np.bool_)
        active = np.zeros(len(contracts), np.bool_)
        progress = StreamProgress(0, 0, 0, 0)  # a feed that subscribes nothing has no more
        async with asyncio.timeout(FIRST_ROUND_SECS), _opened(feed, contracts) as updates:
            async for update in updates:
                assert update.lost is None
                _check_columns(update, len(contracts))
                book.apply(update)
                progress = update.progress or progress
                if update.quotes is not None:
                    quoted[update.quotes.rows] = True
                if update.activity is not None:
                    active[update.activity.rows] = True
                everything = quoted.all() and active.all() and set(book.spot) == {"XSP", "SPX"}
                if everything and progress.quotes == progress.quotes_wanted:
                    break
        assert everything
        chain = book.snapshot(feed.market_time(), feed.name, feed.timeliness)
        assert chain.quotes.select(KEY).equals(contracts.table.select(KEY))
        assert chain.quotes["ask"].is_finite().sum() > 0.9 * len(contracts)
        assert chain.quotes["open_interest"].sum() > 0

    async def test_a_side_that_is_withdrawn_is_cleared(self, feed: Feed) -> None:
        contracts = await feed.contracts(self.universe)
        book = LiveBook(contracts)
        async with asyncio.timeout(FIRST_ROUND_SECS), _opened(feed, contracts) as updates:
            async for update in updates:
                book.apply(update)
                if book.quoted == len(contracts):
                    break
            row = await self.withdraw_an_ask(feed, contracts)
            assert _sides(book, feed, row) == (True, True)
            async for update in updates:
                book.apply(update)
                if _sides(book, feed, row) == (True, False):
                    break
        assert _sides(book, feed, row) == (True, False)

    async def test_closing_the_stream_leaves_nothing_running(self, feed: Feed) -> None:
        contracts = await feed.contracts(self.universe)
        before = asyncio.all_tasks()
        async with _opened(feed, contracts) as updates:
            await anext(updates)
        assert asyncio.all_tasks() <= before

    async def test_a_stream_may_be_cancelled_before_its_first_update(self, feed: Feed) -> None:
        contracts = await feed.contracts(self.universe)
        before = asyncio.all_tasks()
        for turns in (0, 1, 3, 10):
            async with _opened(feed, contracts) as updates:
                waiting = asyncio.ensure_future(anext(updates))
                for _ in range(turns):
                    await asyncio.sleep(0)
                waiting.cancel()
                await asyncio.gather(waiting, return_exceptions=True)
            assert asyncio.all_tasks() <= before
        async with asyncio.timeout(FIRST_ROUND_SECS), _opened(feed, contracts) as updates:
            assert isinstance(await anext(updates), Update)

    async def test_closing_the_feed_lets_go_of_its_sockets_and_tasks(
        self, another: Callable[[], Feed]
    ) -> None:
        before, open_before = asyncio.all_tasks(), _sockets()
        async with another() as feed:
            contracts = await feed.contracts(self.universe)
            await feed.snapshot(contracts)
            async with _opened(feed, contracts) as updates:
                await anext(updates)
        assert asyncio.all_tasks() <= before
        async with asyncio.timeout(FIRST_ROUND_SECS):  # the server's ends are in this process
            while not _sockets() <= open_before:  # noqa: ASYNC110 - nobody tells when they close
                await asyncio.sleep(0.01)


def _opened(feed: Feed, contracts: Contracts) -> aclosing[AsyncGenerator[Update]]:
    return aclosing(feed.updates(contracts))  # type: ignore[arg-type]  # each is a generator


def _sides(book: LiveBook, feed: Feed, row: int) -> tuple[bool, bool]:
    """Tell whether a contract has a bid and an ask."""
    quotes = book.snapshot(feed.market_time(), feed.name, feed.timeliness).quotes
    return bool(quotes["bid"][row] > 0), bool(quotes["ask"][row] > 0)


def _check_columns(update: Update, contracts: int) -> None:
    """Every column of an update has a value a row, and every row is a contract."""
    assert update.received_at.tzinfo is UTC
    for part in (update.quotes, update.activity):
        if part is None:
            continue
        assert part.rows.dtype == np.int32
        assert ((part.rows >= 0) & (part.rows < contracts)).all()
        names = _QUOTE_NAMES if isinstance(part, Quotes) else _ACTIVITY_NAMES
        assert {len(getattr(part, name)) for name in names} == {len(part.rows)}
    if update.quotes is not None and update.quotes.times is not None:
        assert update.quotes.times.dtype == "datetime64[ms]"
        assert len(update.quotes.times) == len(update.quotes.rows)


_QUOTE_NAMES = ("bid", "ask", "bid_size", "ask_size")
_ACTIVITY_NAMES = tuple(name for name in Activity.__slots__ if name != "rows")


def _sockets() -> set[str]:
    """Return the sockets of this process; where the system does not tell, none."""
    if not _DESCRIPTORS.is_dir():
        return set()
    targets = set()
    for link in _DESCRIPTORS.iterdir():
        try:
            targets.add(str(link.readlink()))
        except FileNotFoundError:  # the one that lists the folder
            continue
    return {target for target in targets if target.startswith("socket:")}
