from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from live_box_spreads.simulator.faults import Faults
from tests.simulator.dxlink_client import FEED_SETUP, REQUEST, SETUP, Client, kinds, quoted

if TYPE_CHECKING:
    from live_box_spreads.simulator.market.market import Market


@pytest.fixture
def client(small_market: Market) -> Client:
    return Client(small_market)


def test_handshake_in_order(client: Client) -> None:
    frames = client.say(SETUP)
    assert kinds(frames) == ["SETUP", "AUTH_STATE"]
    assert frames[1]["state"] == "UNAUTHORIZED"
    frames = client.say({"type": "AUTH", "channel": 0, "token": client.token()})
    assert frames == [{"type": "AUTH_STATE", "channel": 0, "state": "AUTHORIZED"}]
    assert kinds(client.say(REQUEST)) == ["CHANNEL_OPENED"]
    (config,) = client.say(FEED_SETUP)
    assert config["dataFormat"] == "COMPACT"
    assert config["aggregationPeriod"] == 0.1
    assert "eventFields" not in config


def auth_right_after_setup(client: Client) -> list[dict[str, Any]]:
    client.session.received(json.dumps(SETUP), client.now)
    return client.say({"type": "AUTH", "channel": 0, "token": client.token()})


def test_auth_may_follow_setup_at_once(client: Client) -> None:
    frames = auth_right_after_setup(client)
    assert kinds(frames) == ["SETUP", "AUTH_STATE", "AUTH_STATE"]
    assert [frame["state"] for frame in frames[1:]] == ["UNAUTHORIZED", "AUTHORIZED"]


def test_auth_before_auth_state_is_an_error_on_a_strict_server(small_market: Market) -> None:
    frames = auth_right_after_setup(Client(small_market, Faults(strict_auth_order=True)))
    assert kinds(frames) == ["SETUP", "ERROR", "AUTH_STATE"]
    assert frames[1]["error"] == "BAD_ACTION"


def test_auth_before_setup_is_an_error(client: Client) -> None:
    (error,) = client.say({"type": "AUTH", "channel": 0, "token": client.token()})
    assert (error["type"], error["error"]) == ("ERROR", "BAD_ACTION")


def test_a_channel_before_authorization_is_an_error(client: Client) -> None:
    client.say(SETUP)
    (error,) = client.say(REQUEST)
    assert (error["type"], error["error"]) == ("ERROR", "UNAUTHORIZED")
    assert client.session.close is None


def test_a_wrong_token_stays_unauthorized(client: Client) -> None:
    client.say(SETUP)
    error, state = client.say({"type": "AUTH", "channel": 0, "token": "guess"})
    assert error["error"] == "UNAUTHORIZED"
    assert state["state"] == "UNAUTHORIZED"


def test_an_expired_quote_token_is_refused(small_market: Market) -> None:
    client = Client(small_market, Faults(quote_token_secs=10.0))
    client.say(SETUP)
    token = client.token()
    client.wait(11.0)
    frames = client.say({"type": "AUTH", "channel": 0, "token": token})
    assert frames[-1]["state"] == "UNAUTHORIZED"


def test_a_credential_has_five_sessions(client: Client) -> None:
    tokens = [client.token() for _ in range(6)]
    held = [client.tokens.open_dxlink_session(token, client.now) for token in tokens]
    assert held == ["oauth"] * 5 + [None]
    client.tokens.close_dxlink_session("oauth")
    assert client.tokens.open_dxlink_session(tokens[5], client.now) == "oauth"


def test_even_channels_and_unknown_services_are_errors(client: Client) -> None:
    client.opened()
    (even,) = client.say(REQUEST | {"channel": 2})
    (service,) = client.say(REQUEST | {"channel": 3, "service": "DOM"})
    assert even["error"] == service["error"] == "BAD_ACTION"


def test_config_with_fields_precedes_the_first_data_of_a_type(client: Client) -> None:
    symbol = quoted(client.market, 1)[0]
    config, data = client.opened().subscribe("Quote", symbol)
    assert config["eventFields"] == {"Quote": ["eventSymbol", "bidPrice", "askPrice"]}
    row = client.market.symbols.index(symbol)
    book = client.market.book
    assert data["data"] == ["Quote", [symbol, book.bid[row], book.ask[row]]]
    assert client.wait(1.0) == []  # the market stood still


def test_an_index_comes_as_a_trade_and_never_as_a_quote(client: Client) -> None:
    client.opened()
    assert client.subscribe("Quote", "NDX") == []
    _, data = client.subscribe("Trade", "NDX")
    assert data["data"] == ["Trade", ["NDX", 27150.0]]


def test_several_types_share_a_frame(client: Client) -> None:
    symbol = quoted(client.market, 1)[0]
    add = [{"type": kind, "symbol": symbol} for kind in ("Quote", "Trade", "Summary")]
    frames = client.opened().say({"type": "FEED_SUBSCRIPTION", "channel": 1, "add": add})
    assert kinds(frames) == ["FEED_CONFIG", "FEED_DATA"]
    assert frames[1]["data"][::2] == ["Quote", "Trade", "Summary"]


def test_full_format_names_its_fields(client: Client) -> None:
    client.opened().say(FEED_SETUP | {"acceptDataFormat": "FULL"})
    _, data = client.subscribe("Trade", "NDX")
    assert data["data"] == [{"eventType": "Trade", "eventSymbol": "NDX", "price": 27150.0}]


def test_changes_within_an_aggregation_period_are_sent_once(
    client: Client, opening: datetime
) -> None:
    symbols = quoted(client.market, 400)
    client.opened().say(FEED_SETUP | {"acceptAggregationPeriod": 5.0})
    client.subscribe("Quote", *symbols)
    for step in range(1, 9):
        client.market.advance(opening + timedelta(seconds=0.25 * step))
        assert client.wait(0.25) == []
    (data,) = client.wait(5.0)
    sent = data["data"][1][::3]
    assert 0 < len(sent) == len(set(sent)) <= 400


def test_removed_and_reset_symbols_fall_silent(client: Client, opening: datetime) -> None:
    first, second = quoted(client.market, 2)
    client.opened().subscribe("Quote", first, second)
    gone = [{"type": "Quote", "symbol": first}]
    client.say({"type": "FEED_SUBSCRIPTION", "channel": 1, "remove": gone})
    client.market.advance(opening + timedelta(seconds=40))
    (data,) = client.wait(1.0)
    assert data["data"][1][0::3] == [second]
    client.say({"type": "FEED_SUBSCRIPTION", "channel": 1, "reset": True})
    client.market.advance(opening + timedelta(seconds=80))
    assert client.wait(1.0) == []


def test_large_subscriptions_arrive_in_several_frames(client: Client) -> None:
    symbols = quoted(client.market, 1200)
    frames = client.opened().subscribe("Quote", *symbols)
    sizes = [len(f["data"][1]) // 3 for f in frames if f["type"] == "FEED_DATA"]
    assert sizes == [500, 500, 200]


def test_the_ten_thousandth_change_of_a_minute_is_the_last(client: Client) -> None:
    client.opened()
    for start in range(0, 10_000, 1000):
        made_up = [f".X{number}" for number in range(start, start + 1000)]
        assert client.subscribe("Quote", *made_up) == []
    symbol = quoted(client.market, 1)[0]
    (error,) = client.subscribe("Quote", symbol)
    assert (error["error"], error["message"]) == (
        "BAD_ACTION",
        "Your subscription rate is too high",
    )
    client.wait(61.0)
    assert kinds(client.subscribe("Quote", symbol))[-1] == "FEED_DATA"


def test_a_session_holds_twenty_five_thousand_subscriptions(client: Client) -> None:
    client.opened()
    for start in range(0, 25_000, 1250):
        client.subscribe("Quote", *(f".X{number}" for number in range(start, start + 1250)))
        client.wait(20.0)
    (error,) = client.subscribe("Quote", quoted(client.market, 1)[0])
    assert error["message"] == "Your subscription size is too big"
    assert client.subscribe("Quote", ".X0") == []  # held already


def test_a_frame_too_large_closes_with_1009(client: Client) -> None:
    (error,) = client.opened().say("x" * 65_537)
    assert error["error"] == "INVALID_MESSAGE"
    assert client.session.close == (1009, "Message too big")


@pytest.mark.parametrize("text", ["{", "[]", '{"type":"SETUP"}', '{"type":"NOISE","channel":0}'])
def test_unreadable_messages_are_errors_and_leave_it_open(client: Client, text: str) -> None:
    (error,) = client.say(text)
    assert error["error"] == "INVALID_MESSAGE"
    assert client.session.close is None


def test_an_unsupported_protocol_is_named(client: Client) -> None:
    (error,) = client.say(SETUP | {"version": "7.0-test"})
    assert error["error"] == "UNSUPPORTED_PROTOCOL"


def test_a_silent_client_is_closed_and_a_quiet_server_keeps_alive(client: Client) -> None:
    client.say(SETUP)
    assert client.wait(31.0) == [{"type": "KEEPALIVE", "channel": 0}]
    (error,) = client.wait(30.0)
    assert error["error"] == "TIMEOUT"
    assert client.session.close == (1000, "Bye")


def test_a_client_can_be_taken_for_idle_sooner(small_market: Market) -> None:
    client = Client(small_market, Faults(idle_close_secs=5.0))
    setup, _ = client.say(SETUP)
    assert setup["keepaliveTimeout"] == 5.0
    (error,) = client.wait(6.0)
    assert error["error"] == "TIMEOUT"
    assert client.session.close == (1000, "Bye")


def test_keepalives_keep_a_client(client: Client) -> None:
    client.say(SETUP)
    for _ in range(4):
        client.wait(30.0)
        client.say({"type": "KEEPALIVE", "channel": 0})
    assert client.session.close is None


def test_a_cancelled_channel_closes(client: Client) -> None:
    client.opened()
    assert client.say({"type": "CHANNEL_CANCEL", "channel": 1}) == [
        {"type": "CHANNEL_CLOSED", "channel": 1}
    ]
    (error,) = client.subscribe("Trade", "NDX")
    assert error["error"] == "BAD_ACTION"


def test_injected_faults(small_market: Market) -> None:
    silent, loud = quoted(small_market, 2)
    faults = Faults(withheld_fields={"askPrice"}, silent_symbols={silent}, sizes_unknown=True)
    client = Client(small_market, faults).opened()
    client.say(
        FEED_SETUP | {"acceptEventFields": {"Quote": ["eventSymbol", "askPrice", "bidSize"]}}
    )
    config, data = client.subscribe("Quote", silent, loud)
    assert config["eventFields"] == {"Quote": ["eventSymbol", "bidSize"]}
    assert data["data"] == ["Quote", [loud, "NaN"]]
    faults.frozen = True
    assert client.say(SETUP) == []


def test_handshake_out_of_order(small_market: Market) -> None:
    client = Client(small_market, Faults(auth_state_first=True))
    assert kinds(client.say(SETUP)) == ["AUTH_STATE", "SETUP"]
