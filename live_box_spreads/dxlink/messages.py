"""DXLink frames from the server, and the events that the state machine makes of them.

Source: the dxLink AsyncAPI specification, version 1.0.2.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import msgspec

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Mapping

UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""Errors that decoding an invalid text may raise."""

_MOST_KINDS = 50
_LONGEST_KIND = 40


def tally(counts: Counter[str], kind: str, times: int = 1) -> None:
    """Count something by a name that the server chose, without letting it fill our memory."""
    kind = kind[:_LONGEST_KIND]
    counts[kind if kind in counts or len(counts) < _MOST_KINDS else "others"] += times


class Frame(msgspec.Struct, frozen=True, tag_field="type"):
    """Any frame; its type is the tag."""

    channel: int


class Setup(Frame, frozen=True, tag="SETUP", rename="camel"):
    """The server's version, and the silence in seconds after which it closes."""

    version: str = ""
    keepalive_timeout: float = 60.0


class AuthState(Frame, frozen=True, tag="AUTH_STATE"):
    """Whether the token was accepted, or that one is needed."""

    state: Literal["AUTHORIZED", "UNAUTHORIZED"]


class ChannelOpened(Frame, frozen=True, tag="CHANNEL_OPENED"):
    """The channel that we requested stands."""


class ChannelClosed(Frame, frozen=True, tag="CHANNEL_CLOSED"):
    """The channel is closed, by us or by the server."""


class FeedConfig(Frame, frozen=True, tag="FEED_CONFIG", rename="camel"):
    """How the data that follows is laid out; event types not named keep their layout."""

    event_fields: dict[str, list[str]] = {}
    data_format: Literal["COMPACT", "FULL"] = "COMPACT"
    aggregation_period: float = 0.0


class FeedData(Frame, frozen=True, tag="FEED_DATA"):
    """Market events, not decoded yet: see ``FeedDecoder``."""

    data: msgspec.Raw


class Keepalive(Frame, frozen=True, tag="KEEPALIVE"):
    """A sign of life."""


class PeerError(Frame, frozen=True, tag="ERROR"):
    """The server complains; this informs and closes nothing by itself."""

    error: str = "UNKNOWN"
    message: str = ""


ServerFrame: TypeAlias = (
    Setup
    | AuthState
    | ChannelOpened
    | ChannelClosed
    | FeedConfig
    | FeedData
    | Keepalive
    | PeerError
)


class Envelope(msgspec.Struct, frozen=True):
    """What every frame has, of a type known or not."""

    type: str
    channel: int = 0


@dataclass(frozen=True, slots=True)
class Connected:
    """The server answered our SETUP."""

    version: str
    keepalive_timeout_secs: float


@dataclass(frozen=True, slots=True)
class Authorized:
    """The token was accepted, or none was needed."""


@dataclass(frozen=True, slots=True)
class Unauthorized:
    """The token was refused, or has ceased to be valid; a fresh one is needed."""


@dataclass(frozen=True, slots=True)
class Opened:
    """The feed channel stands; subscriptions may be sent."""


@dataclass(frozen=True, slots=True)
class Closed:
    """The feed channel is gone."""


@dataclass(frozen=True, slots=True)
class Configured:
    """A new layout of the data that follows."""

    event_fields: Mapping[str, list[str]] = field(default_factory=dict)
    data_format: str = "COMPACT"


@dataclass(frozen=True, slots=True)
class Data:
    """Market events in the last layout, as the JSON array that came: see ``FeedDecoder``."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Complaint:
    """An ERROR frame: ``error`` such as ``BAD_ACTION``, ``message`` for people."""

    channel: int
    error: str
    message: str


@dataclass(frozen=True, slots=True)
class Malformed:
    """A frame that could not be read and was skipped; ``reason`` holds none of its content."""

    reason: str


Event: TypeAlias = (
    Connected
    | Authorized
    | Unauthorized
    | Opened
    | Closed
    | Configured
    | Data
    | Complaint
    | Malformed
)
