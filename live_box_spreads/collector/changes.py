"""Publishes what changed in a live book, in its order with the snapshots."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import numpy as np

from live_box_spreads.collector.events import Changes

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from numpy.typing import NDArray

    from live_box_spreads.collector.live_book import LiveBook
    from live_box_spreads.collector.publishing import Publisher


class LiveChanges:
    """Publishes :class:`Changes` of one live book after another, at most every so many seconds.

    Nothing is computed or kept while they have no subscriber. From the instant of a snapshot
    until its event is published no changes are, so that those before it are part of it and those
    after it are not. Every method is for the event loop that applies the updates.
    """

    def __init__(
        self,
        publisher: Publisher,
        *,
        every_secs: float,
        market_time: Callable[[], datetime],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        """Prepare; see ``Collector``."""
        self._publisher = publisher
        self._every_secs = every_secs
        self._market_time = market_time
        self._sleep = sleep
        self._book: LiveBook | None = None
        self._published: NDArray[np.float64] = np.empty((4, 0))
        self._pending: asyncio.Task[None] | None = None
        self._may_publish = asyncio.Event()
        self._may_publish.set()

    def note_update(self, book: LiveBook) -> None:
        """Publish soon: an update was applied to this book."""
        if self._pending is None and self._publisher.wants(Changes):
            self._pending = asyncio.create_task(self._publish_soon(book))

    def note_snapshot(self, book: LiveBook, at: datetime) -> None:
        """Publish what changed until a snapshot of this instant, and no more until :meth:`resume`.

        To be called in the same step of the loop as the snapshot is taken.
        """
        if self._publisher.wants(Changes):
            self._publish(book, at)
        self._may_publish.clear()

    def resume(self) -> None:
        """Go on: the event of the round was published."""
        self._may_publish.set()

    def stop(self) -> None:
        """Publish nothing that is still pending: the book is no longer kept up to date."""
        if self._pending is not None:
            self._pending.cancel()
            self._pending = None

    async def _publish_soon(self, book: LiveBook) -> None:
        await self._sleep(self._every_secs)
        await self._may_publish.wait()
        self._pending = None
        self._publish(book, self._market_time())

    def _publish(self, book: LiveBook, at: datetime) -> None:
        quotes = book.quotes()
        if book is not self._book:
            self._book, self._published = book, np.full_like(quotes, np.nan)
        before = self._published
        same = (quotes == before) | (np.isnan(quotes) & np.isnan(before))
        rows = np.flatnonzero(~same.all(axis=0)).astype(np.int32)
        if len(rows):
            self._published = quotes
            self._publisher.publish(Changes(at, book.contracts, rows, *quotes[:, rows]))
