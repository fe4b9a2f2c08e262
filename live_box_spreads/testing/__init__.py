"""For tests of a feed, and of programs that use one; installed with the package.

``FeedConformance`` is the suite that each feed passes (``docs/writing-a-feed.md``); it needs pytest
with pytest-asyncio. ``SimulatedExchange`` is the vendor on this machine, over real sockets
(``docs/simulator.md``); it needs the extra ``simulator``, and no pytest.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from live_box_spreads.simulator.exchange import SimulatedExchange, SimulatorOptions
    from live_box_spreads.testing.feed_conformance import FeedConformance

__all__ = ["FeedConformance", "SimulatedExchange", "SimulatorOptions"]

_HOMES = {
    "FeedConformance": "live_box_spreads.testing.feed_conformance",
    "SimulatedExchange": "live_box_spreads.simulator.exchange",
    "SimulatorOptions": "live_box_spreads.simulator.exchange",
}


def __getattr__(name: str) -> Any:
    """Import a name once it is asked for.

    Raises:
        ImportError: the suite is asked for and pytest is not installed.
    """
    if name not in _HOMES:
        raise AttributeError(f"module {__name__} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
