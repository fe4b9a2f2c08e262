"""One connection against an exchange that complains, closes and drops, over real sockets."""

from __future__ import annotations

import asyncio
import json
import random
import time
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from unittest.mock import AsyncMock

import pytest
from structlog.testing import capture_logs

from live_box_spreads.dxlink import messages as m
from live_box_spreads.dxlink.connection import ConnectionEvent, ConnectionLost, DXLinkConnection
from live_box_spreads.dxlink.session import ConnectionTimes, Subscribed
from live_box_spreads.dxlink.subscriptions import ChangeBudget, SharedBudget, Subscription
from live_box_spreads.model.contracts import parse_occ, streamer_symbol
from live_box_spreads.tastytrade_client import TastytradeClient
from live_box_spreads.vendors.tastytrade.plan import FIELDS
from tests.vendors.tastytrade.stream_helpers import DEMO

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from live_box_spreads.simulator.exchange import SimulatedExchange
    from live_box_spreads.tastytrade_client import QuoteToken

LONGEST_SECS = 20.0
COUNT = 1_200
QUICK = ConnectionTimes(first_retry=0.02, longest_retry=0.05)


@dataclass
class Told:
    """What a connection told so far."""

    connection: DXLinkConnection
    reasons: list[str] = field(default_factory=list)
    subscribed: int = 0
    quoted: set[str] = field(default_factory=set)

    def take(self, event: ConnectionEvent) -> None:
        match event:
            case ConnectionLost():
                self.reasons.append(event.reason)
                self.quoted.clear()
                self.subscribed = 0
            case Subscribed():
                self.subscribed = event.count
            case m.Data():
                for flat in json.loads(event.data)[1::2]:
                    self.quoted.update(flat[0 :: len(FIELDS["Quote"])])
            case m.Configured():
                pass

    @property
    def all_quoted(self) -> bool:
        return self.subscribed == COUNT and len(self.quoted) > 0.95 * COUNT


@asynccontextmanager
async def linked(
    exchange: SimulatedExchange,
    times: ConnectionTimes = QUICK,
    wall_secs: Callable[[], float] = time.time,
) -> AsyncIterator[tuple[Told, Callable[[Callable[[], object]], Awaitable[None]]]]:
    symbols = [streamer_symbol(parse_occ(symbol)) for symbol in exchange.occ_symbols[:COUNT]]
    async with TastytradeClient(DEMO, exchange.base_url) as client:
        connection = DXLinkConnection(
            client.quote_token,
            [Subscription("Quote", symbol) for symbol in symbols],
            FIELDS,
            rng=random.Random(1),  # noqa: S311  jitter
            times=times,
            budget=SharedBudget(ChangeBudget(changes=100_000, window_secs=0.3)).of_rank(0),
            wall_secs=wall_secs,
        )
        told = Told(connection)
        async with aclosing(connection.events()) as events:

            async def until(enough: Callable[[], object]) -> None:
                async with asyncio.timeout(LONGEST_SECS):
                    while not enough():
                        told.take(await anext(events))

            yield told, until


async def test_a_rate_that_is_too_high_is_waited_out_and_what_was_dropped_sent_again(
    exchange: SimulatedExchange,
) -> None:
    exchange.faults.most_changes_a_minute = 700
    async with linked(exchange) as (told, until):
        await until(lambda: told.connection.counts.complaints["BAD_ACTION"])
        exchange.faults.most_changes_a_minute = 100_000
        await until(lambda: told.all_quoted)
        assert told.connection.counts.resent >= 500
        assert told.reasons == []


async def test_a_full_session_is_asked_for_less_until_it_takes_all(
    exchange: SimulatedExchange,
) -> None:
    exchange.faults.most_subscriptions = 700
    async with linked(exchange) as (told, until):
        await until(lambda: told.connection.counts.refused)
        assert told.connection.counts.refused == COUNT - told.subscribed
        # All three chunks may have been on their way before the complaint; then the second of
        # them turns out not to fit on the next connection.
        for losses in (1, 2):
            exchange.faults.resets += 1
            await until(lambda: len(told.reasons) == losses)  # noqa: B023 # awaited here
            await until(lambda: len(told.quoted) > 0.95 * 500)
        complaints = told.connection.counts.complaints["BAD_ACTION"]
        exchange.faults.resets += 1
        await until(lambda: len(told.reasons) == 3)
        await until(lambda: len(told.quoted) > 0.95 * 500)
        assert told.connection.counts.complaints["BAD_ACTION"] == complaints <= 2
        assert told.subscribed == 500


async def test_a_session_that_was_full_once_is_asked_for_all_again_after_a_while(
    exchange: SimulatedExchange,
) -> None:
    exchange.faults.most_subscriptions = 20  # less than one chunk
    async with linked(exchange, replace(QUICK, full=0.5)) as (told, until):
        await until(lambda: 0 < told.subscribed <= 20)
        exchange.faults.most_subscriptions = 25_000
        await asyncio.sleep(0.5)
        exchange.faults.resets += 1
        await until(lambda: told.all_quoted)


async def test_a_frame_that_is_too_large_is_halved_until_it_fits(
    exchange: SimulatedExchange,
) -> None:
    exchange.faults.most_frame_bytes = 9_000
    async with linked(exchange) as (told, until):
        await until(lambda: told.all_quoted)
        assert len(told.reasons) in {2, 3}  # 500 symbols, 250, perhaps 125
        assert all("1009" in reason for reason in told.reasons)


@pytest.mark.parametrize(
    ("fault", "says"), [("idle_closes", "Bye"), ("revocations", "token"), ("resets", "")]
)
async def test_after_each_kind_of_loss_everything_is_subscribed_anew(
    exchange: SimulatedExchange, fault: str, says: str
) -> None:
    async with linked(exchange) as (told, until):
        await until(lambda: told.all_quoted)
        setattr(exchange.faults, fault, getattr(exchange.faults, fault) + 1)
        await until(lambda: told.reasons)
        await until(lambda: told.all_quoted)
        (reason,) = told.reasons
        assert says in reason


@pytest.mark.parametrize(("jump_secs", "says"), [(28_800.0, "slept"), (-3_600.0, "set back")])
async def test_a_jump_of_the_wall_clock_replaces_the_connection(
    exchange: SimulatedExchange, jump_secs: float, says: str
) -> None:
    jump = 0.0
    async with linked(exchange, wall_secs=lambda: time.time() + jump) as (told, until):
        await until(lambda: told.all_quoted)
        jump = jump_secs
        await until(lambda: told.reasons)
        await until(lambda: told.all_quoted)
        (reason,) = told.reasons
        assert says in reason


@pytest.mark.parametrize("renewed", [True, False])
async def test_a_token_is_replaced_ahead_of_its_end_and_the_connection_stays(
    exchange: SimulatedExchange,
    renewed: bool,  # noqa: FBT001 # a parameter of the test
) -> None:
    exchange.faults.expiry_ends_sessions = True
    exchange.faults.quote_token_secs = 1.5
    times = replace(QUICK, token_life=0.2 if renewed else 1e6)
    async with linked(exchange, times) as (told, until):
        await until(lambda: told.all_quoted)
        begun_secs = time.monotonic()
        # Twice the life of a token; the exchange goes on quoting, so that events come.
        await until(lambda: told.reasons or time.monotonic() - begun_secs > 3.0)
        assert (told.reasons == []) is renewed


async def test_a_server_gone_mad_does_not_fill_the_log(exchange: SimulatedExchange) -> None:
    exchange.faults.error_frames = 200
    with capture_logs() as logged:
        async with linked(exchange) as (told, until):
            await until(lambda: told.connection.counts.complaints["UNKNOWN"] == 200)
    lines = [line["count"] for line in logged if line["event"] == "dxlink_error"]
    assert lines == [*range(1, 17), 32, 64, 128]


def test_pauses_double_to_a_ceiling_and_are_jittered() -> None:
    times = ConnectionTimes(first_retry=1.0, longest_retry=60.0)

    def pauses(seed: int) -> list[float]:
        rng = random.Random(seed)  # noqa: S311  jitter
        connection = DXLinkConnection(AsyncMock(), [], FIELDS, rng=rng, times=times)
        return [connection._pause_secs(failures) for failures in range(1, 60)]

    for failures, pause_secs in enumerate(pauses(1)):
        ceiling_secs = min(60.0, 2.0**failures)
        assert 0.5 * ceiling_secs <= pause_secs <= ceiling_secs
    assert not set(pauses(1)) & set(pauses(2))  # many clients do not come back together


async def test_each_connection_has_a_token_of_its_own(exchange: SimulatedExchange) -> None:
    tokens: list[str] = []
    async with TastytradeClient(DEMO, exchange.base_url) as client:

        async def noted() -> QuoteToken:
            tokens.append((token := await client.quote_token()).token)
            return token

        rng = random.Random(1)  # noqa: S311  jitter
        connection = DXLinkConnection(
            noted, [Subscription("Trade", "XSP")], FIELDS, rng=rng, times=QUICK
        )
        async with asyncio.timeout(LONGEST_SECS), aclosing(connection.events()) as events:
            async for event in events:
                if isinstance(event, Subscribed) and len(tokens) < 3:
                    exchange.faults.resets += 1
                elif isinstance(event, Subscribed):
                    break
    assert len(set(tokens)) == 3


async def test_refused_tokens_slow_the_link_down_and_end_nothing(
    exchange: SimulatedExchange,
) -> None:
    exchange.faults.quote_token_secs = -1.0
    async with linked(exchange) as (told, until):
        await until(lambda: len(told.reasons) == 4)
        assert "may stream" in told.reasons[-1]
        exchange.faults.quote_token_secs = 900.0
        await until(lambda: told.all_quoted)


async def test_a_redirect_is_refused_and_the_token_stays_here(
    exchange: SimulatedExchange,
) -> None:
    visitors: list[bytes] = []

    async def note(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        visitors.append(await reader.read(10))
        writer.close()

    async def redirect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        port = elsewhere.sockets[0].getsockname()[1]
        location = f"ws://127.0.0.1:{port}/realtime"
        head = f"HTTP/1.1 307 Temporary Redirect\r\nLocation: {location}\r\nContent-Length: 0\r\n"
        writer.write(f"{head}Connection: close\r\n\r\n".encode())
        await writer.drain()
        writer.close()

    async with (
        await asyncio.start_server(note, "127.0.0.1", 0) as elsewhere,
        await asyncio.start_server(redirect, "127.0.0.1", 0) as here,
        TastytradeClient(DEMO, exchange.base_url) as client,
    ):
        port = here.sockets[0].getsockname()[1]

        async def misled() -> object:
            token = await client.quote_token()
            return type(token)(token.token, f"ws://127.0.0.1:{port}/realtime", token.level)

        connection = DXLinkConnection(
            misled,  # type: ignore[arg-type]
            [],
            FIELDS,
            rng=random.Random(1),  # noqa: S311  jitter
            times=QUICK,
        )
        async with aclosing(connection.events()) as events:
            down = await anext(events)
    assert isinstance(down, ConnectionLost)
    assert "cannot be opened" in down.reason
    assert visitors == []
