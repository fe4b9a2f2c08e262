"""Two ways to a chain: a book kept up to date by a stream, or asking by REST each time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Protocol

import polars as pl
import structlog

from live_box_spreads.collector.health import Counts
from live_box_spreads.collector.live_book import LiveBook
from live_box_spreads.feeds.base import Quotes, Update
from live_box_spreads.model.chain import KEY
from live_box_spreads.model.errors import FeedUnavailableError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from live_box_spreads.collector.changes import LiveChanges
    from live_box_spreads.collector.report import ProgressCallback
    from live_box_spreads.feeds.base import Contracts, Feed
    from live_box_spreads.model.chain import Chain

    Clock = Callable[[], datetime]
    Sleep = Callable[[float], Awaitable[None]]

_LOOK_EVERY_SECS = 0.05
_CARRIED_OVER_DEADLINE_SECS = 10.0
"""Enough for a small universe to be quoted anew, and for a first look at a large one by REST."""

_REASON = "the contracts were listed anew"

_log = structlog.get_logger(__name__)


class ChainSource(Protocol):
    """Gives chains of a fixed list of contracts."""

    @property
    def ended(self) -> bool:
        """Whether no more chains come and a new source is needed."""
        ...

    async def chain(self, progress: ProgressCallback) -> Chain:
        """Return the quotes as of now.

        Raises:
            FeedError: they cannot be had.
        """
        ...

    def failures(self) -> dict[str, str]:
        """Return what is wrong with the quotes given, one line each."""
        ...

    def status(self) -> str:
        """Return how far the source is with what it still has to ask for; empty if with all."""
        ...

    async def close(self) -> None:
        """Close what the source holds open."""
        ...


class PolledSource:
    """Asks the feed by REST for each chain."""

    ended = False

    def __init__(self, feed: Feed, contracts: Contracts) -> None:
        """Name the feed and what to ask it for."""
        self._feed = feed
        self._contracts = contracts

    async def chain(self, progress: ProgressCallback) -> Chain:
        """Return the quotes as of now."""
        total = len(self._contracts)
        progress("quotes", 0, total)
        chain = await self._feed.snapshot(self._contracts)
        progress("quotes", total, total)
        return chain

    def failures(self) -> dict[str, str]:
        """Return nothing: a poll that fails raises."""
        return {}

    def status(self) -> str:
        """Return nothing: each poll asks for all."""
        return ""

    async def close(self) -> None:
        """Do nothing: no connection stays open between polls."""


class StreamedSource:
    """Keeps a live book from the feed's stream; the first chain waits until it has settled.

    Settled is: a quote and a volume for every contract; or the whole list asked for and nothing
    new about any contract for ``settle_secs``; or ``deadline_secs`` gone by and one quote there.
    A stream that begins with the quotes of an earlier one, marked as old, waits for a few seconds.
    """

    def __init__(  # noqa: PLR0913 # two waits, two seams for tests, three things handed on
        self,
        feed: Feed,
        contracts: Contracts,
        *,
        settle_secs: float,
        deadline_secs: float,
        clock: Clock,
        sleep: Sleep,
        counts: Counts | None = None,
        changes: LiveChanges | None = None,
        before: Chain | None = None,
    ) -> None:
        """Start streaming; to be called in a running event loop.

        Args:
            feed: where quotes come from.
            contracts: what to quote.
            settle_secs: see above.
            deadline_secs: see above.
            clock: gives the current instant, with a time zone.
            sleep: waits for a number of seconds.
            counts: where to count what comes.
            changes: publishes what changes in the book; None publishes nothing.
            before: quotes of an earlier stream, to be carried over.
        """
        self.book = LiveBook(contracts)
        self._feed = feed
        self._settle_secs = settle_secs
        self._deadline_secs = deadline_secs
        self._clock = clock
        self._sleep = sleep
        self._counts = counts or Counts()
        self._changes = changes
        update = carried_over(before, contracts, clock()) if before is not None else None
        if update is not None:
            self.book.apply(update)
            self._deadline_secs = min(deadline_secs, _CARRIED_OVER_DEADLINE_SECS)
        self._settled = False
        self._reading = asyncio.create_task(self._read())

    def last_chain(self) -> Chain | None:
        """Return the quotes for a new stream to begin with; None before the first chain."""
        return self._chain_at(self._feed.market_time()) if self._settled else None

    @property
    def ended(self) -> bool:
        """Whether the stream is over; the feed mends a lost link by itself."""
        return self._reading.done()

    async def chain(self, progress: ProgressCallback) -> Chain:
        """Return the book as of now, once it has settled.

        Raises:
            FeedError: the stream was refused, or no quote came before the deadline.
        """
        if not self._settled:
            await self._settle(progress)
        if self._reading.done():
            self._reading.result()  # raises what ended the stream
        now = self._feed.market_time()
        if self._changes is not None:
            self._changes.note_snapshot(self.book, now)
        return self._chain_at(now)

    def _chain_at(self, now: datetime) -> Chain:
        return self.book.snapshot(now, self._feed.name, self._feed.timeliness)

    def failures(self) -> dict[str, str]:
        """Return a line if the link is down."""
        since = self.book.lost_since
        if since is None:
            return {}
        reason = f" ({self.book.lost_reason})" if self.book.lost_reason else ""
        polled = f"{self.book.polled:,} by REST, the other " if self.book.polled else ""
        return {
            "stream": f"link down since {since:%H:%M:%S} UTC{reason}; {polled}quotes are as of then"
        }

    def status(self) -> str:
        """Return how far the stream is with subscribing."""
        progress = self.book.progress
        return progress.report() if progress is not None else ""

    async def close(self) -> None:
        """Stop streaming."""
        if self._changes is not None:
            self._changes.stop()
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)

    async def _read(self) -> None:
        updates = self._feed.updates(self.book.contracts)
        try:
            async for update in updates:
                before = self.book.lost_since
                self.book.apply(update)
                self._counts.note_update(update)
                self._note_loss(before, self.book.lost_since)
                if self._changes is not None:
                    self._changes.note_update(self.book)
        finally:
            # Here and not in the garbage collector, so that the connection ends with us.
            if isinstance(updates, AsyncGenerator):
                await updates.aclose()

    def _note_loss(self, before: datetime | None, after: datetime | None) -> None:
        if before is None and after is not None:
            _log.warning("quotes_lost", feed=self._feed.name)
        elif before is not None and after is None:
            _log.info("quotes_back", feed=self._feed.name)

    async def _settle(self, progress: ProgressCallback) -> None:
        """Wait until the first round of quotes is in."""
        started = changed = self._clock()
        seen: tuple[int, ...] = ()
        while not self._reading.done():
            now = self._clock()
            if now < changed:  # the clock was set back
                started = changed = now
            state = (self.book.quoted, self.book.active, self._asked())
            if state != seen:
                seen, changed = state, now
                progress("quotes", self.book.quoted, len(self.book))
            if self._is_complete() or self._is_quiet((now - changed).total_seconds()):
                break
            if (now - started).total_seconds() >= self._deadline_secs:
                self._refuse_empty()
                break
            await self._sleep(_LOOK_EVERY_SECS)
        self._settled = True

    def _is_complete(self) -> bool:
        return self.book.quoted == self.book.active == len(self.book)

    def _is_quiet(self, quiet_secs: float) -> bool:
        """Return whether all was asked for and what is still missing is likely never to come."""
        progress = self.book.progress
        all_asked = progress is None or progress.quotes >= progress.quotes_wanted
        return self.book.quoted > 0 and all_asked and quiet_secs >= self._settle_secs

    def _asked(self) -> int:
        return self.book.progress.quotes if self.book.progress is not None else 0

    def _refuse_empty(self) -> None:
        if not self.book.quoted:
            raise FeedUnavailableError(
                f"none of {len(self.book):,} contracts was quoted within "
                f"{self._deadline_secs:.0f} s; see whether the market data service is up"
            )


def carried_over(before: Chain, contracts: Contracts, now: datetime) -> Update | None:
    """Return an update that hands the quotes of a chain on to a new list of contracts.

    Contracts are listed anew each trading day and after each expiry. Most of them are the same as
    before, and subscribing takes minutes; until then they keep their quotes, with the old times.

    Volume and last prices are not handed on: they may be those of another trading day.

    Args:
        before: what was known of the contracts before.
        contracts: the contracts now.
        now: the instant of the update, with a time zone.

    Returns:
        Quotes with their old times, marked as lost until they are quoted anew; None if no
        contract of before is still listed with a quote.
    """
    quoted = before.quotes.filter(pl.col("quote_time").is_not_null())
    rows = (
        contracts.table.select(KEY)
        .with_row_index("row")
        .join(quoted, on=KEY, how="inner", maintain_order="left")
    )
    if rows.is_empty():
        return None
    numbers = rows["row"].cast(pl.Int32).to_numpy()
    times = rows["quote_time"].dt.replace_time_zone(None).to_numpy()
    return Update(
        now,
        quotes=Quotes(
            numbers,
            rows["bid"].to_numpy(),
            rows["ask"].to_numpy(),
            rows["bid_size"].to_numpy(),
            rows["ask_size"].to_numpy(),
            times,
        ),
        spot=before.spot,
        lost=numbers,
        reason=_REASON,
    )
