"""The simulated exchange, running: beside a test in a thread, or alone in the foreground."""

from __future__ import annotations

import asyncio
import signal
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from live_box_spreads.model.errors import FeedUnavailableError
from live_box_spreads.simulator.serving import Exchange, SimulatorOptions

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from live_box_spreads.simulator.market.history import QuoteWindow
    from live_box_spreads.simulator.market.truth import Truth

__all__ = ["QuotedContract", "SimulatedExchange", "SimulatorOptions", "serve_forever"]

_START_SECS = 60.0
_STOP_SECS = 10.0


@dataclass(frozen=True, slots=True)
class QuotedContract:
    """A contract's quote in the true book; NaN is a side that is not quoted."""

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
        self._exchange: Exchange | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        """Open the market and serve it.

        Raises:
            FeedUnavailableError: the port is taken, or it does not start.
        """
        exchange = Exchange(self._options)
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

    def quotes_so_far(self) -> QuoteWindow:
        """Return what was quoted over the last ``history_secs``."""
        exchange = self._running()
        return exchange.call(exchange.history.window)

    def now(self) -> datetime:
        """Return the exchange's time (UTC)."""
        return self._running().clock()

    def skip_to(self, instant: datetime) -> None:
        """Let the exchange's time go to a later instant at once, as over a night."""
        exchange = self._running()
        exchange.call(lambda: exchange.clock.skip_to(instant))

    def shift_curve(self, bps: float) -> None:
        """Let the true curve jump by so many basis points at every tenor, for good.

        Quotes follow with the market's next steps.
        """
        exchange = self._running()
        exchange.call(lambda: exchange.market.shift_curve(bps))

    def withdraw_ask(self, occ_symbol: str) -> None:
        """Take a contract's ask out of the book for good.

        Raises:
            KeyError: the exchange lists no such contract.
        """
        exchange = self._running()
        row = exchange.contract_rows[occ_symbol]

        def withdraw() -> None:
            exchange.market.withdraw_ask(row, exchange.clock())
            exchange.history.note()

        exchange.call(withdraw)

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

    def _running(self) -> Exchange:
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
    exchange = Exchange(options)

    def stop(_number: int, _frame: object) -> None:
        exchange.stop()

    signals = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, stop) for number in signals}
    try:
        asyncio.run(exchange.run(lambda: on_ready(exchange.base_url)))
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
