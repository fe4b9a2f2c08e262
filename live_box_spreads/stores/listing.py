"""The snapshots of a folder at an instant, those ahead of it set aside; the order of pruning."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING

from live_box_spreads.model.chain_values import MOST_AHEAD
from live_box_spreads.stores.names import stamp, stamp_of, time_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

_AFTER_ALL = "~"  # sorts after every stamp


@dataclass(frozen=True, slots=True)
class Listing:
    """The snapshots of a folder, as an instant sees them.

    Attributes:
        folder: where they are.
        now: the instant; None if no snapshot was to be judged by the clock.
        current: names of those taken until now, or at most ``MOST_AHEAD`` after; oldest first.
        ahead: names of those of a clock that ran ahead, set aside; oldest first.
    """

    folder: Path
    now: datetime | None
    current: Sequence[str]
    ahead: Sequence[str]

    @classmethod
    def of(cls, folder: Path, found: Sequence[str], now: datetime | None) -> Listing:
        """Judge the snapshots of a folder, given oldest first."""
        limit = stamp_of(now + MOST_AHEAD) if now else _AFTER_ALL
        at = bisect_right(found, limit, key=stamp)
        return cls(folder, now, found[:at], found[at:])

    @property
    def newest(self) -> Path | None:
        """The newest current snapshot; of those ahead only if there is no other."""
        return next(self.newest_first(), None)

    @property
    def ahead_secs(self) -> float:
        """How far the newest of all is ahead of now, in seconds; 0.0 if none is set aside."""
        if self.now is None or not self.ahead:
            return 0.0
        return (time_of(self.ahead[-1]) - self.now).total_seconds()

    def newest_first(self) -> Iterator[Path]:
        """Yield the current snapshots, newest first, then those set aside, newest first."""
        for names in (self.current, self.ahead):
            for name in reversed(names):
                yield self.folder / name

    def between(self, start: datetime, end: datetime | None = None) -> list[Path]:
        """Return the current snapshots from the second of one instant to that of another.

        Args:
            start: the first instant.
            end: the last instant; None for all that follow.
        """
        first = bisect_left(self.current, stamp_of(start), key=stamp)
        end_stamp = stamp_of(end) if end else _AFTER_ALL
        last = bisect_right(self.current, end_stamp, key=stamp)
        return [self.folder / name for name in self.current[first:last]]

    def is_ahead(self, path: Path) -> bool:
        """Return whether a snapshot is one of those set aside."""
        return path.name in self.ahead


class Arrivals:
    """The order in which the snapshots of a folder came, as far as one writer has seen it.

    Names have the time of the writer's clock. One that ran ahead, was set back, or begins years ago
    at each start makes the newest snapshot look old; so snapshots go in the order of this class.
    """

    def __init__(self) -> None:
        """Know nothing yet."""
        self._written = 0
        self._place: dict[str, int] = {}

    def note_written(self, name: str) -> None:
        """Note that a snapshot has just been written: it came after all that is known."""
        self._written += 1
        self._place[name] = 2 * self._written

    def note_found(self, found: Iterable[str]) -> None:
        """Note what the folder has now, and forget what it no longer has.

        What was not noted yet came from another writer, before the last one that was written.
        """
        before = 2 * self._written - 1
        self._place = {name: self._place.get(name, before) for name in found}

    def in_order(self, found: Iterable[str]) -> list[str]:
        """Return snapshots that were seen as they came; those that came at once stay in order."""
        return sorted(found, key=self._place.__getitem__)
