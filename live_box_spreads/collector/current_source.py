"""The source of chains that is in use: opened for the contracts listed, replaced when due."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, Self

import structlog

from live_box_spreads.collector.sources import PolledSource, StreamedSource
from live_box_spreads.model.errors import FeedError, FeedUnavailableError
from live_box_spreads.model.settlement import expiry_instant, trade_date
from live_box_spreads.net.verdicts import Verdict, error_ruling

if TYPE_CHECKING:
    from datetime import datetime

    from live_box_spreads.collector.changes import LiveChanges
    from live_box_spreads.collector.health import Counts
    from live_box_spreads.collector.live_book import LiveBook
    from live_box_spreads.collector.report import ProgressCallback
    from live_box_spreads.collector.sources import ChainSource, Clock, Sleep
    from live_box_spreads.feeds.base import Contracts, Feed, Universe
    from live_box_spreads.model.chain import Chain

Collection = Literal["stream", "poll"]
_LIST_AGAIN_EVERY_SECS = 300.0
"""Pause before what could not be listed is asked for again, while the rest goes on."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ContractListing:
    """The contracts of a universe, as listed at one instant.

    Attributes:
        contracts: the contracts, and the roots that could not be listed.
        listed_at: when (UTC).
        next_expiry: the first expiry instant after ``listed_at``; None if all have passed.
    """

    contracts: Contracts
    listed_at: datetime
    next_expiry: datetime | None

    @classmethod
    def of(cls, contracts: Contracts, listed_at: datetime) -> Self:
        """Keep the contracts with the instant from which they have to be listed anew."""
        pairs = contracts.table.select("expiry", "settlement").unique().sort("expiry", "settlement")
        instants = (expiry_instant(expiry, settlement) for expiry, settlement in pairs.iter_rows())
        upcoming = (instant for instant in instants if instant > listed_at)
        return cls(contracts, listed_at, next(upcoming, None))

    def is_outdated(self, now: datetime) -> bool:
        """Return whether an expiry has passed or another trading day has begun since."""
        expired = self.next_expiry is not None and now >= self.next_expiry
        return expired or trade_date(now) != trade_date(self.listed_at)


class CurrentSource:
    """Gives chains of what is listed now, whatever becomes of a listing or a stream."""

    def __init__(  # noqa: PLR0913 # two waits and two seams for tests, all by keyword
        self,
        feed: Feed,
        universe: Universe,
        *,
        collection: Collection,
        settle_secs: float,
        deadline_secs: float,
        clock: Clock,
        sleep: Sleep,
        counts: Counts,
        changes: LiveChanges,
    ) -> None:
        """Prepare without asking the feed for anything; see ``Collector``."""
        self._feed = feed
        self._universe = universe
        self._collection = collection
        self._settle_secs = settle_secs
        self._deadline_secs = deadline_secs
        self._clock = clock
        self._sleep = sleep
        self._counts = counts
        self._changes = changes
        self._source: ChainSource | None = None
        self._before: Chain | None = None
        self._listing: ContractListing | None = None
        self._tried_to_list_at: datetime | None = None
        self._not_listed: dict[str, str] = {}

    @property
    def book(self) -> LiveBook | None:
        """The live book of a stream; None without one."""
        return self._source.book if isinstance(self._source, StreamedSource) else None

    async def chain(self, progress: ProgressCallback) -> Chain:
        """Return the quotes as of now, listing and connecting first where that is due.

        Raises:
            FeedError: they cannot be had.
        """
        source = self._source
        if source is None or await self._is_outdated():
            source = self._source = await self._begin_anew(source, progress)
        try:
            return await source.chain(progress)
        finally:
            # Only now: what ended it has been raised first, so that no refusal is tried again.
            if source.ended:
                await self.close()

    def failures(self) -> dict[str, str]:
        """Return what is wrong with the quotes given, one line each."""
        listed = self._listing.contracts.failures if self._listing else {}
        streamed = self._source.failures() if self._source else {}
        return {**listed, **self._not_listed, **streamed}

    def status(self) -> str:
        """Return how far the source is with what it still has to ask for; empty if with all."""
        return self._source.status() if self._source else ""

    async def close(self) -> None:
        """Close the source that is open."""
        if isinstance(self._source, StreamedSource):
            self._before = self._source.last_chain()
        if self._source is not None:
            await self._source.close()
            self._source = None

    async def _is_outdated(self) -> bool:
        """Return whether the contracts should be listed anew."""
        if self._listing is None or self._listing.is_outdated(self._feed.market_time()):
            return not self._not_listed or self._may_try_again()
        return await self._failed_roots_are_back()

    def _may_try_again(self) -> bool:
        """Return whether it is long enough since something could not be listed."""
        since = self._tried_to_list_at
        waited_secs = (self._clock() - since).total_seconds() if since else 0.0
        return abs(waited_secs) >= _LIST_AGAIN_EVERY_SECS  # a clock may have been set back

    async def _failed_roots_are_back(self) -> bool:
        """Ask now and then for the roots that failed, so that they need no restart."""
        failed = tuple(self._listing.contracts.failures) if self._listing else ()
        if not failed or not self._may_try_again():
            return False
        self._tried_to_list_at = self._clock()
        try:
            return len(await self._feed.contracts(replace(self._universe, roots=failed))) > 0
        except FeedError as error:
            if error_ruling(error).verdict is Verdict.STOP:
                raise
            _log.info("roots_still_failing", roots=failed, error=str(error))
            return False

    async def _begin_anew(
        self, source: ChainSource | None, progress: ProgressCallback
    ) -> ChainSource:
        """List the contracts and return a source of them; without a listing the old one goes on."""
        self._tried_to_list_at = self._clock()
        try:
            contracts = await self._list(progress)
        except FeedError as error:
            ruling = error_ruling(error)
            if source is None or ruling.verdict is Verdict.STOP:
                raise
            _log.warning("listing_failed", error=str(error), reason=ruling.reason)
            self._not_listed = {"listing": f"{error}; the contracts are those listed before"}
            return source
        self._not_listed = {}
        await self.close()
        return self._opened(contracts)

    async def _list(self, progress: ProgressCallback) -> Contracts:
        total = len(self._universe.roots)
        progress("roots", 0, total)
        contracts = await self._feed.contracts(self._universe)
        progress("roots", total, total)
        if not len(contracts):
            reasons = "; ".join(contracts.failures.values()) or "the listing is empty"
            wanted = ", ".join(self._universe.roots)
            raise FeedUnavailableError(f"no contract of {wanted} is listed: {reasons}")
        self._listing = ContractListing.of(contracts, self._feed.market_time())
        _log.info("contracts_listed", contracts=len(contracts), failures=dict(contracts.failures))
        return contracts

    def _opened(self, contracts: Contracts) -> ChainSource:
        if self._collection == "poll":
            return PolledSource(self._feed, contracts)
        return StreamedSource(
            self._feed,
            contracts,
            settle_secs=self._settle_secs,
            deadline_secs=self._deadline_secs,
            clock=self._clock,
            sleep=self._sleep,
            counts=self._counts,
            changes=self._changes,
            before=self._before,
        )
