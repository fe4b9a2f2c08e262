"""A lasting DXLink subscription: one websocket at a time, replaced when it fails."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias

import structlog
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.frames import CloseCode

from live_box_spreads.dxlink import messages as m
from live_box_spreads.dxlink.protocol import DXLinkProtocol
from live_box_spreads.dxlink.session import (
    ConnectionCounts,
    ConnectionTimes,
    DXLinkSession,
    Subscribed,
    closed_by_server,
)
from live_box_spreads.dxlink.subscriptions import (
    MAX_CHUNK_BYTES,
    MAX_CHUNK_SYMBOLS,
    ChangeBudget,
    SharedBudget,
    chunks,
)
from live_box_spreads.dxlink.verdicts import close_ruling
from live_box_spreads.model.errors import FeedError
from live_box_spreads.net.addresses import is_loopback
from live_box_spreads.net.client import USER_AGENT, is_certificate_error, untrusted
from live_box_spreads.net.server_text import server_text
from live_box_spreads.net.verdicts import (
    UNTRUSTED,
    Ruling,
    Verdict,
    error_ruling,
    status_ruling,
)

if TYPE_CHECKING:
    import random
    from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence

    from live_box_spreads.dxlink.subscriptions import Pace, Subscription

log = structlog.get_logger(__name__)

_WIRE_LOG = logging.getLogger("live_box_spreads.dxlink.wire")
_WIRE_LOG.setLevel(logging.INFO)  # at DEBUG websockets logs frames, and one holds the token

_LARGEST_MESSAGE_BYTES: Final = 16 * 2**20
"""A frame with every quote of a full session takes two; more is no quote stream."""

_MOST_WAITING: Final = 16
"""Messages that wait to be read; beyond it the server has to wait."""

_SMALLEST_CHUNK_SYMBOLS: Final = 10
_REFUSED_TOKENS: Final = 3
"""After this many fresh tokens refused in a row, the next waits for the longest pause."""


class StreamToken(Protocol):
    """What a connection needs to be let in: a server's address and a secret for it."""

    @property
    def url(self) -> str:
        """Address of the server, ``wss://``."""
        ...

    @property
    def token(self) -> str:
        """The secret."""
        ...


@dataclass(frozen=True, slots=True)
class ConnectionLost:
    """The connection was lost; another one is on its way."""

    reason: str


ConnectionEvent: TypeAlias = m.Configured | m.Data | m.Malformed | Subscribed | ConnectionLost


def connection_ruling(error: Exception) -> Ruling:
    """Return what ``net/verdicts.py`` rules about whatever ended a session."""
    if isinstance(error, InvalidStatus):
        return status_ruling(error.response.status_code)
    if isinstance(error, ConnectionClosed):
        return close_ruling(closed_by_server(error))
    if isinstance(error, WebSocketException):
        return close_ruling(None)
    return error_ruling(error)


def _was_too_large(error: Exception) -> bool:
    """Return whether we closed because the server's message is beyond the limit."""
    return (
        isinstance(error, ConnectionClosed)
        and closed_by_server(error) is None
        and error.sent is not None
        and error.sent.code == CloseCode.MESSAGE_TOO_BIG
    )


class _Connect(connect):
    """Opens a websocket and follows no redirect, which would take the token elsewhere."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


class DXLinkConnection:
    """Reconnects and resubscribes until it is closed or finally refused.

    Attributes:
        counts: what went wrong so far.
    """

    def __init__(
        self,
        quote_token: Callable[[], Awaitable[StreamToken]],
        subscriptions: Sequence[Subscription],
        fields: Mapping[str, Sequence[str]],
        *,
        rng: random.Random,
        times: ConnectionTimes | None = None,
        budget: Pace | None = None,
        wall_secs: Callable[[], float] = time.time,
    ) -> None:
        """Prepare without connecting.

        Args:
            quote_token: gets a fresh token; called before each connection.
            subscriptions: what to subscribe, in this order.
            fields: fields wanted by event type.
            rng: spreads the reconnections of many clients.
            times: when the connection acts.
            budget: pace of subscription changes.
            wall_secs: the wall clock, in seconds; after a jump of it the connection is replaced.
        """
        self.counts = ConnectionCounts()
        self._quote_token = quote_token
        self._subscriptions = tuple(subscriptions)
        self._held = len(self._subscriptions)
        self._full_since_secs = 0.0
        self._chunk_symbols, self._chunk_bytes = MAX_CHUNK_SYMBOLS, MAX_CHUNK_BYTES
        self._fields = fields
        self._rng = rng
        self._times = times or ConnectionTimes()
        self._budget = budget or SharedBudget(ChangeBudget()).of_rank(0)
        self._wall_secs = wall_secs
        self._refused_tokens = 0
        self._refused = False
        self._url = ""

    async def events(self) -> AsyncGenerator[ConnectionEvent]:
        """Connect and stay connected.

        A refusal that no retry mends is tried again at the slowest pace: a process that runs
        for months outlives a mistake at the other end.

        Raises:
            FeedError: a refused login.
        """
        now_secs = asyncio.get_running_loop().time
        failures = 0
        while True:
            begun_secs = now_secs()
            try:
                async with self._session() as session, aclosing(session.events()) as events:
                    async for event in events:
                        if isinstance(event, m.Opened):
                            self._refused_tokens = 0
                            self._refused = False
                            log.info("connection_up", subscriptions=len(self._subscriptions))
                            # It stands, even if others go first with subscribing.
                            yield Subscribed(0, len(self._wanted()))
                        else:
                            yield event
            except (WebSocketException, OSError, FeedError) as error:
                reason = self._judge(error)
            proven = now_secs() - begun_secs >= self._times.proven
            failures = 1 if proven else failures + 1
            pause_secs = self._pause_secs(failures)
            self.counts.losses += 1
            log.warning("connection_lost", reason=reason, retry_in_secs=round(pause_secs, 1))
            yield ConnectionLost(reason)
            await asyncio.sleep(pause_secs)

    @asynccontextmanager
    async def _session(self) -> AsyncGenerator[DXLinkSession]:
        """Open a websocket with a fresh token, and close it in the end."""
        token = await self._quote_token()
        self._url = token.url
        protocol = DXLinkProtocol(
            token.token,
            self._fields,
            aggregation_secs=self._times.aggregation,
            keepalive_secs=self._times.keepalive,
        )
        options: dict[str, Any] = {"proxy": None} if is_loopback(token.url) else {}
        async with _Connect(
            token.url,
            ping_interval=None,  # DXLink has its own; a ping may starve during a large subscribe
            max_size=_LARGEST_MESSAGE_BYTES,  # unpacked, too
            max_queue=_MOST_WAITING,
            user_agent_header=USER_AGENT,
            open_timeout=self._times.handshake,
            close_timeout=1,
            logger=_WIRE_LOG,
            **options,
        ) as socket:
            session = DXLinkSession(
                socket,
                protocol,
                chunks(self._wanted(), self._chunk_symbols, self._chunk_bytes),
                budget=self._budget,
                times=self._times,
                counts=self.counts,
                fresh_token=self._fresh_token,
                wall_secs=self._wall_secs,
            )
            try:
                yield session
            finally:
                for kind, times in protocol.ignored.items():
                    m.tally(self.counts.ignored, kind, times)
                self._keep_to(session)

    async def _fresh_token(self) -> str:
        return (await self._quote_token()).token

    def _keep_to(self, session: DXLinkSession) -> None:
        """Remember what this session could hold, if that was less than it was asked for."""
        if session.full_since_secs is not None:
            self._held = session.subscribed
            self._full_since_secs = session.full_since_secs

    def _wanted(self) -> Sequence[Subscription]:
        """Return what to ask for: what the last full session held, and all again after a while."""
        full_for_secs = asyncio.get_running_loop().time() - self._full_since_secs
        if full_for_secs >= self._times.full:
            self._held = len(self._subscriptions)
        return self._subscriptions[: self._held]

    def _judge(self, error: Exception) -> str:
        """Do what the end of a session asks for, and return why it ended."""
        verdict = self._ruling(error).verdict
        if verdict is Verdict.STOP:
            raise error
        self._refused = verdict is Verdict.GIVE_UP
        self._refused_tokens += verdict is Verdict.RENEW
        if verdict is Verdict.SHRINK:
            self._halve_chunks()
        return self._reason_of(error)

    def _ruling(self, error: Exception) -> Ruling:
        return UNTRUSTED if is_certificate_error(error) else connection_ruling(error)

    def _reason_of(self, error: Exception) -> str:
        """Return why a session ended, as text for people."""
        if is_certificate_error(error):
            return untrusted(self._url)
        if _was_too_large(error):
            return (
                f"the quote stream sent a message of more than {_LARGEST_MESSAGE_BYTES:,} bytes, "
                "which was not read; the connection is replaced"
            )
        # A closing reason and the status line of a refusal are text of the server.
        ours = isinstance(error, FeedError)
        reason = (str(error) if ours else server_text(str(error))) or type(error).__name__
        if self._refused:
            return (
                f"the quote stream cannot be opened: {reason}; check the account's entitlement and "
                "the address of the stream"
            )
        if self._refused_tokens >= _REFUSED_TOKENS:
            return (
                f"{reason}, {self._refused_tokens} fresh ones in a row; check that the account may "
                "stream quotes, and that no other program uses up its sessions"
            )
        return reason

    def _halve_chunks(self) -> None:
        self._chunk_symbols = max(_SMALLEST_CHUNK_SYMBOLS, self._chunk_symbols // 2)
        self._chunk_bytes = max(MAX_CHUNK_BYTES // MAX_CHUNK_SYMBOLS, self._chunk_bytes // 2)

    def _pause_secs(self, failures: int) -> float:
        if self._refused or self._refused_tokens >= _REFUSED_TOKENS:
            return self._times.longest_retry
        ceiling = self._times.first_retry * 2.0 ** min(failures - 1, 16)
        return min(ceiling, self._times.longest_retry) * self._rng.uniform(0.5, 1.0)
