"""Pages of delayed quotes by HTTPS: one request at a time, paced, and only for what is new."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

import httpx2

from live_box_spreads import __version__
from live_box_spreads.feeds.cboe.pace import Pace
from live_box_spreads.feeds.cboe.page import read_page
from live_box_spreads.model.errors import ApiError, FeedError, FeedUnavailableError
from live_box_spreads.tastytrade.addresses import checked_url

if TYPE_CHECKING:
    from collections.abc import Callable

    from live_box_spreads.model.chain import Chain

MAX_BODY_BYTES: Final = 100_000_000
"""The largest page, SPX, has some 12 MB."""

_TIMEOUT_SECS: Final = httpx2.Timeout(30.0, connect=10.0)
_OK, _NOT_MODIFIED, _NOT_FOUND = 200, 304, 404
_COME_BACK_LATER: Final = frozenset({429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class _Known:
    """What was last had of an index.

    Attributes:
        chain: the page; None if there was none yet.
        validators: headers by which the server tells whether it has a newer one.
        error: why the last request failed; None if it did not.
    """

    chain: Chain | None = None
    validators: tuple[tuple[str, str], ...] = ()
    error: FeedError | None = None


class CboeClient:
    """Asks for pages, one request at a time over all indices.

    Attributes:
        base_url: folder of the pages.
        calls: requests by outcome: an HTTP status, ``timeout`` or ``unreachable``.
    """

    def __init__(
        self,
        base_url: str,
        *,
        pace: Pace | None = None,
        clock: Callable[[], float] = time.monotonic,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        """Prepare without connecting.

        Args:
            base_url: folder of the pages; plain http is accepted for loopback only.
            pace: when a page may be asked for again; None for the polite one.
            clock: seconds from any start; never goes back.
            transport: None for the network.

        Raises:
            ConfigError: the address is not encrypted and leaves this machine.
        """
        self.base_url = checked_url(
            base_url, "cboe.base_url", "prices could be changed on the way"
        ).rstrip("/")
        self.calls: Counter[str] = Counter()
        self._pace = pace or Pace()
        self._clock = clock
        self._transport = transport
        self._known: dict[str, _Known] = {}
        self._one_at_a_time = asyncio.Lock()
        self._http: httpx2.AsyncClient | None = None

    async def __aenter__(self) -> Self:
        """Open the connection pool."""
        self._http = httpx2.AsyncClient(
            headers={"User-Agent": f"live-box-spreads/{__version__}", "Accept": "application/json"},
            timeout=_TIMEOUT_SECS,
            transport=self._transport,
        )
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Close every connection."""
        if self._http is not None:
            await self._http.aclose()
        self._http = None

    async def page(self, underlying: str) -> Chain:
        """Return the newest page of an index; the same object as long as there is no newer one.

        Asked again too soon, it answers from memory.

        Raises:
            FeedUnavailableError: the server is away or overloaded; worth another try later.
            ApiError: it refuses, or has no such page.
            FeedError: what it sent is no page.
        """
        async with self._one_at_a_time:
            known = self._known.get(underlying, _Known())
            if self._pace.is_due(underlying, self._clock()):
                known = await self._ask(underlying, known)
                self._known[underlying] = known
        if known.error is not None:
            raise known.error
        if known.chain is None:
            raise FeedUnavailableError(f"no page of {underlying} yet; try again in a minute")
        return known.chain

    async def _ask(self, underlying: str, known: _Known) -> _Known:
        url = f"{self.base_url}/_{underlying}.json"  # the underscore marks an index
        self._pace.asked(underlying, self._clock())
        try:
            return await self._answer(url, underlying, known)
        except httpx2.TimeoutException:
            self.calls["timeout"] += 1
            error: FeedError = FeedUnavailableError(f"GET {url}: no answer in time; try later")
        except httpx2.HTTPError as problem:
            self.calls["unreachable"] += 1
            reason = str(problem) or type(problem).__name__
            error = FeedUnavailableError(f"GET {url}: {reason}; see whether the network is up")
        except FeedError as problem:
            error = problem
        return _Known(known.chain, known.validators, error)

    async def _answer(self, url: str, underlying: str, known: _Known) -> _Known:
        if self._http is None:
            raise FeedError("the Cboe client is not open; use it in an async with block")
        async with self._http.stream("GET", url, headers=dict(known.validators)) as response:
            self.calls[str(response.status_code)] += 1
            if response.status_code == _NOT_MODIFIED and known.chain is not None:
                return _Known(known.chain, known.validators)
            if response.status_code != _OK:
                hold = response.headers.get("retry-after", "")
                self._pace.asked(
                    underlying, self._clock(), float(hold) if hold.isdecimal() else 0.0
                )
                raise _refusal(url, underlying, response.status_code)
            body = bytearray()
            async for part in response.aiter_bytes():
                body += part
                if len(body) > MAX_BODY_BYTES:
                    raise FeedError(f"GET {url}: more than {MAX_BODY_BYTES:,} bytes; given up")
            asked_with = {"If-None-Match": "etag", "If-Modified-Since": "last-modified"}
            validators = tuple(
                (asked, response.headers[told])
                for asked, told in asked_with.items()
                if told in response.headers
            )
        chain = await asyncio.to_thread(read_page, bytes(body), underlying)
        return _Known(chain, validators)


def _refusal(url: str, underlying: str, status: int) -> FeedError:
    if status in _COME_BACK_LATER:
        return FeedUnavailableError(f"GET {url}: status {status}, the server is busy; try later")
    if status == _NOT_FOUND:
        return ApiError(
            f"GET {url}: status 404, Cboe has no delayed quotes of {underlying} there; "
            "see cboe.base_url",
            status=status,
        )
    return ApiError(f"GET {url}: status {status}, refused; see cboe.base_url", status=status)
