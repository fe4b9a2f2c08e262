"""A feed and a clock that follow a script: no test of the collector waits for real."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Self

import numpy as np
import polars as pl

from live_box_spreads.collector.collector import Collector
from live_box_spreads.collector.events import Round, Snapshot
from live_box_spreads.collector.live_book import LiveBook
from live_box_spreads.feeds.base import (
    CONTRACT_SCHEMA,
    Activity,
    Contracts,
    Quotes,
    StreamProgress,
    Universe,
    Update,
)
from live_box_spreads.model.chain import Timeliness

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Collection, Sequence

    from live_box_spreads.collector.current_source import Collection as Way
    from live_box_spreads.collector.events import Event
    from live_box_spreads.collector.report import SnapshotReport
    from live_box_spreads.model.chain import Chain
    from live_box_spreads.stores.snapshots import SnapshotStore

START = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)  # a Tuesday, 10:00 in New York
EXPIRIES = {"SPX": date(2026, 12, 18), "SPXW": date(2026, 11, 24)}
EVERY_EVENT = 1_000_000
_TURNS_OF_THE_LOOP = 10


class ScriptedTime:
    """A clock that only moves while somebody sleeps, and what is to happen on the way."""

    def __init__(self, now: datetime = START) -> None:
        self.now = now
        self._planned: list[tuple[datetime, Callable[[], object]]] = []

    def clock(self) -> datetime:
        return self.now

    def secs(self) -> float:
        return (self.now - START).total_seconds()

    def at(self, secs: float, action: Callable[[], object]) -> None:
        """Plan an action for so many seconds after the start."""
        self._planned.append((START + timedelta(seconds=secs), action))
        self._planned.sort(key=lambda planned: planned[0])

    async def sleep(self, secs: float) -> None:
        until = self.now + timedelta(seconds=secs)
        while self._planned and self._planned[0][0] <= until:
            due, action = self._planned.pop(0)
            self.now = max(self.now, due)
            action()
            await _let_others_run()
        self.now = max(self.now, until)
        await _let_others_run()


async def _let_others_run() -> None:
    for _ in range(_TURNS_OF_THE_LOOP):
        await asyncio.sleep(0)


def contracts_of(*roots: str, failures: dict[str, str] | None = None) -> Contracts:
    """Return a call and a put of each root."""
    rows = [
        (root, "SPX", EXPIRIES[root], "PM" if root == "SPXW" else "AM", 6900.0, right, right, right)
        for root in roots
        for right in ("C", "P")
    ]
    table = pl.DataFrame(rows, schema=CONTRACT_SCHEMA, orient="row")
    return Contracts(table, failures or {})


def quotes(*rows: int, bid: float = 10.0) -> Quotes:
    """Return the same quote of these rows."""

    def column(value: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        return np.full(len(rows), value)

    return Quotes(np.array(rows, np.int32), column(bid), column(bid + 1), column(5), column(6))


def activity(*rows: int) -> Activity:
    """Return the same volume of these rows."""
    some = np.full(len(rows), 7.0)
    return Activity(np.array(rows, np.int32), some, some, some)


@dataclass
class ScriptedFeed:
    """Follows its script, and notes what was asked of it.

    Attributes:
        listings: what each call of ``contracts`` answers; the last one is repeated.
        before_snapshot: what each snapshot waits for first, or the error it raises.
        opened: how often its context was entered.
        closed: how often its context was left.
        asked: the roots of each call of ``contracts``.
        streams: streams open now.
        market_at: instant of the quotes; None for the scripted time.
    """

    listings: Sequence[Contracts | Exception] = ()
    before_snapshot: Sequence[float | Exception] = ()
    time: ScriptedTime = field(default_factory=ScriptedTime)
    name: str = "scripted"
    market_at: datetime | None = None
    opened: int = 0
    closed: int = 0
    asked: list[tuple[str, ...]] = field(default_factory=list)
    streams: int = 0
    streams_opened: int = 0
    snapshots: int = 0
    _sent: asyncio.Queue[Update | Exception | None] = field(default_factory=asyncio.Queue)

    @property
    def timeliness(self) -> Timeliness:
        return Timeliness.REPLAY

    def market_time(self) -> datetime:
        return self.market_at or self.time.clock()

    async def __aenter__(self) -> Self:
        self.opened += 1
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self.closed += 1

    async def contracts(self, universe: Universe) -> Contracts:
        self.asked.append(universe.roots)
        answers = self.listings or [contracts_of(*universe.roots)]
        answer = answers[min(len(self.asked), len(answers)) - 1]
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def snapshot(self, contracts: Contracts) -> Chain:
        script = dict(enumerate(self.before_snapshot))
        first = script.get(self.snapshots, 0.0)
        self.snapshots += 1
        if isinstance(first, Exception):
            raise first
        await self.time.sleep(first)
        book = LiveBook(contracts)
        now = self.market_time()
        book.apply(Update(now, quotes=quotes(*range(len(contracts)), bid=float(self.snapshots))))
        return book.snapshot(now, self.name, self.timeliness)

    async def updates(self, contracts: Contracts) -> AsyncGenerator[Update]:
        assert len(contracts)
        self.streams += 1
        self.streams_opened += 1
        try:
            while (sent := await self._sent.get()) is not None:
                if isinstance(sent, Exception):
                    raise sent
                yield sent
        finally:
            self.streams -= 1

    def send_at(  # the fields of an update, by keyword
        self,
        secs: float,
        *,
        quoted: Quotes | None = None,
        active: Activity | None = None,
        asked: tuple[int, int] | None = None,
        lost: tuple[int, ...] | None = None,
        error: Exception | None = None,
    ) -> None:
        """Plan an update, or the error that ends the stream.

        ``asked``: contracts asked for and to be asked for; ``lost``: rows that lost their stream.
        """

        def send() -> None:
            update = Update(
                self.time.clock(),
                quotes=quoted,
                activity=active,
                progress=StreamProgress(*asked, *asked) if asked is not None else None,
                lost=np.array(lost, np.int32) if lost is not None else None,
            )
            self._sent.put_nowait(error or update)

        self.time.at(secs, send)

    def end_at(self, secs: float) -> None:
        """Plan the end of the stream, without an error."""
        self.time.at(secs, lambda: self._sent.put_nowait(None))


def collector_of(
    feed: ScriptedFeed,
    store: SnapshotStore,
    collection: Way = "poll",
    roots: tuple[str, ...] = ("SPX", "SPXW"),
) -> Collector:
    return Collector(
        feed,
        Universe(roots),
        store,
        collection=collection,
        clock=feed.time.clock,
        sleep=feed.time.sleep,
    )


async def rounds_of(
    collector: Collector, feed: ScriptedFeed, until_secs: float
) -> list[SnapshotReport]:
    """Run at an interval of 60 s until so many seconds after the start."""
    stop = asyncio.Event()
    feed.time.at(until_secs, stop.set)
    reports = await reports_of(collector, 60.0, stop)
    assert (feed.opened, feed.closed, feed.streams) == (1, 1, 0)
    return reports


@dataclass
class Reports:
    """A subscriber that calls a function with each report."""

    take: Callable[[SnapshotReport], object]
    name: str = "reports"
    wants: Collection[type[Event]] = (Snapshot, Round)

    def receive(self, event: Event) -> None:
        assert isinstance(event, Snapshot | Round)
        self.take(event.report)


def in_this_loop(
    function: Callable[[SnapshotReport], object],
) -> Callable[[SnapshotReport], object]:
    """Return a function that calls another one in the loop that runs now, from any thread."""
    loop = asyncio.get_running_loop()
    return lambda report: loop.call_soon_threadsafe(function, report)


async def reports_of(
    collector: Collector, interval_secs: float, stop: asyncio.Event
) -> list[SnapshotReport]:
    """Run a collector to its end and return every report."""
    reports: list[SnapshotReport] = []
    with collector.publisher as publisher:
        publisher.subscribe(Reports(reports.append), most_waiting=EVERY_EVENT)
        await collector.run(interval_secs, stop)
    return reports
