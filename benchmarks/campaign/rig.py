"""A collector on a simulated exchange, watched: every snapshot is compared with the truth."""

from __future__ import annotations

import asyncio
import random
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

from benchmarks.campaign.judge import ON_THE_WAY, Finding, Judge
from live_box_spreads.collector.collector import Collector
from live_box_spreads.collector.events import Event, Round, Snapshot
from live_box_spreads.model.chain import Timeliness
from live_box_spreads.model.quality import QualityRules
from live_box_spreads.net.client import Limits
from live_box_spreads.simulator.credentials import DEMO_CLIENT_SECRET, DEMO_REFRESH_TOKEN
from live_box_spreads.stores.snapshots import SnapshotStore, read_snapshot
from live_box_spreads.tastytrade_client import Credentials, TastytradeClient
from live_box_spreads.vendors.tastytrade.feed import FeedTimes, TastytradeFeed

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from datetime import datetime
    from pathlib import Path

    from live_box_spreads.collector.report import SnapshotReport
    from live_box_spreads.feeds.base import Universe
    from live_box_spreads.simulator.exchange import SimulatedExchange
    from live_box_spreads.simulator.scenarios import Scenario

DEMO = Credentials(client_secret=DEMO_CLIENT_SECRET, refresh_token=DEMO_REFRESH_TOKEN)


@dataclass(frozen=True, slots=True)
class Setting:
    """How the collector runs and what is asked of it; times are in seconds of the exchange.

    Attributes:
        universe: what it collects.
        times: when its feed acts by itself, in real seconds.
        interval_secs: between snapshots.
        stale_after_secs: a quote older than this counts as stale.
        latency_secs: from a quote to the book, at most.
        recovery_secs: after a trouble is over, the book is true again within this.
        limits: on each REST answer, in real seconds.
    """

    universe: Universe
    times: FeedTimes
    interval_secs: float = 0.5
    stale_after_secs: float = 5.0
    latency_secs: float = 1.0
    recovery_secs: float = 15.0
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, slots=True)
class Watched:
    """One round of the collector and what the judge found; None if it wrote no snapshot."""

    report: SnapshotReport
    finding: Finding | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one trouble did.

    Attributes:
        scenario: its name.
        recovered_secs: from its end to the first true snapshot; None if that never came.
        rounds: rounds of the collector meanwhile.
        written: of these, how many wrote a snapshot.
        reported: of these, how many said that something is wrong.
        false_fresh: rows that showed a stale price as fresh.
        false_times: rows that said that a quote stood when it was gone.
        worst_lag_secs: longest time that a fresh row's quote was gone.
    """

    scenario: str
    recovered_secs: float | None
    rounds: int
    written: int
    reported: int
    false_fresh: int
    false_times: int
    worst_lag_secs: float


@dataclass
class Rig:
    """Keeps every round and its finding.

    Attributes:
        rounds: all so far.
        skips: when the exchange's time was moved on at once.
        ended: what ended the collector; None while it runs.
    """

    exchange: SimulatedExchange
    setting: Setting
    judge: Judge
    rounds: list[Watched] = field(default_factory=list)
    skips: list[datetime] = field(default_factory=list)
    ended: BaseException | None = None
    name: str = "rig"
    wants: tuple[type[Event], ...] = (Snapshot, Round)

    def receive(self, event: Event) -> None:
        """Compare the snapshot of a round with what the exchange quoted until then."""
        assert isinstance(event, Snapshot | Round)
        report = event.report
        finding = None
        if report.path is not None:
            chain = read_snapshot(report.path)
            finding = self.judge.compare(chain, self.exchange.quotes_so_far())
        self.rounds.append(Watched(report, finding))

    def is_true(self, watched: Watched) -> bool:
        """Tell whether a round wrote what the exchange quotes, and had nothing to report."""
        finding = watched.finding
        return finding is not None and finding.is_true(ON_THE_WAY) and not watched.report.failures

    async def true_from(self, instant: datetime, within_secs: float) -> float | None:
        """Wait for a true snapshot of an instant or later.

        Returns:
            Seconds of the exchange from the instant to that snapshot; None if none came in time.
        """
        seen = 0
        while self.ended is None:
            while seen < len(self.rounds):
                watched = self.rounds[seen]
                seen += 1
                if watched.report.snapshot_time >= instant and self.is_true(watched):
                    return (watched.report.snapshot_time - instant).total_seconds()
            if (self.exchange.now() - instant).total_seconds() > within_secs:
                return None
            await asyncio.sleep(0.02)
        raise self.ended

    async def meet(self, scenario: Scenario, haste: float = 1.0) -> Outcome:
        """Let a trouble happen and pass, then wait until all is well again.

        Args:
            scenario: the trouble.
            haste: times its length.
        """
        first = len(self.rounds)
        with scenario.during(self.exchange.faults):
            await asyncio.sleep(haste * scenario.lasts_secs)
        recovered = await self.true_from(self.exchange.now(), self.setting.recovery_secs)
        return outcome(scenario.name, recovered, self.rounds[first:])

    def unreported_holes(self) -> list[str]:
        """Return where a snapshot is missing and no report says why."""
        holes = []
        for before, after in pairwise(each.report for each in self.rounds):
            gap_secs = (after.snapshot_time - before.snapshot_time).total_seconds()
            usual_secs = 2 * self.setting.interval_secs + before.duration_secs + after.duration_secs
            said = before.overrun_secs or after.overrun_secs
            skipped = any(before.snapshot_time < at <= after.snapshot_time for at in self.skips)
            if gap_secs > usual_secs and not (said or skipped):
                holes.append(f"{gap_secs:.1f} s before {after.snapshot_time}")
        holes += [
            f"a round at {each.report.snapshot_time} wrote nothing and says nothing"
            for each in self.rounds
            if each.report.path is None and not each.report.failures
        ]
        return holes


def outcome(name: str, recovered_secs: float | None, rounds: list[Watched]) -> Outcome:
    """Sum up the rounds of one trouble."""
    findings = [each.finding for each in rounds if each.finding is not None]
    return Outcome(
        scenario=name,
        recovered_secs=recovered_secs,
        rounds=len(rounds),
        written=len(findings),
        reported=sum(bool(each.report.failures) for each in rounds),
        false_fresh=sum(each.false_fresh for each in findings),
        false_times=sum(each.false_times for each in findings),
        worst_lag_secs=max((each.worst_lag_secs for each in findings), default=0.0),
    )


@asynccontextmanager
async def collecting(
    exchange: SimulatedExchange,
    folder: Path,
    setting: Setting,
    *,
    monotonic_secs: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> AsyncIterator[Rig]:
    """Run a collector on an exchange for the length of an ``async with`` block.

    Args:
        exchange: it must keep a history longer than quotes may be old.
        folder: where snapshots go.
        setting: how to run.
        monotonic_secs: clock that token lifetimes are measured with.
        sleep: waits seconds of the exchange.
    """
    rules = QualityRules(stale_after_secs=setting.stale_after_secs)
    judge = Judge(exchange.occ_symbols, rules, latency_secs=setting.latency_secs)
    rig, stop = Rig(exchange, setting, judge), asyncio.Event()
    feed = TastytradeFeed(
        TastytradeClient(
            DEMO, exchange.base_url, monotonic_secs=monotonic_secs, limits=setting.limits
        ),
        name="simulated",
        timeliness=Timeliness.SIMULATED,
        clock=exchange.now,
        rng=random.Random(1),  # noqa: S311 - jitter
        times=setting.times,
    )
    collector = Collector(
        feed,
        setting.universe,
        SnapshotStore(folder),
        settle_secs=2.0,
        clock=exchange.now,
        sleep=sleep,
    )

    collector.publisher.subscribe(rig, most_waiting=10_000)

    async def run() -> None:
        try:
            await collector.run(setting.interval_secs, stop)
        except Exception as error:  # noqa: BLE001 - raised again by whoever waits
            rig.ended = error

    task = asyncio.create_task(run())
    try:
        yield rig
    finally:
        stop.set()
        await asyncio.wait_for(task, 30)
        collector.publisher.close(30)
