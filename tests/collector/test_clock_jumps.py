"""The collector when the wall clock jumps: a sleep, a clock set forward or back. Nobody waits."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from live_box_spreads.collector.collector import Collector
from live_box_spreads.feeds.base import Universe
from live_box_spreads.model.chain import Timeliness
from live_box_spreads.stores.snapshots import SnapshotStore, read_snapshot
from tests.collector.scripted import ScriptedFeed, ScriptedTime, activity, quotes, reports_of

if TYPE_CHECKING:
    from pathlib import Path

    from live_box_spreads.collector.report import SnapshotReport
    from live_box_spreads.model.chain import Chain

INTERVAL_SECS = 60.0


class JumpingTime(ScriptedTime):
    """A steady clock, and a wall clock that somebody sets."""

    def __init__(self) -> None:
        super().__init__()
        self.jump = timedelta(0)

    def clock(self) -> datetime:
        return self.now + self.jump

    def set_at(self, secs: float, jump_secs: float) -> None:
        """Plan a jump of the wall clock for so many steady seconds after the start."""
        self.at(secs, lambda: setattr(self, "jump", timedelta(seconds=jump_secs)))


async def rounds_of(
    time: JumpingTime, feed: ScriptedFeed, store: SnapshotStore, until_secs: float
) -> list[SnapshotReport]:
    collector = Collector(
        feed, Universe(("SPX", "SPXW")), store, clock=time.clock, sleep=time.sleep
    )
    stop = asyncio.Event()
    time.at(until_secs, stop.set)
    return await reports_of(collector, INTERVAL_SECS, stop)


def quoting_feed(time: JumpingTime) -> ScriptedFeed:
    """Return a feed that quotes everything every ten seconds."""
    feed = ScriptedFeed(time=time)
    for secs in range(0, 900, 10):
        feed.send_at(float(secs), quoted=quotes(0, 1, 2, 3), active=activity(0, 1, 2, 3))
    return feed


@pytest.mark.parametrize("jump_secs", [8 * 3600.0, 95.0, -95.0, -3600.0])
async def test_after_a_jump_one_snapshot_an_interval_goes_on(
    tmp_path: Path, jump_secs: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    time = JumpingTime()
    feed = ScriptedFeed(time=time)
    for secs in range(0, 600, 10):
        feed.send_at(float(secs), quoted=quotes(0, 1, 2, 3), active=activity(0, 1, 2, 3))
    time.set_at(150.0, jump_secs)
    written_at: list[float] = []
    store = SnapshotStore(tmp_path)
    write = store.write

    def noted(chain: Chain) -> Path:
        written_at.append(time.secs())
        return write(chain)

    monkeypatch.setattr(store, "write", noted)
    reports = await rounds_of(time, feed, store, 500.0)
    pauses = [after - before for before, after in pairwise(written_at)]
    assert min(pauses[:-1]) > 0  # no burst …
    assert sum(pause < 0.5 * INTERVAL_SECS for pause in pauses) <= 1  # … one round meets the grid
    assert max(pauses) <= 2 * INTERVAL_SECS  # and no hole beyond the interval that the jump cut
    assert len(reports) >= 7
    for report in reports:
        assert report.path is not None
        chain = read_snapshot(report.path)
        assert (chain.quotes["quote_time"] <= chain.snapshot_time).all()


async def test_quotes_from_before_a_clock_was_set_back_do_not_look_fresh(tmp_path: Path) -> None:
    time = JumpingTime()
    feed = ScriptedFeed(time=time)
    feed.send_at(0.0, quoted=quotes(0, 1, 2, 3), active=activity(0, 1, 2, 3))
    feed.send_at(100.0, lost=(0, 1, 2, 3))
    time.set_at(150.0, -3600.0)
    feed.send_at(160.0, quoted=quotes(0))
    reports = await rounds_of(time, feed, SnapshotStore(tmp_path), 590.0)
    path = reports[-1].path
    assert path is not None
    chain = read_snapshot(path)
    ages = [chain.snapshot_time - time for time in chain.quotes["quote_time"].to_list()]
    # Its own root was last updated at 160; the other one not since the start, but for the pause
    # between the last update before the clock was set and the first one after it.
    assert ages[0] < timedelta(seconds=400) < ages[2] == ages[3]


async def test_snapshots_that_a_clock_left_in_the_future_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    time = JumpingTime()
    feed = ScriptedFeed(time=time)
    monkeypatch.setattr(ScriptedFeed, "timeliness", Timeliness.LIVE)
    feed.send_at(0.0, quoted=quotes(0, 1, 2, 3), active=activity(0, 1, 2, 3))
    time.set_at(70.0, 3600.0)
    time.set_at(190.0, 0.0)
    reports = await rounds_of(time, feed, SnapshotStore(tmp_path), 290.0)
    told = ["clock" in report.failures for report in reports]
    assert told[:2] == [False, False]
    assert told[-1]
    last = reports[-1].failures["clock"]
    store = SnapshotStore(tmp_path)
    ahead = store.latest()  # by name
    assert ahead is not None
    assert f"{ahead.name} by " in last
    assert "2 snapshots are ahead of now" in last
    assert "not shown as the newest, not pruned" in last
    assert store.latest(time.clock()) == reports[-1].path


@pytest.mark.parametrize("retain", [1, 2, 5])
@pytest.mark.parametrize("jump_secs", [-3600.0, -95.0, -40.0, 3600.0])
async def test_no_round_prunes_what_it_reports(
    tmp_path: Path, retain: int, jump_secs: float
) -> None:
    time = JumpingTime()
    time.set_at(250.0, jump_secs)
    store = SnapshotStore(tmp_path, retain=retain)
    reports = await rounds_of(time, quoting_feed(time), store, 700.0)
    written = [report.path for report in reports]
    kept = set(store.paths())
    assert set(written[-retain:]) <= kept
    assert len(kept) <= 2 * retain
    pruned = [path for report in reports for path in report.pruned]
    assert len(pruned) + len(kept) == len(written)  # a name may come again once it is free
    assert all(report.path not in report.pruned for report in reports)


async def test_snapshots_of_a_clock_that_ran_ahead_do_not_push_out_new_ones(
    tmp_path: Path,
) -> None:
    ahead = JumpingTime()
    ahead.jump = timedelta(days=7)
    time = JumpingTime()
    store = SnapshotStore(tmp_path, retain=3)
    await rounds_of(ahead, quoting_feed(ahead), SnapshotStore(tmp_path, retain=3), 290.0)
    reports = await rounds_of(time, quoting_feed(time), store, 290.0)
    assert [len(report.pruned) for report in reports] == [0, 0, 0, 1, 1]
    listing = store.listing(time.clock())
    assert [tmp_path / name for name in listing.current] == [r.path for r in reports[-3:]]
    assert len(listing.ahead) == 3
