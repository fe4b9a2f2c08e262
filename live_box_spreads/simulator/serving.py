"""The market, its two servers and their event loop; ``exchange.py`` is the way in."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import socket
import threading
from typing import TYPE_CHECKING, TypeVar

import uvicorn

from live_box_spreads.model.errors import FeedUnavailableError
from live_box_spreads.simulator.clock import ExchangeClock
from live_box_spreads.simulator.credentials import TokenOffice
from live_box_spreads.simulator.dxlink.server import DxlinkServer
from live_box_spreads.simulator.exchange_state import ExchangeState
from live_box_spreads.simulator.market.history import QuoteHistory
from live_box_spreads.simulator.market.market import Market
from live_box_spreads.simulator.rest.app import build_app
from live_box_spreads.simulator.scenarios import play_for_ever

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from live_box_spreads.simulator.options import SimulatorOptions

LOOPBACK = "127.0.0.1"
_ANSWER_SECS = 60.0
_Answer = TypeVar("_Answer")


class Exchange:
    """The market, its two servers and their event loop."""

    def __init__(self, options: SimulatorOptions) -> None:
        """Open the market and bind its sockets.

        Raises:
            FeedUnavailableError: the port is taken.
        """
        self._options = options
        self.clock = ExchangeClock(options.now, options.speed)
        self.market = Market(
            self.clock(), seed=options.seed, roots=options.roots, pace=options.pace
        )
        self.history = QuoteHistory(self.market, options.history_secs)
        self._rest_socket = _listener(options.port)
        self._dxlink_socket = _listener(0)
        self.base_url = f"http://{LOOPBACK}:{self._rest_socket.getsockname()[1]}"
        self._state = ExchangeState(
            market=self.market,
            office=TokenOffice(options.faults),
            faults=options.faults,
            clock=self.clock,
            realtime_url=f"ws://{LOOPBACK}:{self._dxlink_socket.getsockname()[1]}/realtime",
            entitlement=options.level,
            password_logins=options.password_logins,
        )
        self.dxlink_url = self._state.dxlink_url
        symbols = self.market.listing.occ_symbols
        self.contract_rows = {symbol: row for row, symbol in enumerate(symbols)}
        self.started = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop = asyncio.Event()

    @property
    def dxlink_sessions(self) -> int:
        """Number of authorized DXLink sessions that are open."""
        return self._state.office.dxlink_sessions

    async def run(self, on_ready: Callable[[], None] = lambda: None) -> None:
        """Serve until told to stop."""
        self._loop = asyncio.get_running_loop()
        config = uvicorn.Config(
            build_app(self._state),
            lifespan="off",
            log_config=None,
            log_level="critical",
            access_log=False,
            timeout_graceful_shutdown=1,
        )
        rest = _RestServer(config)
        dxlink = await DxlinkServer(self._state).start(self._dxlink_socket)
        tasks = [
            asyncio.create_task(rest.serve(sockets=[self._rest_socket])),
            asyncio.create_task(self._tick_forever()),
        ]
        if self._options.trouble_seed is not None:
            rng = random.Random(self._options.trouble_seed)  # noqa: S311 - not a secret
            trouble = play_for_ever(
                self._state.faults, rng, self._options.on_trouble, self._options.longest_rest_secs
            )
            tasks.append(asyncio.create_task(trouble))
        self.started.set()
        on_ready()
        await self._stop.wait()
        for task in tasks[1:]:
            task.cancel()
        rest.should_exit = True
        dxlink.close()
        await dxlink.wait_closed()
        await asyncio.gather(*tasks, return_exceptions=True)

    def stop(self) -> None:
        """Ask the loop to end, even before it runs; from any thread or from a signal handler."""
        if self._loop is None:
            self._stop.set()
        elif not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._stop.set)

    def call(self, question: Callable[[], _Answer]) -> _Answer:
        """Ask something of the market between two of its steps; from another thread."""

        async def ask() -> _Answer:
            return question()

        if self._loop is None:
            return question()
        return asyncio.run_coroutine_threadsafe(ask(), self._loop).result(_ANSWER_SECS)

    async def _tick_forever(self) -> None:
        while True:
            await asyncio.sleep(self._options.tick_secs)
            if not self._state.faults.paused:
                self.market.advance(self.clock())
            if self._options.history_secs > 0:
                self.history.note()


class _RestServer(uvicorn.Server):
    """A server that leaves signals to whoever runs it."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


def _listener(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    if os.name == "posix":  # elsewhere it would let two processes have one port
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((LOOPBACK, port))
        listener.listen()  # who connects from now on waits, and no second exchange gets the port
    except OSError as error:
        listener.close()
        raise FeedUnavailableError(
            f"port {port} on {LOOPBACK} cannot be used ({error.strerror}); choose another"
        ) from None
    return listener
