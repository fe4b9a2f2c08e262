"""Which symbols fit one session, in which frames, and how fast: the server's limits.

| limit | value |
|---|---|
| subscriptions a session (symbols times event types) | 25,000 |
| subscription changes in any 60 seconds | 10,000 |
| client frame | 65,536 bytes |
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

MAX_SUBSCRIPTIONS: Final = 25_000
MAX_CHANGES_A_MINUTE: Final = 10_000
MAX_CHUNK_SYMBOLS: Final = 500
MAX_CHUNK_BYTES: Final = 65_000
"""Leaves room for the frame around the items."""

_MARGIN = 0.95
"""The server counts arrivals, we count departures: stay below by what the network may bunch."""

_WINDOW_SECS = 61.0


class Subscription(NamedTuple):
    """One event type of one symbol: what the server counts."""

    event_type: str
    symbol: str


@dataclass(frozen=True, slots=True)
class SubscriptionPlan:
    """What one session subscribes; never more than the server takes.

    Attributes:
        taken: in order of sending, no repetition.
        left_out: what did not fit.
    """

    taken: tuple[Subscription, ...]
    left_out: tuple[Subscription, ...]

    @classmethod
    def of(
        cls, wanted: Iterable[Subscription], budget: int = MAX_SUBSCRIPTIONS
    ) -> SubscriptionPlan:
        """Take the most wanted as far as they fit.

        Args:
            wanted: most wanted first; repetitions count once.
            budget: subscriptions that one session may hold, at most ``MAX_SUBSCRIPTIONS``.
        """
        unique = tuple(dict.fromkeys(wanted))
        fits = max(0, min(budget, MAX_SUBSCRIPTIONS))
        return cls(unique[:fits], unique[fits:])

    def report(self) -> str:
        """Return one line on what was left out; empty if all fits."""
        if not self.left_out:
            return ""
        return (
            f"{len(self.left_out):,} of {len(self.taken) + len(self.left_out):,} subscriptions do "
            f"not fit one session of {MAX_SUBSCRIPTIONS:,} and are polled instead, "
            f"from {self.left_out[0].symbol} on; narrow the universe to stream them all"
        )


def chunks(
    subscriptions: Sequence[Subscription],
    max_symbols: int = MAX_CHUNK_SYMBOLS,
    max_bytes: int = MAX_CHUNK_BYTES,
) -> Iterator[list[Subscription]]:
    """Cut subscriptions into frames' worth, in order.

    Args:
        subscriptions: what to send.
        max_symbols: most items in a chunk.
        max_bytes: most bytes of JSON that the items of a chunk may take.
    """
    chunk: list[Subscription] = []
    size = 0
    for item in subscriptions:
        added = _json_bytes(item)
        if chunk and (len(chunk) >= max_symbols or size + added > max_bytes):
            yield chunk
            chunk, size = [], 0
        chunk.append(item)
        size += added
    if chunk:
        yield chunk


def _json_bytes(item: Subscription) -> int:
    return len(msgspec.json.encode({"type": item.event_type, "symbol": item.symbol})) + 1


class ChangeBudget:
    """Holds subscription changes under the limit of any rolling minute.

    It outlives a connection: resubscribing after a loss counts too. A window that remembers each
    send is exact; a bucket with a refill would have to start half empty to promise the same.
    """

    def __init__(
        self,
        changes: int = int(MAX_CHANGES_A_MINUTE * _MARGIN),
        window_secs: float = _WINDOW_SECS,
    ) -> None:
        """Start with the whole budget.

        Args:
            changes: most changes in any window.
            window_secs: length of the window, in seconds.
        """
        self._changes = changes
        self._window_secs = window_secs
        self._sent: deque[tuple[float, int]] = deque()
        self._in_window = 0

    def wait_secs(self, changes: int, now_secs: float) -> float:
        """Return how long to wait, in seconds, before so many changes may be sent; 0 for now.

        Args:
            changes: at most the whole budget.
            now_secs: seconds on a clock that never goes back.
        """
        self._forget(now_secs)
        excess = self._in_window + min(changes, self._changes) - self._changes
        for sent_secs, count in self._sent:
            if excess <= 0:
                break
            excess -= count
            wait = sent_secs + self._window_secs - now_secs
            if excess <= 0:
                return max(0.0, wait)
        return 0.0

    def spend(self, changes: int, now_secs: float) -> None:
        """Note changes that are sent now."""
        self._forget(now_secs)
        self._sent.append((now_secs, changes))
        self._in_window += changes

    def exhaust(self, now_secs: float) -> None:
        """Allow nothing for a whole window: the server has counted more changes than we have."""
        self._sent = deque([(now_secs, self._changes)])
        self._in_window = self._changes

    def _forget(self, now_secs: float) -> None:
        while self._sent and self._sent[0][0] + self._window_secs <= now_secs:
            self._in_window -= self._sent.popleft()[1]
