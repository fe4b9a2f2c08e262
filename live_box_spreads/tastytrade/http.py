"""One HTTP exchange with the REST API: headers, timeouts, retries, typed errors.

Errors hold the method, the path, the status and the API's own code and message; never a header,
a request body or an HTML page.
"""

from __future__ import annotations

import re
import ssl
from collections import Counter, deque
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final, Self

import httpx2
import msgspec
import stamina

from live_box_spreads import __version__
from live_box_spreads.model.errors import ApiError, FeedUnavailableError, UntrustedPeerError
from live_box_spreads.model.verdicts import Verdict, error_ruling
from live_box_spreads.tastytrade.addresses import checked_url, is_loopback

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

USER_AGENT: Final = f"live-box-spreads/{__version__}"
"""The API answers an HTML 401 to a request without a ``product/version``."""

ACCEPT_VERSION: Final = "20250813"
"""The API version that this client was written for; once the vendor removes it: 406.

Source: developer.tastytrade.com/docs/concepts/api-versions
"""

TIMEOUT_SECS: Final = httpx2.Timeout(30.0, connect=10.0)
_TOKENS_HIDDEN: Final = 1_000
"""The last tokens that errors may not show: days of them, and no more memory in a year."""

_LONGEST_MESSAGE = 300
_UNAUTHORIZED = 401
_REDIRECTS = range(300, 400)
_ERRORS_FROM = 400


class _ErrorDetail(msgspec.Struct):
    code: str | int = ""
    message: str = ""


class _Error(msgspec.Struct):
    code: str | int = ""
    message: str = ""
    errors: list[_ErrorDetail] | None = None


class _ErrorBody(msgspec.Struct):
    error: _Error


class RestError(ApiError):
    """An API error with what a caller inside this package may need.

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
        self.retry_after_secs = _retry_after_secs(headers)


def worth_retrying(error: Exception) -> bool | float:
    """Tell whether a repeatable request is sent again at once, as ``model/verdicts.py`` rules.

    Returns:
        True, False, or the wait in seconds that the server asked for.
    """
    if error_ruling(error).verdict is not Verdict.RETRY:
        return False
    wait_secs = error.retry_after_secs if isinstance(error, RestError) else None
    return True if wait_secs is None else min(wait_secs, 60.0)


class Http:
    """The API's base address and the connections to it."""

    def __init__(
        self,
        base_url: str,
        transport: httpx2.AsyncBaseTransport | None = None,
        *,
        attempts: int = 4,
    ) -> None:
        """Prepare a client without connecting.

        Args:
            base_url: https, or plain http on this machine.
            transport: what carries the requests; None for the network.
            attempts: how often a repeatable request is sent before its failure stands.

        Raises:
            ConfigError: the base URL cannot be trusted with secrets.
        """
        self.base_url = checked_url(base_url, "base_url").rstrip("/")
        self.server_time: datetime | None = None
        """UTC clock of the server in its last answer, to the second; None before the first."""
        self.calls: Counter[str] = Counter()
        """Requests sent by outcome: an HTTP status, ``timeout`` or ``unreachable``."""
        self._attempts = attempts
        self._secrets: set[str] = set()
        self._tokens: deque[str] = deque(maxlen=_TOKENS_HIDDEN)
        self._client = httpx2.AsyncClient(
            base_url=self.base_url,
            transport=transport,
            timeout=TIMEOUT_SECS,
            headers={
                "User-Agent": USER_AGENT,
                "Accept": "application/json",
                "Accept-Version": ACCEPT_VERSION,
            },
            follow_redirects=False,  # credentials must not travel to another host
            trust_env=not is_loopback(self.base_url),  # no proxy between us and ourselves
        )

    async def __aenter__(self) -> Self:
        """Open the connection pool."""
        await self._client.__aenter__()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Close every connection."""
        await self._client.aclose()

    def hide(self, *secrets: str) -> None:
        """Make sure that these never show in an error, even if the server repeats them."""
        self._secrets.update(filter(None, secrets))

    def hide_token(self, token: str) -> None:
        """The same for a token that is replaced by and by; the oldest are long void."""
        if token:
            self._tokens.append(token)

    async def request(
        self,
        method: str,
        path: str,
        *,
        repeatable: bool,
        params: Sequence[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> bytes:
        """Send a request and return the JSON body of a good answer.

        Args:
            method: HTTP method.
            path: path below the base URL.
            repeatable: whether sending it twice does no harm; only then it is retried.
            params: query parameters, a name may repeat.
            headers: extra headers.
            body: JSON object to send.

        Raises:
            ApiError: the server refused.
            FeedUnavailableError: it could not be reached, or gave up in the middle.
            UntrustedPeerError: its certificate does not prove who it is.
        """
        request = self._client.build_request(
            method, path, params=list(params), headers=headers, json=body
        )
        if not repeatable:
            return await self._once(request)
        answer = b""
        async for attempt in stamina.retry_context(
            on=worth_retrying, attempts=self._attempts, timeout=90.0, wait_initial=0.25
        ):
            with attempt:
                answer = await self._once(request)
        return answer

    async def _once(self, request: httpx2.Request) -> bytes:
        what = f"{request.method} {request.url.path}"
        try:
            response = await self._client.send(request)
        except httpx2.TimeoutException as error:
            self.calls["timeout"] += 1
            raise FeedUnavailableError(
                f"{what}: {self.base_url} did not answer in time ({type(error).__name__}); "
                "check the network, then try again"
            ) from error
        except httpx2.RequestError as error:
            self.calls["unreachable"] += 1
            if is_certificate_error(error):
                raise UntrustedPeerError(f"{what}: {untrusted(self.base_url)}") from error
            raise FeedUnavailableError(
                f"{what}: cannot talk to {self.base_url}: {str(error) or type(error).__name__}; "
                "check the network and the address"
            ) from error
        self.calls[str(response.status_code)] += 1
        self._note_time(response)
        if response.status_code in _REDIRECTS:
            raise _redirected(what, response)
        if response.status_code >= _ERRORS_FROM:
            raise _refused(what, response, self._secrets.union(self._tokens))
        if not _is_json(response):
            raise RestError(
                f"{what} answered {response.status_code} without JSON; is {self.base_url} the API?",
                status=response.status_code,
                headers=response.headers,
            )
        return response.content

    def _note_time(self, response: httpx2.Response) -> None:
        stamp = response.headers.get("date")
        if stamp:
            try:
                self.server_time = parsedate_to_datetime(stamp).astimezone(UTC)
            except ValueError:
                self.server_time = None


def is_certificate_error(error: BaseException | None) -> bool:
    """Return whether an error, or one that led to it, is that of an unproven certificate."""
    while error is not None and not isinstance(error, ssl.SSLCertVerificationError):
        error = error.__cause__ or error.__context__
    return error is not None


def untrusted(url: str) -> str:
    """Return what to tell of a server whose certificate does not prove who it is."""
    host = httpx2.URL(url).host
    return (
        f"the certificate of {host} does not prove that it is {host}, so nothing was sent to it; "
        "check the clock of this machine, and who stands between it and the network"
    )


def _retry_after_secs(headers: Mapping[str, str]) -> float | None:
    """Return the wait that an answer asks for, in seconds or until an instant on its clock."""
    text = headers.get("retry-after", "")
    if text.isdecimal():
        return float(text)
    try:
        until, now = (parsedate_to_datetime(value) for value in (text, headers.get("date", "")))
        return max(0.0, (until - now).total_seconds())
    except (TypeError, ValueError):  # neither, or no clock to compare with
        return None


def _is_json(response: httpx2.Response) -> bool:
    return "json" in response.headers.get("content-type", "")


def _redirected(what: str, response: httpx2.Response) -> RestError:
    target = response.headers.get("location", "")
    host = httpx2.URL(target).host if target.startswith("http") else target.partition("?")[0]
    return RestError(
        f"{what} answered {response.status_code}, a redirect to {host or 'nowhere'}; redirects are "
        "not followed because credentials would go there: correct base_url",
        status=response.status_code,
        headers=response.headers,
    )


def _refused(what: str, response: httpx2.Response, secrets: set[str]) -> RestError:
    status = response.status_code
    code, message = (_masked(text, secrets) for text in _error_text(response))
    if not message:
        kind = "an HTML page" if "html" in response.headers.get("content-type", "") else "no JSON"
        advice = (
            "the login or the User-Agent is not accepted"
            if status == _UNAUTHORIZED
            else "the service is probably down; try again later"
        )
        message = f"{kind} instead of an explanation; {advice}"
    named = f" {code}" if code and code != str(status) else ""
    return RestError(
        f"{what} answered {status}{named}: {message}",
        status=status,
        code=code,
        headers=response.headers,
    )


def _masked(text: str, secrets: set[str]) -> str:
    for secret in secrets:
        text = text.replace(secret, "***")
    return re.sub(r"\s+", " ", text)[:_LONGEST_MESSAGE]


def _error_text(response: httpx2.Response) -> tuple[str, str]:
    """Return the API's error code and message, both empty if the body is not its JSON."""
    try:
        error = msgspec.json.decode(response.content, type=_ErrorBody).error
    except (msgspec.DecodeError, UnicodeDecodeError):
        return "", ""
    details = [f"{item.message} ({item.code})" for item in error.errors or []]
    text = "; ".join(filter(None, [error.message, *details])) or str(error.code)
    return str(error.code), text
