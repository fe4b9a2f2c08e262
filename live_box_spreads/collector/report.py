"""The report of each round of a collector, and the progress within one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import polars as pl

from live_box_spreads.model.errors import BoxSpreadsError
from live_box_spreads.plain_text import place_of, plain

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

    from live_box_spreads.model.chain import Chain

ProgressCallback = Callable[[str, int, int], None]
"""Called with what is under way, how much of it is done, and how much there is."""


@dataclass(frozen=True, slots=True)
class SnapshotReport:
    """One round of a collector: a snapshot written, or the reason why not.

    Attributes:
        path: the snapshot; None if the round failed.
        snapshot_time: the instant of its quotes, or at which the round failed (UTC).
        contracts: contracts in it.
        quoted: contracts with a bid or an ask.
        polled: contracts whose quote was asked for by REST beside a stream.
        by_root: quoted contracts of each root; a root of which nothing is quoted counts 0.
        failures: what went wrong, one line each, by root or by the part that failed.
        duration_secs: from the start of the round to its end.
        overrun_secs: how far the round ran into the next interval; 0.0 if it did not.
        pruned: old snapshots removed, oldest first.
        rejected: rows refused and values cleared on the way in, by reason.
        silent_secs: seconds since the stream last brought an update of a root, where they are many.
        never_quoted_secs: for how long a root has been asked for that was never quoted, where
            it is long.
        status: how far the source is with what it still has to ask for; empty if with all.
        origin: timeliness and name of the feed, such as ``delayed cboe``.
        unchanged: no quote was newer than those of the last snapshot, so that none was written.
    """

    path: Path | None
    snapshot_time: datetime
    contracts: int = 0
    quoted: int = 0
    polled: int = 0
    by_root: Mapping[str, int] = field(default_factory=dict)
    failures: Mapping[str, str] = field(default_factory=dict)
    duration_secs: float = 0.0
    overrun_secs: float = 0.0
    pruned: tuple[Path, ...] = ()
    rejected: Mapping[str, int] = field(default_factory=dict)
    silent_secs: Mapping[str, float] = field(default_factory=dict)
    never_quoted_secs: Mapping[str, float] = field(default_factory=dict)
    status: str = ""
    origin: str = ""
    unchanged: bool = False

    def summary(self) -> str:
        """Return the round in one line for a person."""
        if self.unchanged:
            parts = [f"nothing newer than the quotes of {self.snapshot_time:%d %b %Y %H:%M:%S} UTC"]
        elif self.path is None:
            parts = [f"no snapshot at {self.snapshot_time:%H:%M:%S} UTC"]
        else:
            roots = " · ".join(f"{root} {count:,}" for root, count in self.by_root.items())
            parts = [
                self.path.name,
                *([self.origin] if self.origin else []),
                f"{self.contracts:,} contracts, {self.quoted:,} quoted ({roots})",
                f"{self.duration_secs:.1f} s",
            ]
        if self.polled:
            parts.append(f"{self.polled:,} of them by REST")
        parts += [f"{rows:,} rejected: {reason}" for reason, rows in self.rejected.items()]
        if self.pruned:
            parts.append(f"pruned {len(self.pruned)}")
        if self.overrun_secs:
            parts.append(f"overran its interval by {self.overrun_secs:.1f} s")
        parts += [f"{root} silent for {secs:.0f} s" for root, secs in self.silent_secs.items()]
        parts += [
            f"{root} asked for {secs:.0f} s ago and never quoted"
            for root, secs in self.never_quoted_secs.items()
        ]
        if self.status:
            parts.append(self.status)
        parts += [f"{name} failed: {plain(reason)}" for name, reason in self.failures.items()]
        return "  ".join(parts)


def quoted_by_root(chain: Chain) -> dict[str, int]:
    """Return the number of contracts with a bid or an ask, of each root of a chain."""
    has_quote = pl.col("bid").is_not_nan() | pl.col("ask").is_not_nan()
    counts = chain.quotes.group_by("root").agg(has_quote.sum()).sort("root")
    return dict(counts.iter_rows())


def error_text(error: BaseException) -> str:
    """Return what to report of an error: its message, or the place alone if it is not of ours.

    The message of a foreign library may quote what it was given, and that may be a secret.
    """
    if isinstance(error, BoxSpreadsError):
        return plain(error)
    return f"{place_of(error)}: a mistake of this program; please report it"
