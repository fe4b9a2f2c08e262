"""A DXLink server that sends ready-made quotes as fast as a client takes them, or at a rate.

It does no more than the handshake of one FEED channel, so that what is measured is the client.
Run by ``benchmarks/stream.py`` as a process of its own; prints its port.
"""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING, Any

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

FIELDS = ("eventSymbol", "bidPrice", "askPrice", "bidSize", "askSize")
FRAMES_AT_ONCE = 8
_SHORT, _LONG = 126, 2**16


@dataclass(frozen=True)
class Load:
    """What is sent.

    Attributes:
        contracts: symbols that are quoted, over and over.
        quotes_a_frame: in each FEED_DATA.
        quotes_a_second: 0 for as many as the client takes.
    """

    contracts: int
    quotes_a_frame: int
    quotes_a_second: int


def symbols(count: int) -> list[str]:
    """Return streamer symbols as of an SPXW listing."""
    return [
        f".SPXW27{month:02d}{day:02d}{right}{strike}"
        for strike in range(4000, 9000, 5)
        for month in range(1, 13)
        for day in (5, 20)
        for right in "CP"
    ][:count]


def quotes(count: int, seed: int) -> Iterator[tuple[str, float, float, float, float]]:
    """Yield plausible quotes: cents in multiples of five, sizes in whole contracts."""
    state = seed * 2 + 1
    for symbol in symbols(count):
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        bid = round(0.05 * (1 + (state >> 33) % 9_000), 2)
        size = float(1 + (state >> 20) % 300)
        yield symbol, bid, round(bid + 0.05 * (1 + (state >> 50) % 9), 2), size, size + 3


def feed_data(rows: Sequence[Sequence[Any]], event_type: str = "Quote") -> str:
    """Return a FEED_DATA frame of these rows."""
    flat = [value for row in rows for value in row]
    message = {"type": "FEED_DATA", "channel": 1, "data": [event_type, flat]}
    return json.dumps(message, separators=(",", ":"))


def batches(contracts: int, quotes_a_frame: int) -> list[list[tuple[Any, ...]]]:
    """Return the rows of all frames; each contract is quoted once, in an order like chance."""
    rows = sorted(quotes(contracts, 1), key=lambda row: hash(row[1:3]))
    return [rows[at : at + quotes_a_frame] for at in range(0, contracts, quotes_a_frame)]


def websocket_frame(payload: bytes) -> bytes:
    """Return a whole unmasked text frame (RFC 6455, section 5.2)."""
    if len(payload) < _SHORT:
        return b"\x81" + len(payload).to_bytes(1) + payload
    if len(payload) < _LONG:
        return b"\x81\x7e" + len(payload).to_bytes(2) + payload
    return b"\x81\x7f" + len(payload).to_bytes(8) + payload


class Blaster:
    """Serves one load to every client."""

    def __init__(self, load: Load) -> None:
        """Make the frames ahead, so that sending them costs next to nothing."""
        self._load = load
        made = [feed_data(rows) for rows in batches(load.contracts, load.quotes_a_frame)]
        self._frames = [websocket_frame(frame.encode()) for frame in made]
        self._cut = [frame.rpartition(",")[0].encode() for frame in made]  # without the last size

    async def serve(self, connection: ServerConnection) -> None:
        """Shake hands, then send until the client goes."""
        try:
            async for text in connection:
                message = json.loads(text)
                for answer in self._answers(message):
                    await connection.send(json.dumps(answer))
                if any(item["type"] == "Quote" for item in message.get("add", ())):
                    await asyncio.gather(self._drain(connection), self._send(connection))
        except (ConnectionClosed, ConnectionError, RuntimeError):  # written after the end
            return

    def _answers(self, message: dict[str, Any]) -> list[dict[str, Any]]:
        match message["type"]:
            case "SETUP":
                setup = {"type": "SETUP", "channel": 0, "version": "1.0", "keepaliveTimeout": 60}
                return [setup, {"type": "AUTH_STATE", "channel": 0, "state": "AUTHORIZED"}]
            case "CHANNEL_REQUEST":
                return [{"type": "CHANNEL_OPENED", "channel": 1, "service": "FEED"}]
            case "FEED_SETUP":
                fields = {"Quote": FIELDS}
                config = {"type": "FEED_CONFIG", "channel": 1, "dataFormat": "COMPACT"}
                return [{**config, "aggregationPeriod": 0.1, "eventFields": fields}]
        return []

    async def _drain(self, connection: ServerConnection) -> None:
        async for _ in connection:
            pass

    async def _send(self, connection: ServerConnection) -> None:
        """Send for ever, or until a write fails."""
        transport = connection.transport
        transport.set_write_buffer_limits(high=2**18)
        if self._load.quotes_a_second:
            await self._send_at_rate(transport)
        while True:
            for at in range(0, len(self._frames), FRAMES_AT_ONCE):
                transport.write(b"".join(self._frames[at : at + FRAMES_AT_ONCE]))
                await connection.drain()

    async def _send_at_rate(self, transport: asyncio.Transport) -> None:
        """Send on a schedule; the last size of a frame is the microsecond in which it left."""
        pause_secs = self._load.quotes_a_frame / self._load.quotes_a_second
        due_secs = monotonic()
        while True:
            for cut in self._cut:
                due_secs += pause_secs
                await asyncio.sleep(max(0.0, due_secs - monotonic()))
                stamp = str(int(monotonic() * 1e6)).encode()
                transport.write(websocket_frame(cut + b"," + stamp + b"]]}"))


async def main(load: Load) -> None:
    """Serve until the standard input is closed."""
    blaster = Blaster(load)
    async with serve(blaster.serve, "127.0.0.1", 0, compression=None) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(Load(*map(int, sys.argv[1:4]))))
