"""DXLink as a state machine: frames in, events and frames out. No socket, no clock.

    protocol = DXLinkProtocol(token, {"Quote": ["eventSymbol", "bidPrice", …]})
    protocol.connect()
    send(protocol.data_to_send(now_secs))            # a list of frames
    for event in protocol.receive(frame): …

Order of the handshake: SETUP → wait for AUTH_STATE UNAUTHORIZED → AUTH → wait for AUTHORIZED →
CHANNEL_REQUEST → CHANNEL_OPENED → FEED_SETUP → subscriptions. Times are seconds on any clock
that never goes back.

    NEW ─connect─► CONNECTING ─UNAUTHORIZED─► AUTHORIZING ─AUTHORIZED─► OPENING ─OPENED─► OPEN
                        └───────────────AUTHORIZED───────────────────────►┘
    AUTHORIZING, OPENING, OPEN, CLOSING ─UNAUTHORIZED─► CLOSED
    OPENING, OPEN, CLOSING ─CHANNEL_CLOSED─► CLOSED        OPEN ─close─► CLOSING

``_LEGAL`` has the frames that a server may send in each state; any other breaks the protocol.
"""

from __future__ import annotations

from collections import Counter
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

import msgspec

from live_box_spreads import __version__
from live_box_spreads.dxlink import messages as m
from live_box_spreads.model.errors import ProtocolError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

VERSION: Final = f"0.1-live-box-spreads/{__version__}"
KEEPALIVE_TIMEOUT_SECS: Final = 60
"""Silence after which either side may take the other for dead."""

MAX_FRAME_BYTES: Final = 65_536
"""A longer client frame is answered with an error and close code 1009."""

_SHORTEST_KEEPALIVE_SECS: Final = 1.0
"""A server that wants to hear of us more often than that wants us busy."""

FEED_CHANNEL: Final = 1
"""Client channels are odd; one is enough."""


class State(Enum):
    """The state of a session."""

    NEW = "new"
    CONNECTING = "waiting for SETUP and AUTH_STATE"
    AUTHORIZING = "waiting for the token to be accepted"
    OPENING = "waiting for the feed channel"
    OPEN = "subscriptions may be sent"
    CLOSING = "waiting for the feed channel to close"
    CLOSED = "over"


_BEGUN = frozenset(State) - {State.NEW, State.CLOSED}
_CHANNEL_ASKED = frozenset({State.OPENING, State.OPEN, State.CLOSING})
_LEGAL: Final[Mapping[type[m.Frame], frozenset[State]]] = {
    m.Setup: _BEGUN,
    m.AuthState: _BEGUN,
    m.Keepalive: _BEGUN,
    m.PeerError: _BEGUN,
    m.ChannelOpened: frozenset({State.OPENING}),
    m.ChannelClosed: _CHANNEL_ASKED,
    m.FeedConfig: frozenset({State.OPEN, State.CLOSING}),
    m.FeedData: frozenset({State.OPEN, State.CLOSING}),
}
"""States in which a server may send each type of frame; in CLOSED it sends none."""

_OF_CONNECTION: Final = (m.Setup, m.AuthState, m.Keepalive)
"""Frames of channel 0; an ERROR may concern any channel."""


class DXLinkProtocol:
    """One session on one websocket, from SETUP to the end.

    Attributes:
        state: the state of the session.
        ignored: frames of unknown types or other channels, or after the end, counted by type.
        malformed: number of frames that could not be read.
    """

    def __init__(
        self,
        token: str,
        fields: Mapping[str, Sequence[str]],
        *,
        aggregation_secs: float = 0.1,
        keepalive_secs: float = 30.0,
    ) -> None:
        """Prepare a session.

        Args:
            token: quote token; leaves this object in the AUTH frame only.
            fields: wanted fields by event type; the server may give fewer.
            aggregation_secs: period over which the server may conflate events.
            keepalive_secs: send a sign of life after this long without another frame, or after
                half of what the server's SETUP allows if that is less.
        """
        self.state = State.NEW
        self.ignored: Counter[str] = Counter()
        self.malformed = 0
        self._token = token
        self._secrets = {token} - {""}
        self._fields = {event_type: list(names) for event_type, names in fields.items()}
        self._aggregation_secs = aggregation_secs
        self._keepalive_secs = keepalive_secs
        self._outgoing: list[bytes] = []
        self._last_sent_secs: float | None = None
        self._setup_seen = False
        self._early_auth_state = ""
        self._decode = msgspec.json.Decoder(m.ServerFrame).decode
        self._handlers: dict[type[m.Frame], Callable[[Any], list[m.Event]]] = {
            m.Setup: self._on_setup,
            m.AuthState: self._on_auth_state,
            m.ChannelOpened: self._on_channel_opened,
            m.ChannelClosed: self._on_channel_closed,
            m.FeedConfig: self._on_feed_config,
            m.FeedData: self._on_feed_data,
            m.Keepalive: self._on_keepalive,
            m.PeerError: self._on_peer_error,
        }
        self._known_types = {_type_name(shape) for shape in self._handlers}

    def connect(self) -> None:
        """Queue the first frame.

        Raises:
            ProtocolError: not the beginning of the session.
        """
        self._require(State.NEW, "connect")
        self._queue(
            "SETUP",
            0,
            version=VERSION,
            keepaliveTimeout=KEEPALIVE_TIMEOUT_SECS,
            acceptKeepaliveTimeout=KEEPALIVE_TIMEOUT_SECS,
        )
        self.state = State.CONNECTING

    def subscribe(self, subscriptions: Iterable[tuple[str, str]], *, reset: bool = False) -> None:
        """Queue a FEED_SUBSCRIPTION that adds.

        Args:
            subscriptions: (event type, symbol) pairs; see ``subscriptions.chunks`` for the size.
            reset: forget all earlier subscriptions first.

        Raises:
            ProtocolError: the channel is not open, or the frame would be too long.
        """
        self._change_subscription("add", subscriptions, reset=reset)

    def unsubscribe(self, subscriptions: Iterable[tuple[str, str]]) -> None:
        """Queue a FEED_SUBSCRIPTION that removes (event type, symbol) pairs.

        Raises:
            ProtocolError: the channel is not open, or the frame would be too long.
        """
        self._change_subscription("remove", subscriptions, reset=False)

    def authorize(self, token: str) -> None:
        """Queue another AUTH, with a token that replaces the one in use; channels stay open.

        Raises:
            ProtocolError: the channel is not open.
        """
        self._require(State.OPEN, "change the token")
        self._token = token
        self._secrets.add(token)
        self._queue("AUTH", 0, token=token)

    def close(self) -> None:
        """Queue the end of the feed channel.

        Raises:
            ProtocolError: the channel is not open.
        """
        self._require(State.OPEN, "close the channel")
        self._queue("CHANNEL_CANCEL", FEED_CHANNEL)
        self.state = State.CLOSING

    def keepalive_due_in(self, now_secs: float) -> float:
        """Return the seconds left until a sign of life is due; 0 if it is overdue."""
        if self._last_sent_secs is None:
            return self._keepalive_secs
        return max(0.0, self._last_sent_secs + self._keepalive_secs - now_secs)

    def data_to_send(self, now_secs: float) -> list[bytes]:
        """Return the frames to send now, with a KEEPALIVE if one is due, and forget them."""
        started = self.state not in {State.NEW, State.CLOSED}
        if started and not self._outgoing and self.keepalive_due_in(now_secs) <= 0:
            self._queue("KEEPALIVE", 0)
        frames, self._outgoing = self._outgoing, []
        if frames:
            self._last_sent_secs = now_secs
        return frames

    def receive(self, frame: str | bytes) -> list[m.Event]:
        """Take a frame from the server and return what it means; never fails on its content.

        Raises:
            ProtocolError: a good frame that the server may not send in this state; it has
                changed nothing.
        """
        try:
            message = self._decode(frame)
        except m.UNREADABLE as error:
            return self._unreadable(frame, error)
        shape = type(message)
        if self.state is State.CLOSED or _is_foreign(message):
            self.ignored[_type_name(shape)] += 1
            return []
        if self.state not in _LEGAL[shape]:
            raise ProtocolError(
                f"the DXLink server sent {_type_name(shape)} out of order: {self.state.value}"
            )
        return self._handlers[shape](message)

    def _unreadable(self, frame: str | bytes, error: Exception) -> list[m.Event]:
        """Ignore a frame of a type we do not know; report one that is broken."""
        try:
            envelope = msgspec.json.decode(frame, type=m.Envelope)
        except m.UNREADABLE:
            kind = "unreadable"
        else:
            if envelope.type not in self._known_types:
                m.tally(self.ignored, envelope.type)
                return []
            kind = f"{envelope.type} of another shape"
        return self._malformed(f"{kind} frame of {len(frame)} characters: {type(error).__name__}")

    def _malformed(self, reason: str) -> list[m.Event]:
        self.malformed += 1
        return [m.Malformed(reason)]

    def _on_setup(self, message: m.Setup) -> list[m.Event]:
        self._setup_seen = True
        if message.keepalive_timeout > 0:
            allowed_secs = max(_SHORTEST_KEEPALIVE_SECS, message.keepalive_timeout / 2)
            self._keepalive_secs = min(self._keepalive_secs, allowed_secs)
        early, self._early_auth_state = self._early_auth_state, ""
        return [
            m.Connected(message.version, message.keepalive_timeout),
            *(self._after_auth_state(early) if early else []),
        ]

    def _on_auth_state(self, message: m.AuthState) -> list[m.Event]:
        if not self._setup_seen:  # some servers send it first; it waits for their SETUP
            self._early_auth_state = message.state
            return []
        return self._after_auth_state(message.state)

    def _after_auth_state(self, state: str) -> list[m.Event]:
        if state == "AUTHORIZED":
            if self.state in {State.CONNECTING, State.AUTHORIZING}:
                parameters = {"contract": "AUTO"}
                self._queue("CHANNEL_REQUEST", FEED_CHANNEL, service="FEED", parameters=parameters)
                self.state = State.OPENING
            return [m.Authorized()]
        if self.state is State.CONNECTING:
            self._queue("AUTH", 0, token=self._token)
            self.state = State.AUTHORIZING
            return []
        self.state = State.CLOSED
        return [m.Unauthorized()]

    def _on_channel_opened(self, _message: m.ChannelOpened) -> list[m.Event]:
        self._queue(
            "FEED_SETUP",
            FEED_CHANNEL,
            acceptAggregationPeriod=self._aggregation_secs,
            acceptDataFormat="COMPACT",
            acceptEventFields=self._fields,
        )
        self.state = State.OPEN
        return [m.Opened()]

    def _on_channel_closed(self, _message: m.ChannelClosed) -> list[m.Event]:
        self.state = State.CLOSED
        return [m.Closed()]

    def _on_feed_config(self, message: m.FeedConfig) -> list[m.Event]:
        return [m.Configured(message.event_fields, message.data_format)]

    def _on_feed_data(self, message: m.FeedData) -> list[m.Event]:
        data = bytes(message.data)
        if not data.startswith(b"["):
            return self._malformed(f"FEED_DATA of {len(data)} characters without an array")
        return [m.Data(data)]

    def _on_keepalive(self, _message: m.Keepalive) -> list[m.Event]:
        return []

    def _on_peer_error(self, message: m.PeerError) -> list[m.Event]:
        text = message.message
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return [m.Complaint(message.channel, message.error, text)]

    def _change_subscription(
        self, change: str, subscriptions: Iterable[tuple[str, str]], *, reset: bool
    ) -> None:
        self._require(State.OPEN, "subscribe")
        body: dict[str, Any] = {"reset": True} if reset else {}
        items = [{"type": event_type, "symbol": symbol} for event_type, symbol in subscriptions]
        if items:
            body[change] = items
        if body:
            self._queue("FEED_SUBSCRIPTION", FEED_CHANNEL, **body)

    def _queue(self, message_type: str, channel: int, **body: Any) -> None:
        frame = msgspec.json.encode({"type": message_type, "channel": channel, **body})
        if len(frame) >= MAX_FRAME_BYTES:
            raise ProtocolError(
                f"a {message_type} frame of {len(frame)} bytes; the server takes less than "
                f"{MAX_FRAME_BYTES}: send it in chunks"
            )
        self._outgoing.append(frame)

    def _require(self, state: State, action: str) -> None:
        if self.state is not state:
            raise ProtocolError(f"cannot {action} on DXLink now: {self.state.value}")


def _type_name(shape: type[m.Frame]) -> str:
    return str(shape.__struct_config__.tag)


def _is_foreign(message: m.Frame) -> bool:
    """Return whether a frame belongs to a channel that is not ours."""
    if isinstance(message, m.PeerError):
        return False
    return message.channel != (0 if isinstance(message, _OF_CONNECTION) else FEED_CHANNEL)
