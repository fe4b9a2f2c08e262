"""A simulated exchange: its options, clock, market, two servers and their event loop.

Start it by ``exchange.py``.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import socket
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

import uvicorn

from live_box_spreads.model.errors import FeedUnavailableError
from live_box_spreads.simulator.credentials import TokenIssuer
from live_box_spreads.simulator.dxlink.server import DxlinkServer
from live_box_spreads.simulator.exchange_state import ExchangeState
from live_box_spreads.simulator.faults import Faults
from live_box_spreads.simulator.market.conditions import CONDITIONS, DEMO_DAY, Conditions
from live_box_spreads.simulator.market.history import QuoteHistory
from live_box_spreads.simulator.market.market import Market
from live_box_spreads.simulator.market.universe import ALL_ROOTS
from live_box_spreads.simulator.rest.app import build_app
from live_box_spreads.simulator.scenarios import play_for_ever

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

LOOPBACK = "127.0.0.1"
_ANSWER_SECS = 60.0
_Answer = TypeVar("_Answer")


@dataclass(frozen=True, slots=True)
class SimulatorOptions:
    """How to run a simulated exchange.

    Attributes:
        seed: seed of the market; the same seed gives the same market at the same instants.
        port: port of the REST API on loopback; 0 takes any free one.
        roots: option roots to list.
        now: instant at which the market opens, with a time zone; None is now.
        speed: seconds of the exchange in one of the computer.
        tick_secs: seconds between steps of the market.
        pace: times the usual number of quote updates.
        conditions: kind of day; by default one on which quotes err a little as real ones do.
        password_logins: accept user name and password, as the vendor did until 2026.
        level: the level of quote tokens: ``api``, or ``demo`` for delayed quotes.
        history_secs: how long to remember what was quoted, in seconds of the exchange; 0 for not.
        faults: misbehaviour from the start; it can be changed while running.
        trouble_seed: lets random scenarios happen, in an order that depends on this; None for none.
        longest_rest_secs: most seconds of health between two such scenarios.
        on_trouble: called with the name of each such scenario as it begins.
    """

    seed: int = 1
    port: int = 0
    roots: tuple[str, ...] = ALL_ROOTS
    now: datetime | None = None
    speed: float = 1.0
    tick_secs: float = 0.25
    pace: float = 1.0
    conditions: Conditions = CONDITIONS[DEMO_DAY]
    password_logins: bool = False
    level: str = "api"
    history_secs: float = 0.0
    faults: Faults = field(default_factory=Faults)
    trouble_seed: int | None = None
    longest_rest_secs: float = 30.0
    on_trouble: Callable[[str], None] = lambda _name: None


class ExchangeClock:
    """Runs from an instant on; call it for the time now (UTC)."""

    def __init__(self, start: datetime | None = None, speed: float = 1.0) -> None:
        """Start.

        Args:
            start: the time now, with a time zone; None is the computer's.
            speed: seconds of the exchange in one of the computer.
        """
        self._start = datetime.now(UTC) if start is None else start.astimezone(UTC)
        self._speed = speed
        self._began_secs = time.monotonic()
        self._follows_computer = start is None and speed == 1.0

    def __call__(self) -> datetime:
        """Return the exchange's time."""
        if self._follows_computer:
            return datetime.now(UTC)
        elapsed_secs = time.monotonic() - self._began_secs
        return self._start + timedelta(seconds=elapsed_secs * self._speed)

    def skip_to(self, instant: datetime) -> None:
        """Go to a later instant at once; an earlier one is no matter.

        Args:
            instant: with a time zone.
        """
        now = self()
        self._follows_computer = False
        self._start = max(now, instant.astimezone(UTC))
        self._began_secs = time.monotonic()


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
            self.clock(),
            seed=options.seed,
            roots=options.roots,
            pace=options.pace,
            conditions=options.conditions,
        )
        self.history = QuoteHistory(self.market, options.history_secs)
        self._rest_socket = _listener(options.port)
        self._dxlink_socket = _listener(0)
        self.base_url = f"http://{LOOPBACK}:{self._rest_socket.getsockname()[1]}"
        self._state = ExchangeState(
            market=self.market,
            tokens=TokenIssuer(options.faults),
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
        return self._state.tokens.dxlink_sessions

    async def run(self, on_ready: Callable[[], None] = lambda: None) -> None:
        """Serve until :meth:`stop`."""
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
    """A server that leaves signals to its caller."""

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
