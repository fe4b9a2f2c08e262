"""The update stream of the Tastytrade feed: DXLink quotes, completed by REST.

DXLink gives quotes and the underlyings' prices. Volume, open interest and last prices come from
REST passes over all contracts, which also quote what the stream has not: contracts beyond the
session's limit, symbols that never quote, and everything while the link is down.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import polars as pl
import structlog

from live_box_spreads.feeds.base import Activity, Quotes, Update
from live_box_spreads.feeds.dxlink import messages as m
from live_box_spreads.feeds.dxlink.connection import DXLinkLink, LinkDown
from live_box_spreads.feeds.dxlink.decoder import EventBatch, FeedDecoder
from live_box_spreads.feeds.dxlink.session import Subscribed
from live_box_spreads.feeds.dxlink.subscriptions import Subscription, SubscriptionPlan
from live_box_spreads.model.errors import FeedError, LoginRefusedError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping, Sequence
    from datetime import datetime

    from numpy.typing import NDArray

    from live_box_spreads.feeds.base import Contracts
    from live_box_spreads.tastytrade_client import MarketData, TastytradeClient

log = structlog.get_logger(__name__)

NUMBERS: Final = {
    "Quote": ("bidPrice", "askPrice", "bidSize", "askSize"),
    "Trade": ("price",),
}
FIELDS: Final = {event_type: ("eventSymbol", *names) for event_type, names in NUMBERS.items()}

_QUEUED_UPDATES: Final = 1_000
_CONTRACTS_A_POLL: Final = 600
"""Polled at once: a pass of many such steps shows its first answers early."""


@dataclass(frozen=True, slots=True)
class StreamPlan:
    """What is streamed and in which order contracts matter.

    Attributes:
        underlyings: whose ``Trade`` events are the spot.
        symbols: streamer symbol by row.
        order: row numbers, near the money first.
        subscriptions: for DXLink, within one session's limit.
    """

    underlyings: tuple[str, ...]
    symbols: tuple[str, ...]
    order: NDArray[np.int64]
    subscriptions: SubscriptionPlan

    @classmethod
    def of(cls, contracts: Contracts, spots: Mapping[str, float]) -> StreamPlan:
        """Plan the stream of these contracts around the last known prices of underlyings."""
        underlyings = tuple(contracts.table["underlying"].unique().sort())
        symbols = tuple(contracts.table["streamer_symbol"])
        order = near_the_money_first(contracts.table, spots)
        trades = [Subscription("Trade", name) for name in underlyings]
        quotes = [Subscription("Quote", symbols[row]) for row in order]
        return cls(underlyings, symbols, order, SubscriptionPlan.of([*trades, *quotes]))


def near_the_money_first(contracts: pl.DataFrame, spots: Mapping[str, float]) -> NDArray[np.int64]:
    """Return row numbers by distance of the strike from the spot, as a ratio.

    Args:
        contracts: columns of ``CONTRACT_SCHEMA``.
        spots: price by underlying; without one, the middle strike of the root stands in.
    """
    spot = pl.col("underlying").replace_strict(dict(spots), default=None, return_dtype=pl.Float64)
    center = pl.coalesce(spot, pl.col("strike").median().over("root"))
    distance = (pl.col("strike") / center).log().abs()
    ordered = contracts.with_row_index("row").sort(distance, maintain_order=True)
    return ordered["row"].to_numpy().astype(np.int64)


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
                return self._of_data(self._decoder.decode(event.data))
            case m.Configured():
                self._decoder.configure(event.event_fields)
                return None
            case Subscribed():
                contracts = max(0, event.count - len(self._plan.underlyings))
                return Update(self._clock(), subscribed=contracts)
            case LinkDown():
                self._decoder.forget_layout()
                self._streamed[:] = False
                return Update(self._clock(), link_down=True)

    def _of_data(self, batches: Sequence[EventBatch]) -> Update | None:
        spot: dict[str, float] = {}
        quotes = []
        for batch in batches:
            if not len(batch.rows):
                continue
            if batch.event_type == "Quote":
                quotes.append(batch)
            else:
                prices = zip(batch.rows, batch.columns["price"], strict=True)
                spot |= {self._plan.underlyings[at]: float(p) for at, p in prices if p > 0}
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


def spots_of(quotes: Mapping[str, MarketData], underlyings: Sequence[str]) -> dict[str, float]:
    """Return the prices of underlyings that REST knows: the last, else the mark, else a close."""
    found = {}
    for name in underlyings:
        item = quotes.get(name)
        if item is not None:
            prices = (item.last, item.mark, item.close, item.prev_close)
            price = next((p for p in prices if p is not None and p > 0), None)
            if price is not None:
                found[name] = price
    return found


async def streamed_spots(
    link: DXLinkLink, underlyings: Sequence[str], longest_secs: float
) -> dict[str, float]:
    """Return prices of underlyings from a short-lived link, for accounts without REST quotes.

    Args:
        link: a link that subscribes the ``Trade`` of each.
        underlyings: index symbols.
        longest_secs: how long to wait for the last of them, in seconds.
    """
    decoder = FeedDecoder({"Trade": {name: at for at, name in enumerate(underlyings)}}, NUMBERS)
    found: dict[str, float] = {}
    try:
        async with asyncio.timeout(longest_secs), aclosing(link.events()) as events:
            async for event in events:
                if isinstance(event, m.Configured):
                    decoder.configure(event.event_fields)
                elif isinstance(event, m.Data):
                    for batch in decoder.decode(event.data):
                        prices = zip(batch.rows, batch.columns["price"], strict=True)
                        found |= {underlyings[at]: float(p) for at, p in prices if p > 0}
                if len(found) == len(underlyings):
                    break
    except TimeoutError:
        log.warning("no_price", underlyings=[name for name in underlyings if name not in found])
    return found


def _column(values: Sequence[float | None]) -> NDArray[np.float64]:
    return np.fromiter(values, np.float64, len(values))  # None becomes NaN
