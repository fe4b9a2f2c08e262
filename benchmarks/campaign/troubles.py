"""The campaign on a small universe: each trouble alone, or many in a random order."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from benchmarks.campaign.rig import Rig, Setting, outcome
from live_box_spreads.dxlink.session import ConnectionTimes
from live_box_spreads.feeds.base import Universe
from live_box_spreads.net.client import Limits
from live_box_spreads.simulator.exchange import SimulatorOptions
from live_box_spreads.simulator.scenarios import SCENARIOS
from live_box_spreads.vendors.tastytrade.feed import FeedTimes
from live_box_spreads.vendors.tastytrade.rest_pass import RestTimes

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Sequence

    from benchmarks.campaign.rig import Outcome

ROOTS = ("SPX", "SPXW")
WAITS_A_MINUTE = frozenset({"low_rate"})
"""After these the client waits until the server's minute is over, as it should."""

MAY_BE_FINAL = frozenset({"html_401"})
"""Where it meets a login, it is a refusal, and a refused login is never tried again. Alone it meets
other calls; among troubles that cost tokens, anything."""

QUICK = Setting(
    # Few contracts, so that subscribing them again and again stays below the rate limit.
    Universe(ROOTS, 2, "nearest", (0.996, 1.004)),
    FeedTimes(
        rest=RestTimes(every=5.0, after_loss=0.3, while_down=0.5),
        connection=ConnectionTimes(
            handshake=1.0,
            silence=0.8,
            keepalive=0.3,
            first_retry=0.05,
            longest_retry=0.3,
            in_flight=1.0,
            full=2.0,
        ),
    ),
    interval_secs=0.25,
    latency_secs=2.0,
    recovery_secs=20.0,
    limits=Limits(answer_secs=1.5, call_secs=4.0),
)


def quick_exchange(seed: int) -> SimulatorOptions:
    """Return an exchange on which every contract quotes about every second."""
    return SimulatorOptions(seed=seed, roots=ROOTS, tick_secs=0.05, pace=20.0, history_secs=60.0)


async def alone(
    rig: Rig, names: Sequence[str], tell: Callable[[Outcome], None], *, haste: float = 1.0
) -> list[Outcome]:
    """Meet troubles one by one, each after the book is true again.

    Args:
        rig: a collector that runs.
        names: of the scenarios.
        tell: told each outcome.
        haste: times the length of each trouble.
    """
    outcomes = []
    for name in names:
        outcomes.append(await rig.meet(SCENARIOS[name], haste))
        tell(outcomes[-1])
    return outcomes


async def in_random_order(
    rig: Rig, rng: random.Random, count: int, *, haste: float = 1.0
) -> Outcome:
    """Meet troubles that overlap and follow each other before the book is true again.

    Args:
        rig: a collector that runs.
        rng: chooses the troubles and how they overlap.
        count: of troubles.
        haste: times the length of each trouble.

    Returns:
        The outcome of them all: the recovery counts from the end of the last.
    """
    first = len(rig.rounds)
    names = [name for name in SCENARIOS if name not in WAITS_A_MINUTE | MAY_BE_FINAL]
    chosen = [SCENARIOS[rng.choice(names)] for _ in range(count)]

    async def happen(position: int) -> None:
        scenario = chosen[position]
        await asyncio.sleep(haste * (position + rng.uniform(0.0, 1.0)))
        with scenario.during(rig.exchange.faults):
            await asyncio.sleep(haste * scenario.lasts_secs * rng.uniform(0.5, 1.5))

    await asyncio.gather(*map(happen, range(count)))
    recovered = await rig.true_from(rig.exchange.now(), rig.setting.recovery_secs)
    return outcome(" → ".join(each.name for each in chosen), recovered, rig.rounds[first:])
