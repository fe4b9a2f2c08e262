"""What every feed promises, as one suite: inherit it and give it the feed."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from live_box_spreads.feeds.base import CONTRACT_SCHEMA, StreamProgress, Universe
from live_box_spreads.model.chain import KEY, Timeliness
from live_box_spreads.model.errors import FeedError

if TYPE_CHECKING:
    from live_box_spreads.feeds.base import Feed

FIRST_ROUND_SECS = 20.0


class FeedConformance:
    """Subclasses give ``feed`` (open) as a fixture, and what it lists."""

    timeliness: Timeliness
    universe = Universe(("XSP", "SPX"), 3, "spread", (0.95, 1.05))

    async def test_contracts_are_sorted_complete_and_within_the_universe(self, feed: Feed) -> None:
        contracts = await feed.contracts(self.universe)
        table = contracts.table
        assert table.schema == CONTRACT_SCHEMA
        assert table.equals(table.unique(KEY).sort(KEY))
        assert set(table["root"]) == set(self.universe.roots)
        for root in self.universe.roots:
            mine = table.filter(table["root"] == root)
            assert mine["expiry"].n_unique() == 3
        assert contracts.failures == {}
        assert feed.timeliness is self.timeliness

    async def test_a_failing_root_is_reported_and_stops_no_other(self, feed: Feed) -> None:
        roots = ("XSP", "SPY", "NOPE")
        contracts = await feed.contracts(replace(self.universe, roots=roots))
        assert set(contracts.table["root"]) == {"XSP"}
        assert set(contracts.failures) == {"SPY", "NOPE"}
        assert all("\n" not in line for line in contracts.failures.values())

    async def test_nothing_to_quote_is_an_error(self, feed: Feed) -> None:
        with pytest.raises(FeedError, match="American"):
            await feed.contracts(replace(self.universe, roots=("SPY",)))

    async def test_snapshot_has_exactly_the_contracts(self, feed: Feed) -> None:
        contracts = await feed.contracts(self.universe)
        chain = await feed.snapshot(contracts)
        assert chain.quotes.select(KEY).equals(contracts.table.select(KEY))
        assert (chain.feed, chain.timeliness) == (feed.name, self.timeliness)
        assert set(chain.spot) == {"XSP", "SPX"}
        quoted = chain.quotes.filter(chain.quotes["ask"].is_finite())
        assert len(quoted) > 0.9 * len(contracts)
        assert (quoted["bid"].fill_nan(0.0) <= quoted["ask"]).all()

    async def test_first_round_covers_every_contract(self, feed: Feed) -> None:
        contracts = await feed.contracts(self.universe)
        quoted = np.zeros(len(contracts), np.bool_)
        active = np.zeros(len(contracts), np.bool_)
        spot: set[str] = set()
        progress = StreamProgress(0, 0, 0, 0)  # a feed that subscribes nothing has no more
        async with (
            asyncio.timeout(FIRST_ROUND_SECS),
            aclosing(feed.updates(contracts)) as updates,  # type: ignore[type-var]
        ):
            async for update in updates:
                assert update.lost is None
                spot |= set(update.spot)
                progress = update.progress or progress
                if update.quotes is not None:
                    quoted[update.quotes.rows] = True
                if update.activity is not None:
                    active[update.activity.rows] = True
                everything = quoted.all() and active.all() and spot == {"XSP", "SPX"}
                if everything and progress.quotes == progress.quotes_wanted:
                    break
        assert everything

    async def test_closing_the_stream_leaves_nothing_running(self, feed: Feed) -> None:
        contracts = await feed.contracts(self.universe)
        before = asyncio.all_tasks()
        async with aclosing(feed.updates(contracts)) as updates:  # type: ignore[type-var]
            await anext(updates)
        assert asyncio.all_tasks() <= before
