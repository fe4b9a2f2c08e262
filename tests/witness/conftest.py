from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from live_box_spreads.simulator.exchange import SimulatedExchange, SimulatorOptions

if TYPE_CHECKING:
    from collections.abc import Iterator

OPENING = datetime(2026, 11, 24, 16, 0, tzinfo=UTC)  # a Tuesday, 11:00 in New York
NEVER_SECS = 1e6


@pytest.fixture(scope="module")
def exchange() -> Iterator[SimulatedExchange]:
    """An exchange of the whole SPX chain whose market stands still, so that its book is exact."""
    options = SimulatorOptions(seed=5, roots=("SPX", "SPXW"), now=OPENING, tick_secs=NEVER_SECS)
    with SimulatedExchange(options) as running:
        yield running
