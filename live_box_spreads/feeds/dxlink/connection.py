"""A lasting DXLink subscription: one websocket at a time, replaced when it fails."""

from __future__ import annotations

import asyncio
import logging
import ssl
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import structlog
from websockets.asyncio.client import connect
from websockets.exceptions import (
    ConnectionClosed,
    InvalidHandshake,
    InvalidStatus,
    WebSocketException,
)

from live_box_spreads.feeds.dxlink import messages as m
from live_box_spreads.feeds.dxlink.protocol import DXLinkProtocol
from live_box_spreads.feeds.dxlink.session import (
    DXLinkSession,
    LinkCounts,
    LinkTimes,
    SessionEvent,
    Subscribed,
    TokenRefusedError,
)
from live_box_spreads.feeds.dxlink.subscriptions import ChangeBudget, chunks
from live_box_spreads.model.errors import ApiError, FeedUnavailableError, LoginRefusedError
from live_box_spreads.tastytrade.addresses import is_loopback
from live_box_spreads.tastytrade.http import TRANSIENT_STATUSES, USER_AGENT

if TYPE_CHECKING:
    import random
    from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence

    from live_box_spreads.feeds.dxlink.subscriptions import Subscription
    from live_box_spreads.tastytrade_client import QuoteToken

log = structlog.get_logger(__name__)

_WIRE_LOG = logging.getLogger("live_box_spreads.dxlink.wire")
_WIRE_LOG.setLevel(logging.INFO)  # at DEBUG websockets logs frames, and one holds the token

_SERVER_ERRORS_FROM: Final = 500
_REFUSED_TOKENS: Final = 3
"""This many fresh tokens refused in a row are a final no."""


@dataclass(frozen=True, slots=True)
class LinkDown:
    """The connection was lost; another one is on its way."""

    reason: str


LinkEvent: TypeAlias = m.Configured | m.Data | Subscribed | LinkDown


def is_worth_retrying(error: Exception) -> bool:
    """Tell which failures another connection may mend: the one place that decides.

    Lost and refused connections, silence, an overloaded server: yes. A wrong address or
    certificate, a login that was refused, a peer that does not speak DXLink: no.
    """
    if isinstance(error, ssl.SSLCertVerificationError):
        return False
    if isinstance(error, InvalidStatus):
        status = error.response.status_code
        return status in TRANSIENT_STATUSES or status >= _SERVER_ERRORS_FROM
    if isinstance(error, ApiError):
        return error.status in TRANSIENT_STATUSES
    return isinstance(
        error, (ConnectionClosed, InvalidHandshake, OSError, TimeoutError, FeedUnavailableError)
    )


class DXLinkLink:
    """Reconnects and resubscribes until it is closed or finally refused.

    Attributes:
        counts: what went wrong so far.
    """

    def __init__(
        self,
        quote_token: Callable[[], Awaitable[QuoteToken]],
        subscriptions: Sequence[Subscription],
        fields: Mapping[str, Sequence[str]],
        *,
        rng: random.Random,
        times: LinkTimes | None = None,
        budget: ChangeBudget | None = None,
    ) -> None:
        """Prepare without connecting.

        Args:
            quote_token: gets a fresh token; called before each connection.
            subscriptions: what to subscribe, in this order.
            fields: fields wanted by event type.
            rng: spreads the reconnections of many clients.
            times: when the link acts.
            budget: pace of subscription changes.
        """
        self.counts = LinkCounts()
        self._quote_token = quote_token
        self._chunks = list(chunks(subscriptions))
        self._fields = fields
        self._rng = rng
        self._times = times or LinkTimes()
        self._budget = budget or ChangeBudget()
        self._refused_tokens = 0

    async def events(self) -> AsyncGenerator[LinkEvent]:
        """Connect and stay connected.

        Raises:
            FeedError: a failure that no retry can mend.
        """
        now_secs = asyncio.get_running_loop().time
        failures = 0
        while True:
            begun_secs = now_secs()
            try:
                async with aclosing(self._connection()) as events:
                    async for event in events:
                        if isinstance(event, m.Opened):
                            self._refused_tokens = 0
                        else:
                            yield event
            except (WebSocketException, OSError, FeedUnavailableError, ApiError) as error:
                reason = self._reason_to_retry(error)
            proven = now_secs() - begun_secs >= self._times.proven
            failures = 1 if proven else failures + 1
            pause_secs = self._pause_secs(failures)
            self.counts.losses += 1
            log.warning("link_down", reason=reason, retry_in_secs=round(pause_secs, 1))
            yield LinkDown(reason)
            await asyncio.sleep(pause_secs)

    async def _connection(self) -> AsyncGenerator[SessionEvent]:
        """Run one connection to its end, which is always an exception."""
        token = await self._quote_token()
        protocol = DXLinkProtocol(
            token.token,
            self._fields,
            aggregation_secs=self._times.aggregation,
            keepalive_secs=self._times.keepalive,
        )
        options: dict[str, Any] = {"proxy": None} if is_loopback(token.url) else {}
        async with connect(
            token.url,
            ping_interval=None,  # DXLink has its own; a ping may starve during a large subscribe
            max_size=None,
            user_agent_header=USER_AGENT,
            open_timeout=self._times.handshake,
            close_timeout=1,
            logger=_WIRE_LOG,
            **options,
        ) as socket:
            session = DXLinkSession(
                socket,
                protocol,
                self._chunks,
                budget=self._budget,
                times=self._times,
                counts=self.counts,
            )
            try:
                async with aclosing(session.events()) as events:
                    async for event in events:
                        yield event
            finally:
                self.counts.ignored.update(protocol.ignored)

    def _reason_to_retry(self, error: Exception) -> str:
        """Return why the link is down, or raise the error that ends it for good."""
        if isinstance(error, TokenRefusedError):
            self._refused_tokens += 1
            if self._refused_tokens >= _REFUSED_TOKENS:
                raise LoginRefusedError(
                    f"{error}, {self._refused_tokens} fresh ones in a row; "
                    "check that the account may stream quotes"
                ) from error
        if is_worth_retrying(error):
            return str(error) or type(error).__name__
        if isinstance(error, ApiError):
            raise error
        status = error.response.status_code if isinstance(error, InvalidStatus) else 0
        raise ApiError(
            f"the quote stream cannot be opened: {error}; check the account's entitlement and "
            "the address that /api-quote-tokens gives",
            status=status,
        ) from error

    def _pause_secs(self, failures: int) -> float:
        ceiling = self._times.first_retry * 2.0 ** min(failures - 1, 16)
        return min(ceiling, self._times.longest_retry) * self._rng.uniform(0.5, 1.0)
