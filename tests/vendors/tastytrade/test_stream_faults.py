"""The update stream when the exchange misbehaves, over real sockets."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

import numpy as np
import pytest

from live_box_spreads.dxlink.session import ConnectionTimes
from live_box_spreads.model.chain import Timeliness
from live_box_spreads.vendors.tastytrade.feed import FeedTimes
from live_box_spreads.vendors.tastytrade.rest_pass import RestTimes
from tests.vendors.tastytrade.stream_helpers import QUICK, SMALL, Seen, Stream, feed_on, streaming

if TYPE_CHECKING:
    from live_box_spreads.simulator.exchange import SimulatedExchange


def all_streamed(seen: Seen) -> bool:
    """Every contract came by the stream but the few that nobody quotes, which REST brings."""
    return bool(seen.streamed.mean() > 0.95 and seen.all_asked)


async def test_an_abrupt_reset_is_told_then_everything_is_subscribed_and_quoted_anew(
    exchange: SimulatedExchange,
) -> None:
    async with streaming(exchange) as stream:
        await stream.until(all_streamed)
        exchange.faults.resets += 1
        await stream.until(lambda seen: seen.connections_lost)
        seen = await stream.until(all_streamed)
    assert seen.connections_lost == 1
    assert np.isfinite(seen.ask[seen.streamed]).mean() > 0.95


async def test_a_silent_freeze_is_found_and_the_link_replaced(exchange: SimulatedExchange) -> None:
    times = FeedTimes(connection=ConnectionTimes(silence=0.7, first_retry=0.05, longest_retry=0.1))
    async with streaming(exchange, times) as stream:
        await stream.until(all_streamed)
        exchange.faults.frozen = True
        await stream.until(lambda seen: seen.connections_lost)
        exchange.faults.frozen = False
        await stream.until(all_streamed)


async def test_refused_upgrades_and_tokens_that_expire_at_once_are_tried_again(
    exchange: SimulatedExchange,
) -> None:
    async with streaming(exchange) as stream:
        exchange.faults.refused_upgrades = 2
        await stream.until(lambda seen: seen.connections_lost == 2)
        await stream.until(all_streamed)
        exchange.faults.quote_token_secs = -1.0
        exchange.faults.resets += 1
        await stream.until(
            lambda seen: seen.connections_lost == 4
        )  # the reset, and one refused token
        exchange.faults.quote_token_secs = 900.0
        await stream.until(all_streamed)


async def test_a_side_that_turns_nan_does_not_keep_its_old_price(
    exchange: SimulatedExchange,
) -> None:
    async with streaming(exchange) as stream:
        seen = await stream.until(all_streamed)
        row = int(np.flatnonzero(np.isfinite(seen.ask) & (seen.bid > 0))[0])
        exchange.withdraw_ask(stream.contracts.table["occ_symbol"][row])
        await stream.until(lambda seen: np.isnan(seen.ask[row]))
        assert seen.bid[row] > 0
        assert seen.connections_lost == 0


async def test_withheld_sizes_are_unknown_and_harm_no_price(exchange: SimulatedExchange) -> None:
    exchange.faults.withheld_fields = {"bidSize", "askSize"}
    async with streaming(exchange) as stream:
        seen = await stream.until(all_streamed)
        assert np.isnan(seen.bid_size[seen.streamed]).all()
        assert np.isfinite(seen.ask[seen.streamed]).mean() > 0.95


async def test_a_withheld_price_clears_nothing_and_rest_quotes_instead(
    exchange: SimulatedExchange,
) -> None:
    exchange.faults.withheld_fields = {"askPrice"}
    async with streaming(exchange, FeedTimes(rest=RestTimes(every=0.1))) as stream:
        seen = await stream.until(lambda seen: np.isfinite(seen.ask).mean() > 0.95)
        assert not seen.streamed.any()
        assert np.isfinite(seen.bid).mean() > 0.95


async def test_symbols_that_never_quote_come_by_rest(exchange: SimulatedExchange) -> None:
    async with streaming(exchange) as stream:
        silent = stream.contracts.table["streamer_symbol"].head(5)
        exchange.faults.silent_symbols = set(silent)
        await stream.until(lambda seen: np.isfinite(seen.ask[:5]).any())
        seen = await stream.until(lambda seen: seen.streamed[5:].mean() > 0.95)
        assert not seen.streamed[:5].any()


async def test_odd_but_good_frames_are_read(exchange: SimulatedExchange) -> None:
    exchange.faults.auth_state_first = True
    exchange.faults.repeated_rows = True
    exchange.faults.sizes_unknown = True
    exchange.faults.frame_delay_secs = 0.01
    async with streaming(exchange) as stream:
        seen = await stream.until(all_streamed)
        assert np.isnan(seen.bid_size[seen.streamed]).all()
        assert seen.connections_lost == 0


@pytest.mark.parametrize("fault", ["truncated_frames", "garbled_frames"])
async def test_what_an_unreadable_frame_told_is_missed_until_it_is_told_again(
    exchange: SimulatedExchange, fault: str
) -> None:
    times = FeedTimes(rest=RestTimes(after_loss=0.1, while_down=0.1), connection=QUICK.connection)
    async with streaming(exchange, times) as stream:
        await stream.until(all_streamed)
        setattr(exchange.faults, fault, 2)
        seen = await stream.until(lambda seen: seen.gaps == 2)
        assert np.isnan(seen.ask).mean() > 0.5  # nobody knows which of them changed
        seen = await stream.until(lambda seen: np.isfinite(seen.ask).mean() > 0.95)
        assert seen.connections_lost == 0


async def test_a_token_that_turns_to_delayed_quotes_turns_the_feed(
    exchange: SimulatedExchange,
) -> None:
    async with feed_on(exchange) as feed:
        contracts = await feed.contracts(SMALL)
        async with aclosing(feed.updates(contracts)) as updates:
            stream = Stream(contracts, updates)
            await stream.until(all_streamed)
            seen = [feed.timeliness]
            exchange.faults.demo_level = True
            exchange.faults.resets += 1
            await stream.until(lambda seen: seen.connections_lost)
            await stream.until(all_streamed)
            assert [*seen, feed.timeliness] == [Timeliness.LIVE, Timeliness.DELAYED]
