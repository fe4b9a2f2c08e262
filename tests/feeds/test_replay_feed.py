from __future__ import annotations

import asyncio
import os
from contextlib import aclosing
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest
import structlog

from live_box_spreads.collector.live_book import LiveBook
from live_box_spreads.feeds.replay import ReplayFeed
from live_box_spreads.feeds.timeline import Playback
from live_box_spreads.model.chain import KEY, Chain, Timeliness
from live_box_spreads.model.errors import FeedEndedError, FeedError
from live_box_spreads.stores.snapshots import SnapshotStore, read_snapshot
from live_box_spreads.testing import FeedConformance
from tests.feeds.made_market import FIRST, SPACING, made_chains, without_ask
from tests.stores.old_files import old_parquet

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from live_box_spreads.feeds.base import Contracts, Feed

UNIVERSE = replace(FeedConformance.universe, roots=("XSP",))
QUICK = Playback(speed=600.0, loop=True)  # a minute in a tenth of a second


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three snapshots a minute apart; in the last one, an ask is gone."""
    folder = tmp_path_factory.mktemp("recording")
    first, second, last = made_chains()
    for chain in (first, second, without_ask(last, _withdrawn(first))):
        SnapshotStore(folder).write(chain)
    return folder


def _withdrawn(chain: Chain) -> dict[str, object]:
    """Return the key of an at-the-money contract of the farthest expiry."""
    mine = chain.quotes.filter(
        (chain.quotes["root"] == "XSP") & (chain.quotes["expiry"] == chain.expiries("XSP")[-1])
    )
    near = mine.sort((mine["strike"] - chain.spot["XSP"]).abs())
    return {name: near[name][0] for name in KEY}


class Clock:
    """Real time for a feed: it passes when the feed sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, secs: float) -> None:
        self.now += secs
        await asyncio.sleep(0)


class TestReplayFeed(FeedConformance):
    timeliness = Timeliness.REPLAY

    @pytest.fixture
    async def feed(self, recording: Path) -> AsyncIterator[ReplayFeed]:
        async with ReplayFeed(recording, QUICK) as feed:
            yield feed

    @pytest.fixture
    def another(self, recording: Path) -> Callable[[], Feed]:
        return lambda: ReplayFeed(recording, QUICK)

    async def withdraw_an_ask(self, feed: Feed, contracts: Contracts) -> int:
        assert feed.name == "replay"
        key = _withdrawn(made_chains()[0])
        table = contracts.table.select(KEY).with_row_index("row")
        return int(table.filter(**key)["row"].item())


async def _played(folder: Path, playback: Playback, updates: int) -> list[Chain]:
    """Return the book after each of the first updates."""
    clock = Clock()
    found = []
    async with ReplayFeed(folder, playback, clock=clock, sleep=clock.sleep) as feed:
        contracts = await feed.contracts(UNIVERSE)
        book = LiveBook(contracts)
        async with aclosing(feed.updates(contracts)) as stream:
            async for update in stream:
                book.apply(update)
                found.append(book.snapshot(feed.market_time(), feed.name, feed.timeliness))
                if len(found) == updates:
                    break
    return found


async def test_the_book_is_what_was_recorded_quote_times_included(recording: Path) -> None:
    for played, recorded in zip(
        await _played(recording, Playback(), 2), made_chains(), strict=False
    ):
        assert played.snapshot_time == recorded.snapshot_time
        assert played.spot == recorded.spot
        expected = recorded.quotes.join(played.quotes, on=KEY, how="semi").sort(KEY)
        assert played.quotes.equals(expected)


async def test_only_what_changed_is_told(recording: Path) -> None:
    clock = Clock()
    async with ReplayFeed(recording, clock=clock, sleep=clock.sleep) as feed:
        contracts = await feed.contracts(UNIVERSE)
        async with aclosing(feed.updates(contracts)) as stream:
            first, second = [await anext(stream) for _ in range(2)]
    assert first.quotes is not None
    assert first.activity is not None
    assert list(first.quotes.rows) == list(first.activity.rows) == list(range(len(contracts)))
    before, after = (
        chain.quotes.join(contracts.table, on=KEY, how="semi") for chain in made_chains()[:2]
    )
    traded = np.flatnonzero((before["volume"] != after["volume"]).to_numpy())
    assert 0 < len(traded) < len(contracts)
    assert second.activity is not None
    assert set(traded) <= set(second.activity.rows.tolist())
    assert len(second.activity.rows) < len(contracts)


async def test_a_recording_that_is_over_says_so_unless_it_loops(recording: Path) -> None:
    with pytest.raises(FeedEndedError, match=r"over after 3 snapshots; set replay\.loop"):
        await _played(recording, Playback(), 4)
    looped = await _played(recording, Playback(loop=True), 7)
    instants = [chain.snapshot_time - FIRST for chain in looped]
    assert [gap / SPACING for gap in instants] == [0, 1, 2, 0, 1, 2, 0]
    assert looped[3].quotes.equals(looped[0].quotes)


@pytest.mark.parametrize("speed", [0.5, 1.0, 60.0])
async def test_speed_is_recorded_seconds_a_second(recording: Path, speed: float) -> None:
    clock = Clock()
    playback = Playback(speed=speed, longest_wait_secs=1e9)
    async with ReplayFeed(recording, playback, clock=clock, sleep=clock.sleep) as feed:
        contracts = await feed.contracts(UNIVERSE)
        async with aclosing(feed.updates(contracts)) as stream:
            for _ in range(3):
                await anext(stream)
    assert clock.now - 1000.0 == pytest.approx(120.0 / speed, abs=2e-3)


async def test_a_slow_reader_misses_snapshots_but_no_change(recording: Path) -> None:
    clock = Clock()
    async with ReplayFeed(recording, clock=clock, sleep=clock.sleep) as feed:
        contracts = await feed.contracts(UNIVERSE)
        book = LiveBook(contracts)
        async with aclosing(feed.updates(contracts)) as stream:
            book.apply(await anext(stream))
            clock.now += 125.0
            book.apply(await anext(stream))
        assert feed.market_time() == FIRST + 2 * SPACING
        held = book.snapshot(feed.market_time(), feed.name, feed.timeliness)
        assert held.quotes.equals((await feed.snapshot(contracts)).quotes)


@pytest.mark.parametrize("damaged", [[0], [1], [2], [0, 1]])
async def test_a_damaged_snapshot_is_skipped_and_told_once(
    recording: Path, tmp_path: Path, damaged: list[int]
) -> None:
    paths = []
    for number, path in enumerate(SnapshotStore(recording).paths()):
        data = path.read_bytes()
        copy = tmp_path / path.name
        copy.write_bytes(data[: len(data) // 2] if number in damaged else data)
        paths.append(copy)
    whole = [number for number in range(3) if number not in damaged]
    with structlog.testing.capture_logs() as logs:
        played = await _played(tmp_path, Playback(loop=True), 4 if len(whole) == 2 else 1)
    numbers = [round((chain.snapshot_time - FIRST) / SPACING) for chain in played]
    assert numbers == (whole * 2 if len(whole) == 2 else whole)
    told = [log["reason"] for log in logs if log["event"] == "snapshot_skipped"]
    assert [str(paths[number]) in line for number, line in zip(damaged, sorted(told), strict=True)]


async def test_a_folder_without_a_readable_snapshot_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FeedError, match="no snapshot to replay in"):
        await ReplayFeed(tmp_path).__aenter__()
    (tmp_path / "snapshot_20261124_150000.parquet").write_bytes(b"no")
    async with ReplayFeed(tmp_path) as feed:
        with pytest.raises(FeedError, match=r"no snapshot of .* can be read") as raised:
            await feed.contracts(UNIVERSE)
        assert "\n" not in str(raised.value)
        assert feed.health().losses == {"snapshots_skipped": 1}
        assert list(feed.damaged) == [tmp_path / "snapshot_20261124_150000.parquet"]


async def test_what_is_no_file_and_what_has_no_digest_stop_no_replay(
    recording: Path, tmp_path: Path
) -> None:
    first, *_ = SnapshotStore(recording).paths()
    (tmp_path / "snapshot_20200101_000000.parquet").mkdir()
    os.mkfifo(tmp_path / "snapshot_20200101_000001.parquet")
    (tmp_path / "snapshot_20200101_000002.parquet").write_bytes(old_parquet(read_snapshot(first)))
    (tmp_path / first.name).write_bytes(first.read_bytes())
    with structlog.testing.capture_logs() as logs:
        played = await _played(tmp_path, Playback(longest_wait_secs=1.0), 2)
    assert [chain.snapshot_time for chain in played] == [FIRST, FIRST]
    events = [log["event"] for log in logs]
    assert events.count("snapshot_skipped") == 2
    assert events.count("recording_unchecked") == 1


async def test_a_folder_of_damaged_snapshots_is_given_up_soon_and_gone_on_with(
    recording: Path, tmp_path: Path
) -> None:
    *_, last = SnapshotStore(recording).paths()
    for number in range(150):
        (tmp_path / f"snapshot_20200101_00{number // 60:02}{number % 60:02}.csv").touch()
    (tmp_path / last.name).write_bytes(last.read_bytes())
    async with ReplayFeed(tmp_path, QUICK) as feed:
        with pytest.raises(FeedError, match="can be read"):
            await feed.contracts(UNIVERSE)
        assert len(feed.damaged) == 100
        assert len(await feed.contracts(UNIVERSE))


async def test_a_closed_feed_says_so(recording: Path) -> None:
    feed = ReplayFeed(recording)
    with pytest.raises(FeedError, match="not open"):
        await feed.contracts(UNIVERSE)
    with pytest.raises(FeedError, match="first call of contracts"):
        feed.market_time()


async def test_contracts_that_a_snapshot_lacks_are_kept_without_a_quote(tmp_path: Path) -> None:
    first, second, _ = made_chains()
    few = second.quotes.filter(second.quotes["strike"] % 2 == 0)
    for chain, quotes in ((first, first.quotes), (second, few)):
        SnapshotStore(tmp_path).write(
            Chain.build(
                quotes,
                snapshot_time=chain.snapshot_time,
                feed="x",
                timeliness=Timeliness.LIVE,
                spot=chain.spot,
            )
        )
    clock = Clock()
    async with ReplayFeed(tmp_path, clock=clock, sleep=clock.sleep) as feed:
        contracts = await feed.contracts(UNIVERSE)
        clock.now += 61.0
        chain = await feed.snapshot(contracts)
    odd = chain.quotes.filter(chain.quotes["strike"] % 2 != 0)
    assert len(odd) > 0
    assert odd["bid"].is_nan().all()
    assert list(chain.rejected.values()) == [len(odd)]
    assert chain.snapshot_time - FIRST == timedelta(minutes=1)
