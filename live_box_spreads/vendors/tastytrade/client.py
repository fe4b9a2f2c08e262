"""Tastytrade's REST API, as far as quotes need it: login, option chains, quotes, session state.

Source: the vendor's public documentation. Streaming is in ``dxlink``.

    async with TastytradeClient(Credentials.from_environment(os.environ)) as client:
        for listing in await client.option_chain("SPX"):
            print(listing.root_symbol, len(listing.expirations))
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Self
from urllib.parse import quote

from live_box_spreads.model.errors import ApiError, ConfigError
from live_box_spreads.net.addresses import checked_url
from live_box_spreads.net.client import StatusError
from live_box_spreads.net.verdicts import Verdict, error_ruling
from live_box_spreads.vendors.tastytrade.login import Credentials, Login
from live_box_spreads.vendors.tastytrade.messages import (
    MarketData,
    MarketSession,
    QuoteTokenBody,
    RootListing,
    decode,
    decode_items,
)
from live_box_spreads.vendors.tastytrade.rest import RestApi

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    import httpx2

    from live_box_spreads.net.client import Limits

PRODUCTION: Final = "https://api.tastyworks.com"
SYMBOLS_A_REQUEST: Final = 100
"""The API's limit, over all instrument types of one request."""

REQUESTS_AT_ONCE: Final = 6
_UNAUTHORIZED: Final = 401


class OptionChain(list[RootListing]):
    """Every root listed on an underlying.

    Attributes:
        malformed: number of roots in the answer that could not be read.
    """

    def __init__(self, listings: Sequence[RootListing], malformed: int) -> None:
        """Keep the number of unreadable roots beside the readable ones."""
        super().__init__(listings)
        self.malformed = malformed


@dataclass(frozen=True, slots=True)
class MarketDataAnswer:
    """Quotes by symbol.

    Attributes:
        quotes: quote of each symbol that the API answered for.
        missing: symbols asked for without an answer.
        malformed: number of items that could not be read.
    """

    quotes: dict[str, MarketData]
    missing: list[str]
    malformed: int


@dataclass(frozen=True, slots=True)
class QuoteToken:
    """Permission to stream quotes for a day.

    Attributes:
        token: the secret; masked in ``repr``.
        url: websocket address, encrypted or on this machine.
        level: entitlement, such as ``api`` or ``demo``.
    """

    token: str = field(repr=False)
    url: str
    level: str

    @property
    def is_delayed(self) -> bool:
        """Whether quotes come late: level ``demo``, or an address of delayed data."""
        return self.level == "demo" or "/delayed" in self.url


class TastytradeClient:
    """A logged-in client. Logs in with the first call; use it as an async context manager."""

    def __init__(
        self,
        credentials: Credentials,
        base_url: str = PRODUCTION,
        *,
        transport: httpx2.AsyncBaseTransport | None = None,
        monotonic_secs: Callable[[], float] = time.monotonic,
        limits: Limits | None = None,
    ) -> None:
        """Prepare without connecting.

        Args:
            credentials: secrets of the account.
            base_url: the API; plain http only on this machine.
            transport: what carries the requests; None for the network.
            monotonic_secs: clock that token lifetimes are measured with, in seconds.
            limits: how long an answer may take and how large it may be; None for the usual ones.

        Raises:
            ConfigError: the base URL cannot be trusted with secrets.
        """
        self.base_url = base_url
        self._api = RestApi(base_url, transport, limits=limits)
        self._login = Login(credentials, self._api, monotonic_secs)
        self._slots = asyncio.Semaphore(REQUESTS_AT_ONCE)

    async def __aenter__(self) -> Self:
        """Open the connection pool; no login yet."""
        await self._api.__aenter__()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Close every connection."""
        await self._login.close()
        await self._api.__aexit__(*exc_info)

    @property
    def server_time(self) -> datetime | None:
        """UTC clock of the server in its last answer, to the second; None before the first."""
        return self._api.http.server_time

    @property
    def calls(self) -> Mapping[str, int]:
        """Requests by outcome: an HTTP status, ``timeout``, ``unreachable`` or ``unusable``."""
        return self._api.http.calls

    async def log_in(self) -> None:
        """Log in now, where the first call would.

        Raises:
            LoginRefusedError: the server refused the login.
            FeedError: it could not be asked.
        """
        await self._login.authorization()

    async def reach(self) -> int:
        """Ask for nothing, without logging in; return the HTTP status of the answer.

        Raises:
            FeedUnavailableError: there is no answer.
            UntrustedPeerError: its certificate does not prove who it is.
        """
        try:
            await self._api.request("GET", "/", repeatable=False)
        except StatusError as error:
            return error.status
        return 200

    async def option_chain(self, symbol: str) -> OptionChain:
        """List the options on an underlying, every root of it (SPX gives SPX and SPXW).

        Args:
            symbol: underlying, such as ``SPX``.

        Raises:
            FeedError: refused, unreachable, or not an option chain.
        """
        path = f"/option-chains/{quote(symbol, safe='')}/nested"
        answer = await self._get(path)
        return OptionChain(*decode_items(answer, RootListing, f"GET {path}"))

    async def market_data(
        self,
        index: Sequence[str] = (),
        equity_options: Sequence[str] = (),
        progress: Callable[[int, int], None] | None = None,
    ) -> MarketDataAnswer:
        """Quote symbols once, in batches of 100 with a few requests at a time.

        Args:
            index: index symbols, such as ``SPX``.
            equity_options: OCC symbols; options on an index are ``equity-option`` here too.
            progress: called with (symbols answered, symbols asked) after each batch.

        Raises:
            FeedError: a batch was refused or the API cannot be reached.
        """
        wanted = [("index", name) for name in dict.fromkeys(index)]
        wanted += [("equity-option", name) for name in dict.fromkeys(equity_options)]
        batches = [
            wanted[start : start + SYMBOLS_A_REQUEST]
            for start in range(0, len(wanted), SYMBOLS_A_REQUEST)
        ]
        quotes: dict[str, MarketData] = {}
        malformed = asked = 0

        async def ask(batch: Sequence[tuple[str, str]]) -> None:
            nonlocal malformed, asked
            items, bad = await self._market_data_batch(batch)
            quotes.update((item.symbol, item) for item in items)
            malformed += bad
            asked += len(batch)
            if progress is not None:
                progress(asked, len(wanted))

        try:
            async with asyncio.TaskGroup() as group:
                for batch in batches:
                    group.create_task(ask(batch))
        except ExceptionGroup as failures:  # one is the message; the rest repeat it
            raise failures.exceptions[0] from None
        missing = [symbol for _, symbol in wanted if symbol not in quotes]
        return MarketDataAnswer(quotes, missing, malformed)

    async def session_state(self) -> MarketSession:
        """Return the current session of the equity and index option exchanges.

        Raises:
            FeedError: refused or unreachable.
        """
        path = "/market-time/equities/sessions/current"
        return decode(await self._get(path), MarketSession, f"GET {path}")

    async def quote_token(self) -> QuoteToken:
        """Get a fresh permission to stream quotes.

        Raises:
            FeedError: refused, unreachable, or an address that cannot be trusted.
        """
        path = "/api-quote-tokens"
        body = decode(await self._get(path), QuoteTokenBody, f"GET {path}")
        self._api.http.secrets.hide_token(body.token)
        try:
            url = checked_url(body.dxlink_url, "dxlink-url")
        except ConfigError as error:
            raise ApiError(f"GET {path}: {error}", status=200) from None
        return QuoteToken(body.token, url, body.level)

    async def _market_data_batch(
        self, batch: Sequence[tuple[str, str]]
    ) -> tuple[list[MarketData], int]:
        """Ask for one batch, or for its halves if that is more than the server takes."""
        path = "/market-data/by-type"
        try:
            async with self._slots:
                answer = await self._get(path, batch)
        except StatusError as error:
            if len(batch) == 1 or error_ruling(error).verdict is not Verdict.SHRINK:
                raise
            half = len(batch) // 2
            (first, bad), (second, worse) = await asyncio.gather(
                self._market_data_batch(batch[:half]), self._market_data_batch(batch[half:])
            )
            return [*first, *second], bad + worse
        return decode_items(answer, MarketData, f"GET {path}")

    async def _get(self, path: str, params: Sequence[tuple[str, str]] = ()) -> bytes:
        """Ask with a valid login; an access token that the server has forgotten is renewed once."""
        value = await self._login.authorization()
        try:
            return await self._get_as(value, path, params)
        except StatusError as error:
            if error.status != _UNAUTHORIZED:
                raise
        value = await self._login.authorization(refused_value=value)
        return await self._get_as(value, path, params)

    async def _get_as(self, value: str, path: str, params: Sequence[tuple[str, str]]) -> bytes:
        return await self._api.request(
            "GET", path, repeatable=True, params=params, headers={"Authorization": value}
        )
