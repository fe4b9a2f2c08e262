"""What the parts of the simulated exchange share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from live_box_spreads.simulator.credentials import TokenIssuer
    from live_box_spreads.simulator.faults import Faults
    from live_box_spreads.simulator.market.market import Market


@dataclass(frozen=True, slots=True)
class ExchangeState:
    """One running exchange.

    Attributes:
        market: the market.
        tokens: the tokens.
        faults: injected misbehaviour.
        clock: the exchange's time (UTC).
        realtime_url: where DXLink is served.
        entitlement: ``api``, or ``demo`` for delayed quotes.
        password_logins: whether user name and password are accepted.
    """

    market: Market
    tokens: TokenIssuer
    faults: Faults
    clock: Callable[[], datetime]
    realtime_url: str
    entitlement: str
    password_logins: bool

    @property
    def level(self) -> str:
        """The level of quote tokens: ``api``, or ``demo`` for delayed quotes."""
        return "demo" if self.faults.demo_level else self.entitlement

    @property
    def dxlink_url(self) -> str:
        """The DXLink address of quote tokens; delayed quotes have a path of their own."""
        if self.level == "demo":
            return self.realtime_url.replace("/realtime", "/delayed")
        return self.realtime_url

    def now_secs(self) -> float:
        """Return the exchange's time in epoch seconds."""
        return self.clock().timestamp()
