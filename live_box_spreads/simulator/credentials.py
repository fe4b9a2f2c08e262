"""Who may log in to the simulated exchange, and the tokens it gives out."""

from __future__ import annotations

import hmac
import secrets
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from live_box_spreads.simulator.faults import Faults

# Public on purpose: they open nothing but a simulator on this machine.
DEMO_CLIENT_SECRET = "demo-client-secret"  # noqa: S105
DEMO_REFRESH_TOKEN = "demo-refresh-token"  # noqa: S105
DEMO_USERNAME = "demo"
DEMO_PASSWORD = "demo-password"  # noqa: S105
DEMO_ONE_TIME_CODE = "123456"
DEMO_ACCOUNT = "5WX00001"

SESSION_SECS = 86_400.0
DXLINK_SESSIONS = 5
"""DXLink sessions that one credential may hold at a time."""

_OAUTH, _PASSWORD = "oauth", "password"


@dataclass(frozen=True, slots=True)
class _Grant:
    credential: str
    expires_at_secs: float
    revocations: int
    """``Faults.access_revocations`` when it was given."""


@dataclass(frozen=True, slots=True)
class PasswordSession:
    """What a password login gives.

    Attributes:
        session_token: goes bare into ``Authorization``.
        remember_token: good for one later login without the password; empty if not asked for.
        expires_at_secs: when the session token expires, in epoch seconds.
    """

    session_token: str
    remember_token: str
    expires_at_secs: float


class TokenIssuer:
    """Issues and checks tokens; all times are epoch seconds of the exchange's clock."""

    def __init__(self, faults: Faults) -> None:
        """Start with no token issued."""
        self._faults = faults
        self._bearer: dict[str, _Grant] = {}
        self._bare: dict[str, _Grant] = {}
        self._quote: dict[str, _Grant] = {}
        self._remember: set[str] = set()
        self._challenges: set[str] = set()
        self._dxlink_sessions: Counter[str] = Counter()

    def grant_access(self, client_secret: str, refresh_token: str, now_secs: float) -> str | None:
        """Return a new access token, or None if the credentials are wrong."""
        known = _same(client_secret, DEMO_CLIENT_SECRET)
        if not (known and _same(refresh_token, DEMO_REFRESH_TOKEN)):
            return None
        return self._issue(self._bearer, _OAUTH, now_secs + self._faults.access_token_secs)

    def password_is_right(self, login: str, password: str) -> bool:
        """Return whether a user name and a password belong together."""
        return _same(login, DEMO_USERNAME) and _same(password, DEMO_PASSWORD)

    def spend_remember_token(self, login: str, token: str) -> bool:
        """Return whether a remember token is good; it is used up by this."""
        known = _same(login, DEMO_USERNAME) and token in self._remember
        self._remember.discard(token)
        return known

    def open_password_session(self, now_secs: float, *, remember: bool) -> PasswordSession:
        """Give a session token, and a remember token if wanted."""
        expires_at = now_secs + SESSION_SECS
        remember_token = secrets.token_urlsafe(32) if remember else ""
        if remember:
            self._remember.add(remember_token)
        return PasswordSession(
            self._issue(self._bare, _PASSWORD, expires_at), remember_token, expires_at
        )

    def close_session(self, authorization: str) -> None:
        """Forget a session token."""
        self._bare.pop(authorization, None)

    def open_challenge(self) -> str:
        """Return the token of a new device challenge."""
        token = secrets.token_urlsafe(24)
        self._challenges.add(token)
        return token

    def challenge_is_open(self, token: str) -> bool:
        """Return whether a device challenge was opened and not yet met."""
        return token in self._challenges

    def meet_challenge(self, token: str, code: str) -> bool:
        """Return whether the code meets an open device challenge, which this closes."""
        if token not in self._challenges or not _same(code, DEMO_ONE_TIME_CODE):
            return False
        self._challenges.discard(token)
        return True

    def credential(self, authorization: str, now_secs: float) -> str | None:
        """Return whose an ``Authorization`` header is; None if unknown or expired."""
        scheme, _, token = authorization.partition(" ")
        if scheme == "Bearer":
            grants = self._bearer
        else:
            grants, token = self._bare, authorization
        grant = grants.get(token)
        if grant is None or grant.revocations != self._faults.access_revocations:
            return None
        return _holder(grants, token, now_secs)

    def grant_quote_token(self, credential: str, now_secs: float) -> str:
        """Return a token for DXLink."""
        return self._issue(self._quote, credential, now_secs + self._faults.quote_token_secs)

    def open_dxlink_session(self, quote_token: str, now_secs: float) -> str | None:
        """Return whose a quote token is and count the session.

        None if the token is unknown or expired, or its holder has ``DXLINK_SESSIONS`` open.
        """
        holder = _holder(self._quote, quote_token, now_secs)
        if holder is None or self._dxlink_sessions[holder] >= DXLINK_SESSIONS:
            return None
        self._dxlink_sessions[holder] += 1
        return holder

    def quote_token_is_good(self, quote_token: str, now_secs: float) -> bool:
        """Return whether a quote token is known and not expired."""
        return _holder(self._quote, quote_token, now_secs) is not None

    @property
    def dxlink_sessions(self) -> int:
        """Number of authorized DXLink sessions that are open, of all credentials."""
        return self._dxlink_sessions.total()

    def close_dxlink_session(self, credential: str) -> None:
        """Give one session of a credential back."""
        self._dxlink_sessions[credential] -= 1

    def _issue(self, grants: dict[str, _Grant], credential: str, expires_at_secs: float) -> str:
        token = secrets.token_urlsafe(32)
        grants[token] = _Grant(credential, expires_at_secs, self._faults.access_revocations)
        return token


def _holder(grants: dict[str, _Grant], token: str, now_secs: float) -> str | None:
    grant = grants.get(token)
    if grant is None or now_secs >= grant.expires_at_secs:
        return None
    return grant.credential


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(), expected.encode())
