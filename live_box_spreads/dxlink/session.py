"""One DXLink session: the life of one websocket, from SETUP to its end."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

import structlog
from websockets.exceptions import ConnectionClosed

from live_box_spreads.dxlink import messages as m
from live_box_spreads.dxlink.chunk_queue import ChunkQueue
from live_box_spreads.dxlink.protocol import DXLinkProtocol, State
from live_box_spreads.dxlink.standstill import Instant, standstill
from live_box_spreads.dxlink.token_renewal import TokenRenewal
from live_box_spreads.dxlink.verdicts import close_ruling, complaint_ruling
from live_box_spreads.model.errors import FeedError, FeedUnavailableError, TokenRefusedError
from live_box_spreads.net.server_text import server_text
from live_box_spreads.net.verdicts import Verdict

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence

    from websockets.asyncio.client import ClientConnection

    from live_box_spreads.dxlink.subscriptions import Pace, Subscription

log = structlog.get_logger(__name__)

_LOGGED_EACH: Final = 16
"""More of the same are logged with each doubling: a faulty server must not fill the disk."""

_LONGEST_WAIT_SECS: Final = 1.0
"""It wakes this often even if nothing comes, so that a standstill is seen for what it is."""


@dataclass(frozen=True, slots=True)
class ConnectionTimes:
    """When a connection acts; all in seconds.

    Attributes:
        handshake: longest wait for the websocket, and then for the feed channel.
        silence: nothing inbound for this long means that the session is dead.
        keepalive: longest outbound silence.
        aggregation: period over which the server may conflate.
        chunk_pause: pause between two frames of subscriptions, so that data flows in between.
        first_retry: pause before the first reconnection; doubles with each failure.
        longest_retry: longest such pause.
        proven: a session that lived this long starts over with ``first_retry``.
        token_life: a quote token is replaced after this; it lasts 24 hours.
        in_flight: what was sent this recently may be what a complaint is about.
        full: a session that held less than asked for is asked for no more until so much later.
        standstill: a pause of this process or a jump of the wall clock beyond this makes the
            session suspect; it is replaced.
    """

    handshake: float = 20.0
    silence: float = 60.0
    keepalive: float = 30.0
    aggregation: float = 0.1
    chunk_pause: float = 0.01
    first_retry: float = 1.0
    longest_retry: float = 60.0
    proven: float = 60.0
    token_life: float = 23 * 3600.0
    in_flight: float = 10.0
    full: float = 3600.0
    standstill: float = 15.0


@dataclass(frozen=True, slots=True)
class Subscribed:
    """How far subscribing has come on this connection.

    Attributes:
        count: subscriptions sent so far.
        left: subscriptions still to be sent; 0 once the server has all that it takes.
    """

    count: int
    left: int


@dataclass(slots=True)
class ConnectionCounts:
    """What went wrong so far, for metrics and reports.

    Attributes:
        losses: connections lost.
        malformed_frames: frames that could not be read.
        complaints: ERROR frames by type, such as ``BAD_ACTION``.
        refused: subscriptions that did not fit a session and are not streamed.
        resent: subscriptions sent again because the server dropped them.
        ignored: frames of unknown types or channels, by type.
    """

    losses: int = 0
    malformed_frames: int = 0
    refused: int = 0
    resent: int = 0
    complaints: Counter[str] = field(default_factory=Counter)
    ignored: Counter[str] = field(default_factory=Counter)


SessionEvent: TypeAlias = m.Opened | m.Configured | m.Data | m.Malformed | Subscribed


class DXLinkSession:
    """Moves frames between a websocket and the state machine, in one task without locks.

    Attributes:
        full_since_secs: when the server refused subscriptions because the session holds too many,
            on the loop's clock; None if it did not.
    """

    def __init__(  # noqa: PLR0913 # what a connection shares with its sessions, all by keyword
        self,
        socket: ClientConnection,
        protocol: DXLinkProtocol,
        subscriptions: Iterable[Sequence[Subscription]],
        *,
        budget: Pace,
        times: ConnectionTimes,
        counts: ConnectionCounts,
        fresh_token: Callable[[], Awaitable[str]],
        wall_secs: Callable[[], float] = time.time,
    ) -> None:
        """Prepare without sending.

        Args:
            socket: an open websocket.
            protocol: a new state machine.
            subscriptions: what to subscribe, in chunks that each fit a frame.
            budget: pace of subscription changes, shared by all connections.
            times: when to act.
            counts: where to count what goes wrong.
            fresh_token: gets a token to replace the one in use.
            wall_secs: the wall clock, in seconds; only its jumps matter.
        """
        self.full_since_secs: float | None = None
        self._has_subscribed = False
        self._socket = socket
        self._protocol = protocol
        self._queue = ChunkQueue(subscriptions, times.in_flight)
        self._budget = budget
        self._times = times
        self._counts = counts
        self._wall_secs = wall_secs
        self._now_secs = asyncio.get_running_loop().time
        self._renewal = TokenRenewal(fresh_token, times.token_life, self._now_secs())

    @property
    def subscribed(self) -> int:
        """Number of subscriptions that the server has, as far as is known."""
        return self._queue.sent

    async def events(self) -> AsyncGenerator[SessionEvent]:
        """Run until the session ends, which always raises.

        Raises:
            TokenRefusedError: the server does not take the token, or no longer.
            FeedUnavailableError: silence, a standstill, or the server closed the channel.
            ConnectionClosed: the websocket ended.
            ProtocolError: the server breaks the protocol.
            FeedError: the server does not speak our DXLink, or the login was refused.
        """
        begun_secs = self._now_secs()
        silent_secs = 0.0
        before = self._instant()
        self._protocol.connect()
        try:
            while True:
                queued = self._queue_chunk()
                self._replace_token()
                await self._send()
                if queued:
                    yield self._progress()
                asked_secs = self._idle_secs(silent_secs)
                listening_since = self._instant()
                frame = await self._frame_within(asked_secs)
                after = self._instant()
                self._refuse_standstill(before, listening_since, after, asked_secs)
                before = after
                if frame is None:
                    silent_secs += after.steady_secs - listening_since.steady_secs
                else:
                    silent_secs = 0.0
                    for event in self._protocol.receive(frame):
                        if (passed_on := self._handled(event)) is not None:
                            yield passed_on
                self._check_life(begun_secs, silent_secs)
        finally:
            await self._renewal.close()

    def _progress(self) -> Subscribed:
        return Subscribed(self._queue.sent, self._queue.left)

    def _instant(self) -> Instant:
        return Instant(self._wall_secs(), self._now_secs())

    def _queue_chunk(self) -> bool:
        """Queue the next chunk of subscriptions if the channel and the budget allow it."""
        now_secs = self._now_secs()
        chunk = self._queue.next_chunk
        ready = self._protocol.state is State.OPEN and bool(chunk)
        if not ready or self._budget.wait_secs(chunk, now_secs) > 0:
            return False
        # Once only: a reset later on would silence contracts whose quotes count as standing.
        self._protocol.subscribe(self._queue.take(now_secs), reset=not self._has_subscribed)
        self._has_subscribed = True
        self._budget.spend(len(chunk), now_secs)
        return True

    def _replace_token(self) -> None:
        """Authorize anew ahead of the token's end; the server answers with AUTH_STATE."""
        if self._protocol.state is State.OPEN and (
            token := self._renewal.fresh_token(self._now_secs())
        ):
            self._protocol.authorize(token)
            log.info("quote_token_renewed")

    async def _send(self) -> None:
        for frame in self._protocol.data_to_send(self._now_secs()):
            async with asyncio.timeout(self._times.silence):
                await self._socket.send(frame, text=True)

    def _idle_secs(self, silent_secs: float) -> float:
        """Return how long to listen before there is something else to do."""
        now_secs = self._now_secs()
        until = [
            _LONGEST_WAIT_SECS,
            self._times.silence - silent_secs,
            self._protocol.keepalive_due_in(now_secs),
        ]
        if self._protocol.state is not State.OPEN:
            until.append(self._times.handshake)
        elif chunk := self._queue.next_chunk:
            until.append(max(self._budget.wait_secs(chunk, now_secs), self._times.chunk_pause))
        return max(0.0, min(until))

    async def _frame_within(self, secs: float) -> str | bytes | None:
        try:
            async with asyncio.timeout(secs):
                return await self._socket.recv()
        except TimeoutError:
            return None
        except ConnectionClosed as error:
            code = closed_by_server(error)
            in_handshake = self._protocol.state is State.AUTHORIZING
            if close_ruling(code, in_handshake=in_handshake).verdict is Verdict.RENEW:
                raise TokenRefusedError("the quote stream closed on the token") from error
            raise

    def _refuse_standstill(
        self, before: Instant, listening_since: Instant, after: Instant, asked_secs: float
    ) -> None:
        """Trust nothing that was received across a sleep, a stop or a set clock.

        A jump counts since the last frame; a standstill only while we listened, because a slow
        reader of our events or a slow peer is none.
        """
        tolerance_secs = self._times.standstill
        since_secs = after.steady_secs - before.steady_secs
        reason = standstill(before, after, since_secs, tolerance_secs) or standstill(
            listening_since, after, asked_secs, tolerance_secs
        )
        if reason:
            raise FeedUnavailableError(f"{reason}; the connection is replaced")

    def _check_life(self, begun_secs: float, silent_secs: float) -> None:
        if silent_secs >= self._times.silence:
            raise FeedUnavailableError(
                f"nothing heard from the quote stream for {self._times.silence:g} s"
            )
        waiting = self._protocol.state is not State.OPEN
        if waiting and self._now_secs() - begun_secs >= self._times.handshake:
            raise FeedUnavailableError(
                f"no feed channel within {self._times.handshake:g} s: {self._protocol.state.value}"
            )

    def _handled(self, event: m.Event) -> SessionEvent | None:
        """Deal with what concerns the session only, and return what concerns the caller."""
        match event:
            case m.Opened() | m.Configured() | m.Data():
                return event
            case m.Unauthorized():
                raise TokenRefusedError("the quote stream refused the token")
            case m.Closed():
                raise FeedUnavailableError("the server closed the feed channel")
            case m.Complaint():
                self._answer(event)
                return self._progress() if self._protocol.state is State.OPEN else None
            case m.Malformed():
                self._counts.malformed_frames += 1
                if _is_worth_a_line(self._counts.malformed_frames):
                    count = self._counts.malformed_frames
                    log.warning("dxlink_malformed_frame", reason=event.reason, count=count)
                return event  # quotes may have been in it
        return None

    def _answer(self, complaint: m.Complaint) -> None:
        """Do what an ERROR frame asks for."""
        m.tally(self._counts.complaints, complaint.error)
        ruling = complaint_ruling(complaint.error, complaint.message)
        kind = server_text(complaint.error)
        count = self._counts.complaints.total()
        if _is_worth_a_line(count):
            log.warning(
                "dxlink_error",
                error=kind,
                message=server_text(complaint.message),
                verdict=ruling.verdict,
                reason=ruling.reason,
                count=count,
            )
        match ruling.verdict:
            case Verdict.SHRINK:
                self.full_since_secs = self._now_secs()
                self._counts.refused += self._queue.cut_short()
            case Verdict.RETRY:
                now_secs = self._now_secs()
                self._counts.resent += self._queue.send_again(now_secs)
                self._budget.exhaust(now_secs)
            case Verdict.RENEW:
                raise TokenRefusedError(f"the quote stream says {kind}")
            case Verdict.GIVE_UP | Verdict.STOP:
                raise FeedError(f"the quote stream says {kind}: {ruling.reason}")
            case Verdict.GO_ON:
                pass


def closed_by_server(closed: ConnectionClosed) -> int | None:
    """Return the code that the server closed with; None if we did, or if there was no close frame.

    A server answers our close with the same code, which then has no meaning of its own.
    """
    if closed.rcvd is None or closed.rcvd_then_sent is False:
        return None
    return closed.rcvd.code


def _is_worth_a_line(count: int) -> bool:
    """Return whether to log this one of a kind: the first ones, then at each doubling."""
    return count <= _LOGGED_EACH or count & (count - 1) == 0
