"""How a collector is: what metrics and reports tell of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from live_box_spreads.feeds.base import StreamProgress, Update
    from live_box_spreads.feeds.health import FeedHealth

SILENT_AFTER_SECS = 60.0
"""A root of which the stream says nothing for this long is worth a word."""


@dataclass(slots=True)
class Counts:
    """What a collector has received and written since it was made; no count ever goes down.

    Attributes:
        streamed_quotes: quotes that came by a stream.
        polled_quotes: quotes that were asked for beside a stream.
        last_snapshot_at: the instant that the last snapshot stands for; None before the first.
    """

    streamed_quotes: int = 0
    polled_quotes: int = 0
    last_snapshot_at: datetime | None = None

    def note_update(self, update: Update) -> None:
        """Count the quotes of an update."""
        if update.quotes is None:
            return
        if update.quotes.stop_gap:
            self.polled_quotes += len(update.quotes.rows)
        else:
            self.streamed_quotes += len(update.quotes.rows)


@dataclass(frozen=True, slots=True)
class RootHealth:
    """How well one root is quoted; counts are contracts.

    Attributes:
        contracts: listed.
        quoted: a quote has come for them, be it an empty one.
        two_sided: both a bid and an ask stand.
        streaming: their quotes are kept up to date by a stream that stands.
        polled: their quotes were asked for one by one.
        heard_at: when the stream last said anything of this root; None if never.
        oldest_secs: age of the oldest quote, in seconds; NaN without one.
        awaited_since: when the feed had been asked for all quotes, and it has said nothing of this
            root since; None once it has, or while it is still being asked.
    """

    contracts: int
    quoted: int
    two_sided: int
    streaming: int
    polled: int
    heard_at: datetime | None
    oldest_secs: float
    awaited_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class CollectorHealth:
    """A collector at one instant.

    Attributes:
        at: the instant (UTC).
        counts: what it has done.
        progress: how far the stream is with subscribing; None without a stream.
        lost_since: since when the stream lacks what it once brought; None if it lacks nothing.
        roots: how well each root is quoted; empty without a stream.
        feed: what the feed tells; None if it tells nothing.
    """

    at: datetime
    counts: Counts
    progress: StreamProgress | None = None
    lost_since: datetime | None = None
    roots: Mapping[str, RootHealth] = field(default_factory=dict)
    feed: FeedHealth | None = None

    @property
    def lost_secs(self) -> float:
        """How long the stream has lacked something, in seconds; 0.0 if it lacks nothing."""
        if self.lost_since is None:
            return 0.0
        return max(0.0, (self.at - self.lost_since).total_seconds())

    def silent_secs(self) -> dict[str, float]:
        """Return for how long the stream has said nothing of each root that it once spoke of."""
        return {
            root: max(0.0, (self.at - health.heard_at).total_seconds())
            for root, health in self.roots.items()
            if health.heard_at is not None
        }

    def unheard_secs(self) -> dict[str, float]:
        """Return for how long each root has been asked for of which the feed never spoke."""
        return {
            root: max(0.0, (self.at - health.awaited_since).total_seconds())
            for root, health in self.roots.items()
            if health.awaited_since is not None
        }
