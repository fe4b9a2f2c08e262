"""What ``boxes simulate`` refuses before it runs; test_processes.py lets it run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from live_box_spreads.simulator.market.conditions import CONDITIONS

if TYPE_CHECKING:
    from tests.cli.conftest import Boxes


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("frozn", "did you mean frozen?"),
        ("resets=many", "resets cannot be 'many'; give a number"),
        ("frozen=perhaps", "give true or false"),
    ],
)
def test_a_mistaken_fault_is_bad_usage(boxes: Boxes, fault: str, says: str) -> None:
    result = boxes("simulate", "--fault", fault)
    assert result.status == 2
    assert says in result.err


def test_an_unknown_day_is_bad_usage_and_the_known_ones_are_named(boxes: Boxes) -> None:
    result = boxes("simulate", "--day", "sunny")
    assert result.status == 2
    assert "'sunny'" in result.err
    assert all(name in result.err for name in CONDITIONS)
