from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from math import nan
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from live_box_spreads.books.synthetics import synthetics
from live_box_spreads.model.errors import ChainError
from live_box_spreads.model.quality import LegFlag, QualityRules

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from live_box_spreads.model.chain import Chain


def rows_of(strike: float, call: tuple[float, float], put: tuple[float, float]) -> list[Any]:
    return [
        {"strike": strike, "right": "C", "bid": call[0], "ask": call[1]},
        {"strike": strike, "right": "P", "bid": put[0], "ask": put[1]},
    ]


@pytest.mark.parametrize(
    ("call", "put", "syn_bid", "syn_ask"),
    [
        ((12.0, 12.5), (2.0, 2.25), 9.75, 10.5),
        ((0.0, 0.5), (2.0, 2.25), nan, -1.5),  # the call cannot be sold
        ((12.0, 12.5), (0.0, 0.25), 11.75, nan),  # the put cannot be sold
        ((12.0, nan), (2.0, 2.25), 9.75, nan),  # the call cannot be bought
        ((12.0, 12.5), (2.0, 0.0), nan, 10.5),  # an ask of zero is none (and crossed is not)
        ((nan, nan), (2.0, 2.25), nan, nan),
    ],
)
def test_a_sold_leg_needs_a_bid_and_a_bought_leg_an_ask(  # fixtures and cases
    make_chain: Callable[..., Chain],
    expiry: date,
    call: tuple[float, float],
    put: tuple[float, float],
    syn_bid: float,
    syn_ask: float,
) -> None:
    found = synthetics(make_chain(rows_of(100.0, call, put)), "SPX", expiry, QualityRules())
    np.testing.assert_array_equal(found.forwards.syn_bid, [syn_bid])
    np.testing.assert_array_equal(found.forwards.syn_ask, [syn_ask])


def test_strikes_are_sorted_and_legs_keep_their_own_values(
    make_chain: Callable[..., Chain], expiry: date
) -> None:
    rows = rows_of(110.0, (5.0, 6.0), (14.0, 15.0)) + rows_of(90.0, (13.0, 14.0), (2.0, 3.0))
    rows += rows_of(100.0, (1.0, 2.0), (1.0, 2.0))[:1]  # no put
    found = synthetics(make_chain(rows), "SPX", expiry, QualityRules())
    assert found.forwards.strike.tolist() == [90.0, 110.0]
    assert found.forwards.syn_bid.tolist() == [10.0, -10.0]
    assert found.forwards.syn_ask.tolist() == [12.0, -8.0]
    assert found.put.bid.tolist() == [2.0, 14.0]
    assert np.isnan(found.call.volume).all()
    assert (found.one_sided, found.listed_strikes) == (1, 3)
    assert found.excluded == {"only a call or only a put": 1}
    assert (found.settlement, found.spot) == ("AM", 6500.0)


def test_excluded_legs_close_both_sides_and_are_counted_once(
    make_chain: Callable[..., Chain], expiry: date
) -> None:
    fresh = make_chain(rows_of(90.0, (1.0, 2.0), (1.0, 2.0))).snapshot_time
    old = {"quote_time": fresh - timedelta(minutes=10)}
    rows = [
        *rows_of(90.0, (13.0, 14.0), (2.0, 3.0)),
        *(row | old for row in rows_of(100.0, (8.0, 7.0), (6.0, 7.0))),  # crossed and stale
        *(row | old for row in rows_of(110.0, (5.0, 6.0), (14.0, 15.0))),  # stale
    ]
    found = synthetics(make_chain(rows), "SPX", expiry, QualityRules())
    np.testing.assert_array_equal(found.forwards.syn_bid, [10.0, nan, nan])
    np.testing.assert_array_equal(found.forwards.syn_ask, [12.0, nan, nan])
    assert found.excluded == {"leg is crossed": 1, "leg is stale": 1}
    assert found.call.flags.tolist() == [0, LegFlag.CROSSED | LegFlag.STALE, LegFlag.STALE]


def test_the_rules_say_what_is_excluded(make_chain: Callable[..., Chain], expiry: date) -> None:
    chain = make_chain(rows_of(90.0, (13.0, 53.0), (2.0, 3.0)))
    wide = QualityRules(max_half_spread_points=10.0, exclude=LegFlag.WIDE)
    assert synthetics(chain, "SPX", expiry, wide).excluded == {"leg is wide": 1}
    shown = QualityRules(max_half_spread_points=10.0)
    found = synthetics(chain, "SPX", expiry, shown)
    assert found.excluded == {}
    assert found.call.flags.tolist() == [LegFlag.WIDE]


def test_an_unsorted_chain_is_refused(make_chain: Callable[..., Chain], expiry: date) -> None:
    chain = make_chain(rows_of(90.0, (13.0, 53.0), (2.0, 3.0)))
    unsorted = replace(chain, quotes=chain.quotes.reverse())
    with pytest.raises(ChainError, match=r"not sorted by root, expiry, strike, right"):
        synthetics(unsorted, "SPX", expiry, QualityRules())
