"""One DXLink connection as the server sees it: text in, text out; no sockets, no clock."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

import msgspec

from live_box_spreads.simulator.dxlink.channel import FeedChannel, Frame
from live_box_spreads.simulator.dxlink.messages import (
    DECODER,
    GARBLED,
    NOISE,
    Auth,
    ChannelCancel,
    ChannelRequest,
    ClientMessage,
    FeedSetup,
    FeedSubscription,
    Setup,
    Subscription,
)

if TYPE_CHECKING:
    from live_box_spreads.simulator.credentials import TokenIssuer
    from live_box_spreads.simulator.faults import Faults
    from live_box_spreads.simulator.market.market import Market

KEEPALIVE_SECS = 60.0
AUTH_STATE_DELAY_SECS = 0.01
"""AUTH_STATE follows SETUP after this. An AUTH may overtake it (the specification asks for SETUP
before AUTH and no more); servers that refuse that are ``Faults.strict_auth_order``."""

CLOSE_NORMAL, CLOSE_TOO_BIG = 1000, 1009
_PROTOCOLS = ("0.1", "1.0")
_CONTRACTS = {"AUTO", "TICKER", "STREAM", "HISTORY"}


class DxlinkSession:
    """The state machine.

    Feed it with :meth:`received` and :meth:`tick`, send what :meth:`outgoing` gives, then close
    the socket once ``close`` is set. Times are seconds of one clock.

    Attributes:
        close: code and reason to close the socket with; None while it stays open.
    """

    def __init__(
        self,
        market: Market,
        symbol_rows: dict[str, int],
        tokens: TokenIssuer,
        faults: Faults,
        now_secs: float,
    ) -> None:
        """Start at the moment the socket opened.

        Args:
            market: where events come from.
            symbol_rows: instrument number by DXLink symbol.
            tokens: checks the quote tokens.
            faults: injected misbehaviour.
            now_secs: the clock now.
        """
        self.close: tuple[int, str] | None = None
        self._market = market
        self._symbol_rows = symbol_rows
        self._tokens = tokens
        self._faults = faults
        self._outgoing: list[str] = []
        self._channels: dict[int, FeedChannel] = {}
        self._changes: deque[tuple[float, int]] = deque()
        self._credential: str | None = None
        self._token = ""
        self._auth_state_due_secs: float | None = None
        self._is_set_up = False
        self._knows_auth_state = False
        self._client_timeout_secs = KEEPALIVE_SECS
        self._server_timeout_secs = KEEPALIVE_SECS
        self._received_at_secs = self._sent_at_secs = now_secs

    def outgoing(self, now_secs: float) -> list[str]:
        """Take the texts to send now, oldest first."""
        if self._faults.frozen:
            return []
        texts, self._outgoing = self._outgoing, []
        if texts:
            self._sent_at_secs = now_secs
        return texts

    def received(self, text: str, now_secs: float) -> None:
        """Take a text frame from the client."""
        self._received_at_secs = now_secs
        longest = self._faults.most_frame_bytes
        if len(text.encode()) > longest:
            self._error(0, "INVALID_MESSAGE", f"Message exceeds {longest} bytes")
            self.close = (CLOSE_TOO_BIG, "Message too big")
            return
        try:
            message = DECODER.decode(text)
        except msgspec.MsgspecError as error:
            self._error(0, "INVALID_MESSAGE", f"The message cannot be read: {error}")
            return
        self._take(message, now_secs)

    def tick(self, now_secs: float) -> None:
        """Let time pass: due data, keepalives and timeouts."""
        if self._faults.frozen:
            return
        self._send_due_auth_state(now_secs)
        self._send_injected(now_secs)
        for channel in self._channels.values():
            for frame in channel.frames(now_secs):
                self._send(frame)
        silent_secs = now_secs - self._received_at_secs
        if silent_secs >= self._client_timeout_secs:
            text = f"The timeout has been reached. Last message {silent_secs:.0f} seconds ago."
            self._error(0, "TIMEOUT", text)
            self.close = (CLOSE_NORMAL, "Bye")
        elif not self._outgoing and now_secs - self._sent_at_secs >= self._server_timeout_secs / 2:
            self._send({"type": "KEEPALIVE", "channel": 0})

    def hang_up(self) -> None:
        """Close as after a silence of the client."""
        self._error(0, "TIMEOUT", "The timeout has been reached.")
        self.close = (CLOSE_NORMAL, "Bye")

    def close_channels(self) -> None:
        """Close every channel, as a service that restarts."""
        for number in self._channels:
            self._send({"type": "CHANNEL_CLOSED", "channel": number})
        self._channels.clear()

    def revoke(self) -> None:
        """Take the authorization away, as when the token expires; its channels fall silent."""
        self.ended()
        self._channels.clear()
        self._send_auth_state()

    def ended(self) -> None:
        """Note that the socket is gone."""
        if self._credential is not None:
            self._tokens.close_dxlink_session(self._credential)
            self._credential = None

    def _take(self, message: ClientMessage, now_secs: float) -> None:
        match message:
            case Setup():
                self._set_up(message, now_secs)
            case Auth():
                self._authorise(message, now_secs)
            case ChannelRequest():
                self._open_channel(message)
            case ChannelCancel() | FeedSetup() | FeedSubscription():
                self._on_channel(message, now_secs)
            case _:
                return  # KEEPALIVE and ERROR: being received is all they are for

    def _set_up(self, message: Setup, now_secs: float) -> None:
        if not message.version.startswith(_PROTOCOLS):
            text = f"Protocol version {message.version} is not supported"
            self._error(0, "UNSUPPORTED_PROTOCOL", text)
            return
        self._is_set_up = True
        self._server_timeout_secs = message.keepalive_timeout
        agreed_secs = min(KEEPALIVE_SECS, message.accept_keepalive_timeout)
        self._client_timeout_secs = self._faults.idle_close_secs or agreed_secs
        self._auth_state_due_secs = now_secs + AUTH_STATE_DELAY_SECS
        if self._faults.auth_state_first:
            self._send_due_auth_state(self._auth_state_due_secs)
        self._send(
            {
                "type": "SETUP",
                "channel": 0,
                "keepaliveTimeout": self._client_timeout_secs,
                "acceptKeepaliveTimeout": self._server_timeout_secs,
                "version": "1.0-simulator",
            }
        )

    def _send_due_auth_state(self, now_secs: float) -> None:
        due = self._auth_state_due_secs
        if due is not None and now_secs >= due:
            self._auth_state_due_secs = None
            self._knows_auth_state = True
            self._send_auth_state()

    def _authorise(self, message: Auth, now_secs: float) -> None:
        if not self._is_set_up or (self._faults.strict_auth_order and not self._knows_auth_state):
            awaited = "AUTH_STATE was sent" if self._is_set_up else "SETUP"
            self._error(0, "BAD_ACTION", f"AUTH came before {awaited}")
            return
        if self._auth_state_due_secs is not None:  # it comes first, whatever AUTH leads to
            self._send_due_auth_state(self._auth_state_due_secs)
        if self._credential is None:
            self._token = message.token
            self._credential = self._tokens.open_dxlink_session(message.token, now_secs)
        elif self._tokens.quote_token_is_good(message.token, now_secs):
            self._token = message.token  # authorized anew, with a token that lasts longer
        if self._credential is None:
            self._error(0, "UNAUTHORIZED", "The token is not valid, or has too many sessions")
        self._send_auth_state()

    def _send_auth_state(self) -> None:
        state = "UNAUTHORIZED" if self._credential is None else "AUTHORIZED"
        self._send({"type": "AUTH_STATE", "channel": 0, "state": state})

    def _open_channel(self, message: ChannelRequest) -> None:
        number = message.channel
        contract = message.parameters.get("contract", "AUTO")
        if self._credential is None:
            self._error(number, "UNAUTHORIZED", "The session is not authorized")
        elif number % 2 == 0 or number < 0:
            self._error(number, "BAD_ACTION", "Client channels have odd numbers")
        elif number in self._channels:
            self._error(number, "BAD_ACTION", "The channel is already open")
        elif message.service != "FEED" or contract not in _CONTRACTS:
            self._error(number, "BAD_ACTION", f"No service {message.service} ({contract})")
        else:
            self._channels[number] = FeedChannel(
                number, self._market, self._symbol_rows, self._faults
            )
            self._send(
                {
                    "type": "CHANNEL_OPENED",
                    "channel": number,
                    "service": "FEED",
                    "parameters": {"contract": contract, "subFormat": "LIST"},
                }
            )

    def _on_channel(
        self, message: ChannelCancel | FeedSetup | FeedSubscription, now_secs: float
    ) -> None:
        channel = self._channels.get(message.channel)
        if channel is None:
            self._error(message.channel, "BAD_ACTION", "The channel is not open")
        elif isinstance(message, ChannelCancel):
            del self._channels[channel.number]
            self._send({"type": "CHANNEL_CLOSED", "channel": channel.number})
        elif isinstance(message, FeedSetup):
            self._send(channel.configure(message))
        else:
            self._subscribe(channel, message, now_secs)

    def _subscribe(self, channel: FeedChannel, message: FeedSubscription, now_secs: float) -> None:
        if message.reset:
            channel.reset()
        allowed = self._allowed_changes(len(message.remove) + len(message.add), now_secs)
        for unwanted in message.remove[:allowed]:
            channel.remove(unwanted)
        added = message.add[: max(0, allowed - len(message.remove))]
        if allowed < len(message.remove) + len(message.add):
            self._error(channel.number, "BAD_ACTION", "Your subscription rate is too high")
        if [wanted for wanted in added if not self._add(channel, wanted)]:
            self._error(channel.number, "BAD_ACTION", "Your subscription size is too big")

    def _add(self, channel: FeedChannel, wanted: Subscription) -> bool:
        """Subscribe unless the session is full; return whether it is held now."""
        size = sum(each.size for each in self._channels.values())
        if size >= self._faults.most_subscriptions and not channel.holds(wanted):
            return False
        channel.add(wanted)
        return True

    def _allowed_changes(self, wanted: int, now_secs: float) -> int:
        """Return how many of these changes fit into the rolling minute, and count those."""
        while self._changes and self._changes[0][0] <= now_secs - 60.0:
            self._changes.popleft()
        taken = sum(count for _, count in self._changes)
        room = max(0, self._faults.most_changes_a_minute - taken)
        allowed = min(wanted, room)
        self._changes.append((now_secs, allowed))
        return allowed

    def _error(self, channel: int, kind: str, message: str) -> None:
        self._send({"type": "ERROR", "channel": channel, "error": kind, "message": message})

    def _send_injected(self, now_secs: float) -> None:
        """Send the injected frames."""
        faults = self._faults
        authorised = faults.expiry_ends_sessions and self._credential is not None
        if authorised and not self._tokens.quote_token_is_good(self._token, now_secs):
            self.revoke()
        if faults.take_one("error_frames"):
            self._error(0, "UNKNOWN", "Something went wrong")
        if faults.take_one("noise_frames"):
            self._outgoing.append(NOISE[faults.noise_frames % len(NOISE)])

    def _send(self, frame: Frame | dict[str, Any]) -> None:
        text = msgspec.json.encode(frame).decode()
        if frame["type"] == "FEED_DATA":
            if self._faults.take_one("truncated_frames"):
                text = text[: len(text) // 2]
            elif self._faults.take_one("garbled_frames"):
                text = GARBLED[self._faults.garbled_frames % len(GARBLED)]
        self._outgoing.append(text)
