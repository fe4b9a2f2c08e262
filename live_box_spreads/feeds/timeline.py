"""Which snapshot of a recording is due when. Pure: the time that has passed is an argument."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from itertools import accumulate, pairwise
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from live_box_spreads.model.errors import FeedError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Playback:
    """How a recording is played.

    Attributes:
        speed: recorded seconds that pass in one second.
        loop: whether it begins again when it is over.
        longest_wait_secs: the next snapshot comes after this many real seconds at most, however
            long the recorder paused.
    """

    speed: float = 1.0
    loop: bool = False
    longest_wait_secs: float = 60.0

    def __post_init__(self) -> None:
        """Refuse a standstill."""
        for name in ("speed", "longest_wait_secs"):
            if not getattr(self, name) > 0:
                raise FeedError(f"{name} is {getattr(self, name)}; it must be above 0")


class Position(NamedTuple):
    """A place in a recording.

    Attributes:
        lap: number of the pass through the recording, from 0.
        snapshot: its number, from 0.
    """

    lap: int
    snapshot: int


class Timeline:
    """When each snapshot begins to be shown, in real seconds since the start.

    A snapshot is shown until the next one is due, the last one for the usual wait.
    """

    def __init__(self, instants: Sequence[datetime], playback: Playback) -> None:
        """Lay out the recorded instants, oldest first.

        Raises:
            FeedError: there are none.
        """
        if not instants:
            raise FeedError("a recording without a snapshot cannot be played")
        longest = playback.longest_wait_secs
        recorded = ((later - earlier).total_seconds() for earlier, later in pairwise(instants))
        waits = [min(secs / playback.speed, longest) for secs in recorded]
        self._starts = [0.0, *accumulate(waits)]
        usual = [wait for wait in waits if wait > 0] or [longest]
        self._length_secs = self._starts[-1] + median(usual)
        self._loop = playback.loop

    def at(self, elapsed_secs: float) -> Position | None:
        """Return what is shown after so many real seconds; None when it is over."""
        lap, within = divmod(elapsed_secs, self._length_secs)
        if lap and not self._loop:
            return None
        return Position(int(lap), bisect_right(self._starts, within) - 1)

    def secs_to_next(self, elapsed_secs: float) -> float:
        """Return the real seconds until what is shown changes."""
        within = elapsed_secs % self._length_secs
        following = bisect_right(self._starts, within)
        ends = self._starts[following] if following < len(self._starts) else self._length_secs
        return ends - within
