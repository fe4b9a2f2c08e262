"""A fixture that gives a running simulated exchange."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import pytest

from live_box_spreads.simulator.exchange import SimulatedExchange, SimulatorOptions

if TYPE_CHECKING:
    from collections.abc import Iterator


def exchange_fixture(
    scope: Literal["session", "package", "module", "function"], **options: Any
) -> Any:
    """Return a fixture of one exchange; ``options`` are those of ``SimulatorOptions``.

    Where it is called ``shared_exchange``, tests ask for ``exchange``: the faults of one test are
    not seen by the next (``tests/conftest.py``).
    """

    @pytest.fixture(scope=scope)
    def running() -> Iterator[SimulatedExchange]:
        with SimulatedExchange(SimulatorOptions(**options)) as exchange:
            yield exchange

    return running
