"""The exchange over real sockets, with plain clients."""

from __future__ import annotations

import asyncio
import json
import socket
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, ConnectionClosedError, InvalidStatus

from live_box_spreads.model.errors import FeedUnavailableError
from live_box_spreads.simulator.credentials import (
    DEMO_ACCOUNT,
    DEMO_CLIENT_SECRET,
    DEMO_ONE_TIME_CODE,
    DEMO_PASSWORD,
    DEMO_REFRESH_TOKEN,
    DEMO_USERNAME,
)
from live_box_spreads.simulator.exchange import SimulatedExchange, SimulatorOptions
from live_box_spreads.simulator.market.conditions import CONDITIONS

if TYPE_CHECKING:
    from collections.abc import Iterator

GRANT = {
    "grant_type": "refresh_token",
    "refresh_token": DEMO_REFRESH_TOKEN,
    "client_secret": DEMO_CLIENT_SECRET,
}
LOGIN = {"login": DEMO_USERNAME, "password": DEMO_PASSWORD, "remember-me": True}


@pytest.fixture
def rest(exchange: SimulatedExchange) -> Iterator[httpx2.Client]:
    headers = {"User-Agent": "test/1.0"}
    with httpx2.Client(base_url=exchange.base_url, headers=headers) as client:
        yield client


@pytest.fixture
def logged_in(rest: httpx2.Client) -> httpx2.Client:
    token = rest.post("/oauth/token", json=GRANT).json()
    assert token["token_type"] == "Bearer"
    assert token["expires_in"] == 900
    rest.headers["Authorization"] = f"Bearer {token['access_token']}"
    return rest


def test_wrong_secrets_are_refused(rest: httpx2.Client) -> None:
    answer = rest.post("/oauth/token", json=GRANT | {"client_secret": "guess"})
    assert answer.status_code == 401
    assert answer.json()["error_code"] == "invalid_grant"


def test_calls_without_a_login_are_refused_in_json(rest: httpx2.Client) -> None:
    answer = rest.get("/api-quote-tokens")
    assert answer.status_code == 401
    assert answer.json()["error"]["code"] == "unauthorized"


def test_an_access_token_expires(exchange: SimulatedExchange, rest: httpx2.Client) -> None:
    exchange.faults.access_token_secs = 0.0
    token = rest.post("/oauth/token", json=GRANT).json()["access_token"]
    answer = rest.get("/api-quote-tokens", headers={"Authorization": f"Bearer {token}"})
    assert answer.json()["error"]["code"] == "token_invalid"


def test_an_odd_user_agent_gets_an_html_401(logged_in: httpx2.Client) -> None:
    answer = logged_in.get("/api-quote-tokens", headers={"User-Agent": "nothing"})
    assert answer.status_code == 401
    assert answer.headers["content-type"].startswith("text/html")


def test_an_unknown_version_gets_a_406(logged_in: httpx2.Client) -> None:
    answer = logged_in.get("/api-quote-tokens", headers={"Accept-Version": "19990101"})
    assert answer.status_code == answer.json()["error"]["code"] == 406


def test_injected_answers_come_once(exchange: SimulatedExchange, logged_in: httpx2.Client) -> None:
    exchange.faults.html_401_responses = 1
    exchange.faults.html_502_responses = 1
    statuses = [logged_in.get("/api-quote-tokens").status_code for _ in range(3)]
    assert statuses == [401, 502, 200]


def test_a_nested_chain_has_one_item_a_root(
    exchange: SimulatedExchange, logged_in: httpx2.Client
) -> None:
    answer = logged_in.get("/option-chains/SPX/nested").json()
    spx, spxw = answer["data"]["items"]
    assert (spx["root-symbol"], spxw["root-symbol"]) == ("SPX", "SPXW")
    assert spx["expirations"][0]["settlement-type"] == "AM"
    assert spx["expirations"][0]["expiration-date"] == "2026-12-18"
    assert spx["expirations"][0]["days-to-expiration"] == 24
    strike = next(s for s in spx["expirations"][0]["strikes"] if s["strike-price"] == "7400.0")
    assert strike["put"] == "SPX   261218P07400000"
    assert strike["call-streamer-symbol"] == ".SPX261218C7400"
    listed = sum(2 * len(e["strikes"]) for i in (spx, spxw) for e in i["expirations"])
    assert listed == len(exchange.occ_symbols)


def test_a_flat_chain_tells_the_exercise_style(logged_in: httpx2.Client) -> None:
    items = logged_in.get("/option-chains/SPX").json()["data"]["items"]
    assert {item["exercise-style"] for item in items} == {"European"}
    symbol = items[0]["symbol"]
    one = logged_in.get(f"/instruments/equity-options/{symbol}").json()["data"]
    assert one == items[0]


def test_unknown_symbols_get_a_404(logged_in: httpx2.Client) -> None:
    for path in ("/option-chains/NOPE/nested", "/option-chains/NOPE", "/nowhere"):
        answer = logged_in.get(path)
        assert answer.status_code == 404
        assert answer.json()["error"]["message"]


def test_quotes_by_type_in_each_way_of_asking(
    exchange: SimulatedExchange, logged_in: httpx2.Client
) -> None:
    first, second = exchange.occ_symbols[200:202]
    ways: list[list[tuple[str, str | int | float | bool | None]]] = [
        [("index", "SPX"), ("equity-option", f"{first},{second}")],
        [("index[]", "SPX"), ("equity-option[]", first), ("equity-option[]", second)],
    ]
    for way in ways:
        items = logged_in.get("/market-data/by-type", params=way).json()["data"]["items"]
        assert [item["symbol"] for item in items] == ["SPX", first, second]
        assert 7_000 < float(items[0]["last"]) < 8_000
        assert "bid" not in items[0]
        assert float(items[1]["bid"]) < float(items[1]["ask"])
        assert isinstance(items[1]["volume"], str)


def test_more_than_a_hundred_symbols_are_refused(
    exchange: SimulatedExchange, logged_in: httpx2.Client
) -> None:
    params: dict[str, list[str | int | float | bool | None]] = {}
    params["equity-option[]"] = list(exchange.occ_symbols[:101])
    answer = logged_in.get("/market-data/by-type", params=params)
    assert answer.status_code == 400
    assert "101" in answer.json()["error"]["message"]


def test_market_times_and_metrics(logged_in: httpx2.Client) -> None:
    session = logged_in.get("/market-time/equities/sessions/current").json()["data"]
    assert session["state"] == "Open"
    assert session["close-at"] == "2026-11-24T21:00:00.000+00:00"
    assert session["next-session"]["session-date"] == "2026-11-25"
    days = logged_in.get("/market-time/equities/holidays").json()["data"]
    assert "2026-11-26" in days["market-holidays"]
    assert "2026-11-27" in days["market-half-days"]
    metrics = logged_in.get("/market-metrics", params={"symbols": "SPX,NOPE"}).json()
    assert [item["symbol"] for item in metrics["data"]["items"]] == ["SPX"]


def test_password_session_with_remember_token_and_challenge(
    exchange: SimulatedExchange, rest: httpx2.Client
) -> None:
    opened = rest.post("/sessions", json=LOGIN).json()["data"]
    token = {"Authorization": opened["session-token"]}
    assert rest.get("/api-quote-tokens", headers=token).status_code == 200
    again = {"login": DEMO_USERNAME, "remember-token": opened["remember-token"]}
    assert [rest.post("/sessions", json=again).status_code for _ in range(2)] == [201, 401]
    exchange.faults.device_challenge = True
    refused = rest.post("/sessions", json=LOGIN)
    assert refused.status_code == 403
    assert refused.json()["error"]["code"] == "device_challenge_required"
    name = "X-Tastyworks-Challenge-Token"
    challenge = {name: refused.headers[name]}
    assert rest.post("/device-challenge", headers=challenge).status_code == 200
    code = challenge | {"X-Tastyworks-OTP": DEMO_ONE_TIME_CODE}
    assert rest.post("/sessions", json=LOGIN, headers=code).status_code == 201
    assert rest.delete("/sessions", headers=token).status_code == 204
    assert rest.get("/api-quote-tokens", headers=token).status_code == 401


def test_a_dry_run_of_a_box_costs_what_the_schedule_says(logged_in: httpx2.Client) -> None:
    legs = [
        {"instrument-type": "Equity Option", "symbol": symbol, "quantity": 1, "action": action}
        for symbol, action in (
            ("SPX   271217C07000000", "Sell to Open"),
            ("SPX   271217C08000000", "Buy to Open"),
            ("SPX   271217P08000000", "Sell to Open"),
            ("SPX   271217P07000000", "Buy to Open"),
        )
    ]
    order: dict[str, Any] = {
        "time-in-force": "Day",
        "order-type": "Limit",
        "price": "958.00",
        "price-effect": "Credit",
        "legs": legs,
    }
    path = f"/accounts/{DEMO_ACCOUNT}/orders/dry-run"
    body = logged_in.post(path, json=order).json()["data"]
    fees = body["fee-calculation"]
    assert float(fees["commission"]) == 4.0  # four contracts to open
    assert float(fees["clearing-fees"]) == pytest.approx(0.4)
    assert float(fees["proprietary-index-option-fees"]) == pytest.approx(2.4)
    assert float(fees["total-fees"]) == pytest.approx(6.89, abs=0.005)  # as the schedule's example
    assert body["buying-power-effect"]["change-in-margin-requirement"] == "100000.0"
    order["legs"] = [legs[0] | {"symbol": "SPX   271217C07000001"}]
    refused = logged_in.post(path, json=order)
    assert refused.status_code == 422
    assert refused.json()["error"]["code"] == "preflight_check_failure"
    assert logged_in.post("/accounts/OTHER/orders/dry-run", json=order).status_code == 403


def test_the_truth_is_served_beside_the_vendors_paths(
    exchange: SimulatedExchange, rest: httpx2.Client
) -> None:
    rows = rest.get("/simulator/truth").json()["series"]
    truth = exchange.truth()
    for row in rows:
        of = next(
            t for (r, e), t in truth.series.items() if (r, str(e)) == (row["root"], row["expiry"])
        )
        assert row["discount"] == of.discount
        assert row["payment_date"] == str(of.payment_date)


def test_the_curve_jumps_at_its_control_address() -> None:
    opening = datetime(2026, 11, 24, 16, 0, tzinfo=UTC)
    options = SimulatorOptions(roots=("NDX",), now=opening, conditions=CONDITIONS["normal"])
    options.faults.paused = True
    with (
        SimulatedExchange(options) as exchange,
        httpx2.Client(base_url=exchange.base_url) as client,
    ):
        before = exchange.truth()
        told = client.patch("/simulator/curve", json={"shift_bps": 12.0}).json()["series"]
        exchange.shift_curve(-2.0)
        after = exchange.truth()
        for wrong in ({"shift_bps": 5_000}, {"shift": 1}, {"shift_bps": "1"}):
            assert client.patch("/simulator/curve", json=wrong).status_code == 400
        assert exchange.truth() == after
    assert after.spots == before.spots
    for row, (key, of) in zip(told, before.series.items(), strict=True):
        assert row["rate"] - of.rate == pytest.approx(12e-4, abs=1e-13)
        assert after.series[key].rate - of.rate == pytest.approx(10e-4, abs=1e-13)


async def handshake(socket_: ClientConnection, token: str) -> None:
    messages: list[dict[str, Any]] = [
        {"type": "SETUP", "channel": 0, "version": "0.1-test"},
        {"type": "AUTH", "channel": 0, "token": token},
        {"type": "CHANNEL_REQUEST", "channel": 1, "service": "FEED", "parameters": {}},
        {"type": "FEED_SETUP", "channel": 1, "acceptDataFormat": "COMPACT"},
    ]
    for message, answers in zip(messages, (2, 1, 1, 1), strict=True):
        await socket_.send(json.dumps(message))
        for _ in range(answers):
            assert json.loads(await socket_.recv())["type"] != "ERROR"


def quote_token(client: httpx2.Client) -> tuple[str, str]:
    data = client.get("/api-quote-tokens").json()["data"]
    assert data["level"] == "api"
    return data["dxlink-url"], data["token"]


async def test_quotes_stream_and_follow_the_book(
    exchange: SimulatedExchange, logged_in: httpx2.Client
) -> None:
    url, token = quote_token(logged_in)
    wanted = {"type": "Trade", "symbol": "SPX"}
    async with connect(url) as socket_:
        await handshake(socket_, token)
        await socket_.send(json.dumps({"type": "FEED_SUBSCRIPTION", "channel": 1, "add": [wanted]}))
        config = json.loads(await socket_.recv())
        place = config["eventFields"]["Trade"].index("price")
        prices = [json.loads(await socket_.recv())["data"][1][place] for _ in range(12)]
    assert len(set(prices)) > 1
    assert abs(prices[-1] - exchange.truth().spot("SPX")) < 20


async def test_a_frame_too_large_closes_the_websocket(logged_in: httpx2.Client) -> None:
    url, token = quote_token(logged_in)
    async with connect(url) as socket_:
        await handshake(socket_, token)
        await socket_.send("x" * 65_537)
        assert json.loads(await socket_.recv())["error"] == "INVALID_MESSAGE"
        with pytest.raises(ConnectionClosed) as closed:
            await socket_.recv()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1009


async def test_reset_freeze_and_refused_upgrade(
    exchange: SimulatedExchange, logged_in: httpx2.Client
) -> None:
    url, token = quote_token(logged_in)
    async with connect(url) as socket_:
        await handshake(socket_, token)
        exchange.faults.frozen = True
        await socket_.send(json.dumps({"type": "CHANNEL_CANCEL", "channel": 1}))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(socket_.recv(), 0.3)
        exchange.faults.resets += 1
        with pytest.raises(ConnectionClosedError) as closed:
            await socket_.recv()
        assert closed.value.rcvd is None
    exchange.faults.refused_upgrades = 1
    with pytest.raises(InvalidStatus, match="502"):
        await connect(url)


def test_a_taken_port_is_one_clear_line() -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        with pytest.raises(FeedUnavailableError, match=f"port {port} on 127.0.0.1"):
            SimulatedExchange(SimulatorOptions(port=port, roots=("NDX",))).__enter__()


def test_password_logins_are_off_unless_asked_for() -> None:
    options = SimulatorOptions(roots=("NDX",), level="demo")
    with (
        SimulatedExchange(options) as exchange,
        httpx2.Client(base_url=exchange.base_url, headers={"User-Agent": "t/1"}) as client,
    ):
        refused = client.post("/sessions", json=LOGIN)
        token = client.post("/oauth/token", json=GRANT).json()["access_token"]
        bearer = {"Authorization": f"Bearer {token}"}
        data = client.get("/api-quote-tokens", headers=bearer).json()["data"]
    assert refused.status_code == 401
    assert "OAuth2" in refused.json()["error"]["message"]
    assert data["level"] == "demo"
    assert data["dxlink-url"].endswith("/delayed")
