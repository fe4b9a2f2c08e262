"""The whole way of a quote over real sockets: exchange, client, collector, snapshot, box table."""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from live_box_spreads.books.views.liquid import RATE_SPREAD, TIGHT_SHARE
from live_box_spreads.collector.collector import Collector
from live_box_spreads.dxlink.session import ConnectionTimes
from live_box_spreads.feeds.base import Universe
from live_box_spreads.model.chain import Timeliness
from live_box_spreads.model.contracts import Contract, occ_symbol
from live_box_spreads.simulator.credentials import DEMO_CLIENT_SECRET, DEMO_REFRESH_TOKEN
from live_box_spreads.simulator.exchange import SimulatedExchange, SimulatorOptions
from live_box_spreads.stores.snapshots import SnapshotStore, read_snapshot
from live_box_spreads.tastytrade_client import Credentials, TastytradeClient
from live_box_spreads.vendors.simulated.feed import SimulatedFeed
from live_box_spreads.vendors.tastytrade.feed import FeedTimes, TastytradeFeed
from tests.books.by_desk import box_table
from tests.collector.scripted import Reports
from tests.exchange_fixture import exchange_fixture

if TYPE_CHECKING:
    from pathlib import Path

    from live_box_spreads.collector.current_source import Collection
    from live_box_spreads.collector.report import SnapshotReport
    from live_box_spreads.model.chain import Chain

DEMO = Credentials(client_secret=DEMO_CLIENT_SECRET, refresh_token=DEMO_REFRESH_TOKEN)
OPENING = datetime(2026, 11, 24, 16, 0, tzinfo=UTC)  # a Tuesday, 11:00 in New York
UNIVERSE = Universe(("SPX", "XSP"), 4, "spread", (0.8, 1.2))
SMALL = Universe(("XSP",), 2, "nearest", (0.97, 1.03))
QUICK = FeedTimes(connection=ConnectionTimes(first_retry=0.05, longest_retry=0.1))
NEVER_SECS = 1e6
WAIT_SECS = 20.0


# Its market stands still, so that its book can be compared exactly.
frozen = exchange_fixture(
    "module", seed=11, roots=("SPX", "XSP"), now=OPENING, tick_secs=NEVER_SECS
)


# It quotes often.
moving = exchange_fixture("module", seed=12, roots=("XSP",), now=OPENING, tick_secs=0.05, pace=20.0)


def collector_on(
    exchange: SimulatedExchange,
    store: SnapshotStore,
    universe: Universe,
    collection: Collection = "stream",
) -> Collector:
    """Return a collector on an exchange, whose clock starts with the exchange's."""
    started = datetime.now(UTC)

    def clock() -> datetime:
        return OPENING + (datetime.now(UTC) - started)

    feed = TastytradeFeed(
        TastytradeClient(DEMO, exchange.base_url),
        name="simulated",
        timeliness=Timeliness.SIMULATED,
        clock=clock,
        rng=random.Random(1),  # noqa: S311 # jitter
        times=QUICK,
    )
    return Collector(feed, universe, store, collection=collection, settle_secs=0.5, clock=clock)


def book_of(exchange: SimulatedExchange, chain: Chain) -> pl.DataFrame:
    """Return the exchange's own book of the contracts of a chain, row by row."""
    rows = chain.quotes.select("root", "expiry", "right", "strike").iter_rows()
    own = [exchange.quote(occ_symbol(Contract(*row))) for row in rows]
    names = ("bid", "ask", "bid_size", "ask_size")
    return pl.DataFrame({name: [getattr(quote, name) for quote in own] for name in names})


@pytest.mark.parametrize("collection", ["stream", "poll"])
async def test_a_snapshot_is_the_book_of_the_exchange(
    frozen: SimulatedExchange, tmp_path: Path, collection: Collection
) -> None:
    universe = Universe(("XSP",), 3, "spread", (0.9, 1.1))
    store = SnapshotStore(tmp_path)
    report = await collector_on(frozen, store, universe, collection).once()
    assert report.path is not None
    chain = read_snapshot(report.path)
    assert (chain.feed, chain.timeliness) == ("simulated", Timeliness.SIMULATED)
    assert set(chain.keys()) < set(frozen.truth().series)
    assert len(chain.keys()) == 3
    own = book_of(frozen, chain)
    assert len(own) > 100
    for name in ("bid", "ask"):
        np.testing.assert_array_equal(chain.quotes[name].to_numpy(), own[name].to_numpy())
    for side in ("bid", "ask"):  # the size of a side without a price means nothing
        priced = own[side].is_not_nan()
        found = chain.quotes.filter(priced)[f"{side}_size"].to_numpy()
        np.testing.assert_array_equal(found, own.filter(priced)[f"{side}_size"].to_numpy())
    assert chain.spot["XSP"] == round(frozen.truth().spot("XSP"), 2)
    assert chain.quotes["volume"].null_count() == 0
    assert chain.quotes["open_interest"].null_count() == 0
    assert chain.quotes["open_interest"].sum() > 0
    ages_secs = (chain.snapshot_time - chain.quotes["quote_time"]).dt.total_seconds()
    assert ages_secs.drop_nulls().is_between(0, WAIT_SECS).all()


async def test_every_contract_of_the_universe_is_in_the_snapshot(
    frozen: SimulatedExchange, tmp_path: Path
) -> None:
    report = await collector_on(frozen, SnapshotStore(tmp_path), UNIVERSE).once()
    assert report.path is not None
    found = read_snapshot(report.path).quotes
    listed = set(frozen.occ_symbols)
    keys = found.select("root", "expiry", "right", "strike").iter_rows()
    symbols = [occ_symbol(Contract(*key)) for key in keys]
    assert set(symbols) <= listed
    # All strikes that the exchange lists for these expiries within 20 % of the spot, both rights.
    series = {symbol[:12] for symbol in symbols}
    spot = {root: frozen.truth().spot(root) for root in UNIVERSE.roots}
    wanted = {
        symbol
        for symbol in listed
        if symbol[:12] in series
        and 0.8 <= int(symbol[13:]) / 1000 / spot[symbol[:6].strip()] <= 1.2
    }
    assert set(symbols) == wanted
    assert len(series) == 8


async def test_rates_of_the_snapshot_agree_with_the_truth(
    frozen: SimulatedExchange, tmp_path: Path
) -> None:
    """Quotes are rounded away from fair prices that lie on parity, with a mid off by its noise.

    A mid strays from the fair price by half a half-spread at most, so the fair price is between
    bid and ask, and no executable box can lend above the true rate or borrow below it. Both rates
    are effective, and the truth's is continuous: ``expm1`` turns it. The mid of a box has the
    noise of four legs, each 6 % of its half-spread: the tightest quarter's median, over hundreds
    of boxes, is held to a tenth of their median distance of the two executable rates.
    """
    report = await collector_on(frozen, SnapshotStore(tmp_path), UNIVERSE).once()
    assert report.path is not None
    chain, truth = read_snapshot(report.path), frozen.truth()
    checked = 0
    for root, expiry in chain.keys():  # noqa: SIM118 # a chain is no mapping
        if (expiry - OPENING.date()).days < 60:
            continue
        checked += 1
        frame = box_table(chain, root, expiry).frame
        true_rate = float(np.expm1(truth.rate(root, expiry)))
        assert len(frame) > 100
        lend, borrow = frame["ask_rate"].drop_nans(), frame["bid_rate"].drop_nans()
        assert lend.max() <= true_rate + 1e-9  # type: ignore[operator] # never empty
        assert borrow.min() >= true_rate - 1e-9  # type: ignore[operator]
        spread = frame.select(RATE_SPREAD.fill_nan(None)).to_series()
        tight = spread <= spread.quantile(TIGHT_SHARE, "lower")
        middle, width = frame["mid_rate"].filter(tight).median(), spread.filter(tight).median()
        assert abs(middle - true_rate) <= 0.1 * width  # type: ignore[operator]
    assert checked >= 3


async def until(reports: list[SnapshotReport], count: int) -> None:
    while len(reports) < count:  # noqa: ASYNC110 # they come in another thread
        await asyncio.sleep(0.05)


async def test_snapshots_in_a_row_are_distinct_and_move(
    moving: SimulatedExchange, tmp_path: Path
) -> None:
    store, stop = SnapshotStore(tmp_path), asyncio.Event()
    reports: list[SnapshotReport] = []
    collector = collector_on(moving, store, SMALL)
    collector.publisher.subscribe(Reports(reports.append))
    async with asyncio.timeout(WAIT_SECS), asyncio.TaskGroup() as tasks:
        tasks.create_task(collector.run(1.0, stop))
        await until(reports, 3)
        stop.set()
    collector.publisher.close()
    chains = [read_snapshot(path) for path in store.paths()]
    assert [report.path for report in reports] == store.paths()
    assert [report.failures for report in reports] == [{}] * len(reports)
    for before, after in pairwise(chains):
        assert before.snapshot_time < after.snapshot_time
        assert before.quotes.select("root", "expiry", "strike", "right").equals(
            after.quotes.select("root", "expiry", "strike", "right")
        )
        assert not before.quotes["bid"].equals(after.quotes["bid"])


async def test_a_stream_cut_for_a_while_is_reported_and_mended(
    moving: SimulatedExchange, tmp_path: Path
) -> None:
    store, stop = SnapshotStore(tmp_path), asyncio.Event()
    reports: list[SnapshotReport] = []
    collector = collector_on(moving, store, SMALL)
    collector.publisher.subscribe(Reports(reports.append))
    async with asyncio.timeout(WAIT_SECS), asyncio.TaskGroup() as tasks:
        tasks.create_task(collector.run(0.5, stop))
        await until(reports, 1)
        moving.faults.refused_upgrades = 1_000
        moving.faults.resets += 1
        await until(reports, 4)
        moving.faults.refused_upgrades = 0
        mended_from = len(reports)
        while reports[-1].failures:
            await until(reports, len(reports) + 1)
        stop.set()
    collector.publisher.close()
    assert reports[0].failures == {}
    assert all(report.path is not None for report in reports)
    down = [report for report in reports[:mended_from] if report.failures]
    assert len(down) >= 2
    assert all(report.failures["stream"].startswith("link down since ") for report in down)
    assert down[-1].path is not None
    held = read_snapshot(down[-1].path)
    since = {(held.snapshot_time - at).total_seconds() for at in held.quotes["quote_time"] if at}
    assert min(since) > 0.4  # nothing newer than the cut
    last = reports[-1].path
    assert last is not None
    fresh = read_snapshot(last)
    newest = fresh.quotes["quote_time"].max()
    assert newest is not None
    assert fresh.snapshot_time - newest < timedelta(seconds=2)  # type: ignore[operator]


async def test_the_simulated_feed_needs_no_exchange_but_its_own(tmp_path: Path) -> None:
    options = SimulatorOptions(seed=13, roots=("XSP",), tick_secs=0.1)
    store = SnapshotStore(tmp_path)
    collector = Collector(SimulatedFeed(options=options), SMALL, store, settle_secs=0.5)
    report = await collector.once()
    assert report.path is not None
    chain = read_snapshot(report.path)
    assert (chain.feed, chain.timeliness) == ("simulated", Timeliness.SIMULATED)
    assert chain.roots == ["XSP"]
    assert report.quoted > 0.9 * report.contracts
    assert report.failures == {}
