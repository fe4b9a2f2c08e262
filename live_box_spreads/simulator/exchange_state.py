"""What the parts of the simulated exchange share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from live_box_spreads.simulator.credentials import TokenOffice
    from live_box_spreads.simulator.faults import Faults
    from live_box_spreads.simulator.market.market import Market


@dataclass(frozen=True, slots=True)
class ExchangeState:
    """One running exchange.

    Attributes:
        market: the market.
        office: the tokens.
        faults: injected misbehaviour.
        clock: the exchange's time (UTC).
        dxlink_url: where DXLink is served.
        level: ``api``, or ``demo`` for delayed quotes.
        password_logins: whether user name and password are accepted.
    """

    market: Market
    office: TokenOffice
    faults: Faults
    clock: Callable[[], datetime]
    dxlink_url: str
    level: str
    password_logins: bool

    def now_secs(self) -> float:
        """Return the exchange's time in epoch seconds."""
        return self.clock().timestamp()
