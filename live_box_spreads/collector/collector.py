"""Feed → chain → snapshot, once or at an interval."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import structlog

from live_box_spreads.collector.changes import LiveChanges
from live_box_spreads.collector.current_source import CurrentSource
from live_box_spreads.collector.events import Round, Snapshot
from live_box_spreads.collector.health import SILENT_AFTER_SECS, CollectorHealth, Counts
from live_box_spreads.collector.publishing import Publisher
from live_box_spreads.collector.report import (
    ProgressCallback,
    SnapshotReport,
    error_text,
    quoted_by_root,
)
from live_box_spreads.collector.schedule import Schedule, unless_stopped
from live_box_spreads.feeds.base import TellsHealth
from live_box_spreads.model.chain import Timeliness
from live_box_spreads.model.errors import (
    ConfigError,
    FeedEndedError,
    StoreError,
    StoreFullError,
)
from live_box_spreads.net.verdicts import Verdict, error_ruling

if TYPE_CHECKING:
    from pathlib import Path

    from live_box_spreads.collector.current_source import Collection
    from live_box_spreads.collector.sources import Clock, Sleep
    from live_box_spreads.feeds.base import Feed, Universe
    from live_box_spreads.model.chain import Chain
    from live_box_spreads.stores.snapshots import Listing, SnapshotStore

_log = structlog.get_logger(__name__)


def _utc_now() -> datetime:
    return datetime.now(UTC)


def _no_progress(_label: str, _done: int, _total: int) -> None:
    """Show nothing."""


class Collector:
    """Writes snapshots of a universe to a store.

    ``stream`` keeps one connection open between snapshots and writes what the live book holds;
    ``poll`` asks by REST for each. The collector enters and leaves the feed's context itself.

    Attributes:
        publisher: subscribe to it for what the collector does; see ``publishing.py``.
    """

    def __init__(  # noqa: PLR0913 # three waits and two seams for tests, all by keyword
        self,
        feed: Feed,
        universe: Universe,
        store: SnapshotStore,
        *,
        collection: Collection = "stream",
        settle_secs: float = 2.0,
        settle_deadline_secs: float = 180.0,
        publisher: Publisher | None = None,
        changes_every_secs: float = 0.25,
        clock: Clock = _utc_now,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        """Put the parts together; nothing is connected yet.

        Args:
            feed: where quotes come from.
            universe: what to quote.
            store: where snapshots go.
            collection: how quotes are had.
            settle_secs: a stream's first snapshot waits until nothing new came for this long.
            settle_deadline_secs: it waits no longer than this.
            publisher: whose subscribers receive each :class:`Snapshot`, each :class:`Round`
                without one, and while a stream is collected :class:`Changes`; the caller closes
                it. None makes one.
            changes_every_secs: changes are published no more often than this.
            clock: gives the current instant, with a time zone.
            sleep: waits for a number of seconds.
        """
        self._feed = feed
        self._store = store
        self._clock = clock
        self._sleep = sleep
        self._counts = Counts()
        self.publisher = publisher or Publisher()
        self._changes = LiveChanges(
            self.publisher,
            every_secs=changes_every_secs,
            market_time=feed.market_time,
            sleep=sleep,
        )
        self._source = CurrentSource(
            feed,
            universe,
            collection=collection,
            settle_secs=settle_secs,
            deadline_secs=settle_deadline_secs,
            clock=clock,
            sleep=sleep,
            counts=self._counts,
            changes=self._changes,
        )

    def health(self) -> CollectorHealth:
        """Return how the collector is; from any thread."""
        now = self._clock()
        feed = self._feed.health() if isinstance(self._feed, TellsHealth) else None
        book = self._source.book
        if book is None:
            return CollectorHealth(now, self._counts, feed=feed)
        roots = book.health(self._feed.market_time())
        return CollectorHealth(now, self._counts, book.progress, book.lost_since, roots, feed)

    async def once(self, progress: ProgressCallback | None = None) -> SnapshotReport:
        """Write one snapshot; safe beside a collector that runs on the same folder.

        Raises:
            FeedError: the quotes cannot be had.
            StoreError: the snapshot cannot be written.
        """
        started = self._clock()
        async with self._feed:
            try:
                chain = await self._source.chain(progress or _no_progress)
                snapshot = await self._keep(chain, started)
            finally:
                await self._source.close()
                self._changes.resume()
        self.publisher.publish(snapshot)
        return snapshot.report

    async def run(
        self,
        interval_secs: float,
        stop: asyncio.Event,
        progress: ProgressCallback | None = None,
    ) -> None:
        """Write a snapshot an interval until ``stop`` is set or the feed ends.

        A file in hand is finished. Quotes of the instant that was written last, such as those of a
        closed market, are not written again. A failed round is published and tried again at the
        next interval, unless ``net/verdicts.py`` rules that it ends the program. A round that
        overruns skips the intervals that it missed.

        Args:
            interval_secs: seconds from the start of one round to the start of the next.
            stop: set it to end.
            progress: called while a round waits for contracts or quotes.

        Raises:
            StoreBusyError: another collector writes to this folder.
            StoreError: the folder cannot be made or written at all; a full disk is waited for.
            BoxSpreadsError: what another try cannot mend.
        """
        if not interval_secs > 0:
            raise ConfigError(f"an interval of {interval_secs} s is impossible; give more than 0")
        with ExitStack() as held:
            if not await self._lock(held, interval_secs, stop):
                return
            async with self._feed:
                try:
                    await self._rounds(interval_secs, stop, progress or _no_progress)
                except FeedEndedError as end:
                    _log.warning("feed_ended", feed=self._feed.name, reason=str(end))
                finally:
                    await self._source.close()

    async def _lock(self, held: ExitStack, interval_secs: float, stop: asyncio.Event) -> bool:
        """Take the folder, once the disk has room for a lock; False if stopped before."""
        while not stop.is_set():
            try:
                held.enter_context(self._store.lock())
            except StoreFullError as error:
                self.publisher.publish(self._failed(error, self._clock()))
                await unless_stopped(self._sleep(interval_secs), stop)
            else:
                return True
        return False

    async def _rounds(
        self, interval_secs: float, stop: asyncio.Event, progress: ProgressCallback
    ) -> None:
        due = self._clock()
        schedule = Schedule(due, interval_secs)
        while not stop.is_set():
            try:
                event = await self._round(stop, progress)
                if event is None:
                    return
                finished = self._clock()
                overrun_secs = schedule.overrun_secs(due, finished)
                report = replace(event.report, overrun_secs=overrun_secs)
                self.publisher.publish(replace(event, report=report))
            finally:
                self._changes.resume()
            due = schedule.next_after(finished)
            await unless_stopped(self._sleep((due - finished).total_seconds()), stop)

    async def _round(
        self, stop: asyncio.Event, progress: ProgressCallback
    ) -> Snapshot | Round | None:
        """Return what one round brought, be it a failure; None if stopped before the write."""
        started = self._clock()
        try:
            chain = await unless_stopped(self._source.chain(progress), stop)
            if chain is None:
                return None
            if chain.snapshot_time == self._counts.last_snapshot_at:
                return self._unchanged(chain, started)
            return await self._keep(chain, started)
        except Exception as error:
            if error_ruling(error).verdict is Verdict.STOP:
                raise
            return self._failed(error, started)

    def _failed(self, error: Exception, started: datetime) -> Round:
        """Log a round that failed, and return it."""
        text = error_text(error)
        _log.warning("round_failed", error=text, reason=error_ruling(error).reason)
        failed_at = self._clock()
        report = SnapshotReport(
            path=None,
            snapshot_time=failed_at,
            failures={"round": text},
            duration_secs=(failed_at - started).total_seconds(),
        )
        return Round(report)

    async def _keep(self, chain: Chain, started: datetime) -> Snapshot:
        """Write the chain, prune, and report; a snapshot once written is always reported."""
        now = max(self._clock(), chain.snapshot_time)  # a simulated market may run ahead
        try:
            path = await asyncio.to_thread(self._store.write, chain)
        except StoreFullError:  # fewer may be wanted by now: the next round has their room
            await asyncio.to_thread(self._store.prune, now)
            raise
        failures = self._source.failures()
        pruned: list[Path] = []
        try:
            failures |= _ahead(chain, await asyncio.to_thread(self._store.listing, now))
            known = set(self._store.undeletable)
            pruned = await asyncio.to_thread(self._store.prune, now)
            failures |= _stuck(self._store, known)
        except StoreError as error:
            failures["prune"] = str(error)
        by_root = quoted_by_root(chain)
        health = self.health()
        report = SnapshotReport(
            path=path,
            snapshot_time=chain.snapshot_time,
            contracts=len(chain.quotes),
            quoted=sum(by_root.values()),
            polled=int(chain.notes.get("polled_quotes", 0)),
            by_root=by_root,
            failures=failures,
            duration_secs=(self._clock() - started).total_seconds(),
            pruned=tuple(pruned),
            rejected=chain.rejected,
            silent_secs=_long(health.silent_secs()),
            never_quoted_secs=_long(health.never_quoted_secs()),
            origin=chain.origin,
            status=self._source.status(),
        )
        self._counts.last_snapshot_at = chain.snapshot_time
        _log.info("snapshot_written", file=path.name, quoted=report.quoted, failures=failures)
        return Snapshot(path, chain, report)

    def _unchanged(self, chain: Chain, started: datetime) -> Round:
        """Return a round in which no quote was newer than those written last."""
        report = SnapshotReport(
            path=None,
            snapshot_time=chain.snapshot_time,
            failures=self._source.failures(),
            duration_secs=(self._clock() - started).total_seconds(),
            unchanged=True,
            status=self._source.status(),
        )
        return Round(report)


def _long(secs_by_root: dict[str, float]) -> dict[str, float]:
    return {root: secs for root, secs in secs_by_root.items() if secs >= SILENT_AFTER_SECS}


def _ahead(chain: Chain, listing: Listing) -> dict[str, str]:
    """Return a line if the folder has snapshots from the future.

    A clock that ran ahead and was set right leaves such snapshots behind. A recording may be of
    any day.
    """
    if not listing.ahead or chain.timeliness is Timeliness.REPLAY:
        return {}
    farthest = f"{listing.ahead[-1]} by {listing.ahead_secs:.0f} s"
    return {
        "clock": f"{len(listing.ahead):,} snapshots are ahead of now, {farthest}; they are set "
        "aside (not shown as the newest, not pruned): remove them before their time comes"
    }


def _stuck(store: SnapshotStore, known: set[Path]) -> dict[str, str]:
    """Return a line if files could not be removed that no earlier report named."""
    new = [(path, why) for path, why in store.undeletable.items() if path not in known]
    if not new:
        return {}
    path, why = new[0]
    more = f" and {len(new) - 1:,} more" if len(new) > 1 else ""
    return {"prune": f"{path}{more} cannot be removed ({why}); remove it yourself, or leave it"}
