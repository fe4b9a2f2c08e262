"""A short campaign: each trouble of the exchange alone, then many in a random order.

The long one, with figures, is benchmarks/fault_campaign.py; docs/resilience.md keeps what it saw.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from benchmarks.campaign.rig import collecting
from benchmarks.campaign.troubles import (
    QUICK,
    WAITS_A_MINUTE,
    alone,
    in_random_order,
    quick_exchange,
)
from live_box_spreads.simulator.exchange import SimulatedExchange
from live_box_spreads.simulator.scenarios import SCENARIOS

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.campaign.rig import Outcome, Rig

HASTE = 0.35
FIRST_SECS = 20.0
NAMES = [name for name in SCENARIOS if name not in WAITS_A_MINUTE]
THIRDS = [NAMES[start::3] for start in range(3)]


def silent(_outcome: Outcome) -> None:
    """Tell nobody."""


def assert_all_is_well(rig: Rig, outcomes: list[Outcome]) -> None:
    assert [each.scenario for each in outcomes if each.recovered_secs is None] == []
    assert sum(each.false_fresh for each in outcomes) == 0
    assert sum(each.false_times for each in outcomes) == 0
    assert rig.unreported_holes() == []


@pytest.mark.parametrize("names", THIRDS, ids=lambda names: names[0])
async def test_after_each_trouble_the_book_is_true_again_and_never_shows_a_stale_price_as_fresh(
    names: list[str], tmp_path: Path
) -> None:
    with SimulatedExchange(quick_exchange(seed=21)) as exchange:
        async with collecting(exchange, tmp_path, QUICK) as rig:
            assert await rig.true_from(exchange.now(), FIRST_SECS) is not None
            outcomes = await alone(rig, names, silent, haste=HASTE)
    assert_all_is_well(rig, outcomes)
    assert len(outcomes) == len(names)


@pytest.mark.parametrize("seed", [1])
async def test_troubles_that_overlap_pass_too(seed: int, tmp_path: Path) -> None:
    with SimulatedExchange(quick_exchange(seed)) as exchange:
        async with collecting(exchange, tmp_path, QUICK) as rig:
            assert await rig.true_from(exchange.now(), FIRST_SECS) is not None
            rng = random.Random(seed)  # noqa: S311 - not a secret
            sequence = await in_random_order(rig, rng, 12, haste=HASTE)
    assert_all_is_well(rig, [sequence])
    assert sequence.rounds > 5
