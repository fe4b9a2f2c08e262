"""One exchange with the REST API: its headers, what it repeats, its errors.

Errors hold the method, the address, the status and the API's own code and message; never a header,
a request body or an HTML page.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Self

import msgspec

from live_box_spreads.net.addresses import checked_base_url
from live_box_spreads.net.client import HttpClient, StatusError
from live_box_spreads.net.headers import moved_to
from live_box_spreads.vendors.tastytrade.messages import UNREADABLE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import httpx2

    from live_box_spreads.net.client import Answer, Limits

ACCEPT_VERSION: Final = "20250813"
"""The API version that this client was written for; once the vendor removes it: 406.

Source: developer.tastytrade.com/docs/concepts/api-versions
"""

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


class RestApi:
    """The API at its base address.

    Attributes:
        base_url: without a slash at its end.
        http: the connections to it, with what they count and hide.
    """

    def __init__(
        self,
        base_url: str,
        transport: httpx2.AsyncBaseTransport | None = None,
        *,
        limits: Limits | None = None,
    ) -> None:
        """Prepare a client without connecting.

        Args:
            base_url: https, or plain http on this machine.
            transport: what carries the requests; None for the network.
            limits: on each answer; None for the usual ones.

        Raises:
            ConfigError: the base URL cannot be trusted with secrets.
        """
        self.base_url = checked_base_url(base_url, "base_url")
        self.http = HttpClient(
            self.base_url,
            name="base_url",
            headers={"Accept": "application/json", "Accept-Version": ACCEPT_VERSION},
            limits=limits,
            transport=transport,
        )

    async def __aenter__(self) -> Self:
        """Open the connection pool."""
        await self.http.__aenter__()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Close every connection."""
        await self.http.__aexit__(*exc_info)

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
            FeedUnavailableError: it could not be reached, took too long, or gave up in the middle.
            UntrustedPeerError: its certificate does not prove who it is.
            AnswerTooLargeError: the answer is beyond the limit.
        """

        async def once() -> bytes:
            answer = await self.http.ask(method, path, params=params, headers=headers, body=body)
            return self._json_of(answer)

        return await (
            self.http.repeated(once, f"{method} {self.base_url}{path}") if repeatable else once()
        )

    def _json_of(self, answer: Answer) -> bytes:
        """Return the body of a good answer, or raise the error of a bad one."""
        if answer.status in _REDIRECTS:
            raise _redirected(answer)
        if answer.status >= _ERRORS_FROM:
            raise self._refused(answer)
        if "json" not in answer.headers.get("content-type", ""):
            raise StatusError(
                f"{answer.what} answered {answer.status} without JSON; is that the API?",
                status=answer.status,
                headers=answer.headers,
            )
        return answer.body

    def _refused(self, answer: Answer) -> StatusError:
        code, message = (self.http.secrets.masked(text) for text in _error_text(answer.body))
        if not message:
            kind = "an HTML page" if "html" in answer.headers.get("content-type", "") else "no JSON"
            advice = (
                "the login or the User-Agent is not accepted"
                if answer.status == _UNAUTHORIZED
                else "the service is probably down; try again later"
            )
            message = f"{kind} instead of an explanation; {advice}"
        named = f" {code}" if code and code != str(answer.status) else ""
        return StatusError(
            f"{answer.what} answered {answer.status}{named}: {message}",
            status=answer.status,
            code=code,
            headers=answer.headers,
        )


def _redirected(answer: Answer) -> StatusError:
    return StatusError(
        f"{answer.what} answered {answer.status}, a redirect to "
        f"{moved_to(answer.headers) or 'nowhere'}; redirects are not followed because credentials "
        "would go there: correct base_url",
        status=answer.status,
        headers=answer.headers,
    )


def _error_text(body: bytes) -> tuple[str, str]:
    """Return the API's error code and message, both empty if the body is not its JSON."""
    try:
        error = msgspec.json.decode(body, type=_ErrorBody).error
    except UNREADABLE:
        return "", ""
    details = [f"{item.message} ({item.code})" for item in error.errors or []]
    text = "; ".join(filter(None, [error.message, *details])) or str(error.code)
    return str(error.code), text
