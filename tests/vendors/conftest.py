from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

import pytest

from live_box_spreads.simulator.exchange import SimulatedExchange, SimulatorOptions
from live_box_spreads.simulator.faults import Faults

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def shared_exchange() -> Iterator[SimulatedExchange]:
    with SimulatedExchange(SimulatorOptions(seed=7, roots=("SPX", "SPXW", "XSP"))) as running:
        yield running


@pytest.fixture
def exchange(shared_exchange: SimulatedExchange) -> Iterator[SimulatedExchange]:
    """An exchange that lists SPX, SPXW and XSP; one test's faults are not seen by the next."""
    yield shared_exchange
    for each in fields(Faults):
        setattr(shared_exchange.faults, each.name, getattr(Faults(), each.name))
