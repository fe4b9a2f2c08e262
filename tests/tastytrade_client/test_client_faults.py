"""The REST client against answers made by hand; no network."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import httpx2
import pytest
from structlog.testing import capture_logs

from live_box_spreads.model.errors import (
    ApiError,
    ConfigError,
    CredentialsError,
    FeedUnavailableError,
    LoginRefusedError,
)
from live_box_spreads.net.client import StatusError, worth_retrying
from live_box_spreads.tastytrade_client import Credentials, QuoteToken, TastytradeClient
from live_box_spreads.vendors.tastytrade.rest import RestApi

if TYPE_CHECKING:
    from collections.abc import Callable

SECRETS = ("client-s3cret", "refresh-s3cret", "pass-s3cret", "access-s3cret")
OAUTH = Credentials(client_secret=SECRETS[0], refresh_token=SECRETS[1])
PASSWORD = Credentials(username="someone", password=SECRETS[2])
TOKEN = {"access_token": SECRETS[3], "token_type": "Bearer", "expires_in": 900}
SESSION = {"state": "Open"}


class Server:
    """Answers by path from a list, the last answer again and again; remembers requests."""

    def __init__(self, **answers: list[httpx2.Response | Exception]) -> None:
        self.answers = answers
        self.requests: list[httpx2.Request] = []
        self.now_secs = 0.0

    def handle(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        key = request.url.path.strip("/").replace("/", "_").replace("-", "_")
        queue = self.answers[key]
        answer = queue.pop(0) if len(queue) > 1 else queue[0]
        if isinstance(answer, Exception):
            raise answer
        return httpx2.Response(answer.status_code, headers=answer.headers, content=answer.content)

    def client(self, credentials: Credentials = OAUTH) -> TastytradeClient:
        return TastytradeClient(
            credentials,
            "https://api.example.test",
            transport=httpx2.MockTransport(self.handle),
            monotonic_secs=lambda: self.now_secs,
        )

    def count(self, path: str) -> int:
        return sum(request.url.path == path for request in self.requests)


def ok(body: object) -> httpx2.Response:
    return httpx2.Response(200, json=body)


def html(status: int) -> httpx2.Response:
    return httpx2.Response(status, html=f"<html>{SECRETS[3]} no</html>")


def refused(status: int, code: str, message: str = "No.") -> httpx2.Response:
    return httpx2.Response(status, json={"error": {"code": code, "message": message}})


async def test_login_then_every_header() -> None:
    server = Server(
        oauth_token=[ok(TOKEN)], market_time_equities_sessions_current=[ok({"data": SESSION})]
    )
    async with server.client() as client:
        assert (await client.session_state()).state == "Open"
    login, call = server.requests
    assert json.loads(login.content) == {
        "grant_type": "refresh_token",
        "refresh_token": SECRETS[1],
        "client_secret": SECRETS[0],
    }
    assert call.headers["authorization"] == f"Bearer {SECRETS[3]}"
    assert call.headers["user-agent"].startswith("live-box-spreads/")
    assert len(call.headers["accept-version"]) == 8


class Renewals(Server):
    """Gives a new access token with each login; a login waits until it is let through."""

    def __init__(self, *failures: httpx2.Response) -> None:
        super().__init__(market_time_equities_sessions_current=[ok({"data": SESSION})])
        self.failures = list(failures)
        self.gate = asyncio.Event()
        self.gate.set()

    async def answer(self, request: httpx2.Request) -> httpx2.Response:
        if request.url.path != "/oauth/token":
            return self.handle(request)
        self.requests.append(request)
        await self.gate.wait()
        if self.failures:
            return self.failures.pop(0)
        return ok({**TOKEN, "access_token": f"token-{self.count('/oauth/token')}"})

    def renewing_client(self) -> TastytradeClient:
        return TastytradeClient(
            OAUTH,
            "https://api.example.test",
            transport=httpx2.MockTransport(self.answer),
            monotonic_secs=lambda: self.now_secs,
        )

    @property
    def used(self) -> list[str]:
        """Tokens of the calls, in order."""
        calls = [r for r in self.requests if r.url.path != "/oauth/token"]
        return [call.headers["authorization"].removeprefix("Bearer ") for call in calls]


async def _let_others_run() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_a_token_is_renewed_ahead_of_its_end_and_no_call_waits_for_it() -> None:
    server = Renewals()
    async with server.renewing_client() as client:
        for server.now_secs in (0.0, 839.0):
            await client.session_state()
        assert server.count("/oauth/token") == 1
        server.gate.clear()
        server.now_secs = 841.0
        await asyncio.gather(*(client.session_state() for _ in range(5)))
        assert server.count("/oauth/token") == 2  # under way, and only once
        server.gate.set()
        await _let_others_run()
        await client.session_state()
    assert server.used == ["token-1"] * 7 + ["token-2"]


async def test_calls_past_the_end_wait_for_one_and_the_same_renewal() -> None:
    server = Renewals()
    async with server.renewing_client() as client:
        await client.session_state()
        server.now_secs = 900.0
        await asyncio.gather(*(client.session_state() for _ in range(5)))
    assert server.count("/oauth/token") == 2
    assert server.used == ["token-1"] + ["token-2"] * 5


async def test_a_renewal_that_fails_harms_no_call_and_is_tried_again() -> None:
    server = Renewals()
    async with server.renewing_client() as client:
        await client.session_state()
        server.failures = [html(503)] * 3
        for server.now_secs in (841.0, 842.0):
            await client.session_state()
            await _let_others_run()
        assert server.failures == []
        server.now_secs = 855.0
        await client.session_state()
        await _let_others_run()
        await client.session_state()
    assert server.used == ["token-1"] * 4 + ["token-5"]


async def test_a_call_that_is_cancelled_leaves_the_renewal_to_the_others() -> None:
    server = Renewals()
    server.gate.clear()
    async with server.renewing_client() as client:
        given_up = asyncio.create_task(client.session_state())
        patient = asyncio.create_task(client.session_state())
        await _let_others_run()
        given_up.cancel()
        server.gate.set()
        await patient
        assert given_up.cancelled()
    assert server.used == ["token-1"]


async def test_a_cancelled_call_ends_as_cancelled_and_says_nothing() -> None:
    server = Renewals()
    server.gate.clear()
    with capture_logs() as logged:
        async with server.renewing_client() as client:
            call = asyncio.create_task(client.session_state())
            await _let_others_run()
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            renewal = client._login._renewal
    assert renewal is not None
    assert renewal.cancelled()
    assert logged == []


async def test_many_calls_that_find_the_token_forgotten_renew_it_once() -> None:
    server = Renewals()
    forgotten = "Bearer token-1"

    async def answer(request: httpx2.Request) -> httpx2.Response:
        if request.headers.get("authorization") == forgotten and len(server.requests) > 2:
            server.requests.append(request)
            return html(401)
        return await server.answer(request)

    transport = httpx2.MockTransport(answer)
    async with TastytradeClient(OAUTH, "https://api.example.test", transport=transport) as client:
        await client.session_state()
        server.requests.append(server.requests[-1])
        await asyncio.gather(*(client.session_state() for _ in range(6)))
    assert server.count("/oauth/token") == 2


async def test_forgotten_token_is_renewed_once() -> None:
    server = Server(
        oauth_token=[ok(TOKEN)],
        market_time_equities_sessions_current=[html(401), ok({"data": SESSION})],
    )
    async with server.client() as client:
        await client.session_state()
    assert server.count("/oauth/token") == 2
    server = Server(oauth_token=[ok(TOKEN)], market_time_equities_sessions_current=[html(401)])
    async with server.client() as client:
        with pytest.raises(ApiError, match="401: an HTML page"):
            await client.session_state()
    assert len(server.requests) == 4


@pytest.mark.parametrize("answer", [refused(401, "invalid_grant"), html(401), refused(400, "x")])
async def test_refused_login_is_never_sent_again(answer: httpx2.Response) -> None:
    server = Server(oauth_token=[answer])
    async with server.client() as client:
        for _ in range(3):
            with pytest.raises(LoginRefusedError, match="TT_CLIENT_SECRET and TT_REFRESH_TOKEN"):
                await client.session_state()
    assert len(server.requests) == 1


async def test_refused_password_names_the_way_in() -> None:
    server = Server(sessions=[refused(401, "invalid_credentials", f"bad {SECRETS[2]}")])
    async with server.client(PASSWORD) as client:
        with pytest.raises(LoginRefusedError) as caught:
            await client.session_state()
        with pytest.raises(LoginRefusedError):
            await client.session_state()
    assert len(server.requests) == 1
    message = str(caught.value)
    assert "ended password logins" in message
    assert "TT_CLIENT_SECRET" in message
    assert "TT_REFRESH_TOKEN" in message
    assert SECRETS[2] not in message


async def test_device_challenge() -> None:
    challenge = httpx2.Response(
        403,
        headers={"X-Tastyworks-Challenge-Token": "challenge-1"},
        json={"error": {"code": "device_challenge_required", "message": "code needed"}},
    )
    server = Server(
        sessions=[challenge, ok({"data": {"session-token": "bare-token"}})],
        device_challenge=[ok({"data": {}})],
        market_time_equities_sessions_current=[ok({"data": SESSION})],
    )
    credentials = Credentials(
        username="someone", password=SECRETS[2], one_time_code=lambda: " 123456\n"
    )
    async with server.client(credentials) as client:
        await client.session_state()
    _, asked, answered, call = server.requests
    assert asked.url.path == "/device-challenge"
    assert asked.headers["x-tastyworks-challenge-token"] == "challenge-1"
    assert answered.headers["x-tastyworks-challenge-token"] == "challenge-1"
    assert answered.headers["x-tastyworks-otp"] == "123456"
    assert call.headers["authorization"] == "bare-token"


@pytest.mark.parametrize(
    "failure",
    [html(502), html(503), refused(429, "slow_down"), httpx2.ConnectError("no route")],
)
async def test_what_may_pass_is_retried(failure: httpx2.Response | Exception) -> None:
    server = Server(
        oauth_token=[failure, ok(TOKEN)],
        market_time_equities_sessions_current=[failure, failure, ok({"data": SESSION})],
    )
    async with server.client() as client:
        assert (await client.session_state()).state == "Open"
    assert len(server.requests) == 5


@pytest.mark.parametrize(
    ("retry_after", "secs"),
    [
        ("7", 7.0),
        ("3600", 60.0),  # longer than anybody waits
        ("Tue, 24 Nov 2026 15:00:05 GMT", 5.0),
        ("Tue, 24 Nov 2026 14:00:00 GMT", 0.0),
        ("soon", True),
        ("", True),
    ],
)
def test_the_wait_that_the_server_asks_for(retry_after: str, secs: float) -> None:
    headers = {"retry-after": retry_after, "date": "Tue, 24 Nov 2026 15:00:00 GMT"}
    assert worth_retrying(StatusError("slow down", status=429, headers=headers)) == secs
    assert worth_retrying(StatusError("no", status=403, headers=headers)) is False


async def test_an_error_nested_beyond_reading_is_an_error_still() -> None:
    body = httpx2.Response(500, content=b'{"error":{"a":' + b"[" * 100_000)
    server = Server(oauth_token=[ok(TOKEN)], market_time_equities_sessions_current=[body])
    async with server.client() as client:
        with pytest.raises(ApiError, match="500: no JSON instead of an explanation"):
            await client.session_state()


@pytest.mark.parametrize(("status", "code"), [(403, "not_permitted"), (404, "x"), (406, "406")])
async def test_what_stays_refused_is_not_retried(status: int, code: str) -> None:
    server = Server(
        oauth_token=[ok(TOKEN)],
        market_time_equities_sessions_current=[refused(status, code, "User not permitted")],
    )
    async with server.client() as client:
        with pytest.raises(ApiError, match="User not permitted") as caught:
            await client.session_state()
    assert (caught.value.status, caught.value.code) == (status, code)
    assert len(server.requests) == 2


async def test_unreachable_is_said_after_the_last_attempt() -> None:
    server = Server(oauth_token=[httpx2.ReadTimeout("late")])
    async with server.client() as client:
        with pytest.raises(FeedUnavailableError, match="did not answer in time"):
            await client.session_state()
    assert len(server.requests) == 3


async def test_redirect_is_not_followed() -> None:
    moved = httpx2.Response(302, headers={"location": "https://evil.test/x"})
    server = Server(oauth_token=[ok(TOKEN)], market_time_equities_sessions_current=[moved])
    async with server.client() as client:
        with pytest.raises(ApiError, match=r"redirect to https://evil\.test/x;"):
            await client.session_state()
    assert {request.url.host for request in server.requests} == {"api.example.test"}


@pytest.mark.parametrize(
    "body", [b"{", b"[]", b'{"data": {"state": 5}}', b"\xff", b'{"a":' + b"[" * 100_000]
)
async def test_unexpected_shape(body: bytes) -> None:
    answer = httpx2.Response(200, headers={"content-type": "application/json"}, content=body)
    server = Server(oauth_token=[ok(TOKEN)], market_time_equities_sessions_current=[answer])
    async with server.client() as client:
        with pytest.raises(ApiError, match="something unexpected"):
            await client.session_state()


async def test_market_data_goes_in_batches_of_a_hundred() -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        if request.url.path == "/oauth/token":
            return ok(TOKEN)
        names = [value for _, value in request.url.params.multi_items()]
        sizes.append(len(names))
        items: list[object] = [{"symbol": n, "bid": "1.5", "ask": "NaN"} for n in names if n != "7"]
        return ok({"data": {"items": [*items, {"bid": "no symbol"}]}})

    sizes: list[int] = []
    told: list[tuple[int, int]] = []
    transport = httpx2.MockTransport(answer)
    progress: Callable[[int, int], None] = lambda done, total: told.append((done, total))  # noqa: E731
    async with TastytradeClient(OAUTH, "https://api.example.test", transport=transport) as client:
        got = await client.market_data(["SPX"], [str(at) for at in range(250)], progress)
    assert sorted(sizes) == [51, 100, 100]
    assert (len(got.quotes), got.missing, got.malformed) == (250, ["7"], 3)
    assert (got.quotes["8"].bid, got.quotes["8"].open_interest) == (1.5, None)
    assert told[-1] == (251, 251)


@pytest.mark.parametrize("status", [413, 414])
async def test_a_batch_that_is_too_large_is_halved_until_it_fits(status: int) -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        if request.url.path == "/oauth/token":
            return ok(TOKEN)
        names = [value for _, value in request.url.params.multi_items()]
        sizes.append(len(names))
        if len(names) > most:
            return html(status)
        return ok({"data": {"items": [{"symbol": name, "bid": "1.5"} for name in names]}})

    sizes: list[int] = []
    most = 30
    transport = httpx2.MockTransport(answer)
    async with TastytradeClient(OAUTH, "https://api.example.test", transport=transport) as client:
        got = await client.market_data([], [str(at) for at in range(100)])
        assert sorted(sizes) == [25] * 4 + [50, 50, 100]
        assert (len(got.quotes), got.missing) == (100, [])
        most = 0
        with pytest.raises(ApiError, match=str(status)):
            await client.market_data([], ["1"])


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://api.tastyworks.com", True),
        ("http://127.0.0.1:8000", True),
        ("http://localhost:1", True),
        ("http://[::1]:1", True),
        ("http://api.tastyworks.com", False),
        ("http://127.0.0.1.evil.test", False),
        ("ftp://x.test", False),
        ("https://user:pw@x.test", False),
        ("nonsense", False),
    ],
)
def test_secrets_travel_encrypted_or_not_at_all(url: str, allowed: bool) -> None:  # noqa: FBT001
    if allowed:
        TastytradeClient(OAUTH, url)
    else:
        with pytest.raises(ConfigError):
            TastytradeClient(OAUTH, url)


def test_credentials_from_environment() -> None:
    both = {"TT_CLIENT_SECRET": "a", "TT_REFRESH_TOKEN": "b", "TT_USERNAME": "c"}
    assert Credentials.from_environment(both).is_oauth
    assert not Credentials.from_environment({"TT_USERNAME": "u", "TT_PASSWORD": "p"}).is_oauth
    with pytest.raises(CredentialsError, match="TT_REFRESH_TOKEN not set"):
        Credentials.from_environment({"TT_CLIENT_SECRET": "a"})
    with pytest.raises(CredentialsError, match="TT_CLIENT_SECRET and TT_REFRESH_TOKEN not set"):
        Credentials.from_environment({"TT_CLIENT_SECRET": "  "})


def test_secrets_show_in_no_repr() -> None:
    shown = repr(OAUTH) + str(PASSWORD) + repr(QuoteToken("quote-s3cret", "wss://x.test", "api"))
    assert "s3cret" not in shown


async def test_secrets_show_in_no_error() -> None:
    echo = refused(422, "echo", " ".join(SECRETS))
    server = Server(oauth_token=[ok(TOKEN)], market_time_equities_sessions_current=[echo])
    async with server.client() as client:
        with pytest.raises(ApiError) as caught:
            await client.session_state()
    assert SECRETS[0] not in str(caught.value)
    assert SECRETS[1] not in str(caught.value)
    assert SECRETS[3] not in str(caught.value)


async def test_memory_of_replaced_tokens_is_bounded() -> None:
    text = "credential-s3cret token-2999-s3cret"
    transport = httpx2.MockTransport(lambda _: refused(422, "echo", text))
    api = RestApi("https://api.example.test", transport)
    secrets = api.http.secrets
    secrets.hide("credential-s3cret")
    for number in range(3_000):
        secrets.hide_token(f"token-{number}-s3cret")
    assert len(secrets._tokens) == 1_000
    async with api:
        with pytest.raises(ApiError) as caught:
            await api.request("GET", "/x", repeatable=False)
    assert "s3cret" not in str(caught.value)
