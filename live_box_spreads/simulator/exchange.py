"""The simulated exchange, running: beside a test in a thread, or alone in the foreground."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import signal
import socket
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Self, TypeVar

import uvicorn

from live_box_spreads.model.errors import FeedUnavailableError
from live_box_spreads.simulator.credentials import TokenOffice
from live_box_spreads.simulator.dxlink.server import DxlinkServer
from live_box_spreads.simulator.exchange_state import ExchangeState
from live_box_spreads.simulator.faults import Faults
from live_box_spreads.simulator.market.market import Market
from live_box_spreads.simulator.market.universe import ALL_ROOTS
from live_box_spreads.simulator.rest.app import build_app
from live_box_spreads.simulator.scenarios import play_for_ever

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from live_box_spreads.simulator.market.truth import Truth

LOOPBACK = "127.0.0.1"
_START_SECS = 60.0
_STOP_SECS = 10.0
_Answer = TypeVar("_Answer")


@dataclass(frozen=True, slots=True)
class SimulatorOptions:
    """How to run a simulated exchange.

    Attributes:
        seed: seed of the market; the same seed gives the same market at the same instants.
        port: port of the REST API on loopback; 0 takes any free one.
        roots: option roots to list.
        now: instant at which the market opens, with a time zone; None is now.
        tick_secs: seconds between steps of the market.
        pace: times the usual number of quote updates.
        password_logins: accept user name and password, as the vendor did until 2026.
        level: what the quote token says: ``api``, or ``demo`` for delayed quotes.
        faults: misbehaviour from the start; it can be changed while running.
        trouble_seed: lets random scenarios happen, in an order that depends on this; None for none.
        longest_rest_secs: most seconds of health between two such scenarios.
        on_trouble: told the name of each such scenario as it begins.
    """

    seed: int = 1
    port: int = 0
    roots: tuple[str, ...] = ALL_ROOTS
    now: datetime | None = None
    tick_secs: float = 0.25
    pace: float = 1.0
    password_logins: bool = False
    level: str = "api"
    faults: Faults = field(default_factory=Faults)
    trouble_seed: int | None = None
    longest_rest_secs: float = 30.0
    on_trouble: Callable[[str], None] = lambda _name: None


@dataclass(frozen=True, slots=True)
class QuotedContract:
    """A contract's quote in the true book; NaN is a side that nobody quotes."""

    bid: float
    ask: float
    bid_size: float
    ask_size: float


class SimulatedExchange:
    """An exchange on loopback, in a thread of its own, until the ``with`` block ends.

    Attributes:
        base_url: where the REST API is served.
        dxlink_url: where DXLink is served; clients learn it from the quote token.
        faults: injected misbehaviour; change it at any time.
    """

    def __init__(self, options: SimulatorOptions | None = None) -> None:
        """Prepare an exchange; nothing runs yet."""
        self._options = options or SimulatorOptions()
        self.faults = self._options.faults
        self.base_url = ""
        self.dxlink_url = ""
        self._exchange: _Exchange | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        """Open the market and serve it.

        Raises:
            FeedUnavailableError: the port is taken, or it does not start.
        """
        exchange = _Exchange(self._options)
        self._exchange = exchange
        self.base_url, self.dxlink_url = exchange.base_url, exchange.dxlink_url
        self._thread = threading.Thread(
            target=lambda: asyncio.run(exchange.run()), name="simulated-exchange", daemon=True
        )
        self._thread.start()
        if not exchange.started.wait(_START_SECS):
            raise FeedUnavailableError(
                f"the simulated exchange did not start within {_START_SECS:g} s; try again"
            )
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Stop serving and wait until every socket is closed."""
        if self._exchange is not None and self._thread is not None:
            self._exchange.stop()
            self._thread.join(_STOP_SECS)
        self._exchange = self._thread = None

    def truth(self) -> Truth:
        """Return what the market knows now."""
        exchange = self._running()
        return exchange.call(exchange.market.truth)

    def quote(self, occ_symbol: str) -> QuotedContract:
        """Return the quote of a contract as it stands in the book.

        Raises:
            KeyError: the exchange lists no such contract.
        """
        exchange = self._running()
        row = exchange.contract_rows[occ_symbol]
        book = exchange.market.book
        return exchange.call(
            lambda: QuotedContract(
                float(book.bid[row]),
                float(book.ask[row]),
                float(book.bid_size[row]),
                float(book.ask_size[row]),
            )
        )

    def withdraw_ask(self, occ_symbol: str) -> None:
        """Take a contract's ask out of the book for good.

        Raises:
            KeyError: the exchange lists no such contract.
        """
        exchange = self._running()
        row = exchange.contract_rows[occ_symbol]
        exchange.call(lambda: exchange.market.withdraw_ask(row))

    @property
    def occ_symbols(self) -> tuple[str, ...]:
        """OCC symbols of all listed contracts."""
        return self._running().market.listing.occ_symbols

    @property
    def streamer_symbols(self) -> tuple[str, ...]:
        """DXLink symbols of all listed contracts, in the order of ``occ_symbols``."""
        return self._running().market.listing.streamer_symbols

    def dxlink_sessions(self) -> int:
        """Return the number of authorized DXLink sessions that are open."""
        exchange = self._running()
        return exchange.call(lambda: exchange.dxlink_sessions)

    def _running(self) -> _Exchange:
        if self._exchange is None:
            raise FeedUnavailableError("the simulated exchange is not running; enter it first")
        return self._exchange


def serve_forever(options: SimulatorOptions, on_ready: Callable[[str], None]) -> None:
    """Run an exchange in the foreground until SIGINT or SIGTERM.

    Args:
        options: how to run it.
        on_ready: called once with the base URL, when the exchange answers.

    Raises:
        FeedUnavailableError: the port is taken.
    """
    exchange = _Exchange(options)

    def stop(_number: int, _frame: object) -> None:
        exchange.stop()

    signals = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, stop) for number in signals}
    try:
        asyncio.run(exchange.run(lambda: on_ready(exchange.base_url)))
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _Exchange:
    """The market, its two servers and their event loop."""

    def __init__(self, options: SimulatorOptions) -> None:
        self._options = options
        clock = _clock_from(options.now)
        self.market = Market(clock(), seed=options.seed, roots=options.roots, pace=options.pace)
        self._rest_socket = _listener(options.port)
        self._dxlink_socket = _listener(0)
        self.base_url = f"http://{LOOPBACK}:{self._rest_socket.getsockname()[1]}"
        self._state = ExchangeState(
            market=self.market,
            office=TokenOffice(options.faults),
            faults=options.faults,
            clock=clock,
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
        return asyncio.run_coroutine_threadsafe(ask(), self._loop).result(_START_SECS)

    async def _tick_forever(self) -> None:
        while True:
            await asyncio.sleep(self._options.tick_secs)
            if not self._state.faults.paused:
                self.market.advance(self._state.clock())


class _RestServer(uvicorn.Server):
    """A server that leaves signals to whoever runs it."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


def _clock_from(start: datetime | None) -> Callable[[], datetime]:
    """Return a clock that runs from this instant on, or the computer's if there is none."""
    if start is None:
        return lambda: datetime.now(UTC)
    began = time.monotonic()
    first = start.astimezone(UTC)
    return lambda: first + timedelta(seconds=time.monotonic() - began)


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
