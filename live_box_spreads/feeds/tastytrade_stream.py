"""The update stream of the Tastytrade feed: DXLink quotes, completed by REST.

DXLink gives quotes and the underlyings' prices. Volume, open interest and last prices come from
REST passes over all contracts, which also quote what the stream has not: contracts beyond the
session's limit, symbols that never quote, and everything while the link is down.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING, Final

import numpy as np
import structlog

from live_box_spreads.feeds.base import Activity, Quotes, Update
from live_box_spreads.feeds.dxlink import messages as m
from live_box_spreads.feeds.dxlink.connection import LinkDown
from live_box_spreads.feeds.dxlink.decoder import EventBatch, FeedDecoder
from live_box_spreads.feeds.dxlink.fast_compact import compile_reader
from live_box_spreads.feeds.dxlink.session import Subscribed
from live_box_spreads.feeds.spots import spots_of
from live_box_spreads.feeds.stream_plan import NUMBERS
from live_box_spreads.model.errors import FeedError, LoginRefusedError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
    from datetime import datetime

    from numpy.typing import NDArray

    from live_box_spreads.feeds.base import Contracts
    from live_box_spreads.feeds.dxlink.connection import DXLinkLink
    from live_box_spreads.feeds.stream_plan import StreamPlan
    from live_box_spreads.tastytrade_client import MarketData, TastytradeClient

log = structlog.get_logger(__name__)

_QUEUED_UPDATES: Final = 1_000
_BOTH_PRICES: Final = frozenset({"bidPrice", "askPrice"})
_CONTRACTS_A_POLL: Final = 600
"""Polled at once: a pass of many such steps shows its first answers early."""

_EVENTS_WORTH_COMPILING: Final = 200_000
"""A short stream, such as of one snapshot, is over before the compiled reader is loaded."""


class UpdateStream:
    """Merges the link and the REST passes into one sequence of updates."""

    def __init__(
        self,
        client: TastytradeClient,
        contracts: Contracts,
        plan: StreamPlan,
        link: DXLinkLink,
        *,
        clock: Callable[[], datetime],
        poll_every_secs: float,
    ) -> None:
        """Prepare without connecting.

        Args:
            client: for the REST passes.
            contracts: what is quoted.
            plan: what is streamed.
            link: a link that subscribes the plan.
            clock: current UTC time.
            poll_every_secs: pause between REST passes, in seconds; the first is at once.
        """
        self._client = client
        self._contracts = contracts
        self._plan = plan
        self._link = link
        self._clock = clock
        self._poll_every_secs = poll_every_secs
        self._queue: asyncio.Queue[Update | Exception] = asyncio.Queue(_QUEUED_UPDATES)
        self._streamed = np.zeros(len(contracts), np.bool_)
        self._prices_withheld = False
        self._compiling: asyncio.Task[None] | None = None
        self._decoder = FeedDecoder(
            {
                "Quote": {symbol: row for row, symbol in enumerate(plan.symbols)},
                "Trade": {name: at for at, name in enumerate(plan.underlyings)},
            },
            NUMBERS,
        )

    async def updates(self) -> AsyncGenerator[Update]:
        """Run until closed.

        Raises:
            FeedError: a final refusal.
        """
        sources = (self._follow_link(), self._poll_for_ever())
        tasks = [asyncio.create_task(self._guarded(source)) for source in sources]
        try:
            while True:
                item = await self._queue.get()
                if isinstance(item, Exception):
                    raise item
                yield item
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._report_losses()

    async def _guarded(self, source: Coroutine[None, None, None]) -> None:
        """Hand whatever ends a source to whoever reads the updates."""
        try:
            await source
        except Exception as error:  # noqa: BLE001  raised again in the reader's task
            await self._queue.put(error)

    async def _follow_link(self) -> None:
        async with aclosing(self._link.events()) as events:
            async for event in events:
                update = self._of_link(event)
                if update is not None:
                    await self._queue.put(update)

    def _of_link(self, event: m.Configured | m.Data | Subscribed | LinkDown) -> Update | None:
        match event:
            case m.Data():
                self._compile_if_it_pays()
                return self._of_data(self._decoder.decode(event.data))
            case m.Configured():
                self._configure(event)
                return None
            case Subscribed():
                contracts = max(0, event.count - len(self._plan.underlyings))
                return Update(self._clock(), subscribed=contracts)
            case LinkDown():
                self._decoder.forget_layout()
                self._streamed[:] = False
                return Update(self._clock(), link_down=True)

    def _compile_if_it_pays(self) -> None:
        if self._compiling is None and self._decoder.read_slowly >= _EVENTS_WORTH_COMPILING:
            self._compiling = asyncio.create_task(_compile_in_a_thread())

    def _configure(self, event: m.Configured) -> None:
        """Take over a layout; without both prices a quote says nothing, and REST has to do."""
        self._decoder.configure(event.event_fields)
        if "Quote" in event.event_fields:
            withheld = _BOTH_PRICES - set(event.event_fields["Quote"])
            self._prices_withheld = bool(withheld)
            if withheld:
                log.warning("prices_not_streamed", withheld=sorted(withheld))

    def _of_data(self, batches: Sequence[EventBatch]) -> Update | None:
        spot: dict[str, float] = {}
        quotes = []
        for batch in batches:
            if not len(batch.rows):
                continue
            if batch.event_type == "Trade":
                prices = zip(batch.rows, batch.columns["price"], strict=True)
                spot |= {self._plan.underlyings[at]: float(p) for at, p in prices if p > 0}
            elif not self._prices_withheld:
                quotes.append(batch)
        if not quotes and not spot:
            return None
        merged = _quotes(quotes) if quotes else None
        if merged is not None:
            self._streamed[merged.rows] = True
        return Update(self._clock(), quotes=merged, spot=spot)

    async def _poll_for_ever(self) -> None:
        while True:
            try:
                for start in range(0, len(self._plan.order), _CONTRACTS_A_POLL):
                    await self._poll(self._plan.order[start : start + _CONTRACTS_A_POLL])
            except LoginRefusedError:
                raise
            except FeedError as error:  # the stream goes on; the slow fields stay as they are
                log.warning("slow_fields_not_updated", reason=str(error))
            await asyncio.sleep(self._poll_every_secs)

    async def _poll(self, rows: NDArray[np.int64]) -> None:
        """Ask REST for some contracts and queue what it knows."""
        symbols = self._contracts.table["occ_symbol"].gather(rows).to_list()
        answer = await self._client.market_data(
            index=self._plan.underlyings, equity_options=symbols
        )
        known = np.array([symbol in answer.quotes for symbol in symbols], np.bool_)
        items = [answer.quotes[symbol] for symbol in symbols if symbol in answer.quotes]
        answered = rows[known].astype(np.int32)
        fresh = ~self._streamed[answered]
        quotes = polled_quotes(answered, items)
        update = Update(
            self._clock(),
            quotes=Quotes(
                quotes.rows[fresh],
                quotes.bid[fresh],
                quotes.ask[fresh],
                quotes.bid_size[fresh],
                quotes.ask_size[fresh],
            )
            if fresh.any()
            else None,
            activity=Activity(
                answered,
                last=_column([item.last for item in items]),
                volume=_column([item.volume for item in items]),
                open_interest=_column([item.open_interest for item in items]),
            ),
            spot=spots_of(answer.quotes, self._plan.underlyings),
        )
        await self._queue.put(update)

    def _report_losses(self) -> None:
        """Say what could not be used, once, at the end."""
        decoder, counts = self._decoder, self._link.counts
        losses = {
            "unreadable_data": decoder.unreadable,
            "malformed_rows": decoder.malformed,
            "unknown_symbols": decoder.unknown,
            "arrays_without_config": decoder.unconfigured.total(),
            "malformed_frames": counts.malformed_frames,
            "ignored_frames": counts.ignored.total(),
            "error_frames": counts.complaints.total(),
            "links_lost": counts.losses,
        }
        if any(losses.values()):
            log.warning("stream_losses", **{name: n for name, n in losses.items() if n})


async def _compile_in_a_thread() -> None:
    try:
        await asyncio.to_thread(compile_reader)
    except Exception as error:  # noqa: BLE001  a broken compiler costs speed, not quotes
        log.warning("reading_frames_slowly", reason=f"{type(error).__name__}: {error}")


def _quotes(batches: Sequence[EventBatch]) -> Quotes:
    def column(name: str) -> NDArray[np.float64]:
        values = np.concatenate([batch.columns[name] for batch in batches])
        return np.where(np.isfinite(values), values, np.nan)

    return Quotes(
        rows=np.concatenate([batch.rows for batch in batches]),
        bid=column("bidPrice"),
        ask=column("askPrice"),
        bid_size=column("bidSize"),
        ask_size=column("askSize"),
    )


def polled_quotes(rows: NDArray[np.int32], items: Sequence[MarketData]) -> Quotes:
    """Return REST quotes as columns; one item a row, an absent value is NaN."""
    return Quotes(
        rows=rows,
        bid=_column([item.bid for item in items]),
        ask=_column([item.ask for item in items]),
        bid_size=_column([item.bid_size for item in items]),
        ask_size=_column([item.ask_size for item in items]),
    )


def _column(values: Sequence[float | None]) -> NDArray[np.float64]:
    return np.fromiter(values, np.float64, len(values))  # None becomes NaN
