from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from live_box_spreads.simulator.exchange import SimulatedExchange, SimulatorOptions
from live_box_spreads.simulator.faults import Faults
from live_box_spreads.simulator.market.market import Market

if TYPE_CHECKING:
    from collections.abc import Iterator

OPENING = datetime(2026, 11, 24, 16, 0, tzinfo=UTC)  # a Tuesday, 11:00 in New York


@pytest.fixture(scope="session")
def opening() -> datetime:
    return OPENING


@pytest.fixture(scope="session")
def full_market() -> Market:
    """All roots as they open; tests only look."""
    return Market(OPENING, seed=7)


@pytest.fixture
def small_market() -> Market:
    return Market(OPENING, seed=7, roots=("NDX",))


@pytest.fixture(scope="session")
def shared_exchange() -> Iterator[SimulatedExchange]:
    options = SimulatorOptions(
        seed=7, roots=("SPX", "SPXW"), now=OPENING, tick_secs=0.05, password_logins=True
    )
    with SimulatedExchange(options) as running:
        yield running


@pytest.fixture
def exchange(shared_exchange: SimulatedExchange) -> Iterator[SimulatedExchange]:
    """One running exchange for all tests; the faults of one are not seen by the next."""
    yield shared_exchange
    for each in fields(Faults):
        setattr(shared_exchange.faults, each.name, getattr(Faults(), each.name))
