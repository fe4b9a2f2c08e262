"""What to do about each failure, and why: the one place that decides.

The REST client, the stream's link and the collector look their failures up here. A row is a fact
about the vendor's API, about DXLink or about ourselves; it says what happened, the verdict and the
reason. What a verdict leads to (how long to wait, what to halve) is for whoever asks.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from live_box_spreads.model.errors import (
    ApiError,
    BoxSpreadsError,
    ConfigError,
    CredentialsError,
    FeedEndedError,
    FeedUnavailableError,
    LoginRefusedError,
    ModelError,
    ProtocolError,
    StoreBusyError,
    StoreError,
    TokenRefusedError,
    UntrustedPeerError,
)

if TYPE_CHECKING:
    from collections.abc import Container, Sequence


class Verdict(StrEnum):
    """What a failure asks for."""

    GO_ON = "go on"
    """Count it; nothing was lost."""
    RETRY = "retry"
    """The same again, after a pause that grows."""
    RENEW = "renew"
    """The same again with a fresh token."""
    SHRINK = "shrink"
    """Again in smaller pieces, or less of it."""
    GIVE_UP = "give up"
    """Let go of this attempt and say so; another one at the next round or the slowest pace."""
    STOP = "stop"
    """End: another try helps nobody, or does harm."""


@dataclass(frozen=True, slots=True)
class Ruling:
    """A verdict and its reason.

    Attributes:
        verdict: what to do.
        reason: why, for a log.
    """

    verdict: Verdict
    reason: str


_Row = tuple["Container[int]", Ruling]

LOGIN_STATUSES: Final[Sequence[_Row]] = (
    (
        frozenset({400, 401, 403, 404, 410, 422}),
        Ruling(Verdict.STOP, "the login was refused, and repeated refusals block the address"),
    ),
)
"""Answers to a login by HTTP status; others are those of ``STATUSES``."""

STATUSES: Final[Sequence[_Row]] = (
    (range(200, 300), Ruling(Verdict.RETRY, "the answer is cut short, or a page in between")),
    (frozenset({401}), Ruling(Verdict.RENEW, "the access token has lapsed or was forgotten")),
    (frozenset({408, 425, 429}), Ruling(Verdict.RETRY, "too much at a time; it passes")),
    (frozenset({413, 414}), Ruling(Verdict.SHRINK, "more in one request than is taken")),
    (range(500, 600), Ruling(Verdict.RETRY, "the server is overloaded or away")),
)
"""Answers to any other request, and to a websocket upgrade."""

_REFUSED: Final = Ruling(Verdict.GIVE_UP, "understood and refused; asking again changes nothing")

CLOSE_CODES: Final[Sequence[_Row]] = (
    (frozenset({1009}), Ruling(Verdict.SHRINK, "a frame of ours was too large")),
)
"""How the server closes a websocket; any other end is a lost connection."""

HANDSHAKE_CLOSE_CODES: Final[Sequence[_Row]] = (
    (frozenset({1000, 1008}), Ruling(Verdict.RENEW, "closed in place of accepting the token")),
    *CLOSE_CODES,
)
"""The same while the token waits to be accepted."""

_CONNECTION_LOST: Final = Ruling(Verdict.RETRY, "the connection was lost")

COMPLAINTS: Final[Sequence[tuple[str, str, Ruling]]] = (
    (
        "BAD_ACTION",
        "subscription size is too big",
        Ruling(Verdict.SHRINK, "the session is full; what does not fit is left to REST"),
    ),
    (
        "BAD_ACTION",
        "subscription rate is too high",
        Ruling(Verdict.RETRY, "changes of this minute were dropped; wait, then send them again"),
    ),
    (
        "UNSUPPORTED_PROTOCOL",
        "",
        Ruling(Verdict.GIVE_UP, "the server no longer speaks this version of DXLink"),
    ),
    ("UNAUTHORIZED", "", Ruling(Verdict.RENEW, "the quote token was refused or has lapsed")),
)
"""ERROR frames by type and part of the message; any other informs and closes nothing."""

_INFORMS: Final = Ruling(Verdict.GO_ON, "an ERROR frame informs; what it leads to comes by itself")

UNTRUSTED: Final = Ruling(Verdict.GIVE_UP, "secrets do not go to a peer nobody vouches for")

_CANCELLED: Final = Ruling(Verdict.STOP, "told to end, by whoever waits or by the system")

ERRORS: Final[Sequence[tuple[type[Exception], Ruling]]] = (
    (LoginRefusedError, LOGIN_STATUSES[0][1]),
    (CredentialsError, Ruling(Verdict.STOP, "there is nothing to log in with")),
    (ConfigError, Ruling(Verdict.STOP, "the configuration has to be changed first")),
    (ModelError, Ruling(Verdict.GIVE_UP, "the maths cannot take a value; another may come")),
    (StoreBusyError, Ruling(Verdict.STOP, "another collector keeps this folder")),
    (FeedEndedError, Ruling(Verdict.STOP, "a recording is over; there is nothing to wait for")),
    (StoreError, Ruling(Verdict.RETRY, "a full disk is emptied by someone while quotes go on")),
    (UntrustedPeerError, UNTRUSTED),
    (TokenRefusedError, Ruling(Verdict.RENEW, "the quote token was refused or has lapsed")),
    (FeedUnavailableError, Ruling(Verdict.RETRY, "the link is down or too slow; it comes back")),
    (ProtocolError, Ruling(Verdict.RETRY, "the conversation is broken; a new one starts clean")),
    (OSError, Ruling(Verdict.RETRY, "the network is away; it comes back")),
    (BoxSpreadsError, _REFUSED),
    (Exception, Ruling(Verdict.GIVE_UP, "a mistake of this program; another round may miss it")),
)
"""Errors by type, the first that fits; an ``ApiError`` is ruled by its status."""


def status_ruling(status: int) -> Ruling:
    """Return what an HTTP status asks for."""
    return _look_up(STATUSES, status, _REFUSED)


def login_ruling(status: int) -> Ruling:
    """Return what an HTTP status in answer to a login asks for."""
    return _look_up(LOGIN_STATUSES, status, status_ruling(status))


def close_ruling(code: int | None, *, in_handshake: bool = False) -> Ruling:
    """Return what the end of a websocket asks for.

    Args:
        code: the server's close code; None if the connection broke without one.
        in_handshake: whether the token was sent and not accepted yet.
    """
    rows = HANDSHAKE_CLOSE_CODES if in_handshake else CLOSE_CODES
    return _look_up(rows, code or 0, _CONNECTION_LOST)


def complaint_ruling(error: str, message: str) -> Ruling:
    """Return what a DXLink ERROR frame asks for.

    Args:
        error: its type, such as ``BAD_ACTION``.
        message: its text for people.
    """
    for kind, part, ruling in COMPLAINTS:
        if error == kind and part in message.lower():
            return ruling
    return _INFORMS


def error_ruling(error: BaseException) -> Ruling:
    """Return what an error asks for; a cancelled task is not tried again."""
    if isinstance(error, ApiError):
        return status_ruling(error.status)
    return next((ruling for kind, ruling in ERRORS if isinstance(error, kind)), _CANCELLED)


def _look_up(rows: Sequence[_Row], number: int, otherwise: Ruling) -> Ruling:
    return next((ruling for numbers, ruling in rows if number in numbers), otherwise)
