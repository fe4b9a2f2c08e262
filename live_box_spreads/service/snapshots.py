"""The snapshots of a folder as desks: which is the newest, and what is wrong with the others."""

from __future__ import annotations

import time
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from live_box_spreads.books.desk import Desk, Results
from live_box_spreads.cache import Cache, size_of_frame
from live_box_spreads.model.errors import SnapshotError, StoreError
from live_box_spreads.plain_text import duration, plain
from live_box_spreads.service.filtered_curves import curves_at, states_beside
from live_box_spreads.service.history import Past
from live_box_spreads.stores.filter_states import changed_at
from live_box_spreads.stores.snapshots import read_snapshot, snapshot_time_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from pathlib import Path

    from live_box_spreads.books.conventions import Conventions
    from live_box_spreads.books.curves.smooth_curve import SmoothCurve
    from live_box_spreads.model.chain import Chain
    from live_box_spreads.stores.listing import Listing
    from live_box_spreads.stores.snapshots import SnapshotStore

_MOST_UNREADABLE = 20
"""So many newest snapshots are tried; where none of them can be read, none is shown."""
_UNREADABLE_FOR_SECS = 60.0
_SEPARATOR = "@"
_CHAINS_BYTES = 200_000_000


@dataclass(frozen=True, slots=True)
class Market:
    """A snapshot that is shown.

    Attributes:
        path: its file.
        desk: its quotes under the configured conventions.
        identity: tells it from every other one, also from a later file of the same name.
    """

    path: Path
    desk: Desk
    identity: str

    @property
    def chain(self) -> Chain:
        """Its quotes."""
        return self.desk.chain


@dataclass(frozen=True, slots=True)
class Newest:
    """What the snapshot folder has to show.

    Attributes:
        market: the newest snapshot that can be read; None if there is none.
        notice: what a person should know about newer ones that cannot be read; empty if nothing.
    """

    market: Market | None
    notice: str = ""


@dataclass(frozen=True, slots=True)
class _Unreadable:
    """Why a file could not be read, and until when it is not tried again."""

    reason: str
    until_secs: float


class Snapshots:
    """The snapshots of a folder, each read once for all browsers. Safe to use from many threads."""

    def __init__(
        self,
        store: SnapshotStore,
        conventions: Conventions,
        *,
        clock: Callable[[], datetime],
        collector_started: bool,
    ) -> None:
        """Look at a folder; nothing is read yet.

        Args:
            store: the folder.
            conventions: how its snapshots are read.
            clock: gives the current instant, with a time zone.
            collector_started: whether whoever opens the dashboard has started a collector too.
        """
        self._store = store
        self._conventions = conventions
        self._results = Results()
        self._clock = clock
        self._collector_started = collector_started
        self._chains: Cache[Chain | _Unreadable] = Cache(_CHAINS_BYTES, _size_of_chain)

    def newest(self) -> Newest:
        """Return the newest snapshot that can be read, and a word on newer ones that cannot."""
        try:
            listing = self._store.listing(self._clock())
        except StoreError as error:
            return Newest(None, plain(error))
        unreadable = ""
        for path in islice(listing.newest_first(), _MOST_UNREADABLE):
            try:
                market = self._read_market(path)
            except SnapshotError as error:
                unreadable = unreadable or f"The newest snapshot cannot be read: {plain(error)}"
                continue
            notices = filter(None, (unreadable, _ahead(listing, path)))
            return Newest(market, "; ".join(notices))
        return Newest(None, unreadable)

    def why_empty(self) -> str:
        """Return why there is no snapshot to show, and what to do."""
        folder = self._store.folder
        if self._collector_started or self._store.has_collector():
            return f"No snapshot yet in {folder}.\nThe collector has started; the first one is due."
        return (
            f"No snapshot yet in {folder}.\n"
            "Start the collector (python ingest.py --loop), or try boxes demo."
        )

    def market(self, identity: str) -> Market | None:
        """Return the snapshot of an identity; None for the empty one of a page without any.

        Args:
            identity: as ``Market`` has it; from the browser, so of any content.

        Raises:
            SnapshotError: it is none of a snapshot, or the file is gone, another one by now, or
                cannot be read.
        """
        if not identity:
            return None
        path = self._store.folder / identity.partition(_SEPARATOR)[0]
        if path.parent != self._store.folder:
            raise SnapshotError(f"{plain(identity, 80)!r} is no snapshot; reload the page")
        snapshot_time_of(path)
        kept = self._chains.peek(identity)
        if kept is not None and not isinstance(kept, _Unreadable):
            return self._market(path, kept, identity)  # also if the file is gone meanwhile
        market = self._read_market(path)
        if market.identity != identity:
            raise SnapshotError(f"{path.name} has changed; the next refresh shows what it is now")
        return market

    def _read_market(self, path: Path) -> Market:
        """Return the snapshot of a file.

        What cannot be read is not read again for a minute, unless the file changes.

        Raises:
            SnapshotError: the file cannot be read.
        """
        identity = _identity(path)
        kept = self._chains.get(identity, lambda: _read(path))
        if isinstance(kept, _Unreadable) and time.monotonic() > kept.until_secs:
            self._chains.forget(identity)
            kept = self._chains.get(identity, lambda: _read(path))
        if isinstance(kept, _Unreadable):
            raise SnapshotError(kept.reason)
        return self._market(path, kept, identity)

    def _market(self, path: Path, chain: Chain, identity: str) -> Market:
        desk = Desk(chain, self._conventions, results=self._results, identity=identity)
        return Market(path, desk, identity)

    def filtered(self, market: Market, root: str) -> dict[str, SmoothCurve] | None:
        """Return the filtered curve of a root at a snapshot; None where nobody follows the folder.

        States that cannot be read are none: whoever writes them says so in its log.
        """
        folder, rules = self._store.folder, market.desk.conventions.rules

        def found() -> dict[str, SmoothCurve]:
            return curves_at(states_beside(folder)[0], market.desk, [root])

        key = ("filtered", market.identity, root, rules, changed_at(folder))
        return self._results.get(key, found) or None

    def past(self, market: Market, minutes: float) -> Past:
        """Return the snapshots of the minutes up to the one shown."""
        try:
            kept = self._store.listing().current
        except StoreError:  # newest() tells about it
            kept = []
        return Past.of(kept, market.path.name, minutes)

    def history(self, market: Market, minutes: float) -> Iterator[Market]:
        """Return some snapshots of the minutes up to the one shown; ``Past`` says which.

        They come one at a time, oldest first. Those that cannot be read are left out.
        """
        for name in self.past(market, minutes).names:
            path = self._store.folder / name
            found = market if path == market.path else self._readable(path)
            if found is not None:
                yield found

    def _readable(self, path: Path) -> Market | None:
        try:
            return self._read_market(path)
        except SnapshotError:  # newest() tells about it; pruned ones are no news
            return None


def _identity(path: Path) -> str:
    """Return a file's name and what changes with its content.

    Raises:
        SnapshotError: the file is gone.
    """
    try:
        found = path.stat()
    except OSError as error:
        raise SnapshotError(f"{path} is gone: {error.strerror}") from error
    changing = (found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
    return path.name + _SEPARATOR + "-".join(f"{number:x}" for number in changing)


def _ahead(listing: Listing, shown: Path) -> str:
    """Say which snapshots come from a clock that ran ahead; empty if none does."""
    if not listing.ahead:
        return ""
    by = f"ahead of this machine's clock by up to {duration(listing.ahead_secs)}"
    if listing.is_ahead(shown):
        return f"The snapshot shown is {by}: set the clock, or wait for newer quotes"
    count = len(listing.ahead)
    which = "1 snapshot is" if count == 1 else f"{count:,} snapshots are"
    return f"{which} {by} and set aside, the last of them {listing.ahead[-1]}"


def _read(path: Path) -> Chain | _Unreadable:
    try:
        return read_snapshot(path)
    except SnapshotError as error:
        return _Unreadable(str(error), time.monotonic() + _UNREADABLE_FOR_SECS)


def _size_of_chain(kept: Chain | _Unreadable) -> int:
    return size_of_frame(None if isinstance(kept, _Unreadable) else kept.quotes)
