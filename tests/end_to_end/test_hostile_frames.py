"""Any bytes through the whole client: state machine, decoder, live book. No socket.

Whatever comes, the client lives, and what it does not understand changes nothing in the book.
"""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from live_box_spreads.collector.live_book import LiveBook
from live_box_spreads.feeds.base import CONTRACT_SCHEMA, Contracts
from live_box_spreads.feeds.dxlink import messages as m
from live_box_spreads.feeds.dxlink.fast_compact import compile_reader
from live_box_spreads.feeds.dxlink.protocol import DXLinkProtocol, State
from live_box_spreads.feeds.stream_line import StreamLine
from live_box_spreads.feeds.stream_plan import FIELDS, StreamPlan
from live_box_spreads.model.chain import Timeliness
from live_box_spreads.model.errors import ProtocolError

if TYPE_CHECKING:
    from collections.abc import Iterable

NOW = datetime(2026, 11, 24, 16, 0, tzinfo=UTC)
STRIKES = (680.0, 690.0, 700.0)
CONTRACTS = Contracts(
    pl.DataFrame(
        [
            ("XSP", "XSP", date(2026, 12, 18), "PM", strike, "C", f"occ {strike}", f".{strike:g}")
            for strike in STRIKES
        ],
        schema=CONTRACT_SCHEMA,
        orient="row",
    )
)
PLAN = StreamPlan.of(CONTRACTS, {"XSP": 691.0})
HANDSHAKE = [
    {"type": "SETUP", "channel": 0, "version": "1.0", "keepaliveTimeout": 60},
    {"type": "AUTH_STATE", "channel": 0, "state": "AUTHORIZED"},
    {"type": "CHANNEL_OPENED", "channel": 1, "service": "FEED", "parameters": {}},
    {
        "type": "FEED_CONFIG",
        "channel": 1,
        "aggregationPeriod": 0.1,
        "dataFormat": "COMPACT",
        "eventFields": {kind: list(names) for kind, names in FIELDS.items()},
    },
]
GOOD = b'{"type":"FEED_DATA","channel":1,"data":["Quote",[".690",1.25,2.5,3,4]]}'


@pytest.fixture(scope="module", autouse=True)
def _compiled() -> None:
    compile_reader()


class Client:
    """What stands between the socket and a reader of the book."""

    def __init__(self) -> None:
        self.protocol = DXLinkProtocol("secret-token", FIELDS)
        self.line = StreamLine(PLAN, PLAN.subscriptions.sessions[0])
        self.book = LiveBook(CONTRACTS)
        self.protocol.connect()
        for frame in HANDSHAKE:
            self.take(json.dumps(frame))
        self.take(GOOD)

    def take(self, frame: str | bytes) -> list[m.Event]:
        """Do with a frame what a link does; a server that breaks the protocol is left."""
        try:
            events = self.protocol.receive(frame)
        except ProtocolError:
            return []
        for event in events:
            if isinstance(event, m.Configured):
                self.line.configure(event.event_fields)
            elif isinstance(event, m.Data):
                update = self.line.update_of(event.data, NOW)
                if update is not None:
                    self.book.apply(update)
        return events

    def contents(self) -> list[tuple[Any, ...]]:
        chain = self.book.snapshot(NOW, "test", Timeliness.LIVE)
        return [*chain.quotes.fill_nan(None).iter_rows(), (dict(chain.spot),)]

    def bids(self) -> list[float | None]:
        chain = self.book.snapshot(NOW, "test", Timeliness.LIVE)
        return chain.quotes["bid"].fill_nan(None).to_list()


def readable(frame: bytes) -> bool:
    try:
        json.loads(frame)
    except (ValueError, RecursionError):
        return False
    return True


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from([".690", ".700", "XSP", "NaN", "Quote", "Trade", "Summary", "eventSymbol"]),
    lambda inner: (
        st.lists(inner, max_size=6)
        | st.dictionaries(st.sampled_from(["eventType", "eventSymbol", "bidPrice", "x"]), inner)
    ),
    max_leaves=12,
)
TYPES = st.sampled_from(
    ["FEED_DATA", "FEED_CONFIG", "KEEPALIVE", "ERROR", "SETUP", "AUTH_STATE", "DOM_SNAPSHOT"]
)
KEYS = st.sampled_from(["data", "eventFields", "dataFormat", "state", "error", "message"])


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A good frame of some type with bytes gone, changed or put in."""
    text = bytearray(draw(st.sampled_from([GOOD, *(json.dumps(f).encode() for f in HANDSHAKE)])))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(text)))
        text[at : at + draw(st.integers(0, 5))] = draw(st.binary(max_size=4))
    return bytes(text)


@st.composite
def absurd(draw: st.DrawFn) -> bytes:
    """Good JSON, of a type that the client knows, with anything in it."""
    body = draw(st.dictionaries(KEYS, JSON, max_size=3))
    return json.dumps({"type": draw(TYPES), "channel": draw(st.integers(-1, 2)), **body}).encode()


def survives(client: Client, frames: Iterable[bytes]) -> None:
    for frame in frames:
        before = client.contents()
        client.take(frame)
        after = client.contents()
        assert len(after) == len(before)
        if not readable(frame):
            assert after == before


@settings(deadline=None)
@given(st.lists(damaged() | absurd() | st.binary(max_size=60), max_size=6))
def test_the_client_lives_and_what_is_broken_changes_nothing(frames: list[bytes]) -> None:
    client = Client()
    survives(client, frames)
    if client.protocol.state is not State.CLOSED:  # it still understands what is good
        client.take(json.dumps(HANDSHAKE[-1]))
        client.take(GOOD.replace(b"1.25", b"1.75"))
        assert client.bids()[1] == 1.75


def test_every_truncation_of_a_good_frame_changes_nothing() -> None:
    client = Client()
    before = client.contents()
    other = GOOD.replace(b"1.25", b"9.75")
    for length in range(len(other)):
        client.take(other[:length])
    assert client.contents() == before
    assert client.protocol.malformed == len(other)
    client.take(other)
    assert client.bids() == [None, 9.75, None]


@pytest.mark.parametrize(
    "data",
    [
        '["Quote",[".690",1,2,3]]',  # a value is missing
        '["Quote",[".690",true,{},3,4]]',
        '["Quote",[".690","1e400x",2,3,4]]',
        '["Quote",[null,1,2,3,4]]',
        '["Quote",[".000",1,2,3,4]]',
        '["Greeks",[".690",1,2,3,4]]',
        '["Quote",{"eventSymbol":".690","bidPrice":9}]',
        '["Quote"]',
        "[[],[]]",
        "[" * 500 + "]" * 500,
        '[{"eventType":"Quote","bidPrice":9}]',
        '["Quote",[".690",1e999,2,3,4]]',
    ],
)
def test_data_that_makes_no_sense_changes_nothing(data: str) -> None:
    client = Client()
    before = client.contents()
    client.take(f'{{"type":"FEED_DATA","channel":1,"data":{data}}}')
    assert client.contents() == before
    decoder = client.line.decoder
    counted = decoder.malformed + decoder.unknown + decoder.unreadable
    assert counted + decoder.unconfigured.total() > 0
