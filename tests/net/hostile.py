"""Servers on loopback that answer as no server should."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

Answering: TypeAlias = "Callable[[asyncio.StreamWriter], Awaitable[None]]"

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


@asynccontextmanager
async def serving(answering: Answering) -> AsyncIterator[str]:
    """Answer every request of every connection in one way; yields the address."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            await answering(writer)
            await writer.drain()
        except (asyncio.CancelledError, asyncio.IncompleteReadError, OSError):
            pass  # the client has left, as it should, or the test is over
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


def with_body(head: bytes, body: bytes) -> Answering:
    """Return a server that sends a head and a body of the right length."""

    async def answering(writer: asyncio.StreamWriter) -> None:
        writer.write(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)

    return answering


def sending(*parts: bytes, pause_secs: float = 0.0, last_for_ever: bool = False) -> Answering:
    """Return a server that sends parts with pauses, the last one again and again if wished."""

    async def answering(writer: asyncio.StreamWriter) -> None:
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(pause_secs)
        while last_for_ever:
            writer.write(parts[-1])
            await writer.drain()
            await asyncio.sleep(pause_secs)

    return answering
