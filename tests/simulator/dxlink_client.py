"""A DXLink connection driven by hand: no socket, and time passes when a test says so."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from live_box_spreads.simulator.credentials import (
    DEMO_CLIENT_SECRET,
    DEMO_REFRESH_TOKEN,
    TokenIssuer,
)
from live_box_spreads.simulator.dxlink.session import DxlinkSession
from live_box_spreads.simulator.faults import Faults

if TYPE_CHECKING:
    from live_box_spreads.simulator.market.market import Market

SETUP = {"type": "SETUP", "channel": 0, "version": "0.1-test", "keepaliveTimeout": 60}
REQUEST = {
    "type": "CHANNEL_REQUEST",
    "channel": 1,
    "service": "FEED",
    "parameters": {"contract": "AUTO"},
}
FEED_SETUP = {
    "type": "FEED_SETUP",
    "channel": 1,
    "acceptAggregationPeriod": 0.1,
    "acceptDataFormat": "COMPACT",
    "acceptEventFields": {
        "Quote": ["eventSymbol", "bidPrice", "askPrice", "nonsense"],
        "Trade": ["eventSymbol", "price"],
    },
}


class Client:
    """A connection driven by hand."""

    def __init__(self, market: Market, faults: Faults | None = None) -> None:
        self.market = market
        self.faults = faults or Faults()
        self.tokens = TokenIssuer(self.faults)
        self.now = market.now.timestamp()
        rows = {symbol: row for row, symbol in enumerate(market.symbols)}
        self.session = DxlinkSession(market, rows, self.tokens, self.faults, self.now)

    def token(self) -> str:
        access = self.tokens.grant_access(DEMO_CLIENT_SECRET, DEMO_REFRESH_TOKEN, self.now)
        assert access is not None
        return self.tokens.grant_quote_token("oauth", self.now)

    def say(self, message: dict[str, Any] | str, wait_secs: float = 0.02) -> list[dict[str, Any]]:
        text = message if isinstance(message, str) else json.dumps(message)
        self.session.received(text, self.now)
        return self.wait(wait_secs)

    def wait(self, secs: float) -> list[dict[str, Any]]:
        self.now += secs
        self.session.tick(self.now)
        return [json.loads(text) for text in self.session.outgoing(self.now)]

    def opened(self) -> Client:
        self.say(SETUP)
        self.say({"type": "AUTH", "channel": 0, "token": self.token()})
        self.say(REQUEST)
        self.say(FEED_SETUP)
        return self

    def subscribe(self, kind: str, *symbols: str, **more: Any) -> list[dict[str, Any]]:
        add = [{"type": kind, "symbol": symbol} for symbol in symbols]
        return self.say({"type": "FEED_SUBSCRIPTION", "channel": 1, "add": add, **more})


def kinds(frames: list[dict[str, Any]]) -> list[str]:
    return [frame["type"] for frame in frames]


def quoted(market: Market, count: int) -> list[str]:
    steps = market.book.quote_step
    return [s for row, s in enumerate(market.symbols) if steps[row] >= 0][:count]
