"""The checks of ``boxes doctor`` for the example."""

from __future__ import annotations

from typing import TYPE_CHECKING

from live_box_spreads.feeds.vendor import Check, Outcome

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from live_box_spreads.feeds.base import FeedSetup, Universe


async def check_feed(setup: FeedSetup, universe: Universe) -> AsyncIterator[Check]:
    """Check the key, then name what would be quoted."""
    if not setup.env.get("EXAMPLE_KEY"):
        yield Check("key", Outcome.FAILED, "set EXAMPLE_KEY")
        return
    yield Check("key", Outcome.OK, "present and not shown")
    yield Check("market", Outcome.OK, f"{', '.join(universe.roots)} at {setup.options}")
