"""How to run a simulated exchange."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from live_box_spreads.simulator.faults import Faults
from live_box_spreads.simulator.market.universe import ALL_ROOTS

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class SimulatorOptions:
    """How to run a simulated exchange.

    Attributes:
        seed: seed of the market; the same seed gives the same market at the same instants.
        port: port of the REST API on loopback; 0 takes any free one.
        roots: option roots to list.
        now: instant at which the market opens, with a time zone; None is now.
        speed: seconds of the exchange in one of the computer.
        tick_secs: seconds between steps of the market.
        pace: times the usual number of quote updates.
        password_logins: accept user name and password, as the vendor did until 2026.
        level: what the quote token says: ``api``, or ``demo`` for delayed quotes.
        history_secs: how long to remember what was quoted, in seconds of the exchange; 0 for not.
        faults: misbehaviour from the start; it can be changed while running.
        trouble_seed: lets random scenarios happen, in an order that depends on this; None for none.
        longest_rest_secs: most seconds of health between two such scenarios.
        on_trouble: told the name of each such scenario as it begins.
    """

    seed: int = 1
    port: int = 0
    roots: tuple[str, ...] = ALL_ROOTS
    now: datetime | None = None
    speed: float = 1.0
    tick_secs: float = 0.25
    pace: float = 1.0
    password_logins: bool = False
    level: str = "api"
    history_secs: float = 0.0
    faults: Faults = field(default_factory=Faults)
    trouble_seed: int | None = None
    longest_rest_secs: float = 30.0
    on_trouble: Callable[[str], None] = lambda _name: None
