"""Whom secrets are sent to: no redirect is followed, no unproven certificate believed."""

from __future__ import annotations

import asyncio
import random
import shutil
import ssl
import subprocess
from contextlib import aclosing, asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from live_box_spreads.dxlink.connection import ConnectionLost, DXLinkConnection
from live_box_spreads.model.errors import ApiError, UntrustedPeerError
from live_box_spreads.tastytrade_client import Credentials, QuoteToken, TastytradeClient

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

SECRET, REFRESH = "marked-client-secret", "marked-refresh-token"
OAUTH = Credentials(client_secret=SECRET, refresh_token=REFRESH)
TOKEN = b'{"access_token": "marked-access-token", "token_type": "Bearer", "expires_in": 900}'


class Listener:
    """A server on loopback that answers every request alike and keeps what it was sent."""

    def __init__(self, head: str = "", body: bytes = b"") -> None:
        self.head, self.body = head, body
        self.received = b""
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = await reader.readuntil(b"\r\n\r\n")
            self.received += request
            answer = self.answer(request)
            writer.write(answer)
            await writer.drain()
        except (asyncio.IncompleteReadError, OSError):
            pass  # the client left, which is what some tests are about
        finally:
            writer.close()

    def answer(self, _request: bytes) -> bytes:
        length = f"Content-Length: {len(self.body)}\r\nConnection: close\r\n\r\n"
        return f"HTTP/1.1 {self.head}\r\n{length}".encode() + self.body


@asynccontextmanager
async def listening(
    listener: Listener, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Listener]:
    server = await asyncio.start_server(listener.serve, "127.0.0.1", 0, ssl=tls)
    async with server:
        listener.port = server.sockets[0].getsockname()[1]
        yield listener


class Mover(Listener):
    """Logs everybody in, then sends them elsewhere; or sends even the login elsewhere."""

    def __init__(self, target: str, status: int, *, at_login: bool) -> None:
        super().__init__()
        self.target, self.status, self.at_login = target, status, at_login

    def answer(self, request: bytes) -> bytes:
        if request.startswith(b"POST /oauth/token") and not self.at_login:
            self.head, self.body = "200 OK\r\nContent-Type: application/json", TOKEN
        else:
            self.head, self.body = f"{self.status} Moved\r\nLocation: {self.target}", b""
        return super().answer(request)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.parametrize("at_login", [True, False])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_a_redirect_carries_no_secret_to_another_port_or_host(
    status: int,
    at_login: bool,  # noqa: FBT001 # a parameter of the test
    host: str,
) -> None:
    async with listening(Listener("200 OK")) as elsewhere:
        target = f"http://{host}:{elsewhere.port}/oauth/token"
        async with (
            listening(Mover(target, status, at_login=at_login)) as here,
            TastytradeClient(OAUTH, f"http://127.0.0.1:{here.port}") as client,
        ):
            with pytest.raises(ApiError, match="redirects are not followed"):
                await client.session_state()
        assert (b"marked-access-token" in here.received) is not at_login  # we did log in
    assert elsewhere.received == b""


@pytest.fixture(scope="module")
def self_signed(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    """A certificate for localhost that nobody vouches for."""
    if shutil.which("openssl") is None:
        pytest.skip("needs the openssl command to make a certificate")
    folder: Path = tmp_path_factory.mktemp("certificate")
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    command += ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    command += ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603 # fixed words and our folder
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


async def test_a_certificate_that_proves_nothing_gets_no_secret(
    self_signed: ssl.SSLContext,
) -> None:
    async with listening(Listener("200 OK"), self_signed) as listener:
        url = f"https://localhost:{listener.port}"
        async with TastytradeClient(OAUTH, url) as client:
            with pytest.raises(UntrustedPeerError, match="certificate of localhost"):
                await client.session_state()
    assert listener.received == b""


async def test_nor_a_quote_token(self_signed: ssl.SSLContext) -> None:
    async with listening(Listener("101 Switching Protocols"), self_signed) as listener:
        url = f"wss://localhost:{listener.port}/realtime"

        async def token() -> QuoteToken:
            return QuoteToken("marked-quote-token", url, "api")

        link = DXLinkConnection(token, [], {}, rng=random.Random(1))  # noqa: S311 # jitter
        async with aclosing(link.events()) as events:
            down = await anext(events)
    assert isinstance(down, ConnectionLost)
    assert "certificate of localhost" in down.reason
    assert listener.received == b""
