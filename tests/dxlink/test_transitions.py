"""Every message of the server in every state, each by a transcript; the table is written by hand.

Source: the dxLink AsyncAPI specification, version 1.0.2, and its rules on the order of messages.
"""

from __future__ import annotations

import json
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from live_box_spreads.dxlink import messages as m
from live_box_spreads.dxlink.protocol import MAX_FRAME_BYTES, DXLinkProtocol, State
from live_box_spreads.model.errors import ProtocolError

if TYPE_CHECKING:
    from collections.abc import Callable

TOKEN = "secret-token"
FIELDS = {"Quote": ["eventSymbol", "bidPrice", "askPrice"]}
QUOTE = [("Quote", ".SPXW261218C6900")]

FRAMES: dict[str, dict[str, Any]] = {
    "SETUP": {"type": "SETUP", "channel": 0, "version": "1.0", "keepaliveTimeout": 60},
    "UNAUTHORIZED": {"type": "AUTH_STATE", "channel": 0, "state": "UNAUTHORIZED"},
    "AUTHORIZED": {"type": "AUTH_STATE", "channel": 0, "state": "AUTHORIZED"},
    "CHANNEL_OPENED": {
        "type": "CHANNEL_OPENED",
        "channel": 1,
        "service": "FEED",
        "parameters": {"contract": "AUTO"},
    },
    "CHANNEL_CLOSED": {"type": "CHANNEL_CLOSED", "channel": 1},
    "FEED_CONFIG": {
        "type": "FEED_CONFIG",
        "channel": 1,
        "aggregationPeriod": 0.1,
        "dataFormat": "COMPACT",
        "eventFields": FIELDS,
    },
    "FEED_DATA": {"type": "FEED_DATA", "channel": 1, "data": ["Quote", ["A", 1.5, 2.5]]},
    "KEEPALIVE": {"type": "KEEPALIVE", "channel": 0},
    "ERROR": {"type": "ERROR", "channel": 1, "error": "BAD_ACTION", "message": "no"},
}

# To reach a state: frames of the server, then what the client does.
TRANSCRIPTS: dict[State, tuple[list[str], Callable[[DXLinkProtocol], None] | None]] = {
    State.NEW: ([], None),
    State.CONNECTING: (["SETUP"], None),
    State.AUTHORIZING: (["SETUP", "UNAUTHORIZED"], None),
    State.OPENING: (["SETUP", "UNAUTHORIZED", "AUTHORIZED"], None),
    State.OPEN: (["SETUP", "UNAUTHORIZED", "AUTHORIZED", "CHANNEL_OPENED"], None),
    State.CLOSING: (
        ["SETUP", "UNAUTHORIZED", "AUTHORIZED", "CHANNEL_OPENED"],
        DXLinkProtocol.close,
    ),
    State.CLOSED: (
        ["SETUP", "UNAUTHORIZED", "AUTHORIZED", "CHANNEL_OPENED", "CHANNEL_CLOSED"],
        None,
    ),
}

# refused: breaks the protocol and changes nothing. ignored: counted. ok: stays where it is.
# Anything else: the state that it leads to.
EXPECTED = """
                NEW      CONNECTING   AUTHORIZING  OPENING  OPEN     CLOSING  CLOSED
SETUP           refused  ok           ok           ok       ok       ok       ignored
UNAUTHORIZED    refused  AUTHORIZING  CLOSED       CLOSED   CLOSED   CLOSED   ignored
AUTHORIZED      refused  OPENING      OPENING      ok       ok       ok       ignored
CHANNEL_OPENED  refused  refused      refused      OPEN     refused  refused  ignored
CHANNEL_CLOSED  refused  refused      refused      CLOSED   CLOSED   CLOSED   ignored
FEED_CONFIG     refused  refused      refused      refused  ok       ok       ignored
FEED_DATA       refused  refused      refused      refused  ok       ok       ignored
KEEPALIVE       refused  ok           ok           ok       ok       ok       ignored
ERROR           refused  ok           ok           ok       ok       ok       ignored
"""
STATES, *ROWS = (line.split() for line in EXPECTED.strip().splitlines())
TABLE = {
    (name, State[state]): outcome
    for name, *outcomes in ROWS
    for state, outcome in zip(STATES, outcomes, strict=True)
}

EVENTS: dict[str, m.Event | None] = {
    "SETUP": m.Connected("1.0", 60.0),
    "UNAUTHORIZED": m.Unauthorized(),
    "AUTHORIZED": m.Authorized(),
    "CHANNEL_OPENED": m.Opened(),
    "CHANNEL_CLOSED": m.Closed(),
    "FEED_CONFIG": m.Configured(FIELDS, "COMPACT"),
    "FEED_DATA": m.Data(b'["Quote", ["A", 1.5, 2.5]]'),
    "KEEPALIVE": None,
    "ERROR": m.Complaint(1, "BAD_ACTION", "no"),
}

# What the client answers with, where a message leads to another state.
ANSWERS = {
    ("UNAUTHORIZED", State.AUTHORIZING): ["AUTH"],
    ("AUTHORIZED", State.OPENING): ["CHANNEL_REQUEST"],
    ("CHANNEL_OPENED", State.OPEN): ["FEED_SETUP"],
}


def tell(protocol: DXLinkProtocol, name: str) -> list[m.Event]:
    return protocol.receive(json.dumps(FRAMES[name]))


def sent(protocol: DXLinkProtocol) -> list[dict[str, Any]]:
    return [json.loads(frame) for frame in protocol.data_to_send(0.0)]


def in_state(state: State) -> DXLinkProtocol:
    protocol = DXLinkProtocol(TOKEN, FIELDS)
    transcript, action = TRANSCRIPTS[state]
    if state is not State.NEW:
        protocol.connect()
    for name in transcript:
        tell(protocol, name)
    if action is not None:
        action(protocol)
    sent(protocol)
    assert protocol.state is state
    return protocol


def test_the_table_is_whole() -> None:
    assert set(TABLE) == set(product(FRAMES, State))


@pytest.mark.parametrize(("name", "state"), [*TABLE])
def test_each_message_in_each_state(name: str, state: State) -> None:
    protocol = in_state(state)
    outcome = TABLE[name, state]
    if outcome == "refused":
        with pytest.raises(ProtocolError, match="out of order: "):
            tell(protocol, name)
        assert (protocol.state, sent(protocol), protocol.ignored) == (state, [], {})
        return
    events = tell(protocol, name)
    after = state if outcome in {"ok", "ignored"} else State[outcome]
    assert protocol.state is after
    if outcome == "ignored":
        assert (events, protocol.ignored) == ([], {FRAMES[name]["type"]: 1})
        assert sent(protocol) == []
        return
    expected = EVENTS[name]
    if (name, after) == ("UNAUTHORIZED", State.AUTHORIZING):
        expected = None  # the first one is part of the handshake, and no refusal
    assert events == ([] if expected is None else [expected])
    answers = [] if after is state else ANSWERS.get((name, after), [])
    assert [frame["type"] for frame in sent(protocol)] == answers
    assert protocol.ignored == {}


@pytest.mark.parametrize("name", FRAMES)
@pytest.mark.parametrize("state", [state for state in State if state is not State.CLOSED])
def test_frames_of_other_channels_change_nothing(name: str, state: State) -> None:
    protocol = in_state(state)
    if name == "ERROR":
        return  # it may concern any channel, even one that never was
    events = protocol.receive(json.dumps({**FRAMES[name], "channel": 7}))
    assert (events, protocol.state, sent(protocol)) == ([], state, [])
    assert protocol.ignored == {FRAMES[name]["type"]: 1}


@pytest.mark.parametrize("channel", [0, 1, 3])
def test_an_error_says_which_channel_it_concerns(channel: int) -> None:
    protocol = in_state(State.OPEN)
    error = {"type": "ERROR", "channel": channel, "error": "TIMEOUT", "message": f"not {TOKEN}"}
    assert protocol.receive(json.dumps(error)) == [m.Complaint(channel, "TIMEOUT", "not ***")]


ACTIONS: dict[str, Callable[[DXLinkProtocol], None]] = {
    "connect": DXLinkProtocol.connect,
    "subscribe": lambda protocol: protocol.subscribe(QUOTE),
    "unsubscribe": lambda protocol: protocol.unsubscribe(QUOTE),
    "authorize": lambda protocol: protocol.authorize("fresh"),
    "close": DXLinkProtocol.close,
}


@pytest.mark.parametrize(("action", "state"), [*product(ACTIONS, State)])
def test_each_action_in_each_state(action: str, state: State) -> None:
    protocol = in_state(state)
    if state is (State.NEW if action == "connect" else State.OPEN):
        ACTIONS[action](protocol)
        assert len(sent(protocol)) == 1
        return
    with pytest.raises(ProtocolError, match=f"on DXLink now: {state.value}"):
        ACTIONS[action](protocol)
    assert (protocol.state, sent(protocol)) == (state, [])


def test_a_layout_that_changes_in_the_middle_comes_before_its_data() -> None:
    protocol = in_state(State.OPEN)
    other = {**FRAMES["FEED_CONFIG"], "eventFields": {"Quote": ["askPrice", "eventSymbol"]}}
    told = [*tell(protocol, "FEED_CONFIG"), *tell(protocol, "FEED_DATA")]
    told += protocol.receive(json.dumps(other))
    told += protocol.receive('{"type":"FEED_DATA","channel":1,"data":["Quote",[2.5,"A"]]}')
    told += protocol.receive('{"type":"FEED_CONFIG","channel":1,"dataFormat":"FULL"}')
    assert told == [
        m.Configured(FIELDS, "COMPACT"),
        m.Data(b'["Quote", ["A", 1.5, 2.5]]'),
        m.Configured({"Quote": ["askPrice", "eventSymbol"]}, "COMPACT"),
        m.Data(b'["Quote",[2.5,"A"]]'),
        m.Configured({}, "FULL"),
    ]


class AnyServer(RuleBasedStateMachine):
    """A server that says anything in any order, to a client that does what it may."""

    def __init__(self) -> None:
        super().__init__()
        self.protocol = DXLinkProtocol(TOKEN, FIELDS)
        self.now_secs = 0.0
        self.said: list[dict[str, Any]] = []

    @rule(name=st.sampled_from(sorted(FRAMES)), channel=st.sampled_from([0, 1, 2, 3, -1]))
    def say(self, name: str, channel: int) -> None:
        before = self.protocol.state
        frame = {**FRAMES[name], "channel": channel}
        try:
            self.protocol.receive(json.dumps(frame))
        except ProtocolError:
            assert self.protocol.state is before
            assert TABLE[name, before] == "refused"

    @rule(frame=st.binary(max_size=80) | st.text(max_size=80))
    def babble(self, frame: str | bytes) -> None:
        before = self.protocol.state
        self.protocol.receive(frame)
        assert self.protocol.state is before

    @rule(name=st.sampled_from(sorted(FRAMES)), length=st.integers(0, 400))
    def break_off(self, name: str, length: int) -> None:
        text = json.dumps(FRAMES[name])
        before = self.protocol.state
        events = self.protocol.receive(text[: min(length, len(text) - 1)])
        assert [type(event) for event in events] == [m.Malformed]
        assert self.protocol.state is before

    @rule(action=st.sampled_from(sorted(ACTIONS)))
    def act(self, action: str) -> None:
        before = self.protocol.state
        try:
            ACTIONS[action](self.protocol)
        except ProtocolError:
            assert self.protocol.state is before

    @rule(secs=st.floats(0, 100))
    def wait(self, secs: float) -> None:
        self.now_secs += secs
        for frame in self.protocol.data_to_send(self.now_secs):
            assert len(frame) < MAX_FRAME_BYTES
            self.said.append(json.loads(frame))

    @precondition(lambda self: self.protocol.state is State.CLOSED)
    @rule(secs=st.floats(0, 1_000))
    def nothing_is_said_after_the_end(self, secs: float) -> None:
        self.protocol.data_to_send(self.now_secs)
        assert self.protocol.data_to_send(self.now_secs + secs) == []

    @invariant()
    def the_order_of_our_own_messages_is_kept(self) -> None:
        types = [frame["type"] for frame in self.said if frame["type"] != "KEEPALIVE"]
        handshake = ["SETUP", "AUTH", "CHANNEL_REQUEST", "FEED_SETUP"]
        firsts = [types.index(each) for each in handshake if each in types]
        assert firsts == sorted(firsts)
        assert types.count("SETUP") <= 1
        assert types.count("CHANNEL_REQUEST") <= 1
        if "FEED_SUBSCRIPTION" in types:
            assert types.index("FEED_SUBSCRIPTION") > types.index("FEED_SETUP")
        for frame in self.said:
            assert frame["channel"] == (0 if frame["type"] in {"SETUP", "AUTH", "KEEPALIVE"} else 1)
            assert (TOKEN in json.dumps(frame)) <= (frame["type"] == "AUTH")


TestAnyServer = AnyServer.TestCase
TestAnyServer.settings = settings(deadline=None, max_examples=60, stateful_step_count=30)
