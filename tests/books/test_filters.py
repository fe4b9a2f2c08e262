from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from live_box_spreads.books.boxes.filters import BoxFilters
from live_box_spreads.boxspread import BoxSpread
from live_box_spreads.model.errors import ModelError
from live_box_spreads.model.quality import LegFlag, QualityRules
from tests.books.by_desk import box_table

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from live_box_spreads.model.chain import Chain

filters = st.builds(
    BoxFilters,
    min_strike_gap=st.sampled_from([0.0, 5.0, 100.0]),
    max_strike_gap=st.sampled_from([np.inf, 100.0, 2000.0]),
    min_volume=st.sampled_from([0, 1, 10]),
    min_open_interest=st.sampled_from([0, 50]),
    max_abs_rate=st.sampled_from([np.inf, 0.5, 0.1]),
)
rules = st.builds(
    QualityRules,
    stale_after_secs=st.sampled_from([60.0, 300.0, 1e9]),
    max_half_spread_points=st.sampled_from([1.0, np.inf]),
    exclude=st.sampled_from([LegFlag.OK, LegFlag.CROSSED | LegFlag.STALE, LegFlag(63)]),
)


def pairs(strikes: int) -> int:
    return strikes * (strikes - 1) // 2


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 1000), st.integers(1, 30), filters, rules)
def test_kept_and_removed_make_up_all_pairs_of_listed_strikes(
    random_chain: Callable[..., Chain],
    expiry: date,
    seed: int,
    strikes: int,
    thresholds: BoxFilters,
    quality: QualityRules,
) -> None:
    chain = random_chain(seed, strikes)
    table = box_table(chain, "SPX", expiry, filters=thresholds, rules=quality)
    listed = chain.quotes["strike"].n_unique()
    assert len(table.frame) + sum(table.removed.values()) == pairs(listed)
    assert all(count > 0 for count in table.removed.values())


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 1000), filters)
def test_keeps_what_single_boxes_say(
    random_chain: Callable[..., Chain], expiry: date, seed: int, thresholds: BoxFilters
) -> None:
    chain = random_chain(seed, 14)
    everything = QualityRules(stale_after_secs=1e9, exclude=LegFlag.OK)
    table = box_table(chain, "SPX", expiry, filters=thresholds, rules=everything)
    wanted = [
        (box.kl, box.ks)
        for box in BoxSpread.all_from_chain(chain, "SPX", expiry)
        if passes(box, thresholds)
    ]
    assert table.frame.select("kl", "ks").rows() == wanted


def passes(box: BoxSpread, thresholds: BoxFilters) -> bool:
    """Say of one box what the filters say of all."""
    for leg in (box.call_kl, box.call_ks, box.put_kl, box.put_ks):
        volume, interest = np.nan_to_num([leg.volume, leg.open_interest])
        if volume < thresholds.min_volume or interest < thresholds.min_open_interest:
            return False
    if not thresholds.min_strike_gap <= box.width <= thresholds.max_strike_gap:
        return False
    sides = [
        (cost, rate)
        for cost, rate in ((box.bid_cost, box.bid_rate), (box.ask_cost, box.ask_rate))
        if not np.isnan(cost)
    ]
    unlimited = np.isinf(thresholds.max_abs_rate)
    return bool(sides) and all(
        unlimited or (cost > 0 and abs(rate) <= thresholds.max_abs_rate) for cost, rate in sides
    )


@pytest.mark.parametrize(
    ("thresholds", "reason"),
    [
        (BoxFilters(min_strike_gap=1000.5), "narrower than min_strike_gap"),
        (BoxFilters(max_strike_gap=999.5), "wider than max_strike_gap"),
        (BoxFilters(min_volume=6), "leg volume is under min_volume"),
        (BoxFilters(min_open_interest=301), "leg open interest is under min_open_interest"),
        (BoxFilters(max_abs_rate=0.042), "rate is beyond max_abs_rate"),
    ],
)
def test_each_threshold_removes_with_its_reason(
    example: Chain, expiry: date, thresholds: BoxFilters, reason: str
) -> None:
    assert box_table(example, "SPX", expiry, filters=thresholds).removed == {reason: 1}


def test_thresholds_include_their_bounds(example: Chain, expiry: date) -> None:
    # The box is 1,000 wide, trades 5 in its least leg, has 300 open there, and pays up to 4.21 %.
    exact = BoxFilters(1000.0, 1000.0, 5, 300, 0.0421)
    assert box_table(example, "SPX", expiry, filters=exact).removed == {}


def test_an_unknown_volume_matters_only_under_a_minimum(
    make_chain: Callable[..., Chain], example: Chain, expiry: date
) -> None:
    rows = example.quotes.to_dicts()
    rows[0]["volume"] = None
    chain = make_chain(rows)
    assert len(box_table(chain, "SPX", expiry).frame) == 1
    assert box_table(chain, "SPX", expiry, filters=BoxFilters(min_volume=1)).removed == {
        "leg volume is under min_volume": 1
    }


def test_a_cost_that_is_not_positive_has_no_rate_and_is_beyond_any_limit(
    make_chain: Callable[..., Chain], example: Chain, expiry: date
) -> None:
    rows = example.quotes.to_dicts()
    for row in rows:
        if (row["strike"], row["right"]) == (6000.0, "P"):
            row["bid"], row["ask"] = 1300.0, 1301.0
    chain = make_chain(rows)
    limited = box_table(chain, "SPX", expiry, filters=BoxFilters(max_abs_rate=1e9))
    assert limited.removed == {"cost is not positive": 1}

    (box,) = box_table(chain, "SPX", expiry).frame.iter_rows(named=True)
    assert box["ask_cost"] < 0
    assert np.isnan([box["bid_rate"], box["mid_rate"], box["ask_rate"]]).all()


def test_neither_side_to_be_executed_removes(
    make_chain: Callable[..., Chain], example: Chain, expiry: date
) -> None:
    rows = example.quotes.to_dicts()
    for row in rows:
        if (row["strike"], row["right"]) == (7000.0, "C"):
            row["bid"] = row["ask"] = float("nan")
    assert box_table(make_chain(rows), "SPX", expiry).removed == {"neither side can be executed": 1}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"min_strike_gap": -1.0}, "min_strike_gap is -1.0"),
        ({"min_volume": -1}, "min_volume is -1"),
        ({"min_open_interest": -5}, "min_open_interest is -5"),
        ({"max_abs_rate": float("nan")}, "max_abs_rate is nan"),
        ({"min_strike_gap": 10.0, "max_strike_gap": 5.0}, "max_strike_gap is 5.0, under"),
    ],
)
def test_impossible_thresholds_are_refused(arguments: dict[str, float], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        BoxFilters(**arguments)  # type: ignore[arg-type] # numbers of either kind
