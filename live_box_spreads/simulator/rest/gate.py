"""What is checked of every call before it is answered, in the vendor's order."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from live_box_spreads.simulator.rest.responses import (
    RefusedError,
    gzip_bomb,
    html,
    refused,
    trickle,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Receive, Scope, Send

    from live_box_spreads.simulator.exchange_state import ExchangeState

OLDEST_API_VERSION = "20250425"
"""``Accept-Version`` names a date and is served the newest version at or before it; only what is
older than every version gets a 406 (the vendor's page on API versions)."""

_USER_AGENT = re.compile(r"[^\s/]+/[^\s/]+.*")
_WITHOUT_LOGIN = {"/oauth/token", "/sessions", "/device-challenge"}
_OWN_PATHS = "/simulator/"


class Gate:
    """ASGI middleware: injected faults, user agent, version, then authorization."""

    def __init__(self, app: ASGIApp, state: ExchangeState) -> None:
        """Stand before this app."""
        self._app = app
        self._state = state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a call that is refused, pass on the others."""
        request = Request(scope) if scope["type"] == "http" else None
        if request is not None and not request.url.path.startswith(_OWN_PATHS):
            await asyncio.sleep(self._state.faults.rest_delay_secs)
        refusal = None if request is None else self._refusal(request)
        await (self._app if refusal is None else refusal)(scope, receive, send)

    def _refusal(self, request: Request) -> Response | None:
        if request.url.path.startswith(_OWN_PATHS):
            return None
        if not _USER_AGENT.fullmatch(request.headers.get("User-Agent", "")):
            return html(401, "Authorization Required")
        injected = self._injected()
        if injected is not None:
            return injected
        version = request.headers.get("Accept-Version")
        if version is not None and not _is_served(version):
            return _not_acceptable(version)
        if request.url.path in _WITHOUT_LOGIN:
            return None
        return self._unauthorised(request)

    def _injected(self) -> Response | None:
        """Return the answer of the first fault that has one left."""
        return next(
            (answer() for counter, answer in _INJECTED if self._state.faults.take_one(counter)),
            None,
        )

    def _unauthorised(self, request: Request) -> Response | None:
        given = request.headers.get("Authorization", "")
        if self._state.tokens.credential(given, self._state.now_secs()) is not None:
            return None
        if not given:
            message = "This endpoint requires an authenticated session"
            return refused(RefusedError(401, "unauthorized", message))
        return refused(RefusedError(401, "token_invalid", "This token is invalid or has expired"))


def _is_served(version: str) -> bool:
    return re.fullmatch(r"\d{8}", version) is not None and version >= OLDEST_API_VERSION


def _not_acceptable(version: str) -> Response:
    message = f"The requested version {version!r} is not supported"
    return refused(RefusedError(406, 406, message))


def _throttled() -> Response:
    answer = refused(RefusedError(429, "too_many_requests", "Too many requests, please slow down"))
    answer.headers["Retry-After"] = "1"
    return answer


def _cut_off() -> Response:
    return Response(b'{"data": {"items": [{"symbol": "SP', media_type="application/json")


def _trickled() -> Response:
    return StreamingResponse(trickle(), media_type="application/json")


def _bomb() -> Response:
    headers = {"Content-Encoding": "gzip"}
    return Response(gzip_bomb(), headers=headers, media_type="application/json")


_INJECTED: tuple[tuple[str, Callable[[], Response]], ...] = (
    ("html_401_responses", lambda: html(401, "Authorization Required")),
    ("html_502_responses", lambda: html(502, "Bad Gateway")),
    ("not_acceptable_responses", lambda: _not_acceptable("")),
    ("throttled_responses", _throttled),
    ("truncated_responses", _cut_off),
    ("trickled_responses", _trickled),
    ("bomb_responses", _bomb),
)
"""What each counter of ``Faults`` leads to."""
