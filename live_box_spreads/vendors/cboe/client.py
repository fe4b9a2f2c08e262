"""Pages of delayed quotes by HTTPS: one request at a time, paced, and only for what is new."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Self

from live_box_spreads.model.errors import ApiError, FeedError, FeedUnavailableError
from live_box_spreads.net.addresses import QUOTES_COME_FROM_THERE, checked_base_url
from live_box_spreads.net.client import HttpClient, Limits
from live_box_spreads.net.headers import Validators, retry_after_secs
from live_box_spreads.vendors.cboe.page import read_page
from live_box_spreads.vendors.cboe.vendor import MIN_INTERVAL_SECS

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable

    import httpx2

    from live_box_spreads.model.chain import Chain
    from live_box_spreads.net.client import Answer

LIMITS: Final = Limits(body_bytes=100_000_000)
"""The largest page, SPX, has some 12 MB."""

_OK, _NOT_MODIFIED, _NOT_FOUND = 200, 304, 404
_COME_BACK_LATER: Final = frozenset({429, 500, 502, 503, 504})


class Pace:
    """When each page of a public server may be asked for again. Pure: the time is an argument."""

    def __init__(self, min_interval_secs: float = MIN_INTERVAL_SECS) -> None:
        """Keep at least this many seconds between two requests of one page."""
        self._min_interval_secs = min_interval_secs
        self._next: dict[str, float] = {}

    def is_due(self, page: str, now_secs: float) -> bool:
        """Return whether a page may be asked for."""
        return now_secs >= self._next.get(page, now_secs)

    def asked(self, page: str, now_secs: float, hold_secs: float = 0.0) -> None:
        """Note a request, and how long the server wants us to wait, in seconds."""
        self._next[page] = now_secs + max(self._min_interval_secs, hold_secs)


@dataclass(frozen=True, slots=True)
class _Known:
    """What was last had of an index.

    Attributes:
        chain: the page; None if there was none yet.
        validators: by what the server tells whether it has a newer one.
        error: why the last request failed; None if it did not.
    """

    chain: Chain | None = None
    validators: Validators = field(default_factory=Validators)
    error: FeedError | None = None


class CboeClient:
    """Asks for pages, one request at a time over all indices.

    Attributes:
        base_url: folder of the pages.
    """

    def __init__(
        self,
        base_url: str,
        *,
        pace: Pace | None = None,
        clock: Callable[[], float] = time.monotonic,
        transport: httpx2.AsyncBaseTransport | None = None,
        limits: Limits = LIMITS,
    ) -> None:
        """Prepare without connecting.

        Args:
            base_url: folder of the pages; plain http is accepted for loopback only.
            pace: when a page may be asked for again; None for the slowest one.
            clock: seconds from any start; never goes back.
            transport: None for the network.
            limits: how long a page may take and how large it may be.

        Raises:
            ConfigError: the address is not encrypted and leaves this machine.
        """
        self.base_url = checked_base_url(base_url, "cboe.base_url", QUOTES_COME_FROM_THERE)
        self._pace = pace or Pace()
        self._clock = clock
        self._known: dict[str, _Known] = {}
        self._one_at_a_time = asyncio.Lock()
        self._http = HttpClient(
            self.base_url,
            name="cboe.base_url",
            why_encrypted=QUOTES_COME_FROM_THERE,
            headers={"Accept": "application/json"},
            limits=limits,
            transport=transport,
        )

    async def __aenter__(self) -> Self:
        """Open the connection pool."""
        await self._http.__aenter__()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Close every connection."""
        await self._http.__aexit__(*exc_info)

    @property
    def calls(self) -> Counter[str]:
        """Requests by outcome: an HTTP status, ``timeout``, ``unreachable`` or ``unusable``."""
        return self._http.calls

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
        self._pace.asked(underlying, self._clock())
        path = f"/_{underlying}.json"  # the underscore marks an index
        try:
            answer = await self._http.ask("GET", path, headers=known.validators.asking())
            return await self._read(answer, underlying, known)
        except FeedError as error:
            return _Known(known.chain, known.validators, error)

    async def _read(self, answer: Answer, underlying: str, known: _Known) -> _Known:
        if answer.status == _NOT_MODIFIED and known.chain is not None:
            return _Known(known.chain, known.validators)
        if answer.status != _OK:
            hold_secs = retry_after_secs(answer.headers) or 0.0
            self._pace.asked(underlying, self._clock(), hold_secs)
            raise _refusal(answer, underlying)
        chain = await asyncio.to_thread(read_page, answer.body, underlying)
        return _Known(chain, Validators.of(answer.headers))


def _refusal(answer: Answer, underlying: str) -> FeedError:
    answered = f"{answer.what}: status {answer.status}"
    if answer.status in _COME_BACK_LATER:
        return FeedUnavailableError(f"{answered}, the server is busy; try later")
    if answer.status == _NOT_FOUND:
        return ApiError(
            f"{answered}, Cboe has no delayed quotes of {underlying} there; see cboe.base_url",
            status=answer.status,
        )
    return ApiError(f"{answered}, refused; see cboe.base_url", status=answer.status)
