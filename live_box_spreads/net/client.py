"""The one HTTP client: every request of this program goes through ``HttpClient.ask``.

It keeps what holds for every server. A request goes to an encrypted address or to this machine,
with our user agent, past no proxy on the way to this machine, and follows no redirect. Its answer
has a deadline as a whole and a limit on its size. What a status means, and the text of its error,
is the vendor's part.
"""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections import Counter
from concurrent.futures import Future
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

import httpx2
import stamina

from live_box_spreads import __version__
from live_box_spreads.model.errors import (
    ApiError,
    ConfigError,
    FeedError,
    FeedUnavailableError,
    UntrustedPeerError,
)
from live_box_spreads.net.addresses import SECRETS_GO_THERE, checked_url, host_of, is_loopback
from live_box_spreads.net.bodies import ACCEPTED_ENCODINGS, BoundedBody
from live_box_spreads.net.headers import http_date, retry_after_secs
from live_box_spreads.net.server_text import Secrets
from live_box_spreads.net.verdicts import Verdict, error_ruling

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
    from datetime import datetime

USER_AGENT: Final = f"live-box-spreads/{__version__}"
"""Some servers answer an HTML 401 to a request without a ``product/version``."""

_LONGEST_PAUSE_SECS: Final = 60.0
"""Longest pause between two attempts of one call, whatever the server asks for."""

_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class Limits:
    """How long an answer may take and how large it may be.

    Headers have a limit too, of 100 KiB, which the HTTP library keeps.

    Attributes:
        connect_secs: longest wait for a connection.
        silence_secs: longest wait for the next part of an answer.
        answer_secs: longest time from the begin of a request to the end of its answer, even if
            something comes all the time.
        call_secs: longest time of a call with all its attempts and pauses.
        attempts: how often a repeatable request is sent before its failure stands.
        body_bytes: most bytes of a body, as it comes and as it unpacks.
    """

    connect_secs: float = 10.0
    silence_secs: float = 30.0
    answer_secs: float = 60.0
    call_secs: float = 120.0
    attempts: int = 4
    body_bytes: int = 32 * 2**20


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer of any status.

    Attributes:
        what: what was asked for, for errors.
        status: HTTP status.
        headers: by name, in any case.
        body: unpacked.
    """

    what: str
    status: int
    headers: Mapping[str, str]
    body: bytes


class StatusError(ApiError):
    """A refusal with what a caller inside this package may need.

    Attributes:
        headers: headers of the answer.
        retry_after_secs: the wait that the server asks for, in seconds; None if it does not.
    """

    def __init__(
        self, message: str, *, status: int, code: str = "", headers: Mapping[str, str]
    ) -> None:
        """Keep the headers beside the status and the code."""
        super().__init__(message, status=status, code=code)
        self.headers = headers
        self.retry_after_secs = retry_after_secs(headers)


class HttpClient:
    """The connections to one server; use it as an async context manager.

    Attributes:
        address: where the server is.
        calls: requests sent by outcome: an HTTP status, ``timeout``, ``unreachable``, or
            ``unusable`` for an answer that is too large or cannot be unpacked.
        server_time: UTC clock of the server in its last answer, to the second; None before the
            first, or if it tells none.
        secrets: what no error shows.
    """

    def __init__(  # all but the address by keyword
        self,
        address: str,
        *,
        name: str = "the address",
        why_encrypted: str = SECRETS_GO_THERE,
        headers: Mapping[str, str] | None = None,
        limits: Limits | None = None,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        """Prepare without connecting.

        Args:
            address: https, or plain http on this machine.
            name: what the address is, for errors: the setting that a person would correct.
            why_encrypted: why the address should be encrypted, for the error.
            headers: sent with every request.
            limits: None for the usual ones.
            transport: what carries the requests; None for the network.

        Raises:
            ConfigError: the address is neither.
        """
        self.address = checked_url(address, name, why_encrypted)
        self.calls: Counter[str] = Counter()
        self.server_time: datetime | None = None
        self.secrets = Secrets()
        self._name = name
        self._headers = {
            "User-Agent": USER_AGENT,
            "Accept-Encoding": ACCEPTED_ENCODINGS,
            **(headers or {}),
        }
        self._limits = limits or Limits()
        self._transport = transport
        self._client: httpx2.AsyncClient | None = None

    async def __aenter__(self) -> Self:
        """Open the connection pool.

        Raises:
            ConfigError: the environment names a proxy or certificates that cannot be used.
        """
        limits = self._limits
        try:
            self._client = httpx2.AsyncClient(
                transport=self._transport,
                timeout=httpx2.Timeout(limits.silence_secs, connect=limits.connect_secs),
                headers=self._headers,
                follow_redirects=False,  # credentials must not travel to another host
                trust_env=not is_loopback(self.address),  # no proxy between us and ourselves
                cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),  # none are kept
            )
        except (ImportError, OSError, ValueError, httpx2.InvalidURL) as error:
            raise ConfigError(
                f"the environment names a proxy or certificates that cannot be used: {error}; "
                "correct or unset HTTPS_PROXY, ALL_PROXY, SSL_CERT_FILE and SSL_CERT_DIR"
            ) from error
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Close every connection."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def ask(  # the parts of a request, by keyword
        self,
        method: str,
        path: str = "",
        *,
        what: str = "",
        params: Sequence[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> Answer:
        """Send one request once and return its whole answer, whatever its status.

        Args:
            method: HTTP method.
            path: put behind the address.
            what: what is asked for, for errors; empty for the method and the URL.
            params: query parameters, a name may repeat.
            headers: extra headers.
            body: JSON object to send.

        Raises:
            FeedUnavailableError: it could not be reached, took too long, or broke off.
            UntrustedPeerError: its certificate does not prove who it is.
            AnswerTooLargeError: the answer is beyond the limit.
            FeedError: the client is not open, or the request cannot be sent.
        """
        what = what or f"{method} {self.address}{path}"
        if self._client is None:
            raise FeedError(f"{what}: the client is not open; use it in an async with block")
        try:
            request = self._client.build_request(
                method, self.address + path, params=list(params) or None, headers=headers, json=body
            )
        except (httpx2.InvalidURL, ValueError):
            raise _unsendable(what) from None
        answer = await self._answer(self._client, request, what)
        self.calls[str(answer.status)] += 1
        self.server_time = http_date(answer.headers.get("date", ""))
        return answer

    async def repeated(self, once: Callable[[], Awaitable[_Result]], what: str) -> _Result:
        """Do something that may be done twice until it succeeds, fails for good, or takes too long.

        Args:
            once: sends a request; after an error that is worth it, it is called again.
            what: what is asked for, for errors.

        Raises:
            FeedError: the last failure.
        """
        failure = f"{what}: no answer"

        async def attempted() -> _Result:
            nonlocal failure
            try:
                return await once()
            except FeedError as error:
                failure = str(error)
                raise

        attempts = stamina.AsyncRetryingCaller(
            attempts=self._limits.attempts, timeout=None, wait_initial=0.25
        )
        try:
            async with asyncio.timeout(self._limits.call_secs):
                return await attempts(worth_retrying, attempted)
        except TimeoutError as error:
            raise FeedUnavailableError(
                f"{failure}; given up after {self._limits.call_secs:g} s of attempts"
            ) from error

    async def _answer(
        self, client: httpx2.AsyncClient, request: httpx2.Request, what: str
    ) -> Answer:
        """Exchange a request for an answer within the limits, with errors of our own."""
        body = BoundedBody(self._limits.body_bytes, what)
        try:
            async with asyncio.timeout(self._limits.answer_secs):
                return await _received(client, request, body, what)
        except TimeoutError as error:
            self.calls["timeout"] += 1
            raise FeedUnavailableError(
                f"{what}: no whole answer within {self._limits.answer_secs:g} s, "
                f"{body.received:,} bytes came; check the network and {self._name}"
            ) from error
        except httpx2.TimeoutException as error:
            self.calls["timeout"] += 1
            raise FeedUnavailableError(
                f"{what}: the server did not answer in time ({type(error).__name__}); "
                f"check the network and {self._name}, then try again"
            ) from error
        except httpx2.RequestError as error:
            self.calls["unreachable"] += 1
            raise self._unreachable(what, error) from error
        except FeedError:
            self.calls["unusable"] += 1
            raise

    def _unreachable(self, what: str, error: httpx2.RequestError) -> FeedError:
        if is_certificate_error(error):
            return UntrustedPeerError(f"{what}: {untrusted(self.address)}")
        if isinstance(error, httpx2.LocalProtocolError):
            return _unsendable(what)
        reason = self.secrets.masked(str(error)) or type(error).__name__
        return FeedUnavailableError(f"{what}: {reason}; check the network and {self._name}")


def _unsendable(what: str) -> FeedError:
    """Return the error of a request that breaks HTTP, without the value, perhaps a secret."""
    return FeedError(f"{what}: a header or the address holds characters that cannot be sent")


async def _received(
    client: httpx2.AsyncClient, request: httpx2.Request, body: BoundedBody, what: str
) -> Answer:
    response = await client.send(request, stream=True)
    try:
        body.unpack_as(response.headers.get("content-encoding", ""))
        # The parts as they come: the library would unpack them without a limit of ours.
        parts: AsyncIterator[bytes] = aiter(response.stream)  # type: ignore[arg-type] # it is async
        async for part in parts:
            body.take(part)
        return Answer(what, response.status_code, response.headers, body.whole())
    finally:
        await response.aclose()


def ask_now(  # the parts of a request, by keyword
    url: str,
    *,
    name: str,
    why_encrypted: str,
    what: str = "",
    headers: Mapping[str, str] | None = None,
    limits: Limits | None = None,
    transport: httpx2.AsyncBaseTransport | None = None,
) -> Answer:
    """Get one URL from code that is not asynchronous; waits for the answer.

    Args and errors are those of :class:`HttpClient` and :meth:`HttpClient.ask`.
    """

    async def ask() -> Answer:
        async with client:
            return await client.ask("GET", what=what, headers=headers)

    client = HttpClient(
        url, name=name, why_encrypted=why_encrypted, limits=limits, transport=transport
    )
    return _run_apart(ask())


def _run_apart(work: Coroutine[Any, Any, _Result]) -> _Result:
    """Run a coroutine in a thread of its own, and wait for its result.

    The thread may outlive the result: a look-up of a name that hangs cannot be stopped.
    """
    result: Future[_Result] = Future()

    async def report() -> None:
        try:
            result.set_result(await work)
        except BaseException as error:  # noqa: BLE001 # it is raised again where one waits
            result.set_exception(error)

    threading.Thread(target=asyncio.run, args=(report(),), name="http", daemon=True).start()
    return result.result()


def worth_retrying(error: Exception) -> bool | float:
    """Return whether a repeatable request is sent again at once, as ``net/verdicts.py`` rules.

    Returns:
        True, False, or the wait in seconds that the server asked for.
    """
    if error_ruling(error).verdict is not Verdict.RETRY:
        return False
    wait_secs = error.retry_after_secs if isinstance(error, StatusError) else None
    return True if wait_secs is None else min(wait_secs, _LONGEST_PAUSE_SECS)


def is_certificate_error(error: BaseException | None) -> bool:
    """Return whether an error, or one that led to it, is that of an unproven certificate."""
    while error is not None and not isinstance(error, ssl.SSLCertVerificationError):
        error = error.__cause__ or error.__context__
    return error is not None


def untrusted(url: str) -> str:
    """Return what to tell of a server whose certificate does not prove who it is."""
    host = host_of(url)
    return (
        f"the certificate of {host} does not prove that it is {host}, so nothing was sent to it; "
        "check the clock of this machine, and who stands between it and the network"
    )
