"""Cboe's public delayed quotes as a feed: pages are polled, and updates hold what changed."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Self

import polars as pl
import structlog

from live_box_spreads.feeds.base import FeedHealth, StreamProgress, Update
from live_box_spreads.feeds.chain_listing import contracts_of_quotes
from live_box_spreads.feeds.differences import Differences, quotes_of_contracts
from live_box_spreads.model.chain import CHAIN_SCHEMA, Chain, Timeliness
from live_box_spreads.model.errors import FeedError
from live_box_spreads.model.products import is_loan, product
from live_box_spreads.vendors.cboe.client import CboeClient
from live_box_spreads.vendors.cboe.page import FEED_NAME

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable

    from live_box_spreads.feeds.base import Contracts, FeedSetup, Universe

log = structlog.get_logger(__name__)

_ABSENT: Final = "not on the page (the contract is kept without a quote)"


def _utc_now() -> datetime:
    return datetime.now(UTC)


class CboeFeed:
    """Real markets, 15 minutes ago, for everyone. It opens and closes the client.

    A page that fails leaves its quotes as they are, with the time that they have; it is asked for
    again at the next interval, for ever.

    Attributes:
        name: ``cboe``.
    """

    name = FEED_NAME

    def __init__(
        self,
        client: CboeClient,
        *,
        interval_secs: float = 60.0,
        clock: Callable[[], datetime] = _utc_now,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Prepare without connecting.

        Args:
            client: not opened yet.
            interval_secs: pause between two rounds of the stream, in seconds.
            clock: current UTC time.
            sleep: waits for a number of seconds.
        """
        self._client = client
        self._interval_secs = interval_secs
        self._clock = clock
        self._sleep = sleep
        self._newest: datetime | None = None
        self._pages_failed = 0

    @property
    def timeliness(self) -> Timeliness:
        """Always delayed."""
        return Timeliness.DELAYED

    def market_time(self) -> datetime:
        """Return the instant of the newest quotes: 15 minutes ago, or when trading ended."""
        if self._newest is None:
            raise FeedError("the time of the quotes is known after the first page")
        return self._newest

    async def __aenter__(self) -> Self:
        """Open the connection pool."""
        await self._client.__aenter__()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Close every connection."""
        await self._client.__aexit__(*exc_info)

    async def contracts(self, universe: Universe) -> Contracts:
        """Choose the contracts of a universe among those on the pages.

        Raises:
            FeedError: nothing at all can be listed.
        """
        loans = [root for root in dict.fromkeys(universe.roots) if is_loan(root)]
        pages, errors = await self._pages(product(root).underlying for root in loans)
        failures = {
            root: str(errors[product(root).underlying])
            for root in loans
            if product(root).underlying in errors
        }
        quotes = pl.concat([pl.DataFrame(schema=CHAIN_SCHEMA), *(p.quotes for p in pages)])
        spot = {name: price for page in pages for name, price in page.spot.items()}
        now = self._newest or self._clock()
        return contracts_of_quotes(quotes, spot, universe, now, source="Cboe", failures=failures)

    async def snapshot(self, contracts: Contracts) -> Chain:
        """Ask once for these contracts; a page of seconds ago is not asked for again.

        Raises:
            FeedError: no page can be had.
        """
        pages, errors = await self._pages(contracts.table["underlying"].unique().sort())
        if not pages:
            raise next(iter(errors.values()))
        for name, error in errors.items():
            log.warning("page_failed", underlying=name, reason=str(error))
        rows = quotes_of_contracts(contracts, pl.concat([page.quotes for page in pages]))
        absent = rows["quote_time"].null_count()
        return Chain.build(
            rows,
            snapshot_time=self.market_time(),
            feed=self.name,
            timeliness=self.timeliness,
            spot={name: price for page in pages for name, price in page.spot.items()},
            rejected={_ABSENT: absent} if absent else None,
        )

    async def updates(self, contracts: Contracts) -> AsyncGenerator[Update]:
        """Yield every quote, then at each interval what is new.

        The progress has how many contracts were asked for, and that no connection stands while
        no page can be had.
        """
        counts = dict(contracts.table["underlying"].value_counts(sort=True).iter_rows())
        differences = Differences(contracts)
        sent: dict[str, Chain] = {}
        while True:
            asked = failed = 0
            for underlying, count in counts.items():
                asked += count
                progress = _progress(asked, len(contracts))
                try:
                    page = await self._page(underlying)
                except FeedError as error:
                    log.warning("page_failed", underlying=underlying, reason=str(error))
                    failed += 1
                    is_up = failed < len(counts)
                    yield Update(self._clock(), progress=replace(progress, connections=int(is_up)))
                    continue
                update = Update(self._clock(), progress=progress)
                if page is not sent.get(underlying):
                    sent[underlying] = page
                    update = differences.update(
                        page.quotes, self._clock(), page.spot, underlying=underlying
                    )
                yield replace(update, progress=progress)
            await self._sleep(self._interval_secs)

    def health(self) -> FeedHealth:
        """Return how many pages could not be had, and how the server answered."""
        return FeedHealth({"pages_failed": self._pages_failed}, dict(self._client.calls))

    async def _pages(self, underlyings: Iterable[str]) -> tuple[list[Chain], dict[str, FeedError]]:
        """Return the pages that can be had, and why the others cannot."""
        pages, errors = [], {}
        for underlying in dict.fromkeys(underlyings):
            try:
                pages.append(await self._page(underlying))
            except FeedError as error:
                errors[underlying] = error
        return pages, errors

    async def _page(self, underlying: str) -> Chain:
        try:
            page = await self._client.page(underlying)
        except FeedError:
            self._pages_failed += 1
            raise
        self._newest = max(self._newest or page.snapshot_time, page.snapshot_time)
        return page


def _progress(asked: int, wanted: int) -> StreamProgress:
    return StreamProgress(asked, wanted, asked, wanted)


def make_feed(setup: FeedSetup) -> CboeFeed:
    """Return the feed that the section ``cboe`` of the configuration describes."""
    client = CboeClient(setup.options["base_url"])
    return CboeFeed(client, interval_secs=setup.options["interval_secs"])
