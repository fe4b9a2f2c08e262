from __future__ import annotations

import asyncio
import errno
import os
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from live_box_spreads.model.errors import (
    CredentialsError,
    FeedError,
    FeedUnavailableError,
    LoginRefusedError,
    StoreError,
)
from live_box_spreads.stores.snapshots import SnapshotStore, read_snapshot
from tests.collector.scripted import (
    ScriptedFeed,
    activity,
    collector_of,
    contracts_of,
    quotes,
    reports_of,
    rounds_of,
)

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path


DOWN = FeedUnavailableError("the link is down")


@pytest.fixture
def store(tmp_path: Path) -> SnapshotStore:
    return SnapshotStore(tmp_path / "snapshots")


def stamps(store: SnapshotStore) -> list[str]:
    return [path.stem.rpartition("_")[2] for path in store.paths()]


async def test_one_snapshot_by_poll(store: SnapshotStore) -> None:
    feed = ScriptedFeed(before_snapshot=[2.5])
    report = await collector_of(feed, store).once()
    assert report.path == store.folder / "snapshot_20261124_150002.parquet"
    assert (report.contracts, report.quoted) == (4, 4)
    assert report.by_root == {"SPX": 2, "SPXW": 2}
    assert (report.failures, report.duration_secs, report.overrun_secs) == ({}, 2.5, 0.0)
    assert read_snapshot(report.path).quotes["bid"].to_list() == [1.0] * 4
    assert (feed.opened, feed.closed) == (1, 1)


async def test_one_snapshot_by_stream(store: SnapshotStore) -> None:
    feed = ScriptedFeed()
    feed.send_at(1.0, quoted=quotes(0, 1, 2), active=activity(0, 1, 2, 3), asked=(4, 4))
    told: list[tuple[str, int, int]] = []
    report = await collector_of(feed, store, "stream").once(lambda *step: told.append(step))
    assert report.path is not None
    assert (report.contracts, report.quoted, report.by_root) == (4, 3, {"SPX": 2, "SPXW": 1})
    assert (read_snapshot(report.path).feed, feed.streams, feed.closed) == ("scripted", 0, 1)
    assert told == [("roots", 0, 2), ("roots", 2, 2), ("quotes", 0, 4), ("quotes", 3, 4)]


async def test_one_snapshot_that_fails_raises_and_lets_go(store: SnapshotStore) -> None:
    feed = ScriptedFeed(before_snapshot=[DOWN])
    with pytest.raises(FeedUnavailableError, match="the link is down"):
        await collector_of(feed, store).once()
    assert (feed.opened, feed.closed, store.paths()) == (1, 1, [])


async def test_a_failing_root_is_reported_and_the_other_stands(store: SnapshotStore) -> None:
    feed = ScriptedFeed([contracts_of("SPX", failures={"SPXW": "no such chain"})])
    report = await collector_of(feed, store).once()
    assert (report.by_root, report.failures) == ({"SPX": 2}, {"SPXW": "no such chain"})


async def test_no_contract_at_all_is_an_error_with_the_reasons(store: SnapshotStore) -> None:
    feed = ScriptedFeed([contracts_of(failures={"SPX": "no expiry left"})])
    with pytest.raises(FeedUnavailableError, match=r"SPX, SPXW is listed: no expiry left"):
        await collector_of(feed, store).once()


async def test_a_root_that_comes_back_is_collected_without_a_restart(store: SnapshotStore) -> None:
    half = contracts_of("SPX", failures={"SPXW": "no such chain"})
    none, back = FeedError("nothing to quote"), contracts_of("SPXW")
    feed = ScriptedFeed([half, none, back, contracts_of("SPX", "SPXW")])
    reports = await rounds_of(collector_of(feed, store), feed, 11 * 60)
    both = ("SPX", "SPXW")
    assert feed.asked == [both, ("SPXW",), ("SPXW",), both]  # at 0, 5, 10 and 10 minutes
    assert [sorted(report.failures) for report in reports] == [["SPXW"]] * 10 + [[]]
    assert reports[-1].by_root == {"SPX": 2, "SPXW": 2}


async def test_a_failed_round_is_reported_and_tried_again(store: SnapshotStore) -> None:
    feed = ScriptedFeed(before_snapshot=[0.0, DOWN, FeedError("odd answer")])
    reports = await rounds_of(collector_of(feed, store), feed, 230)
    assert [dict(report.failures) for report in reports] == [
        {},
        {"round": "the link is down"},
        {"round": "odd answer"},
        {},
    ]
    assert [report.path is None for report in reports] == [False, True, True, False]
    assert stamps(store) == ["150000", "150300"]


async def test_a_listing_that_fails_is_tried_again(store: SnapshotStore) -> None:
    feed = ScriptedFeed([DOWN, contracts_of("SPX")])
    reports = await rounds_of(collector_of(feed, store), feed, 90)
    assert [dict(report.failures) for report in reports] == [{"round": "the link is down"}, {}]


async def test_a_full_disk_is_reported_and_the_next_round_written(
    store: SnapshotStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed = ScriptedFeed()
    answers = [OSError(errno.ENOSPC, "No space left on device")]
    really_sync = os.fsync

    def sync(descriptor: int) -> None:
        if answers:
            raise answers.pop()
        really_sync(descriptor)

    monkeypatch.setattr(os, "fsync", sync)
    reports = await rounds_of(collector_of(feed, store), feed, 90)
    assert reports[0].failures["round"].endswith("cannot be written: No space left on device")
    assert reports[0].path is None
    assert stamps(store) == ["150100"]
    assert not list(store.folder.glob("*.tmp"))


async def test_a_full_disk_gets_the_room_of_snapshots_no_longer_wanted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed = ScriptedFeed()
    await rounds_of(collector_of(feed, SnapshotStore(tmp_path)), feed, 290)
    store = SnapshotStore(tmp_path, retain=2)
    really_sync = os.fsync

    def sync(descriptor: int) -> None:
        if len(store.paths()) > 3:
            raise OSError(errno.ENOSPC, "No space left on device")
        really_sync(descriptor)

    monkeypatch.setattr(os, "fsync", sync)
    later = ScriptedFeed()
    later.time.now += timedelta(minutes=10)
    stop = asyncio.Event()
    later.time.at(690, stop.set)
    reports = await reports_of(collector_of(later, store), 60.0, stop)
    assert [report.path is not None for report in reports] == [False, True]
    assert stamps(store) == ["150400", "151100"]


@pytest.mark.parametrize("error", [LoginRefusedError("no"), CredentialsError("unreadable")])
async def test_what_no_retry_can_mend_ends_the_run(store: SnapshotStore, error: FeedError) -> None:
    feed = ScriptedFeed(before_snapshot=[0.0, error])
    with pytest.raises(type(error)):
        await rounds_of(collector_of(feed, store), feed, 600)
    assert (feed.opened, feed.closed, feed.snapshots) == (1, 1, 2)
    with store.lock():
        """Let go: another collector may have the folder."""


async def test_a_stream_refused_between_two_rounds_ends_the_run(store: SnapshotStore) -> None:
    feed = ScriptedFeed()
    feed.send_at(0.0, quoted=quotes(0, 1, 2, 3), active=activity(0, 1, 2, 3))
    feed.send_at(90.0, error=LoginRefusedError("the token was refused"))
    with pytest.raises(LoginRefusedError, match="the token was refused"):
        await rounds_of(collector_of(feed, store, "stream"), feed, 600)
    assert (feed.closed, feed.streams, feed.streams_opened) == (1, 0, 1)
    assert len(store.paths()) == 2


async def test_a_stream_that_breaks_is_opened_anew(store: SnapshotStore) -> None:
    feed = ScriptedFeed()
    full, active = quotes(0, 1, 2, 3), activity(0, 1, 2, 3)
    feed.send_at(0.0, quoted=full, active=active)
    feed.send_at(30.0, error=FeedError("broken"))
    feed.send_at(120.0, quoted=full, active=active)
    reports = await rounds_of(collector_of(feed, store, "stream"), feed, 170)
    assert [dict(report.failures) for report in reports] == [{}, {"round": "broken"}, {}]
    assert feed.streams_opened == 2


async def test_a_lost_link_is_reported_and_quote_times_stay_old(store: SnapshotStore) -> None:
    feed = ScriptedFeed()
    full = quotes(0, 1, 2, 3)
    feed.send_at(0.0, quoted=full, active=activity(0, 1, 2, 3))
    feed.send_at(30.0, lost=(0, 1, 2, 3))
    feed.send_at(100.0, quoted=full)
    reports = await rounds_of(collector_of(feed, store, "stream"), feed, 130)
    down = {"stream": "link down since 15:00:30 UTC; quotes are as of then"}
    assert [dict(report.failures) for report in reports] == [{}, down, {}]
    ages = [
        {(chain.snapshot_time - time).total_seconds() for time in chain.quotes["quote_time"]}
        for chain in map(read_snapshot, store.paths())
    ]
    assert ages == [{0.05}, {60.0}, {20.0}]  # it looks whether all is there every 0.05 s
    assert feed.streams_opened == 1


async def test_a_round_that_overruns_says_so_and_skips_what_it_missed(
    store: SnapshotStore,
) -> None:
    feed = ScriptedFeed(before_snapshot=[10.0, 150.0, 5.0])
    reports = await rounds_of(collector_of(feed, store), feed, 310)
    assert [report.overrun_secs for report in reports] == [0.0, 90.0, 0.0, 0.0]
    assert stamps(store) == ["150010", "150330", "150405", "150500"]


async def test_a_new_trading_day_and_a_passed_expiry_are_listed_anew(
    store: SnapshotStore,
) -> None:
    feed = ScriptedFeed()
    stop = asyncio.Event()
    hours = 3600.0
    feed.time.at(24.5 * hours, stop.set)
    await collector_of(feed, store).run(hours, stop)
    # At the start, after the close (SPXW's expiry) and when the next trade date begins.
    assert len(feed.asked) == 3
    assert len(store.paths()) == 25


async def test_old_snapshots_are_pruned_after_each_write(tmp_path: Path) -> None:
    store = SnapshotStore(tmp_path, retain=2)
    feed = ScriptedFeed()
    reports = await rounds_of(collector_of(feed, store), feed, 200)
    assert [[path.name for path in report.pruned] for report in reports] == [
        [],
        [],
        ["snapshot_20261124_150000.parquet"],
        ["snapshot_20261124_150100.parquet"],
    ]
    assert stamps(store) == ["150200", "150300"]


async def test_a_snapshot_is_reported_even_where_pruning_fails(
    store: SnapshotStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_now: datetime) -> list[Path]:
        raise StoreError("a snapshot cannot be removed")

    monkeypatch.setattr(store, "prune", refuse)
    report = await collector_of(ScriptedFeed(), store).once()
    assert report.path == store.latest()
    assert report.failures == {"prune": "a snapshot cannot be removed"}


async def test_what_cannot_be_pruned_is_told_once_and_stops_nothing(tmp_path: Path) -> None:
    store = SnapshotStore(tmp_path, retain=2)
    in_the_way = tmp_path / "snapshot_20200101_000000.parquet"
    in_the_way.mkdir()
    (in_the_way / "mine").touch()
    feed = ScriptedFeed()
    reports = await rounds_of(collector_of(feed, store), feed, 250)
    told = [report.failures.get("prune", "") for report in reports]
    assert [bool(text) for text in told] == [False, True, False, False, False]
    assert f"{in_the_way} cannot be removed" in told[1]
    assert [len(report.pruned) for report in reports] == [0, 0, 1, 1, 1]
    assert stamps(store)[1:] == ["150300", "150400"]


async def test_contracts_listed_anew_keep_their_quotes_and_times_until_new_ones_come(
    store: SnapshotStore,
) -> None:
    listings = [contracts_of("SPX", "SPXW"), contracts_of("SPX")]  # SPXW expires at 21:00
    feed = ScriptedFeed(listings=listings)
    feed.send_at(0.0, quoted=quotes(0, 1, 2, 3), active=activity(0, 1, 2, 3))
    feed.send_at(5.5 * 3600, quoted=quotes(0), active=activity(0, 1))
    feed.send_at(6.25 * 3600, quoted=quotes(0, bid=20.0), active=activity(0, 1))
    stop = asyncio.Event()
    feed.time.at(6.75 * 3600, stop.set)
    reports = await reports_of(collector_of(feed, store, "stream"), 1800.0, stop)
    assert feed.streams_opened == 2
    assert all(report.duration_secs < 10.0 for report in reports)
    at_the_expiry, later = (read_snapshot(path) for path in store.paths()[12:])
    ages = (at_the_expiry.snapshot_time - at_the_expiry.quotes["quote_time"]).to_list()
    assert [age.total_seconds() for age in ages] == [1802.0, 1802.0]
    assert at_the_expiry.quotes["bid"].to_list() == [10.0, 10.0]
    assert at_the_expiry.quotes["volume"].null_count() == 2  # it may be of another day
    assert "stream_lost_since" in at_the_expiry.notes
    assert "listed anew" in reports[12].failures["stream"]
    assert later.quotes["bid"].to_list() == [20.0, 10.0]
    assert "stream_lost_since" not in later.notes


async def test_a_listing_that_fails_leaves_the_stream_as_it_is(store: SnapshotStore) -> None:
    listed = contracts_of("SPX", "SPXW")
    away = FeedUnavailableError("the API is away")
    feed = ScriptedFeed(listings=[listed, away, away, contracts_of("SPX")])
    hours = 3600.0
    for hour in range(8):
        feed.send_at(hour * hours, quoted=quotes(0, 1, 2, 3), active=activity(0, 1, 2, 3))
    feed.send_at(8 * hours + 1, quoted=quotes(0, 1), active=activity(0, 1))
    stop = asyncio.Event()
    feed.time.at(8.5 * hours, stop.set)
    reports = await reports_of(collector_of(feed, store, "stream"), hours, stop)
    # SPXW expires at 21:00, six hours after the start; twice the contracts cannot be listed anew.
    told = [report.failures.get("listing", "") for report in reports]
    assert [bool(text) for text in told] == [*[False] * 6, True, True, False]
    assert "the API is away; the contracts are those listed before" in told[6]
    assert all(report.path is not None for report in reports)
    assert feed.streams_opened == 2
    assert read_snapshot(store.paths()[-1]).roots == ["SPX"]


async def test_a_mistake_of_ours_fails_one_round_and_quotes_nobody(store: SnapshotStore) -> None:
    feed = ScriptedFeed(before_snapshot=[0.0, ValueError("a header with s3cret in it"), 0.0])
    reports = await rounds_of(collector_of(feed, store), feed, 130)
    assert [report.path is not None for report in reports] == [True, False, True]
    told = reports[1].failures["round"]
    assert told.startswith("ValueError in scripted.py, line ")
    assert "s3cret" not in repr(reports[1])
