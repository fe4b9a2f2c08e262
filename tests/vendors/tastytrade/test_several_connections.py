"""A stream over several connections, over real sockets; the limits are made low on both sides."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from structlog.testing import capture_logs

from live_box_spreads.simulator.faults import Faults
from live_box_spreads.vendors.tastytrade.feed import FeedTimes
from live_box_spreads.vendors.tastytrade.plan import StreamLimits
from live_box_spreads.vendors.tastytrade.rest_pass import RestTimes
from tests.vendors.tastytrade.stream_helpers import QUICK, SMALL, feed_on, streaming

if TYPE_CHECKING:
    from live_box_spreads.simulator.exchange import SimulatedExchange

STREAM_ALONE = FeedTimes(
    rest=RestTimes(every=1e6, after_loss=1e6, while_down=1e6), connection=QUICK.connection
)


async def contracts_listed(exchange: SimulatedExchange) -> int:
    async with feed_on(exchange) as feed:
        return len(await feed.contracts(SMALL))


async def test_three_types_of_every_contract_over_three_connections(
    exchange: SimulatedExchange,
) -> None:
    count = await contracts_listed(exchange)
    exchange.faults.most_subscriptions = count + 1
    with capture_logs() as logs:
        async with streaming(exchange, QUICK, StreamLimits(4, count + 1)) as stream:
            seen = await stream.until(lambda seen: seen.progress.is_complete)
            assert seen.progress.connections == seen.progress.connections_wanted == 3
            assert seen.progress.subscriptions == 3 * count + 1
            assert seen.progress.left_out == 0
            await stream.until(lambda seen: seen.streamed.mean() > 0.95)
            assert exchange.dxlink_sessions() == 3
            exchange.faults.paused = True
            own = [exchange.quote(symbol) for symbol in seen.contracts.table["occ_symbol"]]
            bid, ask = np.array([(quote.bid, quote.ask) for quote in own]).T
            await stream.until(
                lambda seen: (
                    np.array_equal(seen.bid[seen.streamed], bid[seen.streamed], equal_nan=True)
                    and np.array_equal(seen.ask[seen.streamed], ask[seen.streamed], equal_nan=True)
                )
            )
    assert [log for log in logs if log["event"] in {"stream_losses", "dxlink_error"}] == []


async def test_what_fits_no_connection_is_named_and_comes_by_rest(
    exchange: SimulatedExchange,
) -> None:
    count = await contracts_listed(exchange)
    with capture_logs() as logs:
        async with streaming(exchange, QUICK, StreamLimits(2, count // 4)) as stream:
            seen = await stream.until(lambda seen: seen.progress.is_complete)
            assert seen.progress.left_out == 3 * count + 1 - 2 * (count // 4)
            assert seen.progress.quotes == 2 * (count // 4) - 1  # the underlying goes first
            await stream.until(lambda seen: seen.active.all() and (seen.ask > 0).mean() > 0.95)
            assert seen.streamed.sum() <= seen.progress.quotes
    (left_out,) = [log for log in logs if log["event"] == "subscriptions_left_out"]
    assert "do not fit 2 connections" in left_out["reason"]


async def test_a_server_that_takes_less_than_said_is_asked_for_no_more(
    exchange: SimulatedExchange,
) -> None:
    count = await contracts_listed(exchange)
    exchange.faults.most_subscriptions = 2 * count  # the second connection is cut short
    async with streaming(exchange, QUICK, StreamLimits(1, 3 * count + 1)) as stream:
        seen = await stream.until(lambda seen: seen.progress.left_out)
        assert seen.progress.is_complete
        await stream.until(lambda seen: seen.active.all())


async def test_every_connection_comes_back_after_all_were_cut(exchange: SimulatedExchange) -> None:
    count = await contracts_listed(exchange)
    async with streaming(exchange, STREAM_ALONE, StreamLimits(5, count)) as stream:
        seen = await stream.until(lambda seen: seen.progress.is_complete)
        assert seen.progress.connections == 4
        exchange.faults.resets += 1
        await stream.until(lambda seen: seen.connections_lost == 4)
        seen = await stream.until(lambda seen: seen.progress.is_complete)
        await stream.until(lambda seen: seen.streamed.mean() > 0.95)


@pytest.mark.parametrize("name", ["most_subscriptions", "most_changes_a_minute"])
def test_the_exchange_has_the_vendors_limits_unless_told_otherwise(name: str) -> None:
    expected = {"most_subscriptions": 25_000, "most_changes_a_minute": 10_000}
    assert getattr(Faults(), name) == expected[name]
