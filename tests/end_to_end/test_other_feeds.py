"""Delayed pages over a socket into snapshots, and those played back into the same snapshots."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from live_box_spreads.collector.collector import Collector
from live_box_spreads.feeds.base import Universe
from live_box_spreads.feeds.replay import ReplayFeed
from live_box_spreads.model.chain import Timeliness
from live_box_spreads.stores.snapshots import SnapshotStore, read_snapshot
from live_box_spreads.vendors.cboe.client import CboeClient, Pace
from live_box_spreads.vendors.cboe.feed import CboeFeed
from tests.books.by_desk import box_table
from tests.collector.scripted import Reports, in_this_loop
from tests.feeds.made_market import made_chains, page_of
from tests.vendors.cboe.cboe_server import CboeServer

if TYPE_CHECKING:
    from pathlib import Path

    from live_box_spreads.collector.current_source import Collection
    from live_box_spreads.collector.report import SnapshotReport
    from live_box_spreads.model.chain import Chain

UNIVERSE = Universe(("XSP",), 3, "spread", (0.95, 1.05))
DELAY = timedelta(minutes=15)
QUICK_SECS = 0.05


async def _record(folder: Path) -> list[Chain]:
    """Collect three pages that follow each other."""
    store = SnapshotStore(folder)
    chains = iter(made_chains())
    with CboeServer({}) as server:

        def next_page(_report: SnapshotReport | None = None) -> None:
            chain = next(chains, None)
            if chain is None:
                stop.set()
            else:
                server.pages["XSP"] = page_of(chain, "XSP", chain.snapshot_time + DELAY)

        def when_written(report: SnapshotReport) -> None:
            assert report.failures == {}
            if report.path is not None:
                next_page()

        stop = asyncio.Event()
        next_page()
        client = CboeClient(server.base_url, pace=Pace(0.0))
        collector = Collector(CboeFeed(client, interval_secs=QUICK_SECS), UNIVERSE, store)
        with collector.publisher as publisher:
            publisher.subscribe(Reports(in_this_loop(when_written)))
            await collector.run(QUICK_SECS, stop)
    return [read_snapshot(path) for path in store.paths()]


@pytest.mark.parametrize("collection", ["stream", "poll"])
async def test_a_recording_of_delayed_pages_plays_back_to_the_same_boxes(
    tmp_path: Path, collection: Collection
) -> None:
    recorded = await _record(tmp_path / "recorded")
    assert [chain.origin for chain in recorded] == ["delayed cboe"] * 3
    assert [chain.snapshot_time for chain in recorded] == [
        made.snapshot_time for made in made_chains()
    ]

    replayed = SnapshotStore(tmp_path / "replayed")
    seconds = 0.0

    def after_a_minute(report: SnapshotReport) -> None:
        nonlocal seconds
        seconds += 60.0 if report.path is not None else 0.0

    feed = ReplayFeed(
        tmp_path / "recorded",
        clock=lambda: seconds,
        sleep=lambda _secs: asyncio.sleep(QUICK_SECS / 10),
    )
    collector = Collector(feed, UNIVERSE, replayed, collection=collection)
    async with asyncio.timeout(60.0):
        collector.publisher.subscribe(Reports(in_this_loop(after_a_minute)))
        await collector.run(QUICK_SECS, asyncio.Event())

    played = [read_snapshot(path) for path in replayed.paths()]
    assert {chain.timeliness for chain in played} == {Timeliness.REPLAY}
    for before, after in zip(recorded, played, strict=True):
        assert after.snapshot_time == before.snapshot_time
        assert after.spot == before.spot
        assert after.quotes.equals(before.quotes)
        expiry = before.expiries("XSP")[-1]
        boxes = [box_table(chain, "XSP", expiry).frame for chain in (before, after)]
        assert len(boxes[0]) > 10
        assert boxes[1].equals(boxes[0])
