"""The collector while its stream is away: REST stands in, is marked so, and nothing is stale."""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from live_box_spreads.collector.collector import Collector
from live_box_spreads.dxlink.session import ConnectionTimes
from live_box_spreads.feeds.base import Universe
from live_box_spreads.model.contracts import Contract, occ_symbol
from live_box_spreads.simulator.credentials import DEMO_CLIENT_SECRET, DEMO_REFRESH_TOKEN
from live_box_spreads.simulator.exchange import SimulatedExchange, SimulatorOptions
from live_box_spreads.stores.snapshots import SnapshotStore, read_snapshot
from live_box_spreads.tastytrade_client import Credentials, TastytradeClient
from live_box_spreads.vendors.tastytrade.feed import FeedTimes, TastytradeFeed
from live_box_spreads.vendors.tastytrade.rest_pass import RestTimes
from tests.collector.scripted import Reports, in_this_loop

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from live_box_spreads.collector.report import SnapshotReport
    from live_box_spreads.model.chain import Chain

DEMO = Credentials(client_secret=DEMO_CLIENT_SECRET, refresh_token=DEMO_REFRESH_TOKEN)
SMALL = Universe(("XSP",), 2, "nearest", (0.97, 1.03))
TIMES = FeedTimes(
    rest=RestTimes(after_loss=0.0, while_down=0.1),
    connection=ConnectionTimes(first_retry=0.05, longest_retry=0.1),
)
INTERVAL_SECS = 0.4
LONGEST_SECS = 40.0
FRESH = timedelta(seconds=5)
PASS = timedelta(seconds=1.5)


@pytest.fixture
def exchange() -> Iterator[SimulatedExchange]:
    options = SimulatorOptions(seed=21, roots=("XSP",), tick_secs=0.05, pace=20.0)
    with SimulatedExchange(options) as running:
        yield running


class Rounds:
    """The reports of a collector as they come."""

    def __init__(self) -> None:
        self._reports: asyncio.Queue[SnapshotReport] = asyncio.Queue()
        self.take = self._reports.put_nowait

    async def until(self, wanted: Callable[[SnapshotReport], object]) -> SnapshotReport:
        async with asyncio.timeout(LONGEST_SECS):
            while not wanted(report := await self._reports.get()):
                pass
        return report


def chain_of(report: SnapshotReport) -> Chain:
    assert report.path is not None
    return read_snapshot(report.path)


def assert_fresh_rows_are_the_truth(exchange: SimulatedExchange, chain: Chain) -> None:
    """Compare with an exchange whose market stands still since before the snapshot."""
    age = chain.snapshot_time - pl.col("quote_time")
    fresh = chain.quotes.filter(age < FRESH)
    assert len(fresh) > 0.9 * len(chain.quotes)
    keys = fresh.select("root", "expiry", "right", "strike").iter_rows()
    own = [exchange.quote(occ_symbol(Contract(*key))) for key in keys]
    for side in ("bid", "ask"):
        truth = [getattr(quote, side) for quote in own]
        np.testing.assert_array_equal(fresh[side].to_numpy(), truth)


async def test_rest_stands_in_for_a_lost_stream_and_every_face_of_it_says_so(
    exchange: SimulatedExchange, tmp_path: Path
) -> None:
    client = TastytradeClient(DEMO, exchange.base_url)
    feed = TastytradeFeed(client, rng=random.Random(1), times=TIMES)  # noqa: S311 # jitter
    collector = Collector(feed, SMALL, SnapshotStore(tmp_path), settle_secs=0.2)
    stop, rounds = asyncio.Event(), Rounds()
    collector.publisher.subscribe(Reports(in_this_loop(rounds.take)))
    running = asyncio.create_task(collector.run(INTERVAL_SECS, stop))

    await rounds.until(lambda report: not report.failures)
    lost_after = datetime.now(UTC)
    exchange.faults.refused_upgrades = 1_000_000
    exchange.faults.resets += 1
    await rounds.until(lambda report: report.polled > 0.9 * report.contracts)
    exchange.faults.paused = True
    passed = datetime.now(UTC) + PASS  # by then a pass has asked for everything anew
    report = await rounds.until(lambda report: report.snapshot_time > passed)
    assert report.polled > 0.9 * report.contracts
    down = chain_of(report)
    assert_fresh_rows_are_the_truth(exchange, down)
    assert datetime.fromisoformat(down.notes["stream_lost_since"]) >= lost_after.replace(
        microsecond=0
    )
    assert down.notes["polled_quotes"] == str(report.polled)
    assert f"{report.polled:,} of them by REST" in report.summary()
    assert "link down since" in report.failures["stream"]

    exchange.faults.refused_upgrades = 0
    report = await rounds.until(lambda report: not report.failures)
    report = await rounds.until(lambda report: report.polled < 0.1 * report.contracts)
    back = chain_of(report)
    assert "stream_lost_since" not in back.notes
    assert_fresh_rows_are_the_truth(exchange, back)
    stop.set()
    await running
