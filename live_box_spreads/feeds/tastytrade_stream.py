"""The update stream of the Tastytrade feed: DXLink quotes, completed by REST.

DXLink gives quotes and the underlyings' prices; ``rest_pass`` gives the rest.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING, Final

import numpy as np
import structlog

from live_box_spreads.feeds.base import Quotes, StreamProgress, Update
from live_box_spreads.feeds.dxlink import messages as m
from live_box_spreads.feeds.dxlink.connection import LinkDown
from live_box_spreads.feeds.dxlink.decoder import EventBatch, FeedDecoder
from live_box_spreads.feeds.dxlink.fast_compact import compile_reader
from live_box_spreads.feeds.dxlink.session import Subscribed
from live_box_spreads.feeds.stream_plan import NUMBERS

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
    from datetime import datetime

    from numpy.typing import NDArray

    from live_box_spreads.feeds.dxlink.connection import DXLinkLink
    from live_box_spreads.feeds.rest_pass import RestPass
    from live_box_spreads.feeds.stream_plan import StreamPlan

log = structlog.get_logger(__name__)

_QUEUED_UPDATES: Final = 1_000
_BOTH_PRICES: Final = frozenset({"bidPrice", "askPrice"})
_EVENTS_WORTH_COMPILING: Final = 200_000
"""A short stream, such as of one snapshot, is over before the compiled reader is loaded."""


class UpdateStream:
    """Merges the link and the REST passes into one sequence of updates."""

    def __init__(
        self,
        plan: StreamPlan,
        link: DXLinkLink,
        rest: RestPass,
        clock: Callable[[], datetime],
    ) -> None:
        """Prepare without connecting.

        Args:
            plan: what is streamed.
            link: a link that subscribes the plan.
            rest: what stands in for the link and completes it.
            clock: current UTC time.
        """
        self._plan = plan
        self._link = link
        self._rest = rest
        self._clock = clock
        self._queue: asyncio.Queue[Update | Exception] = asyncio.Queue(_QUEUED_UPDATES)
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
        sources = (self._follow_link(), self._rest.run(self._queue.put))
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
                if not event.left:
                    self._rest.stream_back()
                return Update(self._clock(), progress=self._progress(event))
            case LinkDown():
                self._decoder.forget_layout()
                self._rest.stream_lost()
                return Update(
                    self._clock(), lost=np.arange(len(self._plan.symbols), dtype=np.int32)
                )

    def _progress(self, subscribed: Subscribed) -> StreamProgress:
        others = len(self._plan.underlyings)
        wanted = subscribed.count + subscribed.left
        return StreamProgress(
            quotes=max(0, subscribed.count - others),
            quotes_wanted=max(0, wanted - others),
            subscriptions=subscribed.count,
            subscriptions_wanted=wanted,
            left_out=len(self._plan.subscriptions.left_out),
        )

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
            self._rest.streamed[merged.rows] = True
        return Update(self._clock(), quotes=merged, spot=spot)

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
