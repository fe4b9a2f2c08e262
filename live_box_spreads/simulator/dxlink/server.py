"""DXLink over websockets: the thin shell around :class:`DxlinkSession`."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import TYPE_CHECKING

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from live_box_spreads.simulator.dxlink.session import DxlinkSession
from live_box_spreads.simulator.faults import MOST_FRAME_BYTES

if TYPE_CHECKING:
    import socket

    from websockets.http11 import Request, Response

    from live_box_spreads.simulator.exchange_state import ExchangeState

_TICK_SECS = 0.02
_CLOSE_SECS = 0.5


class DxlinkServer:
    """Serves one session a websocket."""

    def __init__(self, state: ExchangeState) -> None:
        """Serve this exchange."""
        self._state = state
        self._symbol_rows = {symbol: row for row, symbol in enumerate(state.market.symbols)}

    async def start(self, listener: socket.socket) -> Server:
        """Listen on a bound socket.

        Frames above the vendor's limit are read, up to twice its size, so that the session can
        say why it closes; longer ones are refused by the websocket itself, with the same code.
        """
        return await serve(
            self._run,
            sock=listener,
            compression=None,
            max_size=2 * MOST_FRAME_BYTES,
            ping_interval=None,
            close_timeout=_CLOSE_SECS,
            process_request=self._refuse_upgrade,
        )

    def _refuse_upgrade(self, connection: ServerConnection, _request: Request) -> Response | None:
        if not self._state.faults.take_one("refused_upgrades"):
            return None
        return connection.respond(HTTPStatus.BAD_GATEWAY, "<html>502 Bad Gateway</html>\n")

    async def _run(self, socket: ServerConnection) -> None:
        state = self._state
        session = DxlinkSession(
            state.market, self._symbol_rows, state.tokens, state.faults, state.now_secs()
        )
        reader = asyncio.create_task(self._read(socket, session))
        try:
            await self._write(socket, session, reader)
        except ConnectionClosed:
            return  # the client has left
        finally:
            session.ended()
            reader.cancel()
            await asyncio.gather(reader, return_exceptions=True)

    async def _read(self, socket: ServerConnection, session: DxlinkSession) -> None:
        async for message in socket:
            text = message if isinstance(message, str) else message.decode(errors="replace")
            session.received(text, self._state.now_secs())

    async def _write(
        self, socket: ServerConnection, session: DxlinkSession, reader: asyncio.Task[None]
    ) -> None:
        """Send what the session has to say until either side has had enough."""
        faults = self._state.faults
        orders = {
            "idle_closes": session.hang_up,
            "channel_closes": session.close_channels,
            "revocations": session.revoke,
        }
        seen = {name: getattr(faults, name) for name in ("resets", *orders)}
        while not reader.done():
            if faults.resets != seen["resets"]:
                socket.transport.abort()
                return
            for name, obey in orders.items():
                if getattr(faults, name) != seen[name]:
                    seen[name] = getattr(faults, name)
                    obey()
            now_secs = self._state.now_secs()
            session.tick(now_secs)
            for text in session.outgoing(now_secs):
                if faults.frame_delay_secs > 0:
                    await asyncio.sleep(faults.frame_delay_secs)
                await socket.send(text)
            if session.close is not None:
                await socket.close(*session.close)
                return
            await asyncio.wait([reader], timeout=_TICK_SECS)
