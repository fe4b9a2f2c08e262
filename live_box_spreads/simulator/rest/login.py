"""OAuth2 tokens, password sessions and the device challenge."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

import msgspec
from starlette.responses import Response
from starlette.routing import Route

from live_box_spreads.simulator.credentials import DEMO_USERNAME
from live_box_spreads.simulator.rest.responses import RefusedError, data, encoded

if TYPE_CHECKING:
    from starlette.requests import Request

    from live_box_spreads.simulator.exchange_state import ExchangeState

_Body = TypeVar("_Body", bound=msgspec.Struct)


class _TokenRequest(msgspec.Struct):
    grant_type: str
    refresh_token: str = ""
    client_secret: str = ""


class _SessionRequest(msgspec.Struct, rename="kebab"):
    login: str
    password: str = ""
    remember_token: str = ""
    remember_me: bool = False


class LoginRoutes:
    """Handlers of the login calls."""

    def __init__(self, state: ExchangeState) -> None:
        """Serve this exchange."""
        self._state = state

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("/oauth/token", self._token, methods=["POST"]),
            Route("/sessions", self._open_session, methods=["POST"]),
            Route("/sessions", self._close_session, methods=["DELETE"]),
            Route("/sessions/validate", self._validate, methods=["GET", "POST"]),
            Route("/device-challenge", self._challenge, methods=["POST"]),
        ]

    async def _token(self, request: Request) -> Response:
        wanted = await _body(request, _TokenRequest)
        if wanted.grant_type != "refresh_token":
            return _oauth_error("unsupported_grant_type", "Only refresh_token is supported")
        tokens, now_secs = self._state.tokens, self._state.now_secs()
        token = tokens.grant_access(wanted.client_secret, wanted.refresh_token, now_secs)
        if token is None:
            return _oauth_error("invalid_grant", "Invalid client secret or refresh token")
        life_secs = int(self._state.faults.access_token_secs)
        return encoded({"access_token": token, "token_type": "Bearer", "expires_in": life_secs})

    async def _open_session(self, request: Request) -> Response:
        wanted = await _body(request, _SessionRequest)
        tokens, now_secs = self._state.tokens, self._state.now_secs()
        if not self._state.password_logins:
            message = "Session login is no longer available. Please use OAuth2."
            raise RefusedError(401, "session_login_disabled", message)
        if wanted.password:
            right = tokens.password_is_right(wanted.login, wanted.password)
        else:
            right = tokens.spend_remember_token(wanted.login, wanted.remember_token)
        if not right:
            message = "Invalid login, please check your username and password."
            raise RefusedError(401, "invalid_credentials", message)
        challenge = self._challenge_unless_met(request)
        if challenge is not None:
            return challenge
        session = tokens.open_password_session(now_secs, remember=wanted.remember_me)
        expires = datetime.fromtimestamp(session.expires_at_secs, UTC)
        body = {
            "user": {
                "email": "demo@example.invalid",
                "external-id": "U0000001",
                "is-confirmed": True,
                "username": DEMO_USERNAME,
            },
            "session-token": session.session_token,
            "session-expiration": expires.isoformat(timespec="milliseconds"),
        }
        if session.remember_token:
            body["remember-token"] = session.remember_token
        return data(body, "/sessions", 201)

    def _challenge_unless_met(self, request: Request) -> Response | None:
        """Return the 403 that opens a device challenge, or None if there is no need for it."""
        if not self._state.faults.device_challenge:
            return None
        tokens = self._state.tokens
        challenge = request.headers.get("X-Tastyworks-Challenge-Token", "")
        if tokens.meet_challenge(challenge, request.headers.get("X-Tastyworks-OTP", "")):
            return None
        message = "Device challenge is required before logging in from this device"
        error = {"error": {"code": "device_challenge_required", "message": message}}
        answer = encoded(error, 403)
        answer.headers["X-Tastyworks-Challenge-Token"] = tokens.open_challenge()
        return answer

    async def _challenge(self, request: Request) -> Response:
        token = request.headers.get("X-Tastyworks-Challenge-Token", "")
        if not self._state.tokens.challenge_is_open(token):
            raise RefusedError(401, "invalid_challenge", "The device challenge is not known")
        body = {"step": "otp_verification", "redirect": {"method": "POST", "url": "/sessions"}}
        return data(body, "/device-challenge")

    async def _close_session(self, request: Request) -> Response:
        self._state.tokens.close_session(request.headers.get("Authorization", ""))
        return Response(status_code=204)

    async def _validate(self, _request: Request) -> Response:
        body = {"email": "demo@example.invalid", "username": DEMO_USERNAME, "is-confirmed": True}
        return data(body, "/sessions/validate", 201)


async def _body(request: Request, kind: type[_Body]) -> _Body:
    try:
        return msgspec.json.decode(await request.body(), type=kind)
    except msgspec.MsgspecError as error:
        raise RefusedError(400, "validation_error", f"Request body: {error}") from None


def _oauth_error(code: str, description: str) -> Response:
    return encoded({"error_code": code, "error_description": description}, 401)
