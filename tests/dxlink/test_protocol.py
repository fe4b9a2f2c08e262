from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from live_box_spreads.dxlink import messages as m
from live_box_spreads.dxlink.protocol import DXLinkProtocol, State
from live_box_spreads.model.errors import ProtocolError

FIELDS = {"Quote": ["eventSymbol", "bidPrice", "askPrice"]}
SETUP = {"type": "SETUP", "channel": 0, "version": "1.0", "keepaliveTimeout": 60}
UNAUTHORIZED = {"type": "AUTH_STATE", "channel": 0, "state": "UNAUTHORIZED"}
AUTHORIZED = {"type": "AUTH_STATE", "channel": 0, "state": "AUTHORIZED"}
OPENED = {
    "type": "CHANNEL_OPENED",
    "channel": 1,
    "service": "FEED",
    "parameters": {"contract": "AUTO"},
}


def sent(protocol: DXLinkProtocol, now_secs: float = 0.0) -> list[dict[str, Any]]:
    return [json.loads(frame) for frame in protocol.data_to_send(now_secs)]


def tell(protocol: DXLinkProtocol, message: dict[str, Any]) -> list[m.Event]:
    return protocol.receive(json.dumps(message))


def opened() -> DXLinkProtocol:
    protocol = DXLinkProtocol("secret-token", FIELDS)
    protocol.connect()
    for message in (SETUP, UNAUTHORIZED, AUTHORIZED, OPENED):
        tell(protocol, message)
    sent(protocol)
    return protocol


def test_handshake_transcript() -> None:
    protocol = DXLinkProtocol("secret-token", FIELDS, aggregation_secs=0.5)
    protocol.connect()
    (setup,) = sent(protocol)
    assert setup["type"] == "SETUP"
    assert (setup["channel"], setup["keepaliveTimeout"]) == (0, 60)
    assert setup["version"].startswith("0.1-live-box-spreads/")

    assert tell(protocol, SETUP) == [m.Connected("1.0", 60.0)]
    assert sent(protocol) == []
    assert tell(protocol, UNAUTHORIZED) == []
    assert sent(protocol) == [{"type": "AUTH", "channel": 0, "token": "secret-token"}]
    assert tell(protocol, AUTHORIZED) == [m.Authorized()]
    assert sent(protocol) == [
        {
            "type": "CHANNEL_REQUEST",
            "channel": 1,
            "service": "FEED",
            "parameters": {"contract": "AUTO"},
        }
    ]
    assert tell(protocol, OPENED) == [m.Opened()]
    assert sent(protocol) == [
        {
            "type": "FEED_SETUP",
            "channel": 1,
            "acceptAggregationPeriod": 0.5,
            "acceptDataFormat": "COMPACT",
            "acceptEventFields": FIELDS,
        }
    ]
    protocol.subscribe([("Quote", ".SPXW261218C6900")], reset=True)
    protocol.unsubscribe([("Quote", ".SPXW261218C6900")])
    item = {"type": "Quote", "symbol": ".SPXW261218C6900"}
    head = {"type": "FEED_SUBSCRIPTION", "channel": 1}
    assert sent(protocol) == [{**head, "reset": True, "add": [item]}, {**head, "remove": [item]}]
    protocol.close()
    assert sent(protocol) == [{"type": "CHANNEL_CANCEL", "channel": 1}]
    assert tell(protocol, {"type": "CHANNEL_CLOSED", "channel": 1}) == [m.Closed()]
    assert protocol.state is State.CLOSED


def test_server_without_login_opens_the_channel_at_once() -> None:
    protocol = DXLinkProtocol("secret-token", FIELDS)
    protocol.connect()
    tell(protocol, SETUP)
    assert tell(protocol, AUTHORIZED) == [m.Authorized()]
    assert [frame["type"] for frame in sent(protocol)] == ["SETUP", "CHANNEL_REQUEST"]


def test_auth_state_ahead_of_setup_waits_for_it() -> None:
    protocol = DXLinkProtocol("secret-token", FIELDS)
    protocol.connect()
    tell(protocol, UNAUTHORIZED)
    assert [frame["type"] for frame in sent(protocol)] == ["SETUP"]
    tell(protocol, SETUP)
    assert [frame["type"] for frame in sent(protocol)] == ["AUTH"]


def test_refused_token_ends_the_session() -> None:
    protocol = DXLinkProtocol("secret-token", FIELDS)
    protocol.connect()
    for message in (SETUP, UNAUTHORIZED):
        tell(protocol, message)
    assert tell(protocol, UNAUTHORIZED) == [m.Unauthorized()]
    assert protocol.state is State.CLOSED
    assert sent(protocol, 0.0)[-1]["type"] == "AUTH"
    assert sent(protocol, 1e6) == []


def test_keepalive_is_due_only_after_silence() -> None:
    protocol = opened()
    assert protocol.keepalive_due_in(29.0) == 1.0
    assert sent(protocol, 29.9) == []
    assert sent(protocol, 30.0) == [{"type": "KEEPALIVE", "channel": 0}]
    protocol.subscribe([("Quote", "A")])
    assert [frame["type"] for frame in sent(protocol, 61.0)] == ["FEED_SUBSCRIPTION"]
    assert protocol.keepalive_due_in(61.0) == 30.0


def test_errors_inform_and_close_nothing() -> None:
    protocol = opened()
    error = {"type": "ERROR", "channel": 1, "error": "BAD_ACTION", "message": "too big"}
    assert tell(protocol, error) == [m.Complaint(1, "BAD_ACTION", "too big")]
    assert protocol.state is State.OPEN


def test_unknown_types_and_foreign_channels_are_counted() -> None:
    protocol = opened()
    assert tell(protocol, {"type": "DOM_SNAPSHOT", "channel": 3, "bids": {}}) == []
    assert tell(protocol, {"type": "FEED_DATA", "channel": 5, "data": []}) == []
    assert protocol.ignored == {"DOM_SNAPSHOT": 1, "FEED_DATA": 1}
    assert protocol.malformed == 0


def test_a_server_cannot_fill_our_memory_with_types() -> None:
    protocol = opened()
    for n in range(500):
        tell(protocol, {"type": f"TYPE_{n}" + "X" * 1000, "channel": 1})
    assert protocol.ignored.total() == 500
    assert len(protocol.ignored) <= 51
    assert max(map(len, protocol.ignored)) <= 40


@pytest.mark.parametrize("timeout_secs", [1e-9, 0.5, 0, -5])
def test_a_server_cannot_keep_us_busy_with_signs_of_life(timeout_secs: float) -> None:
    protocol = opened()
    tell(protocol, {**SETUP, "keepaliveTimeout": timeout_secs})
    sent(protocol, 100.0)
    assert protocol.keepalive_due_in(100.0) >= 1.0


def test_a_shorter_timeout_of_the_server_is_kept() -> None:
    protocol = DXLinkProtocol("secret-token", FIELDS)
    protocol.connect()
    sent(protocol)
    tell(protocol, {**SETUP, "keepaliveTimeout": 10})
    assert protocol.keepalive_due_in(0.0) == 5.0


@pytest.mark.parametrize(
    "frame",
    [
        "",
        "{",
        "[]",
        "null",
        '{"channel": 1}',
        '{"type": "FEED_DATA", "channel": 1}',
        '{"type": "FEED_DATA", "channel": 1, "data": {"a": 1}}',
        '{"type": "FEED_DATA", "channel": 1, "data": "["}',
        '{"type": "FEED_DATA", "channel": "1", "data": []}',
        '{"type": "FEED_CONFIG", "channel": 1, "dataFormat": "XML"}',
        '{"type": "FEED_CONFIG", "channel": 1, "eventFields": {"Quote": "eventSymbol"}}',
        '{"type": "AUTH_STATE", "channel": 0, "state": "PERHAPS"}',
        '{"type": "SETUP", "channel": 0, "keepaliveTimeout": "NaN"}',
        '{"type": "ERROR", "channel": 0, "error": 5}',
        '{"type": "FEED_DATA", "channel": 1, "data": [1, 2}',
        b"\xff\xfe",
        '{"type":"FEED_DATA","channel":1,"data":' + "[" * 100_000,
    ],
)
def test_malformed_frame_is_an_event(frame: str | bytes) -> None:
    protocol = opened()
    (event,) = protocol.receive(frame)
    assert isinstance(event, m.Malformed)
    assert (protocol.malformed, protocol.state) == (1, State.OPEN)


@given(st.binary(max_size=200))
def test_no_bytes_crash_or_open_anything(frame: bytes) -> None:
    protocol = opened()
    protocol.receive(frame)
    assert protocol.state is State.OPEN
    assert protocol.data_to_send(0.0) == []


def test_frame_that_the_server_would_refuse_is_not_sent() -> None:
    protocol = opened()
    with pytest.raises(ProtocolError, match="chunks"):
        protocol.subscribe([("Quote", "X" * 50)] * 1000)


def test_no_token_shows_once_it_is_replaced_either() -> None:
    protocol = opened()
    protocol.authorize("fresh-token")
    assert sent(protocol) == [{"type": "AUTH", "channel": 0, "token": "fresh-token"}]
    frame = {"type": "ERROR", "channel": 0, "error": "UNKNOWN"}
    for token in ("secret-token", "fresh-token"):
        assert tell(protocol, frame | {"message": f"about {token}"}) == [
            m.Complaint(0, "UNKNOWN", "about ***")
        ]


def test_token_shows_nowhere_but_in_auth() -> None:
    protocol = DXLinkProtocol("secret-token", FIELDS)
    assert "secret-token" not in repr(protocol)
