"""The faults that the simulated exchange can be set to have, by attribute or by name."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from math import isfinite
from typing import TYPE_CHECKING, Any

from live_box_spreads.model.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_SUBSCRIPTIONS = 25_000
MOST_CHANGES_A_MINUTE = 10_000
MOST_FRAME_BYTES = 65_536

RISING = frozenset({"access_revocations", "channel_closes", "idle_closes", "resets", "revocations"})
"""Counters whose every change is one event; they never go back."""

_SWITCH = {"true": True, "": True, "false": False}


@dataclass(slots=True)
class Faults:
    """Injected misbehaviour; change it at any time, from any thread.

    ``Next …`` counters go down as they are used up. docs/simulator.md has the same list by topic.

    Attributes:
        html_401_responses: next REST calls answered 401 with an HTML page.
        html_502_responses: next REST calls answered 502 with an HTML page.
        not_acceptable_responses: next REST calls answered 406.
        throttled_responses: next REST calls answered 429.
        truncated_responses: next REST calls answered 200 with JSON that breaks off.
        trickled_responses: next REST calls answered a byte every tenth of a second, without end.
        bomb_responses: next REST calls answered 200 with 1 MB of gzip that unpacks to 1 GB.
        rest_delay_secs: pause before each REST answer.
        refused_upgrades: next websocket upgrades answered 502.
        access_token_secs: life of access tokens issued from now on.
        quote_token_secs: life of quote tokens issued from now on.
        access_revocations: raise it by one to void all access tokens given out so far.
        expiry_ends_sessions: an open DXLink session loses its authorization when its quote token
            expires, which else only matters at AUTH.
        device_challenge: password logins need a code sent to the user's device.
        demo_level: quote tokens are of level ``demo`` and name the address of delayed quotes.
        strict_auth_order: an AUTH that does not wait for AUTH_STATE is an error.
        auth_state_first: AUTH_STATE goes out ahead of the server's SETUP.
        eager_config: FEED_CONFIG names all fields at once, not before the first data of a type.
        withheld_fields: DXLink fields left out of FEED_CONFIG, though asked for.
        reversed_fields: fields come in the opposite of the order asked for.
        full_format: data comes in FULL format, though COMPACT was asked for.
        sizes_unknown: quotes carry "NaN" sizes, as after hours.
        unquoted_symbols: DXLink symbols whose quotes carry "NaN" prices and sizes.
        silent_symbols: DXLink symbols that send nothing.
        silent_roots: option roots whose contracts send nothing, while the others go on.
        truncated_frames: next FEED_DATA frames cut off in the middle.
        garbled_frames: next FEED_DATA frames replaced by JSON that is broken or absurd.
        noise_frames: frames of unknown types and channels to send.
        error_frames: ERROR frames without a cause to send.
        repeated_rows: every event comes twice in its frame, and the frame back to front.
        frame_delay_secs: pause before each DXLink frame.
        frozen: websockets stay open, but nothing is sent, not even keepalives.
        resets: raise it by one to cut all open websockets without a closing handshake.
        idle_closes: raise it by one to close all open websockets as if their clients were silent.
        idle_close_secs: silence of a client after which its websocket is closed; 0 is what SETUP
            agrees on, 60.
        channel_closes: raise it by one to close all channels.
        revocations: raise it by one to take the authorization of all open DXLink sessions away,
            as when their tokens expire.
        most_subscriptions: subscriptions that a session holds; what is beyond stays silent.
        most_changes_a_minute: subscription changes taken in any minute; the rest is dropped.
        most_frame_bytes: longest client frame; a longer one is answered with close code 1009.
        paused: the market stands still, while the exchange stays up.
    """

    html_401_responses: int = 0
    html_502_responses: int = 0
    not_acceptable_responses: int = 0
    throttled_responses: int = 0
    truncated_responses: int = 0
    trickled_responses: int = 0
    bomb_responses: int = 0
    rest_delay_secs: float = 0.0
    refused_upgrades: int = 0
    access_token_secs: float = 900.0
    quote_token_secs: float = 86_400.0
    access_revocations: int = 0
    expiry_ends_sessions: bool = False
    device_challenge: bool = False
    demo_level: bool = False
    strict_auth_order: bool = False
    auth_state_first: bool = False
    eager_config: bool = False
    withheld_fields: set[str] = field(default_factory=set)
    reversed_fields: bool = False
    full_format: bool = False
    sizes_unknown: bool = False
    unquoted_symbols: set[str] = field(default_factory=set)
    silent_symbols: set[str] = field(default_factory=set)
    silent_roots: set[str] = field(default_factory=set)
    truncated_frames: int = 0
    garbled_frames: int = 0
    noise_frames: int = 0
    error_frames: int = 0
    repeated_rows: bool = False
    frame_delay_secs: float = 0.0
    frozen: bool = False
    resets: int = 0
    idle_closes: int = 0
    idle_close_secs: float = 0.0
    channel_closes: int = 0
    revocations: int = 0
    most_subscriptions: int = MOST_SUBSCRIPTIONS
    most_changes_a_minute: int = MOST_CHANGES_A_MINUTE
    most_frame_bytes: int = MOST_FRAME_BYTES
    paused: bool = False

    def take_one(self, counter: str) -> bool:
        """Use up one of a ``Next …`` counter; return whether there was one."""
        left: int = getattr(self, counter)
        if left <= 0:
            return False
        setattr(self, counter, left - 1)
        return True

    def change(self, changes: Mapping[str, object]) -> None:
        """Set some faults; all of them, or none if one cannot be.

        Args:
            changes: by name, a value or its text: ``True`` or ``"true"`` or ``""`` for a switch,
                a number, ``"+1"`` for one more than now, symbols as a list or with commas.

        Raises:
            ConfigError: an unknown name, or a value that the fault cannot have.
        """
        values = {name: self._value(name, given) for name, given in changes.items()}
        for name, value in values.items():
            setattr(self, name, value)

    def heal(self, names: Collection[str] | None = None) -> None:
        """Set faults back to what a healthy exchange has; without names all of them."""
        healthy = Faults()
        for name in FAULT_NAMES if names is None else names:
            if name not in RISING:
                setattr(self, name, getattr(healthy, name))

    def as_json(self) -> dict[str, Any]:
        """Return all faults by name, as JSON values."""
        values = {name: getattr(self, name) for name in FAULT_NAMES}
        return {n: sorted(v) if isinstance(v, set) else v for n, v in values.items()}

    def _value(self, name: str, given: object) -> object:
        if name not in FAULT_NAMES:
            close = get_close_matches(name, FAULT_NAMES, 1)
            hint = f"did you mean {close[0]}?" if close else "docs/simulator.md lists them"
            raise ConfigError(f"the simulator has no fault {name!r}; {hint}")
        now = getattr(self, name)
        try:
            if isinstance(now, bool):
                return _SWITCH[str(given).lower()]
            if isinstance(now, set):
                return _symbols(given)
            return _number(now, given)
        except (KeyError, TypeError, ValueError, OverflowError):
            kind = {bool: "true or false", set: "symbols"}.get(type(now), "a number")
            raise ConfigError(f"fault {name} cannot be {given!r}; give {kind}") from None


FAULT_NAMES = tuple(each.name for each in fields(Faults))


def parse_fault(text: str) -> tuple[str, str]:
    """Split ``name=value``, or ``name`` alone for a switch."""
    name, _, value = text.partition("=")
    return name.strip(), value.strip()


def _symbols(given: object) -> set[str]:
    if isinstance(given, str):
        return {symbol for symbol in given.split(",") if symbol}
    if isinstance(given, Collection) and all(isinstance(symbol, str) for symbol in given):
        return {str(symbol) for symbol in given}
    raise TypeError


def _number(now: float, given: object) -> float:
    """Return a number of the same kind as the present one."""
    if isinstance(given, bool) or not isinstance(given, (int, float, str)):
        raise TypeError
    value = type(now)(given)
    if not isfinite(value):
        raise ValueError
    return value + now if isinstance(given, str) and given.startswith("+") else value
