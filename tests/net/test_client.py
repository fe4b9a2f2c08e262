"""The HTTP client against servers that answer as no server should, over real sockets."""

from __future__ import annotations

import asyncio
import gzip
import subprocess
import sys
from typing import TYPE_CHECKING

import httpx2
import pytest

from live_box_spreads.model.errors import (
    AnswerTooLargeError,
    ConfigError,
    FeedError,
    FeedUnavailableError,
)
from live_box_spreads.net.addresses import QUOTES_COME_FROM_THERE
from live_box_spreads.net.client import USER_AGENT, HttpClient, Limits, StatusError, ask_now
from live_box_spreads.simulator.rest.responses import gzip_bomb
from tests.net.hostile import HEAD, sending, serving, with_body

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.net.hostile import Answering

HASTY = Limits(answer_secs=0.3, call_secs=0.7)
SMALL = Limits(body_bytes=1_000)
TRICKLE = sending(HEAD + b"Content-Length: 1000\r\n\r\n", b" ", pause_secs=0.02, last_for_ever=True)


def asked(transport: Callable[[httpx2.Request], httpx2.Response]) -> HttpClient:
    return HttpClient("https://a.test", transport=httpx2.MockTransport(transport))


@pytest.mark.parametrize(
    "answering",
    [
        TRICKLE,
        sending(b"H", b"T", b"T", b"P", pause_secs=0.1, last_for_ever=True),
        sending(HEAD, b"X-Slow: 1\r\n", pause_secs=0.02, last_for_ever=True),
        sending(b"HTTP/1.1 103 Early Hints\r\n\r\n", pause_secs=0.02, last_for_ever=True),
        sending(b"", pause_secs=3600.0),
    ],
    ids=["body", "status line", "headers", "interim answers", "nothing"],
)
async def test_what_comes_byte_by_byte_has_an_end(answering: Answering) -> None:
    async with serving(answering) as address:
        async with HttpClient(address, name="base_url", limits=HASTY) as client:
            with pytest.raises(FeedUnavailableError, match=r"within 0\.3 s.*base_url") as caught:
                await client.ask("GET", "/x")
            assert client.calls == {"timeout": 1}
        assert f"GET {address}/x" in str(caught.value)


async def test_attempts_have_an_end_together_and_the_last_failure_is_told() -> None:
    async with serving(TRICKLE) as address, HttpClient(address, limits=HASTY) as client:
        with pytest.raises(FeedUnavailableError, match=r"within 0\.3 s.*after 0\.7 s of attempts"):
            await client.repeated(lambda: client.ask("GET"), "GET it")
        assert client.calls["timeout"] in {1, 2}


async def test_a_pause_that_the_server_asks_for_does_not_go_beyond_the_call() -> None:
    async def once() -> None:
        raise StatusError("busy", status=429, headers={"retry-after": "600"})

    client = HttpClient("https://a.test", limits=HASTY)
    with pytest.raises(FeedUnavailableError, match=r"^busy; given up after 0\.7 s of attempts"):
        await client.repeated(once, "GET it")


@pytest.mark.parametrize(
    ("answering", "says"),
    [
        (with_body(HEAD, b"x" * 1_001), "more than 1,000 bytes, given up"),
        (sending(HEAD + b"\r\n", b"x" * 400, last_for_ever=True), "more than 1,000 bytes, given"),
        (
            sending(
                HEAD + b"Transfer-Encoding: chunked\r\n\r\n",
                b"100\r\n" + b"x" * 256 + b"\r\n",
                last_for_ever=True,
            ),
            "more than 1,000 bytes, given up",
        ),
        (with_body(HEAD + b"Content-Encoding: gzip\r\n", gzip_bomb(1)[:900]), "once unpacked"),
    ],
    ids=["long", "without length", "chunked without end", "bomb"],
)
async def test_what_is_too_large_is_given_up_and_not_tried_again(
    answering: Answering, says: str
) -> None:
    async with serving(answering) as address, HttpClient(address, limits=SMALL) as client:
        with pytest.raises(AnswerTooLargeError, match=says):
            await client.repeated(lambda: client.ask("GET"), "GET it")
        assert client.calls == {"unusable": 1}


async def test_a_body_at_the_limit_is_taken() -> None:
    async with (
        serving(with_body(HEAD, b"x" * 1_000)) as address,
        HttpClient(address, limits=SMALL) as client,
    ):
        assert (await client.ask("GET")).body == b"x" * 1_000


async def test_headers_without_end_are_given_up() -> None:
    answering = sending(HEAD, b"X-More: 12345678\r\n" * 1_000, last_for_ever=True)
    async with serving(answering) as address, HttpClient(address) as client:
        with pytest.raises(FeedUnavailableError, match="check the network and the address"):
            await client.ask("GET")
        assert client.calls == {"unreachable": 1}


@pytest.mark.parametrize(
    ("answering", "says"),
    [
        (sending(HEAD + b"Content-Length: 100\r\n\r\nshort"), "without sending complete"),
        (with_body(HEAD + b"Content-Encoding: gzip\r\n", gzip.compress(b"[1]")[:-9]), "breaks off"),
        (with_body(HEAD + b"Content-Encoding: gzip\r\n", b"no gzip at all"), "damaged"),
        (sending(HEAD + b"Content-Length: many\r\n\r\n"), "ontent-"),
        (sending(b"\xff\xfe\x00 nonsense\r\n\r\n"), "check the network"),
        (sending(b""), "check the network"),
    ],
)
async def test_what_breaks_off_or_makes_no_sense_may_be_tried_again(
    answering: Answering, says: str
) -> None:
    async with serving(answering) as address, HttpClient(address, limits=HASTY) as client:
        with pytest.raises(FeedUnavailableError, match=says) as caught:
            await client.ask("GET")
    assert "\n" not in str(caught.value)


async def test_a_packing_that_was_not_asked_for_is_refused() -> None:
    async with (
        serving(with_body(HEAD + b"Content-Encoding: gzip, gzip\r\n", b"x")) as address,
        HttpClient(address) as client,
    ):
        with pytest.raises(FeedError, match="packed as 'gzip, gzip', not as asked for"):
            await client.ask("GET")


async def test_a_body_longer_than_its_length_ends_there() -> None:
    answering = sending(HEAD + b"Content-Length: 3\r\n\r\n[1]and more")
    async with serving(answering) as address, HttpClient(address) as client:
        assert (await client.ask("GET")).body == b"[1]"


async def test_a_redirect_is_an_answer_and_no_cookie_is_kept() -> None:
    seen: list[httpx2.Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        seen.append(request)
        return httpx2.Response(307, headers={"Location": "https://b.test", "Set-Cookie": "a=b"})

    async with asked(answer) as client:
        for _ in range(2):
            assert (await client.ask("GET")).status == 307
    assert [request.url.host for request in seen] == ["a.test", "a.test"]
    assert all("cookie" not in request.headers for request in seen)
    assert {request.headers["user-agent"] for request in seen} == {USER_AGENT}
    assert {request.headers["accept-encoding"] for request in seen} == {"gzip"}


@pytest.mark.parametrize("token", ["one\nline-s3cret", "\udcff", "café-s3cret"])
async def test_a_header_that_cannot_be_sent_shows_in_no_error(token: str) -> None:
    async with serving(with_body(HEAD, b"{}")) as address, HttpClient(address) as client:
        with pytest.raises(FeedError) as caught:
            await client.ask("GET", headers={"Authorization": f"Bearer {token}"})
    message = str(caught.value)
    assert "\n" not in message
    assert not any(part in message for part in ("s3cret", "caf", "Bearer"))


async def test_what_the_transport_says_is_masked_and_short() -> None:
    def fail(_request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError("no s3cret\n\x1b[2J way " + "x" * 5_000)

    async with asked(fail) as client:
        client.secrets.hide("s3cret")
        with pytest.raises(FeedUnavailableError, match=r"no \*\*\* \[2J way x+…; check") as caught:
            await client.ask("GET")
    assert len(str(caught.value)) < 450


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ALL_PROXY", "socks4://me:s3cret@proxy.test"),
        ("HTTPS_PROXY", "nonsense:x"),
        ("SSL_CERT_FILE", "/no/such/file"),
    ],
)
async def test_an_environment_that_cannot_be_used_is_one_line(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match=name) as caught:
        await HttpClient("https://a.test").__aenter__()
    assert "s3cret" not in str(caught.value)
    async with (  # no proxy stands between us and ourselves
        serving(with_body(HEAD, b"{}")) as address,
        HttpClient(address) as client,
    ):
        assert (await client.ask("GET")).status == 200


async def test_a_client_that_is_not_open_says_so() -> None:
    with pytest.raises(FeedError, match="not open"):
        await HttpClient("https://a.test").ask("GET")


def test_an_address_that_is_not_encrypted_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"mine 'http://a\.test': not encrypted, and secrets"):
        HttpClient("http://a.test", name="mine")


async def test_the_synchronous_face_keeps_the_limits_and_works_beside_a_running_loop() -> None:
    def ask(address: str) -> bytes:
        return ask_now(address, name="it", why_encrypted=QUOTES_COME_FROM_THERE, limits=HASTY).body

    async with serving(with_body(HEAD, b"[1]")) as address:
        assert await asyncio.to_thread(ask, address) == b"[1]"
    async with serving(TRICKLE) as address:
        with pytest.raises(FeedUnavailableError, match="no whole answer"):
            await asyncio.to_thread(ask, address)
    answer = ask_now(
        "https://a.test",
        name="it",
        why_encrypted=QUOTES_COME_FROM_THERE,
        transport=httpx2.MockTransport(lambda _: httpx2.Response(200, content=b"here")),
    )
    assert answer.body == b"here"


_UNPACKING = """
import resource, sys, threading
from live_box_spreads.simulator.rest.responses import gzip_bomb
from tests.net.hostile import HEAD, serving, with_body
from live_box_spreads.model.errors import AnswerTooLargeError
from live_box_spreads.net.client import HttpClient
import asyncio

async def main():
    body = gzip_bomb(1_200)
    async with serving(with_body(HEAD + b"Content-Encoding: gzip\\r\\n", body)) as address:
        async with HttpClient(address) as client:
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            try:
                await client.ask("GET")
            except AnswerTooLargeError:
                after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
                print(len(body), after - before)

asyncio.run(main())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss is in KiB on Linux only")
def test_a_gigabyte_in_a_megabyte_of_gzip_costs_no_more_memory_than_the_limit() -> None:
    done = subprocess.run(  # noqa: S603 # our own words
        [sys.executable, "-c", _UNPACKING], check=True, capture_output=True, text=True
    )
    body_bytes, grown_kib = map(int, done.stdout.split())
    assert body_bytes < 2_000_000
    assert grown_kib * 1024 < 2 * Limits().body_bytes
