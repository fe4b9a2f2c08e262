from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from datetime import date, timedelta
from math import nan
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest

from live_box_spreads.books.strikes.blocks import StrikeBlocks
from live_box_spreads.books.strikes.synthetics import synthetics_by_expiry
from live_box_spreads.model.chain import SETTLEMENT_TYPE, Chain, Timeliness
from live_box_spreads.model.errors import ChainError
from live_box_spreads.model.quality import LegFlag, QualityRules
from tests.books.by_desk import synthetics

if TYPE_CHECKING:
    from collections.abc import Callable

EXPIRIES = [date(2027, 3, 19), date(2027, 6, 18), date(2027, 12, 17)]


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


def several_expiries(random_chain: Callable[..., Chain]) -> Chain:
    """Three roots and a few expiries of each, one of them with a single contract."""
    parts = [
        random_chain(seed, 30).quotes.with_columns(
            root=pl.lit(root), settlement=pl.lit(settlement), expiry=pl.lit(EXPIRIES[seed % 3])
        )
        for seed, (root, settlement) in enumerate(
            [("SPX", "AM")] * 3 + [("SPXW", "PM")] * 3 + [("XSP", "PM")] * 2
        )
    ]
    lone = parts[0].head(1).with_columns(root=pl.lit("NDX"), underlying=pl.lit("NDX"))
    return Chain.build(
        pl.concat([*parts, lone], how="vertical_relaxed"),
        snapshot_time=random_chain(0, 2).snapshot_time,
        feed="test",
        timeliness=Timeliness.REPLAY,
        spot={"SPX": 6500.0},
    )


def assert_same(found: Any, wanted: Any) -> None:
    for item in fields(wanted):
        one, other = getattr(found, item.name), getattr(wanted, item.name)
        if is_dataclass(other):
            assert_same(one, other)
        else:
            np.testing.assert_array_equal(one, other)


def test_all_expiries_in_one_pass_are_the_same_as_one_by_one(
    random_chain: Callable[..., Chain],
) -> None:
    chain = several_expiries(random_chain)
    found = synthetics_by_expiry(chain, QualityRules())
    assert [(one.root, one.expiry) for one in found] == chain.keys()
    assert len(found) == 9
    for one in found:
        assert_same(one, synthetics(chain, one.root, one.expiry, QualityRules()))
    [lone, *_] = found
    assert (lone.forwards.strike.size, lone.one_sided) == (0, 1)
    assert np.isnan(lone.spot)
    only = synthetics_by_expiry(chain, QualityRules(), "SPXW")
    assert [one.expiry for one in only] == chain.expiries("SPXW")
    for one in only:
        assert_same(one, synthetics(chain, "SPXW", one.expiry, QualityRules()))


def test_one_pass_refuses_what_one_by_one_refuses(random_chain: Callable[..., Chain]) -> None:
    chain = several_expiries(random_chain)
    with pytest.raises(ChainError, match="no root 'SPY'; it has NDX, SPX, SPXW, XSP"):
        synthetics_by_expiry(chain, QualityRules(), "SPY")
    mixed = chain.quotes.with_row_index().with_columns(
        settlement=pl.when(pl.col("index") == len(chain.quotes) - 1)
        .then(pl.lit("AM"))
        .otherwise("settlement")
        .cast(SETTLEMENT_TYPE)
    )
    with pytest.raises(ChainError, match=r"XSP 2027-06-18 has settlement \['AM', 'PM'\]"):
        synthetics_by_expiry(replace(chain, quotes=mixed.drop("index")), QualityRules())
    for unsorted in (
        chain.quotes.reverse(),
        pl.concat([chain.quotes.tail(30), chain.quotes.head(-30)]),
    ):
        with pytest.raises(ChainError, match="not sorted"):
            synthetics_by_expiry(replace(chain, quotes=unsorted), QualityRules())
    assert synthetics_by_expiry(replace(chain, quotes=chain.quotes.clear()), QualityRules()) == []


def test_blocks_lay_the_strikes_of_all_expiries_end_to_end(
    random_chain: Callable[..., Chain],
) -> None:
    parts = synthetics_by_expiry(several_expiries(random_chain), QualityRules())
    blocks = StrikeBlocks.of(parts)
    assert len(blocks) == len(parts)
    assert blocks.keys == tuple((part.root, part.expiry) for part in parts)
    assert blocks.starts[-1] == blocks.strike.size == blocks.flags.size
    for index, part in enumerate(parts):
        rows = slice(blocks.starts[index], blocks.starts[index + 1])
        np.testing.assert_array_equal(blocks.strike[rows], part.forwards.strike)
        np.testing.assert_array_equal(blocks.syn_bid[rows], part.forwards.syn_bid)
        np.testing.assert_array_equal(blocks.syn_ask[rows], part.forwards.syn_ask)
        np.testing.assert_array_equal(blocks.flags[rows], part.call.flags | part.put.flags)
        for strike in range(part.forwards.strike.size):
            at = blocks.starts[index] + strike
            call, put = part.call, part.put
            assert blocks.buy_size[at] == min(call.ask_size[strike], put.bid_size[strike])
            assert blocks.sell_size[at] == min(call.bid_size[strike], put.ask_size[strike])
            least = [call.volume[strike], put.volume[strike]]
            np.testing.assert_equal(blocks.volume[at], nan if np.isnan(sum(least)) else min(least))
            least = [call.open_interest[strike], put.open_interest[strike]]
            np.testing.assert_equal(
                blocks.open_interest[at], nan if np.isnan(sum(least)) else min(least)
            )
    nothing = StrikeBlocks.of([])
    assert (len(nothing), nothing.starts.tolist(), nothing.strike.size) == (0, [0], 0)
