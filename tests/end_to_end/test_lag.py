"""Over real sockets: legs in the money lag, and the client sees it by the times of their quotes."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import polars as pl

from live_box_spreads.feeds.base import Universe
from live_box_spreads.simulator.credentials import DEMO_CLIENT_SECRET, DEMO_REFRESH_TOKEN
from live_box_spreads.simulator.exchange import SimulatedExchange, SimulatorOptions
from live_box_spreads.simulator.market.conditions import NORMAL, Conditions, lagging
from live_box_spreads.tastytrade_client import Credentials, TastytradeClient
from live_box_spreads.vendors.tastytrade.feed import TastytradeFeed

if TYPE_CHECKING:
    from live_box_spreads.model.chain import Chain

DEMO = Credentials(client_secret=DEMO_CLIENT_SECRET, refresh_token=DEMO_REFRESH_TOKEN)
OPENING = datetime(2026, 11, 24, 16, 0, tzinfo=UTC)
UNIVERSE = Universe(("XSP",), 4, "nearest", (0.85, 1.15))
RAN_SECS = 150.0


async def polled(conditions: Conditions) -> Chain:
    """Return what REST tells of a market that ran for a while and then stands still."""
    options = SimulatorOptions(
        seed=5, roots=("XSP",), now=OPENING, speed=60.0, tick_secs=0.01, conditions=conditions
    )
    with SimulatedExchange(options) as exchange:
        served_from = exchange.now()  # its clock began before the market was open
        while (exchange.truth().instant - served_from).total_seconds() < RAN_SECS:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        exchange.faults.paused = True
        await asyncio.sleep(0.2)  # a step that is under way
        client = TastytradeClient(DEMO, exchange.base_url)
        async with TastytradeFeed(client, name="simulated", clock=exchange.now) as feed:
            return await feed.snapshot(await feed.contracts(UNIVERSE))


def mean_age_secs(chain: Chain, deep: bool) -> float:  # noqa: FBT001 # deep in the money or far out
    """Return the mean age at the newest quote of options that are 4 to 15 % in or out of it."""
    sign = pl.when(pl.col("right") == "C").then(1.0).otherwise(-1.0)
    out = sign * (pl.col("strike") / chain.spot["XSP"] - 1.0)
    rows = chain.quotes.filter(pl.col("quote_time").is_not_null(), pl.col("ask").is_finite())
    age = (rows["quote_time"].max() - pl.col("quote_time")).dt.total_milliseconds() / 1e3
    chosen = rows.filter(out < -0.04 if deep else out > 0.04).select(age.mean())
    return float(chosen.item())


async def test_the_client_sees_that_legs_in_the_money_are_older() -> None:
    late, usual = [await polled(conditions) for conditions in (lagging(2.0), NORMAL)]
    gaps_secs = [
        mean_age_secs(chain, deep=True) - mean_age_secs(chain, deep=False)
        for chain in (late, usual)
    ]
    assert gaps_secs[0] > gaps_secs[1] + 6.0
    assert len(late.quotes) > 300
