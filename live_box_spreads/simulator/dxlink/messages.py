"""The DXLink messages that a client may send, as types; malformed frames for tests of clients."""

from __future__ import annotations

import msgspec

_DEPTH = 2_000
GARBLED = (
    "",
    "null",
    "{",
    '{"type":"FEED_DATA","channel":1}',
    '{"type":"FEED_DATA","channel":1,"data":{}}',
    '{"type":"FEED_DATA","channel":1,"data":["Quote"]}',
    '{"type":"FEED_DATA","channel":1,"data":["Quote",[1]]}',
    '{"type":"FEED_DATA","channel":1,"data":["Quote",{"eventSymbol":1}]}',
    '{"type":"FEED_DATA","channel":1,"data":[[],"Quote"]}',
    '{"type":"FEED_DATA","channel":1,"data":[null,true,1e999]}',
    '{"type":"FEED_DATA","channel":"1","data":[]}',
    '{"type":["FEED_DATA"],"channel":1,"data":[]}',
    '{"type":"FEED_DATA","channel":1,"data":["Quote",[' + "[" * _DEPTH,
    "[" * _DEPTH + "]" * _DEPTH,
    "\x00\x01\ufffd",
    "<html><body>502 Bad Gateway</body></html>",
)
"""Broken or absurd, in place of a FEED_DATA frame."""

NOISE = (
    '{"type":"GREETINGS","channel":0,"data":[1,2,3]}',
    '{"type":"FEED_DATA","channel":99,"data":["Quote",["X",1,2]]}',
    '{"type":"DOM_SNAPSHOT","channel":1,"time":0,"bids":[],"asks":[]}',
    '{"type":"CHANNEL_CLOSED","channel":7}',
    '{"type":"FEED_DATA","channel":1,"data":["Greeks",["X",0.5]]}',
    '{"type":"FEED_DATA","channel":1,"data":[]}',
    '{"type":"KEEPALIVE","channel":0,"unexpected":{"deep":[[[]]]}}',
)
"""Well-formed, and without meaning for a client that wants quotes."""


class Message(msgspec.Struct, tag_field="type", rename="camel"):
    """What every message has.

    Attributes:
        channel: 0 for the connection itself, odd for a service.
    """

    channel: int


class Setup(Message, tag="SETUP"):
    """First message of a connection; timeouts in seconds."""

    version: str
    keepalive_timeout: float = 60.0
    accept_keepalive_timeout: float = 60.0


class Auth(Message, tag="AUTH"):
    """Shows the quote token."""

    token: str


class Keepalive(Message, tag="KEEPALIVE"):
    """Keeps the connection open."""


class Error(Message, tag="ERROR"):
    """Reports a problem to the server; for information only."""

    error: str
    message: str = ""


class ChannelRequest(Message, tag="CHANNEL_REQUEST"):
    """Asks for a channel to a service."""

    service: str
    parameters: dict[str, object] = msgspec.field(default_factory=dict)


class ChannelCancel(Message, tag="CHANNEL_CANCEL"):
    """Closes a channel."""


class FeedSetup(Message, tag="FEED_SETUP"):
    """What the client would like; the aggregation period is in seconds."""

    accept_aggregation_period: float | None = None
    accept_data_format: str | None = None
    accept_event_fields: dict[str, list[str]] | None = None


class Subscription(msgspec.Struct, frozen=True):
    """One symbol of one event type."""

    type: str
    symbol: str


class FeedSubscription(Message, tag="FEED_SUBSCRIPTION"):
    """Changes what is subscribed: first reset, then removals, then additions."""

    add: list[Subscription] = msgspec.field(default_factory=list)
    remove: list[Subscription] = msgspec.field(default_factory=list)
    reset: bool = False


ClientMessage = (
    Setup | Auth | Keepalive | Error | ChannelRequest | ChannelCancel | FeedSetup | FeedSubscription
)
DECODER: msgspec.json.Decoder[ClientMessage] = msgspec.json.Decoder(ClientMessage)
