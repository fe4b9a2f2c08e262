from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from live_box_spreads.simulator.exchange import SimulatedExchange, SimulatorOptions

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def exchange() -> Iterator[SimulatedExchange]:
    """Return an exchange that lists SPX, SPXW and XSP; put its faults back after a test."""
    with SimulatedExchange(SimulatorOptions(seed=7, roots=("SPX", "SPXW", "XSP"))) as running:
        yield running
