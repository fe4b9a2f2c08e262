"""When REST passes begin and what they bring: no clock, no network."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, cast

import numpy as np
import polars as pl
import pytest

from live_box_spreads.feeds.base import CONTRACT_SCHEMA, Activity, Contracts, Quotes, Update
from live_box_spreads.model.errors import ApiError, FeedError, LoginRefusedError
from live_box_spreads.tastytrade_client import MarketData, MarketDataAnswer, TastytradeClient
from live_box_spreads.vendors.tastytrade.plan import StreamPlan
from live_box_spreads.vendors.tastytrade.rest_pass import RestPass, RestTimes, polled_quotes

if TYPE_CHECKING:
    from collections.abc import Sequence

NAN = float("nan")
NOW = datetime(2026, 11, 24, 16, 0, tzinfo=UTC)
NEVER = 1e6
ALL = {kind: np.arange(3, dtype=np.int32) for kind in ("Quote", "Trade", "Summary")}
CONTRACTS = Contracts(
    pl.DataFrame(
        [
            ("XSP", "XSP", date(2026, 12, 18), "PM", 690.0 + n, "C", f"occ {n}", f".{n}")
            for n in range(3)
        ],
        schema=CONTRACT_SCHEMA,
        orient="row",
    )
)


class Asked:
    """Stands in for the client: answers what it knows, and counts the calls."""

    def __init__(self, *answers: Exception | None) -> None:
        self.calls = 0
        self._answers = answers

    async def market_data(
        self, equity_options: Sequence[str], index: Sequence[str] = ()
    ) -> MarketDataAnswer:
        self.calls += 1
        answer = self._answers[self.calls - 1] if self.calls <= len(self._answers) else None
        if answer is not None:
            raise answer
        quotes = {name: MarketData(name, bid=1.0, ask=2.0, volume=7.0) for name in equity_options}
        quotes |= {name: MarketData(name, last=690.0) for name in index}
        return MarketDataAnswer(quotes, [], 0)


def rest_pass(client: Asked, times: RestTimes) -> RestPass:
    return RestPass(
        cast("TastytradeClient", client),
        CONTRACTS,
        StreamPlan.of(CONTRACTS, {"XSP": 691.0}),
        clock=lambda: NOW,
        times=times,
    )


class Run:
    """A pass that runs, and what it gave."""

    def __init__(self, rest: RestPass) -> None:
        self.given: list[Update] = []
        self._queue: asyncio.Queue[Update] = asyncio.Queue()
        self.task = asyncio.create_task(rest.run(self._queue.put))

    async def until(self, count: int) -> None:
        async with asyncio.timeout(10):
            while len(self.given) < count:
                self.given.append(await self._queue.get())

    async def is_quiet(self) -> bool:
        """Tell whether nothing more comes once all that was under way is done."""
        for _ in range(10):
            await asyncio.sleep(0)
        while not self._queue.empty():
            self.given.append(self._queue.get_nowait())
        for _ in range(10):
            await asyncio.sleep(0)
        return self._queue.empty()

    async def end(self) -> None:
        self.task.cancel()
        with suppress(asyncio.CancelledError):
            await self.task


async def test_the_first_pass_is_at_once_and_a_loss_brings_the_next_forward() -> None:
    rest = rest_pass(Asked(), RestTimes(every=NEVER, after_loss=0.0, while_down=NEVER))
    run = Run(rest)
    await run.until(1)
    assert await run.is_quiet()
    rest.stream_lost(ALL)
    await run.until(2)
    assert await run.is_quiet()
    assert len(run.given) == 2
    await run.end()


async def test_while_the_stream_is_down_passes_go_on_at_their_own_pace() -> None:
    rest = rest_pass(Asked(), RestTimes(every=NEVER, after_loss=0.0, while_down=0.0))
    rest.stream_lost(ALL)
    run = Run(rest)
    await run.until(3)
    assert not await run.is_quiet()
    rest.stream_back()
    assert await run.is_quiet()
    await run.end()


async def test_what_the_stream_quotes_is_left_alone_until_it_is_lost() -> None:
    rest = rest_pass(Asked(), RestTimes(every=NEVER, after_loss=0.0, while_down=NEVER))
    rest.streamed["Quote"][[0, 2]] = True
    run = Run(rest)
    await run.until(1)
    (first,) = run.given
    assert first.quotes is not None
    assert first.quotes.rows.tolist() == [1]
    assert first.activity is not None
    assert sorted(first.activity.rows) == [0, 1, 2]
    assert first.spot == {"XSP": 690.0}
    rest.stream_lost(ALL)
    await run.until(2)
    again = run.given[1].quotes
    assert again is not None
    assert sorted(again.rows) == [0, 1, 2]
    await run.end()


def brought(*rows: int, volume: float = 5.0, open_interest: float = 6.0) -> Update:
    """Return what the stream says of these rows."""
    numbers = np.array(rows, np.int32)
    same = np.ones(len(rows))
    return Update(
        NOW,
        quotes=Quotes(numbers, same, same, same, same),
        activity=Activity(numbers, same, volume * same, open_interest * same),
    )


async def test_rest_asks_only_for_what_the_stream_does_not_bring() -> None:
    asked = Asked()
    rest = rest_pass(asked, RestTimes(every=0.0))
    rest.stream_brings(brought(0, 1))
    rest.stream_brings(brought(2, volume=NAN))
    run = Run(rest)
    await run.until(1)
    (first,) = run.given[:1]
    assert first.quotes is None
    assert first.activity is not None
    assert first.activity.rows.tolist() == [2]
    assert first.activity.volume.tolist() == [7.0]
    assert np.isnan(first.activity.open_interest).all()
    rest.stream_brings(brought(2))
    await asyncio.sleep(0.01)
    settled = asked.calls
    await asyncio.sleep(0.01)
    assert asked.calls == settled  # the stream brings everything
    rest.stream_lost({"Summary": np.array([1], np.int32)})
    await run.until(len(run.given) + 1)
    again = run.given[-1].activity
    assert again is not None
    assert again.rows.tolist() == [1]
    await run.end()


@pytest.mark.parametrize("error", [ApiError("no", status=403), FeedError("odd")])
async def test_a_pass_that_fails_is_followed_by_another(error: Exception) -> None:
    rest = rest_pass(Asked(error), RestTimes(every=0.0))
    run = Run(rest)
    await run.until(1)
    assert run.given
    await run.end()


async def test_a_refused_login_ends_the_passes() -> None:
    asked = Asked(LoginRefusedError("no"))
    run = Run(rest_pass(asked, RestTimes(every=0.0)))
    with pytest.raises(LoginRefusedError):
        await run.task
    assert asked.calls == 1


def test_polled_quotes_carry_their_own_time_which_is_never_in_the_future() -> None:
    items = [
        MarketData("old", bid=1.0, updated_at=NOW - timedelta(hours=1)),
        MarketData("unknown"),
        MarketData("early", ask=2.0, updated_at=NOW + timedelta(minutes=5)),
    ]
    quotes = polled_quotes(np.arange(3, dtype=np.int32), items, NOW)
    assert quotes.times is not None
    now = np.datetime64("2026-11-24T16:00", "ms")
    assert quotes.times.tolist() == [t.item() for t in (now - np.timedelta64(1, "h"), now, now)]
    np.testing.assert_array_equal(quotes.bid, [1.0, np.nan, np.nan])
    np.testing.assert_array_equal(quotes.ask, [np.nan, np.nan, 2.0])
