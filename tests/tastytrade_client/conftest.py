from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

import pytest
import stamina

from live_box_spreads.simulator.exchange import SimulatedExchange, SimulatorOptions
from live_box_spreads.simulator.faults import Faults

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _retry_without_waiting() -> Iterator[None]:
    with stamina.set_testing(True, attempts=3):
        yield


@pytest.fixture(scope="package")
def shared_exchange() -> Iterator[SimulatedExchange]:
    options = SimulatorOptions(seed=7, roots=("XSP",), password_logins=True)
    with SimulatedExchange(options) as running:
        yield running


@pytest.fixture
def exchange(shared_exchange: SimulatedExchange) -> Iterator[SimulatedExchange]:
    """An exchange that still takes passwords; the faults of one test are not seen by the next."""
    yield shared_exchange
    for each in fields(Faults):
        setattr(shared_exchange.faults, each.name, getattr(Faults(), each.name))
