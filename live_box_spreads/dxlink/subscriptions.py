"""Which symbols fit which session, in which frames, and how fast: the server's limits.

| limit | value |
|---|---|
| sessions a credential | 5 |
| subscriptions a session (symbols times event types) | 25,000 |
| subscription changes in any 60 seconds | 10,000 |
| client frame | 65,536 bytes |
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

MAX_SESSIONS: Final = 5
MAX_SUBSCRIPTIONS: Final = 25_000
MAX_CHANGES_A_MINUTE: Final = 10_000
MAX_CHUNK_SYMBOLS: Final = 500
MAX_CHUNK_BYTES: Final = 65_000
"""Leaves room for the frame around the items."""

_MARGIN = 0.95
"""The server counts arrivals, we count departures: stay below by what the network may bunch."""

_WINDOW_SECS = 61.0

_STILL_ASKING_SECS = 2.0
"""A connection that has something to send asks at least once a second."""

_LOOK_AGAIN_SECS = 0.25

_SHARE_OF_THE_REST = 0.5
"""What is not urgent may use up this part of the budget."""


class Subscription(NamedTuple):
    """One event type of one symbol: what the server counts."""

    event_type: str
    symbol: str


@dataclass(frozen=True, slots=True)
class SubscriptionPlan:
    """What is subscribed on which connection; never more on one than the server takes.

    A connection is filled before the next is opened: the most wanted are all on the first, and
    the loss of the last one is the loss of the least wanted.

    Attributes:
        shares: what each connection subscribes, in order of sending; no repetition.
        left_out: what did not fit.
    """

    shares: tuple[tuple[Subscription, ...], ...]
    left_out: tuple[Subscription, ...]

    @classmethod
    def of(
        cls,
        wanted: Iterable[Subscription],
        connections: int = 1,
        subscriptions_each: int = MAX_SUBSCRIPTIONS,
    ) -> SubscriptionPlan:
        """Take the most wanted as far as they fit.

        Args:
            wanted: most wanted first; repetitions count once.
            connections: how many may be open, at most ``MAX_SESSIONS``.
            subscriptions_each: what one may hold, at most ``MAX_SUBSCRIPTIONS``.
        """
        unique = tuple(dict.fromkeys(wanted))
        size = max(1, min(subscriptions_each, MAX_SUBSCRIPTIONS))
        room = size * max(1, min(connections, MAX_SESSIONS))
        taken = unique[:room]
        shares = tuple(taken[at : at + size] for at in range(0, len(taken), size))
        return cls(shares, unique[room:])

    def report(self) -> str:
        """Return one line on what was left out; empty if all fits."""
        if not self.left_out:
            return ""
        total = len(self.left_out) + sum(map(len, self.shares))
        first = self.left_out[0]
        return (
            f"{len(self.left_out):,} of {total:,} subscriptions do not fit {len(self.shares)} "
            f"connections and are polled instead, from {first.event_type} of {first.symbol} on; "
            "narrow the universe or allow more connections to stream them all"
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


class Pace(Protocol):
    """Says when the subscription changes of one connection may be sent."""

    def wait_secs(self, chunk: Sequence[Subscription], now_secs: float) -> float:
        """Return how long to wait, in seconds, before a chunk may be sent; 0 for now."""
        ...

    def spend(self, changes: int, now_secs: float) -> None:
        """Note changes that are sent now."""
        ...

    def exhaust(self, now_secs: float) -> None:
        """Allow nothing for a whole window."""
        ...


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

    def wait_secs(self, changes: int, now_secs: float, share: float = 1.0) -> float:
        """Return how long to wait, in seconds, before so many changes may be sent; 0 for now.

        Args:
            changes: at most the whole share.
            now_secs: seconds on a clock that never goes back.
            share: part of the budget that may be used up, the rest being kept for others.
        """
        self._forget(now_secs)
        most = int(self._changes * share)
        excess = self._in_window + min(changes, most) - most
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


class SharedBudget:
    """One budget for several connections, the most wanted of which goes first.

    Whether the server counts changes by session or by credential is not known; counting all of
    them together is safe in both cases.
    """

    def __init__(self, budget: ChangeBudget) -> None:
        """Share a budget."""
        self.budget = budget
        self._asked: dict[int, tuple[bool, float]] = {}

    def of_rank(self, rank: int, urgent: str = "Quote") -> Pace:
        """Return the pace of one connection.

        Args:
            rank: the lowest goes first.
            urgent: event type that goes before others, whatever the rank, and may use the whole
                budget. Other chunks leave half of it, so that quotes that are lost with a
                connection can be subscribed again at once.
        """
        return _RankedPace(self, rank, urgent)

    def is_behind(self, rank: int, now_secs: float, *, urgent: bool) -> bool:
        """Note that a connection asks, and tell whether another one goes first.

        As long as another goes on asking, there is more to send of what is wanted more; one that
        is down does not ask, and does not delay the others.
        """
        self._asked[rank] = urgent, now_secs
        return any(
            now_secs - asked_secs < _STILL_ASKING_SECS
            for other, (other_urgent, asked_secs) in self._asked.items()
            if (not other_urgent, other) < (not urgent, rank)
        )


class _RankedPace:
    def __init__(self, shared: SharedBudget, rank: int, urgent_type: str) -> None:
        self._shared = shared
        self._rank = rank
        self._urgent_type = urgent_type
        # A connection asks for the same chunk with every frame that it receives meanwhile.
        self._chunk: Sequence[Subscription] = ()
        self._is_urgent = False

    def wait_secs(self, chunk: Sequence[Subscription], now_secs: float) -> float:
        if chunk is not self._chunk:
            self._chunk = chunk
            self._is_urgent = any(item.event_type == self._urgent_type for item in chunk)
        share = 1.0 if self._is_urgent else _SHARE_OF_THE_REST
        wait_secs = self._shared.budget.wait_secs(len(chunk), now_secs, share)
        if self._shared.is_behind(self._rank, now_secs, urgent=self._is_urgent):
            return max(wait_secs, _LOOK_AGAIN_SECS)
        return wait_secs

    def spend(self, changes: int, now_secs: float) -> None:
        self._shared.budget.spend(changes, now_secs)

    def exhaust(self, now_secs: float) -> None:
        self._shared.budget.exhaust(now_secs)
