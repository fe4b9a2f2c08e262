"""What to do about each failure, and why: the one place that decides.

The REST client, a stream's connection and the collector look their failures up here. A row is a
fact about HTTP, about websockets or about ourselves: what happened, the verdict and the reason.
Facts about one vendor stand with that vendor and are looked up in the same way
(``vendors/tastytrade/login.py``, ``dxlink/verdicts.py``). What a verdict leads to (how long to
wait, what to halve) is for the caller.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final, TypeAlias

from live_box_spreads.model.errors import (
    AnswerTooLargeError,
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
    """Give up this attempt and report it; another one at the next round or the slowest pace."""
    STOP = "stop"
    """End: another try does not help, or does harm."""


@dataclass(frozen=True, slots=True)
class Ruling:
    """A verdict and its reason.

    Attributes:
        verdict: what to do.
        reason: why, for a log.
    """

    verdict: Verdict
    reason: str


Row: TypeAlias = "tuple[Container[int], Ruling]"
"""What some statuses or close codes ask for."""

STATUSES: Final[Sequence[Row]] = (
    (range(200, 300), Ruling(Verdict.RETRY, "the answer is cut short, or a page in between")),
    (frozenset({401}), Ruling(Verdict.RENEW, "the access token has lapsed or was forgotten")),
    (frozenset({408, 425, 429}), Ruling(Verdict.RETRY, "too much at a time; it passes")),
    (frozenset({413, 414}), Ruling(Verdict.SHRINK, "more in one request than is taken")),
    (range(500, 600), Ruling(Verdict.RETRY, "the server is overloaded or away")),
)
"""Answers to a request and to a websocket upgrade, by HTTP status."""

_REFUSED: Final = Ruling(Verdict.GIVE_UP, "understood and refused; asking again changes nothing")

CLOSE_CODES: Final[Sequence[Row]] = (
    (frozenset({1009}), Ruling(Verdict.SHRINK, "a frame of ours was too large")),
)
"""How the server closes a websocket; any other end is a lost connection."""

_CONNECTION_LOST: Final = Ruling(Verdict.RETRY, "the connection was lost")

REFUSED_LOGIN: Final = Ruling(
    Verdict.STOP, "the login was refused, and repeated refusals block the address"
)

UNTRUSTED: Final = Ruling(Verdict.GIVE_UP, "secrets do not go to a peer nobody vouches for")

_CANCELLED: Final = Ruling(Verdict.STOP, "told to end, by whoever waits or by the system")

ERRORS: Final[Sequence[tuple[type[Exception], Ruling]]] = (
    (LoginRefusedError, REFUSED_LOGIN),
    (CredentialsError, Ruling(Verdict.STOP, "there is nothing to log in with")),
    (ConfigError, Ruling(Verdict.STOP, "the configuration has to be changed first")),
    (ModelError, Ruling(Verdict.GIVE_UP, "the maths cannot take a value; another may come")),
    (StoreBusyError, Ruling(Verdict.STOP, "another collector keeps this folder")),
    (FeedEndedError, Ruling(Verdict.STOP, "a recording is over; there is nothing to wait for")),
    (StoreError, Ruling(Verdict.RETRY, "a full disk is emptied by someone while quotes go on")),
    (UntrustedPeerError, UNTRUSTED),
    (AnswerTooLargeError, Ruling(Verdict.GIVE_UP, "what is too large will be so again")),
    (TokenRefusedError, Ruling(Verdict.RENEW, "the quote token was refused or has lapsed")),
    (
        FeedUnavailableError,
        Ruling(Verdict.RETRY, "the connection is lost or too slow; it comes back"),
    ),
    (ProtocolError, Ruling(Verdict.RETRY, "the session is broken; a new one starts clean")),
    (OSError, Ruling(Verdict.RETRY, "the network is away; it comes back")),
    (BoxSpreadsError, _REFUSED),
    (Exception, Ruling(Verdict.GIVE_UP, "a mistake of this program; another round may miss it")),
)
"""Errors by type, the first that fits; an ``ApiError`` is ruled by its status."""


def status_ruling(status: int) -> Ruling:
    """Return what an HTTP status asks for."""
    return look_up(STATUSES, status, _REFUSED)


def close_ruling(code: int | None) -> Ruling:
    """Return what the end of a websocket asks for.

    Args:
        code: the server's close code; None if the connection broke without one.
    """
    return look_up(CLOSE_CODES, code or 0, _CONNECTION_LOST)


def error_ruling(error: BaseException) -> Ruling:
    """Return what an error asks for; a cancelled task is not tried again."""
    if isinstance(error, ApiError):
        return status_ruling(error.status)
    return next((ruling for kind, ruling in ERRORS if isinstance(error, kind)), _CANCELLED)


def look_up(rows: Sequence[Row], number: int, otherwise: Ruling) -> Ruling:
    """Return the first row that has the number."""
    return next((ruling for numbers, ruling in rows if number in numbers), otherwise)
