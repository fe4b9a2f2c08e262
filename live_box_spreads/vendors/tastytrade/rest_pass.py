"""REST passes beside a stream: quotes and slow fields where the stream has none.

A pass asks, near the money first, for every contract of which the stream has not brought all:
those beyond its limits, those that never quote or trade, those still to be subscribed, and, while
a connection is down, all that were on it. It brings what the stream has not. Such quotes carry
their own time, so that none looks fresher than it is.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl
import structlog

from live_box_spreads.feeds.base import Activity, Quotes, Update
from live_box_spreads.model.errors import FeedError
from live_box_spreads.net.verdicts import Verdict, error_ruling
from live_box_spreads.vendors.tastytrade.plan import NUMBERS
from live_box_spreads.vendors.tastytrade.quiet import QuietContracts
from live_box_spreads.vendors.tastytrade.spots import spots_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from datetime import datetime

    from numpy.typing import NDArray

    from live_box_spreads.feeds.base import Contracts
    from live_box_spreads.vendors.tastytrade.client import MarketDataAnswer, TastytradeClient
    from live_box_spreads.vendors.tastytrade.messages import MarketData
    from live_box_spreads.vendors.tastytrade.plan import StreamPlan

log = structlog.get_logger(__name__)

_CONTRACTS_A_STEP: Final = 600
"""Asked for at once: a pass of many such steps shows its first answers early."""


_MOST_CHECKED: Final = 2_000
"""Quiet contracts checked at a time: outside market hours all are quiet."""


@dataclass(frozen=True, slots=True)
class RestTimes:
    """When REST passes begin; all in seconds.

    Attributes:
        every: pause between passes while the stream is up; the first is at once.
        after_loss: a stream that is back this soon needs no stop-gap.
        while_down: pause between passes while the stream is down or subscribing anew.
        quiet: a contract that the stream has not quoted for this long is checked.
        check_every: pause between such checks.
        check_grace: a quote that REST knows and the stream does not may come for this long.
    """

    every: float = 300.0
    after_loss: float = 5.0
    while_down: float = 30.0
    quiet: float = 90.0
    check_every: float = 30.0
    check_grace: float = 5.0


class RestPass:
    """Asks REST for what the stream lacks, again and again, faster while it is down.

    Attributes:
        streamed: by event type, which contracts the stream brings on a connection that stands.
    """

    def __init__(
        self,
        client: TastytradeClient,
        contracts: Contracts,
        plan: StreamPlan,
        *,
        clock: Callable[[], datetime],
        times: RestTimes,
    ) -> None:
        """Prepare without asking.

        Args:
            client: whom to ask.
            contracts: what to ask for.
            plan: in which order.
            clock: current UTC time.
            times: when.
        """
        self.streamed = {kind: np.zeros(len(contracts), np.bool_) for kind in NUMBERS}
        self._client = client
        self._occ_symbols = contracts.table["occ_symbol"]
        self._underlyings = plan.underlyings
        self._order = plan.order
        self._clock = clock
        self._times = times
        self._quiet = QuietContracts(len(contracts))
        self._stream_is_down = False
        self._called = asyncio.Event()

    def stream_brings(self, update: Update) -> None:
        """Do not poll what the stream brings again."""
        if update.quotes is not None:
            self.streamed["Quote"][update.quotes.rows] = True
            self._quiet.note(update.quotes, _steady_secs())
        if update.activity is not None:
            rows = update.activity.rows
            self.streamed["Trade"][rows[~np.isnan(update.activity.volume)]] = True
            self.streamed["Summary"][rows[~np.isnan(update.activity.open_interest)]] = True

    def stream_lost(self, rows: Mapping[str, NDArray[np.int32]]) -> None:
        """Stand in for a lost connection from now on.

        Args:
            rows: contracts that it brought, by event type.
        """
        self._stream_is_down = True
        self.stream_missed(rows)

    def stream_missed(self, rows: Mapping[str, NDArray[np.int32]]) -> None:
        """Poll soon what an unreadable frame of an open connection may have brought.

        Args:
            rows: contracts that it brings, by event type.
        """
        for event_type, missed in rows.items():
            self.streamed[event_type][missed] = False
        if "Quote" in rows:
            self._quiet.forget(rows["Quote"])
        self._called.set()

    def stream_back(self) -> None:
        """Return to the usual pace: everything is subscribed again."""
        self._stream_is_down = False

    async def run(self, put: Callable[[Update], Awaitable[None]]) -> None:
        """Pass for ever.

        Args:
            put: takes each update.

        Raises:
            FeedError: the login was refused.
        """
        while True:
            self._called.clear()
            try:
                missing = self._missing()
                for start in range(0, len(missing), _CONTRACTS_A_STEP):
                    await put(await self._step(missing[start : start + _CONTRACTS_A_STEP]))
            except FeedError as error:  # the stream goes on; the slow fields stay as they are
                ruling = error_ruling(error)
                if ruling.verdict is Verdict.STOP:
                    raise
                log.warning("rest_pass_failed", error=str(error), reason=ruling.reason)
            await self._pause()

    async def check_for_ever(self, put: Callable[[Update], Awaitable[None]]) -> None:
        """Find contracts about which the stream has fallen silent, and quote them instead.

        Args:
            put: takes each update.

        Raises:
            FeedError: the login was refused.
        """
        while True:
            await asyncio.sleep(self._times.check_every)
            try:
                rows = self._quiet.quietest(_steady_secs(), self._times.quiet, _MOST_CHECKED)
                for start in range(0, len(rows), _CONTRACTS_A_STEP):
                    update = await self._check(rows[start : start + _CONTRACTS_A_STEP])
                    if update is not None:
                        await put(update)
            except FeedError as error:
                ruling = error_ruling(error)
                if ruling.verdict is Verdict.STOP:
                    raise
                log.info("quiet_contracts_not_checked", error=str(error), reason=ruling.reason)

    async def _check(self, rows: NDArray[np.int32]) -> Update | None:
        """Return REST's quotes of those contracts whose change the stream did not tell."""
        answer = await self._client.market_data(equity_options=self._symbols_of(rows))
        now, asked_secs = self._clock(), _steady_secs()
        known, items = self._known(rows, answer)
        polled = polled_quotes(known, items, now)
        suspects = np.flatnonzero(self._quiet.contradicted(polled, _wall_ms(now), asked_secs))
        if not len(suspects):
            return None
        await asyncio.sleep(self._times.check_grace)
        silent = suspects[self._quiet.still_quiet(known[suspects], asked_secs)]
        if not len(silent):
            return None
        rows = known[silent]
        self.streamed["Quote"][rows] = False
        self._quiet.forget(rows)
        log.warning("contracts_fell_silent", contracts=len(rows), first=self._symbols_of(rows)[0])
        quotes = polled_quotes(rows, [items[at] for at in silent], now)
        return Update(self._clock(), doubted=rows, quotes=quotes)

    def _symbols_of(self, rows: NDArray[np.int32] | NDArray[np.int64]) -> list[str]:
        return self._occ_symbols.gather(rows).to_list()

    def _known(
        self, rows: NDArray[np.int32] | NDArray[np.int64], answer: MarketDataAnswer
    ) -> tuple[NDArray[np.int32], list[MarketData]]:
        """Return the rows that REST answered for, and its answers."""
        symbols = self._symbols_of(rows)
        known = np.array([symbol in answer.quotes for symbol in symbols], np.bool_)
        items = [answer.quotes[symbol] for symbol in symbols if symbol in answer.quotes]
        return rows[known].astype(np.int32), items

    def _missing(self) -> NDArray[np.int64]:
        """Return the contracts of which the stream does not bring everything, in order."""
        complete = np.all([*self.streamed.values()], axis=0)
        missing: NDArray[np.int64] = self._order[~complete[self._order]]
        return missing

    async def _pause(self) -> None:
        """Wait for the next pass, which a loss of the stream brings forward."""
        if self._stream_is_down or self._called.is_set():
            await asyncio.sleep(self._times.while_down)
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._times.every):
                await self._called.wait()
                await asyncio.sleep(self._times.after_loss)

    async def _step(self, rows: NDArray[np.int64]) -> Update:
        """Ask for some contracts and return what REST knows of them."""
        answer = await self._client.market_data(
            index=self._underlyings, equity_options=self._symbols_of(rows)
        )
        now = self._clock()
        answered, items = self._known(rows, answer)
        unstreamed = np.flatnonzero(~self.streamed["Quote"][answered])
        traded, summed = (self.streamed[kind][answered] for kind in ("Trade", "Summary"))
        return Update(
            now,
            quotes=polled_quotes(answered[unstreamed], [items[at] for at in unstreamed], now)
            if len(unstreamed)
            else None,
            activity=Activity(
                answered,
                last=np.where(traded, np.nan, _column([item.last for item in items])),
                volume=np.where(traded, np.nan, _column([item.volume for item in items])),
                open_interest=np.where(
                    summed, np.nan, _column([item.open_interest for item in items])
                ),
            ),
            spot=spots_of(answer.quotes, self._underlyings),
        )


def polled_quotes(
    rows: NDArray[np.int32], items: Sequence[MarketData], received_at: datetime
) -> Quotes:
    """Return REST quotes as columns; one item a row, an absent value is NaN.

    Args:
        rows: row number of each item.
        items: what REST answered.
        received_at: when (UTC); no quote is younger, and one without a time is as old as this.
    """
    now = _wall_ms(received_at)
    own = pl.Series([item.updated_at for item in items], dtype=pl.Datetime("ms", "UTC"))
    times = own.fill_null(received_at).dt.replace_time_zone(None).to_numpy()
    return Quotes(
        rows=rows,
        bid=_column([item.bid for item in items]),
        ask=_column([item.ask for item in items]),
        bid_size=_column([item.bid_size for item in items]),
        ask_size=_column([item.ask_size for item in items]),
        times=np.minimum(times, now),
        stop_gap=True,
    )


def _wall_ms(instant: datetime) -> np.datetime64:
    return np.datetime64(instant.replace(tzinfo=None), "ms")


def _steady_secs() -> float:
    return asyncio.get_running_loop().time()


def _column(values: Sequence[float | None]) -> NDArray[np.float64]:
    return np.fromiter(values, np.float64, len(values))  # None becomes NaN
