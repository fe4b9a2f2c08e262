"""The state of a collector, for metrics and reports."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from live_box_spreads.feeds.base import FeedHealth, StreamProgress, Update

SILENT_AFTER_SECS = 60.0
"""A root without an update by the stream for this long is reported."""


@dataclass(slots=True)
class Counts:
    """What a collector has received and written since it was made; no count ever goes down.

    Attributes:
        streamed_quotes: quotes that came by a stream.
        polled_quotes: quotes that were asked for beside a stream.
        last_snapshot_at: the instant of the last snapshot; None before the first.
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
        two_sided: there is both a bid and an ask.
        streaming: their quotes are kept up to date by a connected stream.
        polled: their quotes were asked for one by one.
        updated_at: when the stream last brought an update of this root; None if never.
        oldest_secs: age of the oldest quote, in seconds; NaN without one.
        awaited_since: when the feed had been asked for all quotes, if no quote of this root has
            come since; None once one has, or while the feed is still being asked.
    """

    contracts: int
    quoted: int
    two_sided: int
    streaming: int
    polled: int
    updated_at: datetime | None
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
        feed: the counts of the feed; None if it keeps none.
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
        """Return the seconds since the last update of each root that the stream has brought."""
        return {
            root: max(0.0, (self.at - health.updated_at).total_seconds())
            for root, health in self.roots.items()
            if health.updated_at is not None
        }

    def never_quoted_secs(self) -> dict[str, float]:
        """Return for how many seconds each root that was never quoted has been asked for."""
        return {
            root: max(0.0, (self.at - health.awaited_since).total_seconds())
            for root, health in self.roots.items()
            if health.awaited_since is not None
        }
