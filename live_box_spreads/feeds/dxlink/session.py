"""One DXLink conversation on one open websocket, from SETUP to its end."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

import structlog
from websockets.exceptions import ConnectionClosed

from live_box_spreads.feeds.dxlink import messages as m
from live_box_spreads.feeds.dxlink.protocol import DXLinkProtocol, State
from live_box_spreads.model.errors import FeedUnavailableError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterable, Sequence

    from websockets.asyncio.client import ClientConnection

    from live_box_spreads.feeds.dxlink.subscriptions import ChangeBudget, Subscription

log = structlog.get_logger(__name__)


_REFUSING_CLOSE_CODES: Final = frozenset({1000, 1008})
"""Instead of AUTH_STATE a server may close after AUTH; other codes tell of its own troubles."""


class TokenRefusedError(FeedUnavailableError):
    """The quote token was refused; a fresh one may be accepted."""


@dataclass(frozen=True, slots=True)
class LinkTimes:
    """When the link acts; all in seconds.

    Attributes:
        handshake: longest wait for the websocket, and then for the feed channel.
        silence: nothing inbound for this long means that the link is dead.
        keepalive: longest outbound silence.
        aggregation: period over which the server may conflate.
        chunk_pause: pause between two frames of subscriptions, so that data flows in between.
        first_retry: pause before the first reconnection; doubles with each failure.
        longest_retry: longest such pause.
        proven: a link that lived this long starts over with ``first_retry``.
    """

    handshake: float = 20.0
    silence: float = 60.0
    keepalive: float = 30.0
    aggregation: float = 0.1
    chunk_pause: float = 0.01
    first_retry: float = 1.0
    longest_retry: float = 60.0
    proven: float = 60.0


@dataclass(frozen=True, slots=True)
class Subscribed:
    """So many subscriptions were sent on this connection so far."""

    count: int


@dataclass(slots=True)
class LinkCounts:
    """What went wrong so far, for metrics and reports.

    Attributes:
        losses: connections lost.
        malformed_frames: frames that could not be read.
        complaints: ERROR frames by type, such as ``BAD_ACTION``.
        ignored: frames of unknown types or channels, by type.
    """

    losses: int = 0
    malformed_frames: int = 0
    complaints: Counter[str] = field(default_factory=Counter)
    ignored: Counter[str] = field(default_factory=Counter)


SessionEvent: TypeAlias = m.Opened | m.Configured | m.Data | Subscribed


class DXLinkSession:
    """Moves frames between a websocket and the state machine, in one task without locks."""

    def __init__(
        self,
        socket: ClientConnection,
        protocol: DXLinkProtocol,
        subscriptions: Iterable[Sequence[Subscription]],
        *,
        budget: ChangeBudget,
        times: LinkTimes,
        counts: LinkCounts,
    ) -> None:
        """Prepare without sending.

        Args:
            socket: an open websocket.
            protocol: a new conversation.
            subscriptions: what to subscribe, in chunks that each fit a frame.
            budget: pace of subscription changes, shared by all connections.
            times: when to act.
            counts: where to count what goes wrong.
        """
        self._socket = socket
        self._protocol = protocol
        self._pending = deque(subscriptions)
        self._budget = budget
        self._times = times
        self._counts = counts
        self._subscribed = 0

    async def events(self) -> AsyncGenerator[SessionEvent]:
        """Talk until the connection ends, which always raises.

        Raises:
            TokenRefusedError: the server does not take the token.
            FeedUnavailableError: silence, or the server closed the channel.
            ConnectionClosed: the websocket ended.
            ProtocolError: the server breaks the protocol.
        """
        now_secs = asyncio.get_running_loop().time
        begun_secs = heard_secs = now_secs()
        self._protocol.connect()
        while True:
            queued = self._queue_chunk(now_secs())
            await self._send(now_secs())
            if queued:
                yield Subscribed(self._subscribed)
            frame = await self._frame_within(self._idle_secs(heard_secs, now_secs()))
            if frame is not None:
                heard_secs = now_secs()
                for event in self._protocol.receive(frame):
                    if (passed_on := self._handled(event)) is not None:
                        yield passed_on
            self._check_life(begun_secs, heard_secs, now_secs())

    def _queue_chunk(self, now_secs: float) -> bool:
        """Queue the next chunk of subscriptions if the channel and the budget allow it."""
        ready = self._protocol.state is State.OPEN and bool(self._pending)
        if not ready or self._budget.wait_secs(len(self._pending[0]), now_secs) > 0:
            return False
        chunk = self._pending.popleft()
        self._protocol.subscribe(chunk, reset=self._subscribed == 0)
        self._budget.spend(len(chunk), now_secs)
        self._subscribed += len(chunk)
        return True

    async def _send(self, now_secs: float) -> None:
        for frame in self._protocol.data_to_send(now_secs):
            async with asyncio.timeout(self._times.silence):
                await self._socket.send(frame, text=True)

    def _idle_secs(self, heard_secs: float, now_secs: float) -> float:
        """Return how long to listen before there is something else to do."""
        until = [
            heard_secs + self._times.silence - now_secs,
            self._protocol.keepalive_due_in(now_secs),
        ]
        if self._protocol.state is not State.OPEN:
            until.append(self._times.handshake)
        elif self._pending:
            wait_secs = self._budget.wait_secs(len(self._pending[0]), now_secs)
            until.append(max(wait_secs, self._times.chunk_pause))
        return max(0.0, min(until))

    async def _frame_within(self, secs: float) -> str | bytes | None:
        try:
            async with asyncio.timeout(secs):
                return await self._socket.recv()
        except TimeoutError:
            return None
        except ConnectionClosed as error:
            code = error.rcvd.code if error.rcvd else None
            if self._protocol.state is State.AUTHORIZING and code in _REFUSING_CLOSE_CODES:
                raise TokenRefusedError("the quote stream closed on the token") from error
            raise

    def _check_life(self, begun_secs: float, heard_secs: float, now_secs: float) -> None:
        if now_secs - heard_secs >= self._times.silence:
            raise FeedUnavailableError(
                f"nothing heard from the quote stream for {self._times.silence:g} s"
            )
        waiting = self._protocol.state is not State.OPEN
        if waiting and now_secs - begun_secs >= self._times.handshake:
            raise FeedUnavailableError(
                f"no feed channel within {self._times.handshake:g} s: {self._protocol.state.value}"
            )

    def _handled(self, event: m.Event) -> SessionEvent | None:
        """Deal with what concerns the link only, and return what concerns the caller."""
        match event:
            case m.Opened() | m.Configured() | m.Data():
                return event
            case m.Unauthorized():
                raise TokenRefusedError("the quote stream refused the token")
            case m.Closed():
                raise FeedUnavailableError("the server closed the feed channel")
            case m.Complaint():
                self._counts.complaints[event.error] += 1
                log.warning("dxlink_error", error=event.error, message=event.message)
            case m.Malformed():
                self._counts.malformed_frames += 1
                log.warning("dxlink_malformed_frame", reason=event.reason)
        return None
