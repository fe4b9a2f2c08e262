"""Credentials and login: OAuth2, or a password session where a server takes one."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

import structlog

from live_box_spreads.model.errors import CredentialsError, LoginRefusedError
from live_box_spreads.net.client import StatusError
from live_box_spreads.net.verdicts import (
    REFUSED_LOGIN,
    Ruling,
    Verdict,
    error_ruling,
    look_up,
    status_ruling,
)
from live_box_spreads.vendors.tastytrade.messages import OAuthToken, PasswordSession, decode

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from live_box_spreads.net.verdicts import Row
    from live_box_spreads.vendors.tastytrade.rest import RestApi

log = structlog.get_logger(__name__)

LOGIN_STATUSES: Final[Sequence[Row]] = ((frozenset({400, 401, 403, 404, 410, 422}), REFUSED_LOGIN),)
"""Answers to a login by HTTP status; others mean what they mean to any request."""

_RENEW_AGAIN_SECS: Final = 10.0
"""A renewal that failed while the old value is still good is tried again after this."""

_USE_OAUTH: Final = (
    "set TT_CLIENT_SECRET and TT_REFRESH_TOKEN (an OAuth2 application of your account) instead"
)
_PASSWORD_SESSION_SECS: Final = 23 * 3600.0
"""A password session lasts 24 hours; renewed an hour ahead."""


@dataclass(frozen=True, repr=False)
class Credentials:
    """Secrets of one account: either the OAuth2 pair, or user name and password.

    Attributes:
        client_secret: secret of the OAuth2 application.
        refresh_token: refresh token of the grant; it neither expires nor rotates.
        username: for servers that still accept password sessions.
        password: for servers that still accept password sessions.
        one_time_code: asks the person for the code that a new device needs; may block.
    """

    client_secret: str = ""
    refresh_token: str = ""
    username: str = ""
    password: str = ""
    one_time_code: Callable[[], str] | None = None

    def __repr__(self) -> str:
        """Return the kind of login, without any secret."""
        kind = "OAuth2" if self.is_oauth else "password session"
        return f"Credentials({kind}, ***)"

    @property
    def is_oauth(self) -> bool:
        """Whether the OAuth2 pair is there; it goes before a password."""
        return bool(self.client_secret and self.refresh_token)

    @classmethod
    def from_environment(cls, env: Mapping[str, str]) -> Self:
        """Read credentials from environment variables.

        Args:
            env: ``TT_CLIENT_SECRET`` and ``TT_REFRESH_TOKEN``, or ``TT_USERNAME`` and
                ``TT_PASSWORD``.

        Raises:
            CredentialsError: neither pair is complete; the error names what is missing.
        """
        pairs = (("TT_CLIENT_SECRET", "TT_REFRESH_TOKEN"), ("TT_USERNAME", "TT_PASSWORD"))
        values = {name: env.get(name, "").strip() for pair in pairs for name in pair}
        if not any(all(values[name] for name in pair) for pair in pairs):
            begun = next((pair for pair in pairs if any(values[name] for name in pair)), pairs[0])
            missing = " and ".join(name for name in begun if not values[name])
            raise CredentialsError(
                f"no Tastytrade credentials: {missing} not set; "
                "put TT_CLIENT_SECRET and TT_REFRESH_TOKEN into the environment, a .env file or "
                "the system keyring"
            )
        return cls(
            client_secret=values["TT_CLIENT_SECRET"],
            refresh_token=values["TT_REFRESH_TOKEN"],
            username=values["TT_USERNAME"],
            password=values["TT_PASSWORD"],
        )


class Login:
    """Keeps a valid ``Authorization`` value; logs in when there is none and renews it ahead.

    While a value is still good its renewal goes on beside the requests, so that none waits for it.
    A refused login is remembered and never sent again: repeated failures block an address.
    """

    def __init__(
        self, credentials: Credentials, api: RestApi, monotonic_secs: Callable[[], float]
    ) -> None:
        """Prepare without logging in.

        Args:
            credentials: secrets.
            api: the API.
            monotonic_secs: a clock that never goes back, in seconds.
        """
        self._credentials = credentials
        self._api = api
        self._now_secs = monotonic_secs
        self._value = ""
        self._renew_at_secs = self._ends_at_secs = float("-inf")
        self._refusal = ""
        self._renewal: asyncio.Task[None] | None = None
        api.http.secrets.hide(
            credentials.client_secret, credentials.refresh_token, credentials.password
        )

    async def authorization(self, refused_value: str = "") -> str:
        """Return a valid ``Authorization`` header.

        Args:
            refused_value: a value that the API has just refused; it is replaced.

        Raises:
            LoginRefusedError: the server refused the login, now or before.
            FeedError: the server could not be asked.
        """
        if self._refusal:
            raise LoginRefusedError(self._refusal)
        now_secs = self._now_secs()
        if self._value in {"", refused_value} or now_secs >= self._ends_at_secs:
            await asyncio.shield(self._begin_renewal())  # others may wait for the same one
        elif now_secs >= self._renew_at_secs:
            self._begin_renewal()
        return self._value

    async def close(self) -> None:
        """End a renewal that is under way."""
        if self._renewal is not None:
            self._renewal.remove_done_callback(self._end_renewal)
            self._renewal.cancel()
            await asyncio.gather(self._renewal, return_exceptions=True)

    def _begin_renewal(self) -> asyncio.Task[None]:
        """Return the one renewal that is under way; begin it if there is none."""
        if self._renewal is None:
            self._renewal = asyncio.create_task(self._log_in())
            self._renewal.add_done_callback(self._end_renewal)
        return self._renewal

    def _end_renewal(self, renewal: asyncio.Task[None]) -> None:
        self._renewal = None
        error = None if renewal.cancelled() else renewal.exception()
        if isinstance(error, LoginRefusedError):
            self._refusal = str(error)
        if not isinstance(error, Exception):
            return
        # Who waits for it gets the error too; nobody does while the old value is still good.
        self._renew_at_secs = self._now_secs() + _RENEW_AGAIN_SECS
        log.warning("login_not_renewed", error=str(error), reason=error_ruling(error).reason)

    async def _log_in(self) -> None:
        started_secs = self._now_secs()
        if self._credentials.is_oauth:
            value, lasts_secs = await self._oauth()
        else:
            value, lasts_secs = await self._password_session()
        self._api.http.secrets.hide_token(value.removeprefix("Bearer "))
        self._value = value
        self._ends_at_secs = started_secs + lasts_secs - min(5.0, 0.05 * lasts_secs)
        self._renew_at_secs = started_secs + lasts_secs - min(60.0, 0.2 * lasts_secs)
        log.info("login_renewed", lasts_secs=lasts_secs)

    async def _oauth(self) -> tuple[str, float]:
        body = {
            "grant_type": "refresh_token",
            "refresh_token": self._credentials.refresh_token,
            "client_secret": self._credentials.client_secret,
        }
        try:
            answer = await self._api.request("POST", "/oauth/token", repeatable=True, body=body)
        except StatusError as error:
            if not _is_refusal(error):
                raise
            raise LoginRefusedError(
                f"login refused by {self._api.base_url} ({error}); "
                "check TT_CLIENT_SECRET and TT_REFRESH_TOKEN, it is not tried again"
            ) from None
        token = decode(answer, OAuthToken, "POST /oauth/token")
        return f"Bearer {token.access_token}", token.expires_in

    async def _password_session(self) -> tuple[str, float]:
        try:
            answer = await self._post_session({})
        except StatusError as error:
            if error.code == "device_challenge_required":
                answer = await self._answer_challenge(error)
            elif _is_refusal(error):
                raise self._password_refused(error) from None
            else:
                raise
        session = decode(answer, PasswordSession, "POST /sessions")
        return session.session_token, _PASSWORD_SESSION_SECS

    async def _post_session(self, headers: Mapping[str, str]) -> bytes:
        body = {
            "login": self._credentials.username,
            "password": self._credentials.password,
            "remember-me": True,
        }
        return await self._api.request(
            "POST", "/sessions", repeatable=False, headers=headers, body=body
        )

    async def _answer_challenge(self, challenge: StatusError) -> bytes:
        """Have a one-time code sent to the person, ask for it, log in with it."""
        ask = self._credentials.one_time_code
        token = challenge.headers.get("x-tastyworks-challenge-token", "")
        if ask is None or not token:
            raise LoginRefusedError(
                f"{self._api.base_url} wants a one-time code for this device and nobody is here "
                f"to enter it; {_USE_OAUTH}"
            )
        headers = {"X-Tastyworks-Challenge-Token": token}
        self._api.http.secrets.hide_token(token)
        try:
            await self._api.request("POST", "/device-challenge", repeatable=False, headers=headers)
            code = await asyncio.to_thread(ask)
            return await self._post_session({**headers, "X-Tastyworks-OTP": code.strip()})
        except StatusError as error:
            if not _is_refusal(error):
                raise
            raise self._password_refused(error) from None

    def _password_refused(self, error: StatusError) -> LoginRefusedError:
        return LoginRefusedError(
            f"password login refused by {self._api.base_url} ({error}); the vendor has ended "
            f"password logins: {_USE_OAUTH}, it is not tried again"
        )


def login_ruling(status: int) -> Ruling:
    """Return what an HTTP status in answer to a login asks for."""
    return look_up(LOGIN_STATUSES, status, status_ruling(status))


def _is_refusal(error: StatusError) -> bool:
    return login_ruling(error.status).verdict is Verdict.STOP
