"""What is checked of every call before it is answered, in the vendor's order."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from starlette.requests import Request

from live_box_spreads.simulator.rest.responses import RefusedError, html, refused

if TYPE_CHECKING:
    from starlette.responses import Response
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
        refusal = self._refusal(Request(scope)) if scope["type"] == "http" else None
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
        faults = self._state.faults
        if faults.html_401_responses > 0:
            faults.html_401_responses -= 1
            return html(401, "Authorization Required")
        if faults.html_502_responses > 0:
            faults.html_502_responses -= 1
            return html(502, "Bad Gateway")
        if faults.not_acceptable_responses > 0:
            faults.not_acceptable_responses -= 1
            return _not_acceptable("")
        return None

    def _unauthorised(self, request: Request) -> Response | None:
        given = request.headers.get("Authorization", "")
        if self._state.office.credential(given, self._state.now_secs()) is not None:
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
