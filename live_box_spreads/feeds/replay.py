"""Recorded snapshots as a feed: the same stream of updates as from a live one, at any speed.

Time is the recorded one: quotes keep the times that they had, and settlement counts from the
instant of the snapshot that is shown. Nothing is known between two snapshots, so that the market
stands still until the next one.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Self

import structlog

from live_box_spreads.feeds.base import FeedHealth
from live_box_spreads.feeds.chain_listing import contracts_of_quotes
from live_box_spreads.feeds.differences import Differences, quotes_of_contracts
from live_box_spreads.feeds.options import Factor, FeedOptions, HomePath, Secs
from live_box_spreads.feeds.timeline import Playback, Timeline
from live_box_spreads.feeds.vendor import Vendor
from live_box_spreads.model.chain import KEY, UNCHECKED, Chain, Timeliness
from live_box_spreads.model.errors import FeedEndedError, FeedError, SnapshotError
from live_box_spreads.stores.snapshots import SnapshotStore, read_snapshot, snapshot_time_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from live_box_spreads.feeds.base import Contracts, FeedSetup, Universe, Update

log = structlog.get_logger(__name__)

_SHORTEST_PAUSE_SECS = 1e-3  # no more than a thousand looks a second, at whatever speed
_MOST_TRIED = 100  # snapshots that cannot be read, before the wait is called a failure
_ABSENT = "not in the recorded snapshot (the contract is kept without a quote)"


class ReplayFeed:
    """Plays the snapshots of a folder, from the first call of ``contracts`` on.

    The snapshots are those that the folder has when the feed is opened. A reader that is too slow
    for the speed misses some, as it would live. A snapshot that cannot be read is skipped with a
    warning: the one before it is shown on.

    Attributes:
        name: ``replay``.
        damaged: snapshots that could not be read so far, and why.
    """

    name = "replay"

    def __init__(
        self,
        folder: Path,
        playback: Playback | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Prepare without reading.

        Args:
            folder: a snapshot folder.
            playback: speed, loop and longest wait; None for the usual.
            clock: real seconds from any start; never goes back.
            sleep: waits for a number of real seconds.
        """
        self.damaged: dict[Path, str] = {}
        self._folder = folder
        self._playback = playback or Playback()
        self._clock = clock
        self._sleep = sleep
        self._paths: list[Path] = []
        self._timeline: Timeline | None = None
        self._started: float | None = None
        self._shown: tuple[Path, Chain] | None = None
        self._warned_unchecked = False

    @property
    def timeliness(self) -> Timeliness:
        """Always a replay."""
        return Timeliness.REPLAY

    def market_time(self) -> datetime:
        """Return the instant of the snapshot that is shown."""
        if self._shown is None:
            raise FeedError("the time of a replay is known after the first call of contracts()")
        return self._shown[1].snapshot_time

    async def __aenter__(self) -> Self:
        """Look into the folder.

        Raises:
            FeedError: there is no snapshot.
            StoreError: the folder cannot be listed.
        """
        self._paths = await asyncio.to_thread(SnapshotStore(self._folder).paths)
        if not self._paths:
            raise FeedError(
                f"no snapshot to replay in {self._folder}; record some with `boxes collect`, bring "
                "some with `boxes import`, or set replay.folder"
            )
        self._timeline = Timeline([snapshot_time_of(path) for path in self._paths], self._playback)
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Let go of the snapshots; a feed that is opened again starts anew."""
        self._paths, self._timeline, self._started, self._shown = [], None, None, None

    async def contracts(self, universe: Universe) -> Contracts:
        """Choose the contracts of a universe among those of the snapshot that is due.

        Raises:
            FeedEndedError: the recording is over.
            FeedError: nothing of it is there.
        """
        chain = await self._due()
        return contracts_of_quotes(
            chain.quotes, chain.spot, universe, chain.snapshot_time, source="the recording"
        )

    async def snapshot(self, contracts: Contracts) -> Chain:
        """Return these contracts as the snapshot that is due has them.

        Raises:
            FeedEndedError: the recording is over.
            FeedError: no snapshot can be read.
        """
        chain = await self._due()
        rows = quotes_of_contracts(contracts, chain.quotes)
        absent = len(rows) - len(rows.join(chain.quotes, on=KEY, how="semi"))
        return Chain.build(
            rows,
            snapshot_time=chain.snapshot_time,
            feed=self.name,
            timeliness=self.timeliness,
            spot=chain.spot,
            rejected={_ABSENT: absent} if absent else None,
        )

    async def updates(self, contracts: Contracts) -> AsyncGenerator[Update]:
        """Yield the snapshot that is due, then what each later one changes.

        Raises:
            FeedEndedError: the recording is over.
            FeedError: no snapshot can be read.
        """
        differences = Differences(contracts)
        shown: Chain | None = None
        while True:
            chain = await self._due()
            if chain is not shown:
                shown = chain
                yield differences.update(chain.quotes, datetime.now(UTC), chain.spot)
                continue  # time has passed while it was taken in
            pause = self._opened().secs_to_next(self._elapsed_secs())
            await self._sleep(max(pause, _SHORTEST_PAUSE_SECS))

    def health(self) -> FeedHealth:
        """Return how many snapshots could not be read."""
        return FeedHealth({"snapshots_skipped": len(self.damaged)}, {})

    async def _due(self) -> Chain:
        """Show the snapshot that is due, or the nearest one that can be read."""
        position = self._opened().at(self._elapsed_secs())
        if position is None:
            raise FeedEndedError(
                f"the recording in {self._folder} is over after {len(self._paths):,} snapshots; "
                "set replay.loop to begin again"
            )
        at = position.snapshot
        tried = 0
        for number in itertools.chain(range(at, -1, -1), range(at + 1, len(self._paths))):
            path = self._paths[number]
            if self._shown is not None and self._shown[0] == path:
                return self._shown[1]
            if path in self.damaged:
                continue
            if tried == _MOST_TRIED:
                break
            tried += 1
            chain = await self._read(path)
            if chain is not None:
                self._shown = path, chain
                return chain
        reason = next(iter(self.damaged.values()))
        raise FeedError(f"no snapshot of {self._folder} can be read: {reason}")

    async def _read(self, path: Path) -> Chain | None:
        """Read a snapshot; one that cannot be read is noted and logged once."""
        try:
            chain = await asyncio.to_thread(read_snapshot, path)
        except SnapshotError as error:
            self.damaged[path] = str(error)
            log.warning("snapshot_skipped", reason=str(error))
            return None
        if UNCHECKED in chain.notes and not self._warned_unchecked:
            self._warned_unchecked = True
            log.warning("recording_unchecked", first=path.name, reason=chain.caveat)
        return chain

    def _opened(self) -> Timeline:
        if self._timeline is None:
            raise FeedError("the replay feed is not open; use it in an async with block")
        return self._timeline

    def _elapsed_secs(self) -> float:
        """Return the real seconds since the recording was first asked for."""
        now = self._clock()
        if self._started is None:
            self._started = now
        return now - self._started


class ReplayOptions(FeedOptions):
    """The recorded snapshots to play, and how."""

    folder: HomePath = Path("data/recorded")
    speed: Factor = 1.0
    loop: bool = False
    longest_wait_secs: Secs = 60.0

    def conflict(self, snapshot_folder: Path) -> str:
        """Return why a replay cannot be collected into a folder; empty if it can."""
        if self.folder != snapshot_folder:
            return ""
        return (
            f"replay.folder and snapshot_storage.folder are both {self.folder}: a replay would be "
            "written into its own recording; name another folder"
        )


REPLAY = Vendor(
    feed="replay",
    section="replay",
    options=ReplayOptions,
    make_feed="live_box_spreads.feeds.replay:make_feed",
)
"""No vendor, but described like one."""


def make_feed(setup: FeedSetup) -> ReplayFeed:
    """Return the feed that the section ``replay`` of the configuration describes."""
    options = dict(setup.options)
    return ReplayFeed(options.pop("folder"), Playback(**options))
