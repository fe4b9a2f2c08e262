"""The collector across an expiry, over real sockets: what has expired goes, what is next comes."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from live_box_spreads.collector.collector import Collector
from live_box_spreads.feeds.base import Universe
from live_box_spreads.simulator.credentials import DEMO_CLIENT_SECRET, DEMO_REFRESH_TOKEN
from live_box_spreads.simulator.exchange import SimulatedExchange, SimulatorOptions
from live_box_spreads.stores.snapshots import SnapshotStore, read_snapshot
from live_box_spreads.tastytrade_client import Credentials, TastytradeClient
from live_box_spreads.vendors.tastytrade.feed import TastytradeFeed
from tests.collector.scripted import Reports, in_this_loop

if TYPE_CHECKING:
    from pathlib import Path

    from live_box_spreads.collector.report import SnapshotReport

DEMO = Credentials(client_secret=DEMO_CLIENT_SECRET, refresh_token=DEMO_REFRESH_TOKEN)
BEFORE = datetime(2026, 11, 24, 20, 59, 54, tzinfo=UTC)  # 15:59:54 in New York, six seconds to go
TODAY = date(2026, 11, 24)
LONGEST_SECS = 60.0


async def test_an_expiry_that_passes_gives_way_to_the_next(tmp_path: Path) -> None:
    options = SimulatorOptions(seed=4, roots=("XSP",), now=BEFORE)
    with SimulatedExchange(options) as exchange:
        started = datetime.now(UTC)

        def clock() -> datetime:
            return BEFORE + (datetime.now(UTC) - started)

        feed = TastytradeFeed(TastytradeClient(DEMO, exchange.base_url), clock=clock)
        universe = Universe(("XSP",), 2, "nearest", (0.98, 1.02))
        collector = Collector(feed, universe, SnapshotStore(tmp_path), settle_secs=0.2, clock=clock)
        stop = asyncio.Event()
        reports: list[SnapshotReport] = []

        def on_report(report: SnapshotReport) -> None:
            reports.append(report)
            if report.path is not None and TODAY not in read_snapshot(report.path).expiries("XSP"):
                stop.set()

        async with asyncio.timeout(LONGEST_SECS):
            collector.publisher.subscribe(Reports(in_this_loop(on_report)))
            await collector.run(0.5, stop)
    assert all(report.path is not None for report in reports)
    chains = [read_snapshot(report.path) for report in reports if report.path is not None]
    before, after = chains[0].expiries("XSP"), chains[-1].expiries("XSP")
    assert before[0] == TODAY
    assert len(before) == len(after) == 2
    assert after[0] == before[1]
    assert after[1] > before[1]
    assert chains[-1].snapshot_time > datetime(2026, 11, 24, 21, 0, tzinfo=UTC)
    assert reports[-1].quoted > 0.9 * reports[-1].contracts
