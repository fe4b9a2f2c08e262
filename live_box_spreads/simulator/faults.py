"""What the simulated exchange can be told to do wrong."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Faults:
    """Injected misbehaviour; change it at any time, from any thread.

    Counters go down as they are used up.

    Attributes:
        html_401_responses: next REST calls answered 401 with an HTML page.
        html_502_responses: next REST calls answered 502 with an HTML page.
        not_acceptable_responses: next REST calls answered 406.
        refused_upgrades: next websocket upgrades answered 502.
        access_token_secs: life of access tokens issued from now on.
        quote_token_secs: life of quote tokens issued from now on.
        device_challenge: password logins need a code sent to the user's device.
        withheld_fields: DXLink fields left out of FEED_CONFIG, though asked for.
        sizes_unknown: quotes carry "NaN" sizes, as after hours.
        silent_symbols: DXLink symbols that never send anything.
        truncated_frames: next FEED_DATA frames cut off in the middle.
        repeated_rows: every event comes twice in its frame, and the frame back to front.
        frame_delay_secs: pause before each DXLink frame.
        strict_auth_order: an AUTH that does not wait for AUTH_STATE is an error.
        auth_state_first: AUTH_STATE goes out ahead of the server's SETUP.
        frozen: websockets stay open, but nothing more is sent, not even keepalives.
        resets: raise it by one to cut all open websockets without a closing handshake.
        idle_closes: raise it by one to close all open websockets as if their clients were silent.
        revocations: raise it by one to take the authorization of all open DXLink sessions away,
            as when their tokens expire.
        most_subscriptions: subscriptions that a session holds; what is beyond stays silent.
        most_changes_a_minute: subscription changes taken in any minute; the rest is dropped.
        most_frame_bytes: longest client frame; a longer one is answered with close code 1009.
    """

    html_401_responses: int = 0
    html_502_responses: int = 0
    not_acceptable_responses: int = 0
    refused_upgrades: int = 0
    access_token_secs: float = 900.0
    quote_token_secs: float = 86_400.0
    device_challenge: bool = False
    withheld_fields: set[str] = field(default_factory=set)
    sizes_unknown: bool = False
    silent_symbols: set[str] = field(default_factory=set)
    truncated_frames: int = 0
    repeated_rows: bool = False
    frame_delay_secs: float = 0.0
    strict_auth_order: bool = False
    auth_state_first: bool = False
    frozen: bool = False
    resets: int = 0
    idle_closes: int = 0
    revocations: int = 0
    most_subscriptions: int = 25_000
    most_changes_a_minute: int = 10_000
    most_frame_bytes: int = 65_536
