"""What a collector publishes: snapshots, rounds without one, and what changed between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from numpy.typing import NDArray

    from live_box_spreads.collector.report import SnapshotReport
    from live_box_spreads.feeds.base import Contracts
    from live_box_spreads.model.chain import Chain


class Event:
    """What is published; frozen, so that all subscribers may share it.

    Attributes:
        coalesces: whether an event that waits and the next one may become one.
    """

    __slots__ = ()

    coalesces: ClassVar[bool] = False

    def joined_to(self, earlier: Event) -> Event:
        """Return one event that replaces an earlier one of this type and this one."""
        raise NotImplementedError(f"{type(self).__name__} does not coalesce with {earlier}")


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot(Event):
    """A snapshot was written.

    Attributes:
        path: the file.
        chain: its quotes.
        report: what the round brought.
    """

    path: Path
    chain: Chain
    report: SnapshotReport


@dataclass(frozen=True, slots=True, eq=False)
class Round(Event):
    """A round ended without a snapshot: it failed, or no quote was newer.

    Attributes:
        report: why there is none.
    """

    report: SnapshotReport


@dataclass(frozen=True, slots=True, eq=False)
class Changes(Event):
    """The quotes that changed in the live book since the last event of this type.

    In the order of events, a snapshot's quotes with all changes that follow it are the live book;
    with all changes up to the next snapshot they are that one's. The first changes of a new list
    of contracts have all of its quotes.

    Attributes:
        at: the instant of the quotes (UTC).
        contracts: what the row numbers mean; another object once the contracts were listed anew.
        rows: (n,) row numbers in ``contracts.table``, ascending, each once.
        bid: (n,) index points; NaN without a bid.
        ask: (n,) index points; NaN without an ask.
        bid_size: (n,) contracts; NaN unknown.
        ask_size: (n,) contracts; NaN unknown.
    """

    coalesces: ClassVar[bool] = True

    at: datetime
    contracts: Contracts
    rows: NDArray[np.int32]
    bid: NDArray[np.float64]
    ask: NDArray[np.float64]
    bid_size: NDArray[np.float64]
    ask_size: NDArray[np.float64]

    def joined_to(self, earlier: Event) -> Changes:
        """Return each changed row once, with its newest values."""
        if not isinstance(earlier, Changes) or earlier.contracts is not self.contracts:
            return self
        kept = ~np.isin(earlier.rows, self.rows, assume_unique=True)
        rows = np.concatenate([earlier.rows[kept], self.rows])
        order = np.argsort(rows)

        def joined(old: NDArray[np.float64], new: NDArray[np.float64]) -> NDArray[np.float64]:
            return np.concatenate([old[kept], new])[order]

        return Changes(
            self.at,
            self.contracts,
            rows[order],
            joined(earlier.bid, self.bid),
            joined(earlier.ask, self.ask),
            joined(earlier.bid_size, self.bid_size),
            joined(earlier.ask_size, self.ask_size),
        )
