"""Chunks of subscriptions on their way out, and what to do when the server drops some."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from live_box_spreads.dxlink.subscriptions import Subscription


class ChunkQueue:
    """What one connection has still to send, and what it sent a moment ago.

    The server confirms no subscription. It sends an error for one that it dropped, without
    naming it: so whatever was sent so recently that it may have been the one counts as dropped.

    Attributes:
        sent: subscriptions that the server has, as far as is known.
    """

    def __init__(self, chunks: Iterable[Sequence[Subscription]], in_flight_secs: float) -> None:
        """Start with nothing sent.

        Args:
            chunks: what to send, in this order.
            in_flight_secs: a complaint may be about what was sent this recently, in seconds.
        """
        self.sent = 0
        self._pending = deque(chunks)
        self._in_flight_secs = in_flight_secs
        self._recent: deque[tuple[float, Sequence[Subscription]]] = deque()

    @property
    def next_chunk(self) -> Sequence[Subscription]:
        """What goes out next; empty if all are sent."""
        return self._pending[0] if self._pending else ()

    @property
    def left(self) -> int:
        """Number of subscriptions still to be sent."""
        return sum(map(len, self._pending))

    def take(self, now_secs: float) -> Sequence[Subscription]:
        """Return the next chunk, which is sent now.

        Raises:
            IndexError: all are sent.
        """
        chunk = self._pending.popleft()
        self._forget(now_secs)
        self._recent.append((now_secs, chunk))
        self.sent += len(chunk)
        return chunk

    def send_again(self, now_secs: float) -> int:
        """Put back what was sent recently, ahead of all else; return how many subscriptions."""
        self._forget(now_secs)
        dropped = [chunk for _, chunk in self._recent]
        self._recent.clear()
        self._pending.extendleft(reversed(dropped))
        return self._take_back(dropped)

    def cut_short(self) -> int:
        """Give up what does not fit: the newest chunk and all that would follow it.

        If nothing is left then, half of that chunk is tried: a session holds something.

        Returns:
            Number of subscriptions given up.
        """
        dropped = [self._recent.pop()[1]] if self._recent else []
        given_up = self.left + self._take_back(dropped)
        self._pending.clear()
        if dropped and not self.sent and (half := dropped[0][: len(dropped[0]) // 2]):
            self._pending.append(half)
        return given_up - self.left

    def _take_back(self, chunks: Iterable[Sequence[Subscription]]) -> int:
        count = sum(map(len, chunks))
        self.sent -= count
        return count

    def _forget(self, now_secs: float) -> None:
        while self._recent and self._recent[0][0] + self._in_flight_secs < now_secs:
            self._recent.popleft()
