"""Each row of the table of failures, by hand."""

from __future__ import annotations

import asyncio

import pytest

from live_box_spreads.dxlink.verdicts import (
    COMPLAINTS,
    HANDSHAKE_CLOSE_CODES,
    close_ruling,
    complaint_ruling,
)
from live_box_spreads.model.errors import (
    AnswerTooLargeError,
    ApiError,
    BoxSpreadsError,
    ChainError,
    ConfigError,
    CredentialsError,
    FeedEndedError,
    FeedError,
    FeedUnavailableError,
    LoginRefusedError,
    ModelError,
    ProtocolError,
    StoreBusyError,
    StoreError,
    TokenRefusedError,
    UntrustedPeerError,
)
from live_box_spreads.net import verdicts
from live_box_spreads.net.verdicts import Verdict
from live_box_spreads.vendors.tastytrade.login import LOGIN_STATUSES, login_ruling


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (200, Verdict.RETRY),
        (302, Verdict.GIVE_UP),
        (400, Verdict.GIVE_UP),
        (401, Verdict.RENEW),
        (403, Verdict.GIVE_UP),
        (404, Verdict.GIVE_UP),
        (406, Verdict.GIVE_UP),
        (408, Verdict.RETRY),
        (413, Verdict.SHRINK),
        (414, Verdict.SHRINK),
        (422, Verdict.GIVE_UP),
        (425, Verdict.RETRY),
        (429, Verdict.RETRY),
        (500, Verdict.RETRY),
        (502, Verdict.RETRY),
        (503, Verdict.RETRY),
        (504, Verdict.RETRY),
    ],
)
def test_http_statuses(status: int, verdict: Verdict) -> None:
    assert verdicts.status_ruling(status).verdict is verdict
    assert verdicts.error_ruling(ApiError("x", status=status)).verdict is verdict


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 422])
def test_a_refused_login_ends_everything(status: int) -> None:
    assert login_ruling(status).verdict is Verdict.STOP


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_login_that_nobody_answered_is_no_refusal(status: int) -> None:
    assert login_ruling(status).verdict is Verdict.RETRY


@pytest.mark.parametrize(
    ("code", "talking", "in_handshake"),
    [
        (None, Verdict.RETRY, Verdict.RETRY),
        (1000, Verdict.RETRY, Verdict.RENEW),
        (1001, Verdict.RETRY, Verdict.RETRY),
        (1008, Verdict.RETRY, Verdict.RENEW),
        (1009, Verdict.SHRINK, Verdict.SHRINK),
        (1011, Verdict.RETRY, Verdict.RETRY),
    ],
)
def test_close_codes(code: int | None, talking: Verdict, in_handshake: Verdict) -> None:
    assert close_ruling(code).verdict is talking
    assert close_ruling(code, in_handshake=True).verdict is in_handshake


@pytest.mark.parametrize(
    ("error", "message", "verdict"),
    [
        ("BAD_ACTION", "Your subscription size is too big", Verdict.SHRINK),
        ("BAD_ACTION", "Your subscription rate is too high", Verdict.RETRY),
        ("BAD_ACTION", "The channel is not open", Verdict.GO_ON),
        ("INVALID_MESSAGE", "Message exceeds 65536 bytes", Verdict.GO_ON),  # the close tells
        ("TIMEOUT", "", Verdict.GO_ON),
        ("UNAUTHORIZED", "", Verdict.RENEW),
        ("UNSUPPORTED_PROTOCOL", "Protocol version 9 is not supported", Verdict.GIVE_UP),
        ("UNKNOWN", "", Verdict.GO_ON),
        ("A_NEW_KIND", "Your subscription rate is too high", Verdict.GO_ON),
    ],
)
def test_complaints(error: str, message: str, verdict: Verdict) -> None:
    assert complaint_ruling(error, message).verdict is verdict


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (LoginRefusedError("x"), Verdict.STOP),
        (CredentialsError("x"), Verdict.STOP),
        (ConfigError("x"), Verdict.STOP),
        (ModelError("x"), Verdict.GIVE_UP),
        (StoreBusyError("x"), Verdict.STOP),
        (FeedEndedError("x"), Verdict.STOP),
        (StoreError("x"), Verdict.RETRY),
        (UntrustedPeerError("x"), Verdict.GIVE_UP),
        (AnswerTooLargeError("x"), Verdict.GIVE_UP),
        (TokenRefusedError("x"), Verdict.RENEW),
        (FeedUnavailableError("x"), Verdict.RETRY),
        (ProtocolError("x"), Verdict.RETRY),
        (ConnectionResetError(), Verdict.RETRY),
        (TimeoutError(), Verdict.RETRY),
        (FeedError("x"), Verdict.GIVE_UP),
        (ChainError("x"), Verdict.GIVE_UP),
        (BoxSpreadsError("x"), Verdict.GIVE_UP),
        (ZeroDivisionError(), Verdict.GIVE_UP),
        (asyncio.CancelledError(), Verdict.STOP),
        (KeyboardInterrupt(), Verdict.STOP),
    ],
)
def test_errors(error: BaseException, verdict: Verdict) -> None:
    assert verdicts.error_ruling(error).verdict is verdict


def test_every_row_says_why() -> None:
    rows = (
        *LOGIN_STATUSES,
        *verdicts.STATUSES,
        *verdicts.CLOSE_CODES,
        *HANDSHAKE_CLOSE_CODES,
    )
    rulings = [ruling for _, ruling in (*rows, *verdicts.ERRORS)]
    rulings += [ruling for *_, ruling in COMPLAINTS]
    assert all(len(ruling.reason.split()) > 3 for ruling in rulings)


def test_no_row_of_the_errors_hides_a_later_one() -> None:
    kinds = [kind for kind, _ in verdicts.ERRORS]
    for at, kind in enumerate(kinds):
        assert not any(issubclass(kind, earlier) for earlier in kinds[:at]), kind
