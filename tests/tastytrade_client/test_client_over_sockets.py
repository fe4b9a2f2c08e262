"""The REST client against the simulated exchange, over real sockets."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import httpx2
import pytest

from live_box_spreads.model.errors import ApiError, LoginRefusedError
from live_box_spreads.simulator.credentials import (
    DEMO_CLIENT_SECRET,
    DEMO_ONE_TIME_CODE,
    DEMO_PASSWORD,
    DEMO_REFRESH_TOKEN,
    DEMO_USERNAME,
)
from live_box_spreads.simulator.exchange import SimulatedExchange, SimulatorOptions
from live_box_spreads.tastytrade_client import Credentials, TastytradeClient

if TYPE_CHECKING:
    from collections.abc import Callable

OAUTH = Credentials(client_secret=DEMO_CLIENT_SECRET, refresh_token=DEMO_REFRESH_TOKEN)
PASSWORD = Credentials(username=DEMO_USERNAME, password=DEMO_PASSWORD)

LOGIN, SESSION = "/oauth/token", "/sessions"
CALL = "/market-time/equities/sessions/current"


class Wire(httpx2.AsyncBaseTransport):
    """The network, with a list of what went over it."""

    def __init__(self) -> None:
        self.network = httpx2.AsyncHTTPTransport()
        self.paths: list[str] = []
        self.statuses: list[int] = []

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.paths.append(request.url.path)
        response = await self.network.handle_async_request(request)
        self.statuses.append(response.status_code)
        return response

    async def aclose(self) -> None:
        await self.network.aclose()

    def client(
        self,
        exchange: SimulatedExchange,
        credentials: Credentials = OAUTH,
        monotonic_secs: Callable[[], float] = lambda: 0.0,
    ) -> TastytradeClient:
        return TastytradeClient(
            credentials, exchange.base_url, transport=self, monotonic_secs=monotonic_secs
        )


@pytest.fixture
def wire() -> Wire:
    return Wire()


async def test_a_gateway_that_is_away_for_a_moment_is_not_noticed(
    exchange: SimulatedExchange, wire: Wire
) -> None:
    async with wire.client(exchange) as client:
        exchange.faults.html_502_responses = 2
        await client.log_in()
        exchange.faults.html_502_responses = 2
        await client.session_state()
    assert wire.statuses == [502, 502, 200, 502, 502, 200]


async def test_a_gateway_that_stays_away_is_one_clear_line(
    exchange: SimulatedExchange, wire: Wire
) -> None:
    async with wire.client(exchange) as client:
        await client.log_in()
        exchange.faults.html_502_responses = 100
        with pytest.raises(ApiError) as caught:
            await client.session_state()
    assert wire.statuses == [200, 502, 502, 502]
    assert caught.value.status == 502
    assert "try again later" in str(caught.value)
    assert "<" not in str(caught.value)
    assert "\n" not in str(caught.value)


async def test_a_password_is_not_sent_twice_to_a_gateway_that_is_away(
    exchange: SimulatedExchange, wire: Wire
) -> None:
    async with wire.client(exchange, PASSWORD) as client:
        exchange.faults.html_502_responses = 1
        with pytest.raises(ApiError, match="502"):
            await client.log_in()
        assert wire.paths == [SESSION]
        await client.log_in()  # it was no refusal, so the next call may ask again
    assert wire.statuses == [502, 201]


async def test_an_html_401_in_between_is_answered_by_a_new_login(
    exchange: SimulatedExchange, wire: Wire
) -> None:
    async with wire.client(exchange) as client:
        await client.log_in()
        exchange.faults.html_401_responses = 1
        assert (await client.session_state()).state
    assert wire.paths == [LOGIN, CALL, LOGIN, CALL]


async def test_an_html_401_to_everything_ends_at_the_login(
    exchange: SimulatedExchange, wire: Wire
) -> None:
    async with wire.client(exchange) as client:
        await client.log_in()
        exchange.faults.html_401_responses = 100
        for _ in range(3):
            with pytest.raises(LoginRefusedError) as caught:
                await client.session_state()
    assert wire.paths == [LOGIN, CALL, LOGIN]
    assert "<" not in str(caught.value)


async def test_an_api_version_that_is_gone_is_told_once(
    exchange: SimulatedExchange, wire: Wire
) -> None:
    async with wire.client(exchange) as client:
        await client.log_in()
        exchange.faults.not_acceptable_responses = 1
        with pytest.raises(ApiError, match="406") as caught:
            await client.session_state()
    assert caught.value.status == 406
    assert wire.paths == [LOGIN, CALL]


async def test_a_token_that_is_over_as_it_comes_is_replaced_before_use(
    exchange: SimulatedExchange, wire: Wire
) -> None:
    exchange.faults.access_token_secs = 0.0
    async with wire.client(exchange) as client:
        await client.log_in()
        exchange.faults.access_token_secs = 900.0
        assert (await client.session_state()).state
        assert (await client.session_state()).state
    assert wire.paths == [LOGIN, LOGIN, CALL, CALL]


async def test_a_token_that_dies_early_is_renewed_unnoticed(
    exchange: SimulatedExchange, wire: Wire
) -> None:
    async with wire.client(exchange) as client:
        await client.session_state()
        exchange._running()._state.tokens._bearer.clear()  # as after a restart of the server
        assert (await client.session_state()).state
    assert wire.paths == [LOGIN, CALL, CALL, LOGIN, CALL]
    assert wire.statuses == [200, 200, 401, 200, 200]


async def test_a_token_is_renewed_before_it_expires(
    exchange: SimulatedExchange, wire: Wire
) -> None:
    now_secs = 0.0
    async with wire.client(exchange, monotonic_secs=lambda: now_secs) as client:
        for now_secs in (0.0, 839.0, 841.0, 900.0):  # noqa: B007  the client's clock reads it
            await client.session_state()
    assert wire.paths[:3] == [LOGIN, CALL, CALL]
    assert sorted(wire.paths[3:]) == sorted([LOGIN, CALL, CALL])  # beside the call, not before it
    assert set(wire.statuses) == {200}


@pytest.mark.parametrize(
    "wrong", [replace(OAUTH, client_secret="guess"), replace(OAUTH, refresh_token="guess")]
)
async def test_refused_oauth_is_asked_exactly_once(
    exchange: SimulatedExchange, wire: Wire, wrong: Credentials
) -> None:
    async with wire.client(exchange, wrong) as client:
        for ask in (client.session_state, client.quote_token, client.log_in):
            with pytest.raises(LoginRefusedError, match="check TT_CLIENT_SECRET") as caught:
                await ask()
    assert wire.paths == [LOGIN]
    assert "guess" not in str(caught.value)


async def test_a_password_session_where_the_server_takes_one(
    exchange: SimulatedExchange, wire: Wire
) -> None:
    async with wire.client(exchange, PASSWORD) as client:
        await client.session_state()
        assert [listing.root_symbol for listing in await client.option_chain("XSP")] == ["XSP"]
    assert wire.paths == [SESSION, CALL, "/option-chains/XSP/nested"]


async def test_a_wrong_password_is_sent_exactly_once(
    exchange: SimulatedExchange, wire: Wire
) -> None:
    async with wire.client(exchange, replace(PASSWORD, password="gu3ss")) as client:
        for _ in range(2):
            with pytest.raises(LoginRefusedError, match="Invalid login") as caught:
                await client.session_state()
    assert wire.paths == [SESSION]
    assert "gu3ss" not in str(caught.value)


async def test_a_server_without_password_logins_names_the_way_in(wire: Wire) -> None:
    with SimulatedExchange(SimulatorOptions(roots=("NDXP",))) as exchange:
        async with wire.client(exchange, PASSWORD) as client:
            with pytest.raises(LoginRefusedError, match="has ended password logins") as caught:
                await client.session_state()
    assert wire.paths == [SESSION]
    assert "TT_CLIENT_SECRET and TT_REFRESH_TOKEN" in str(caught.value)


async def test_a_new_device_is_admitted_by_a_one_time_code(
    exchange: SimulatedExchange, wire: Wire
) -> None:
    exchange.faults.device_challenge = True
    asked: list[str] = []

    def code() -> str:
        asked.append("code")
        return f"{DEMO_ONE_TIME_CODE}\n"

    async with wire.client(exchange, replace(PASSWORD, one_time_code=code)) as client:
        await client.session_state()
    assert wire.paths == [SESSION, "/device-challenge", SESSION, CALL]
    assert asked == ["code"]


async def test_a_wrong_one_time_code_ends_it(exchange: SimulatedExchange, wire: Wire) -> None:
    exchange.faults.device_challenge = True
    credentials = replace(PASSWORD, one_time_code=lambda: "000000")
    async with wire.client(exchange, credentials) as client:
        for _ in range(2):
            with pytest.raises(LoginRefusedError, match="TT_REFRESH_TOKEN"):
                await client.session_state()
    assert wire.paths == [SESSION, "/device-challenge", SESSION]


async def test_a_challenge_with_nobody_there_is_said(
    exchange: SimulatedExchange, wire: Wire
) -> None:
    exchange.faults.device_challenge = True
    async with wire.client(exchange, PASSWORD) as client:
        with pytest.raises(LoginRefusedError, match="one-time code for this device and nobody"):
            await client.session_state()
    assert wire.paths == [SESSION]


async def test_every_contract_is_quoted_in_batches(exchange: SimulatedExchange, wire: Wire) -> None:
    symbols = exchange.occ_symbols[:250]
    async with wire.client(exchange) as client:
        answer = await client.market_data(["XSP"], [*symbols, "XSP   200101C00001000"])
    assert wire.paths == [LOGIN, *["/market-data/by-type"] * 3]
    assert set(answer.quotes) == {"XSP", *symbols}
    assert answer.missing == ["XSP   200101C00001000"]
    assert answer.malformed == 0


async def test_the_quote_token_tells_where_and_at_which_level(
    exchange: SimulatedExchange, wire: Wire
) -> None:
    async with wire.client(exchange) as client:
        token = await client.quote_token()
    assert (token.url, token.level, token.is_delayed) == (exchange.dxlink_url, "api", False)
    assert token.token
    assert token.token not in repr(token)
