"""The stream's connection against servers that answer as none should, over real sockets."""

from __future__ import annotations

import random
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from websockets.asyncio.server import serve

from live_box_spreads.dxlink import connection
from live_box_spreads.dxlink.connection import ConnectionLost, DXLinkConnection
from live_box_spreads.dxlink.session import ConnectionTimes
from live_box_spreads.dxlink.subscriptions import MAX_CHUNK_SYMBOLS
from live_box_spreads.tastytrade_client import QuoteToken
from tests.net.hostile import sending, serving

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from websockets.asyncio.server import ServerConnection

    from tests.net.hostile import Answering

TIMES = ConnectionTimes(handshake=0.4, silence=0.4, first_retry=0.01, longest_retry=0.02)
PATIENT = replace(TIMES, handshake=20.0, silence=20.0)


async def losses(
    url: str, count: int, times: ConnectionTimes = TIMES
) -> tuple[DXLinkConnection, list[str]]:
    """Return a connection and why it lost its first connections."""

    async def token() -> QuoteToken:
        return QuoteToken("s3cret", url.replace("http:", "ws:"), "api")

    connection = DXLinkConnection(token, [], {}, rng=random.Random(1), times=times)  # noqa: S311 # jitter
    reasons: list[str] = []
    async with aclosing(connection.events()) as events:
        while len(reasons) < count:
            event = await anext(events)
            if isinstance(event, ConnectionLost):
                reasons.append(event.reason)
    return connection, reasons


@asynccontextmanager
async def websocket(message: str) -> AsyncIterator[str]:
    """Answer the first frame of each connection with one message, packed as websockets do."""

    async def answer(peer: ServerConnection) -> None:
        await peer.recv()
        await peer.send(message)
        await peer.wait_closed()

    async with serve(answer, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_a_message_beyond_the_limit_is_not_read_and_costs_one_connection() -> None:
    async with websocket(" " * (connection._LARGEST_MESSAGE_BYTES + 1)) as url:
        lasting, reasons = await losses(url, 2, PATIENT)
    assert all("a message of more than 16,777,216 bytes" in reason for reason in reasons)
    # The server answers our close with our own code: that is no complaint about our frames.
    assert lasting._chunk_symbols == MAX_CHUNK_SYMBOLS


@pytest.mark.parametrize(
    "answering",
    [
        sending(b"HTTP/1.1 101 Switching Protocols\r\n", b"X: 1\r\n", pause_secs=0.05),
        sending(b"H", pause_secs=0.05, last_for_ever=True),
        sending(b"", pause_secs=3600.0),
        sending(b"HTTP/1.1 503 No\r\nContent-Length: 9\r\n\r\n", b" ", pause_secs=3600.0),
        sending(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 10_000, last_for_ever=True),
        sending(b"HTTP/1.1 101 Switching Protocols\r\n", b"X: y\r\n" * 999, last_for_ever=True),
    ],
    ids=["headers", "status line", "nothing", "a refusal", "body without end", "many headers"],
)
async def test_a_handshake_has_an_end_however_the_server_draws_it_out(
    answering: Answering,
) -> None:
    async with serving(answering) as url:
        _, reasons = await losses(url, 2)
    for reason in reasons:
        assert reason.isprintable()
        assert len(reason) <= 300
        assert "s3cret" not in reason


async def test_what_a_server_says_in_closing_is_one_short_line() -> None:
    async def answer(peer: ServerConnection) -> None:
        await peer.recv()
        await peer.close(4000, "no\n\x1b[2J way")

    async with serve(answer, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        _, [reason] = await losses(url, 1)
    assert "no [2J way" in reason
    assert reason.isprintable()
