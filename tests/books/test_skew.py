from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from live_box_spreads.books.views.skew import SKEW_COLUMNS, skew
from tests.books.by_desk import box_table

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from live_box_spreads.books.boxes.table import BoxTable
    from live_box_spreads.model.chain import Chain


@pytest.fixture(scope="module")
def table(random_chain: Callable[..., Chain], expiry: date) -> BoxTable:
    return box_table(random_chain(5, 40), "SPX", expiry)


def test_each_middle_strike_shows_its_tightest_box(table: BoxTable) -> None:
    tightest: dict[float, float] = {}
    for box in table.frame.filter(table.frame["mid_rate"].is_finite()).to_dicts():
        spread = box["bid_rate"] - box["ask_rate"]
        middle = box["mid_strike"]
        tightest[middle] = min(spread, tightest.get(middle, spread))
    frame = skew(table, limit=10_000)
    assert frame.columns == SKEW_COLUMNS
    assert frame["mid_strike"].to_list() == sorted(tightest)
    for box in frame.to_dicts():
        assert box["bid_rate"] - box["ask_rate"] == tightest[box["mid_strike"]]
        assert box["ks"] - box["kl"] == box["width"]
        assert 0.5 * (box["ks"] + box["kl"]) == box["mid_strike"]


@pytest.mark.parametrize("limit", [1, 7, 60])
def test_at_most_the_limit_spread_over_the_strikes(table: BoxTable, limit: int) -> None:
    every, frame = skew(table, limit=10_000), skew(table, limit=limit)
    assert len(every) > 60
    assert limit / 2 <= len(frame) <= limit
    assert frame["mid_strike"].is_sorted()
    spread = every["bid_rate"] - every["ask_rate"]
    assert min(frame["bid_rate"] - frame["ask_rate"]) == spread.min()


def test_one_sided_boxes_have_no_spread(
    make_chain: Callable[..., Chain], example: Chain, expiry: date
) -> None:
    rows = example.quotes.to_dicts()
    rows[0]["bid"] = 0.0
    table = box_table(make_chain(rows), "SPX", expiry)
    assert len(table.frame) == 1
    assert skew(table).is_empty()
    assert skew(table).columns == SKEW_COLUMNS
