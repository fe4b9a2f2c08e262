"""Over real sockets: a snapshot with the changes that follow it is the next snapshot."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING

import polars as pl

from live_box_spreads.collector.collector import Collector
from live_box_spreads.collector.events import Changes, Event, Snapshot
from live_box_spreads.feeds.base import Universe
from live_box_spreads.model.chain import KEY
from live_box_spreads.simulator.credentials import DEMO_CLIENT_SECRET, DEMO_REFRESH_TOKEN
from live_box_spreads.simulator.exchange import SimulatedExchange, SimulatorOptions
from live_box_spreads.stores.snapshots import SnapshotStore
from live_box_spreads.tastytrade_client import Credentials, TastytradeClient
from live_box_spreads.vendors.tastytrade.feed import TastytradeFeed

if TYPE_CHECKING:
    from pathlib import Path

    from live_box_spreads.model.chain import Chain

DEMO = Credentials(client_secret=DEMO_CLIENT_SECRET, refresh_token=DEMO_REFRESH_TOKEN)
OPENING = datetime(2026, 11, 24, 16, 0, tzinfo=UTC)
UNIVERSE = Universe(("XSP",), 3, "nearest", (0.95, 1.05))
SIDES = ["bid", "ask", "bid_size", "ask_size"]
LONGEST_SECS = 60.0


class Copy:
    """Follows the live book from events alone.

    Attributes:
        followed: the quotes as of each snapshot, by the changes until then.
        snapshots: the snapshots.
        changes: how many events of changes came before each.
    """

    name = "copy"
    wants = (Snapshot, Changes)

    def __init__(self, most: int, enough: asyncio.Event) -> None:
        self.followed: list[pl.DataFrame | None] = []
        self.snapshots: list[Chain] = []
        self.changes: list[int] = []
        self._quotes: pl.DataFrame | None = None
        self._count = 0
        self._most = most
        self._enough = enough
        self._loop = asyncio.get_running_loop()

    def receive(self, event: Event) -> None:
        if isinstance(event, Changes):
            self._count += 1
            if self._quotes is not None:
                self._quotes = self._quotes.update(rows_of(event), on=KEY)
        elif isinstance(event, Snapshot):
            self.followed.append(self._quotes)
            self.changes.append(self._count)
            self.snapshots.append(event.chain)
            self._quotes, self._count = quotes_of(event.chain), 0
            if len(self.snapshots) >= self._most:
                self._loop.call_soon_threadsafe(self._enough.set)


def quotes_of(chain: Chain) -> pl.DataFrame:
    return chain.quotes.select(*KEY, *SIDES)


def rows_of(changes: Changes) -> pl.DataFrame:
    values = (changes.bid, changes.ask, changes.bid_size, changes.ask_size)
    rows = changes.contracts.table[changes.rows].select(KEY)
    return rows.with_columns(pl.Series(*each) for each in zip(SIDES, values, strict=True))


async def test_changes_applied_to_a_snapshot_give_the_next(tmp_path: Path) -> None:
    options = SimulatorOptions(seed=21, roots=("XSP",), now=OPENING, tick_secs=0.02, pace=20.0)
    started = datetime.now(UTC)
    with SimulatedExchange(options) as exchange:
        feed = TastytradeFeed(
            TastytradeClient(DEMO, exchange.base_url),
            clock=lambda: OPENING + (datetime.now(UTC) - started),
        )
        collector = Collector(
            feed, UNIVERSE, SnapshotStore(tmp_path), settle_secs=0.2, changes_every_secs=0.05
        )
        stop = asyncio.Event()
        copy = Copy(6, stop)
        async with asyncio.timeout(LONGEST_SECS):
            with collector.publisher as publisher:
                publisher.subscribe(copy)
                await collector.run(0.5, stop)
    assert publisher.health()["copy"].failures == publisher.health()["copy"].dropped == 0
    assert len(copy.snapshots) >= 6
    assert min(copy.changes[1:]) >= 2
    for before, after in pairwise(copy.snapshots):
        assert not quotes_of(before).equals(quotes_of(after))
    for followed, chain in zip(copy.followed[1:], copy.snapshots[1:], strict=True):
        assert followed is not None
        assert followed.equals(quotes_of(chain))
