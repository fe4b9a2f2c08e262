"""Who may ask the dashboard, and what its page may load: one ASGI layer before everything else."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse

from live_box_spreads.net.addresses import is_loopback_authority

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_LARGEST_BODY_BYTES = 1_000_000


def content_security_policy(script_hashes: Sequence[str]) -> str:
    """Return the policy of the page: everything comes from this server, and nobody frames it.

    Args:
        script_hashes: hashes of the scripts within the page, as a policy quotes them.
    """
    directives = {
        "default-src": "'self'",
        "script-src": " ".join(("'self'", *script_hashes)),
        "style-src": "'self' 'unsafe-inline'",  # plotly, Mantine and AG Grid set styles by script
        "img-src": "'self' data: blob:",  # icons, and a chart that is saved as a picture
        "font-src": "'self' data:",
        "worker-src": "'self' blob:",
        "object-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    return "; ".join(f"{name} {sources}" for name, sources in directives.items())


def script_hash(script: str) -> str:
    """Return the hash of a script within the page, as a policy quotes it."""
    digest = hashlib.sha256(script.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


class LoopbackOnly:
    """Answers requests to a loopback name only, and sends the policy with each answer.

    A page of another site cannot reach the dashboard under that site's name (DNS rebinding), nor
    send it requests from there (``Origin``).
    """

    def __init__(self, app: ASGIApp, policy: str) -> None:
        """Stand before an application.

        Args:
            app: what answers.
            policy: content security policy of the page.
        """
        self._app = app
        self._headers = {
            "Content-Security-Policy": policy,
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
            "Referrer-Policy": "no-referrer",
            "Cross-Origin-Resource-Policy": "same-origin",
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        refused = _refusal(Headers(scope=scope), scope)
        if refused is not None:
            await refused(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(self._headers)
            await send(message)

        await self._app(scope, receive, send_with_headers)


def _refusal(headers: Headers, scope: Scope) -> PlainTextResponse | None:
    """Return the answer to a request that the application is not to see; None if it may."""
    host, origin = headers.get("host", ""), headers.get("origin")
    if not is_loopback_authority(host):
        text = "this dashboard answers under a loopback name only"
        return PlainTextResponse(text, status_code=400)
    # Compared as text: a parser fails on what only an attacker sends, such as an open bracket.
    if origin is not None and origin.partition("://")[2].lower() != host.lower():
        return PlainTextResponse("a page of another site asks", status_code=403)
    if not _is_small(headers, scope):
        return PlainTextResponse("too much for a request of the page", status_code=413)
    return None


def _is_small(headers: Headers, scope: Scope) -> bool:
    """Return whether a request says that its body is small; the page's are a few kilobytes."""
    if scope["type"] != "http" or scope["method"] in {"GET", "HEAD", "OPTIONS"}:
        return True
    length = headers.get("content-length", "")
    return length.isdecimal() and int(length) <= _LARGEST_BODY_BYTES
