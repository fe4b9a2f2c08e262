"""The band against plain enumeration, against the linear programme, and by hand."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import date
from itertools import combinations
from math import inf, isnan, nan
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as nps
from scipy.optimize import linprog

from live_box_spreads.books.boxes.filters import BoxFilters
from live_box_spreads.books.curves.band import Bands, BandSide, bands, numpy_cheapest
from live_box_spreads.books.kernels import BAND
from live_box_spreads.books.strikes.blocks import StrikeBlocks
from live_box_spreads.books.strikes.synthetics import synthetics_by_expiry
from live_box_spreads.model.quality import QualityRules
from tests.books.by_desk import synthetics

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from live_box_spreads.model.chain import Chain

WINDOWS = [(0.0, inf), (10.0, inf), (0.0, 40.0), (15.0, 60.0), (25.0, 25.0)]
DAYS = [date(2027, 3, 19), date(2027, 6, 18), date(2027, 12, 17)]
TIE = 1e-12  # what rounding may do to a discount factor


class Best(NamedTuple):
    """A box, by its strikes, and its price over its width."""

    discount: float
    kl: float
    ks: float


@pytest.fixture(params=["numpy", "compiled"])
def _each_way(request: pytest.FixtureRequest) -> Iterator[None]:
    BAND.unload()
    if request.param == "compiled":
        BAND.load()
    yield
    BAND.unload()


def enumerated(
    blocks: StrikeBlocks, block: int, filters: BoxFilters, min_size: float = 0.0
) -> tuple[list[Best], list[Best]]:
    """Return every box that can lend and every box that can borrow, in plain Python."""
    rows = range(blocks.starts[block], blocks.starts[block + 1])
    lends: list[Best] = []
    borrows: list[Best] = []
    for i, j in combinations(rows, 2):
        kl, ks = float(blocks.strike[i]), float(blocks.strike[j])
        if not filters.min_strike_gap <= ks - kl <= filters.max_strike_gap:
            continue
        if any(
            least > 0 and not getattr(blocks, name)[row] >= least
            for name, least in (
                ("volume", filters.min_volume),
                ("open_interest", filters.min_open_interest),
            )
            for row in (i, j)
        ):
            continue
        for boxes, price, sizes in (
            (
                lends,
                blocks.syn_ask[i] - blocks.syn_bid[j],
                (blocks.buy_size[i], blocks.sell_size[j]),
            ),
            (
                borrows,
                blocks.syn_bid[i] - blocks.syn_ask[j],
                (blocks.sell_size[i], blocks.buy_size[j]),
            ),
        ):
            if not isnan(price) and (min_size <= 0 or all(size >= min_size for size in sizes)):
                boxes.append(Best(float(price) / (ks - kl), kl, ks))
    return lends, borrows


def assert_is_best_of(found: Bands, block: int, lends: list[Best], borrows: list[Best]) -> None:
    for side, boxes, best in ((found.lend, lends, min), (found.borrow, borrows, max)):
        mine = Best(float(side.discount[block]), float(side.kl[block]), float(side.ks[block]))
        if not boxes:
            assert all(map(isnan, mine))
            continue
        assert mine.discount == pytest.approx(best(boxes).discount, rel=0, abs=TIE)
        assert mine in boxes  # it is a box that there is, at its own price


@st.composite
def blocks_of_quotes(draw: st.DrawFn) -> StrikeBlocks:
    """Draw a few blocks of wild quotes: ties, missing sides, any sign, D above 1, inverted."""
    starts, columns = [0], []
    for _ in range(draw(st.integers(1, 3))):
        size = draw(st.integers(0, 9))
        # Few distinct values, so that many boxes tie.
        coarse = draw(st.booleans())
        top = 6 if coarse else 40_000
        unit = 5.0 if coarse else 0.01
        values = nps.arrays(np.int64, size, elements=st.integers(-top, top))
        spread = nps.arrays(np.int64, size, elements=st.integers(-1, top // 3))
        missing = nps.arrays(np.bool_, size)
        slope = draw(st.sampled_from([0.0, 0.95, 1.0, 1.02]))
        strike = 5.0 * np.cumsum(draw(nps.arrays(np.int64, size, elements=st.integers(1, 3))))
        bid = unit * draw(values) - slope * strike
        ask = bid + unit * draw(spread)
        counts = nps.arrays(np.int64, size, elements=st.integers(0, 4))
        unknown = np.where(draw(missing), nan, 1.0)
        columns.append(
            (
                strike,
                np.where(draw(missing), nan, bid),
                np.where(draw(missing), nan, ask),
                *(draw(counts) * unknown for _ in range(4)),
            )
        )
        starts.append(starts[-1] + size)
    keys = tuple(("SPX", DAYS[block]) for block in range(len(starts) - 1))
    arrays = [np.concatenate(column) for column in zip(*columns, strict=True)]
    names = [item.name for item in fields(StrikeBlocks)][2:-1]
    used, others = names[: len(arrays)], names[len(arrays) :]
    unknown = np.full(starts[-1], nan)
    return StrikeBlocks(
        keys=keys,
        starts=np.array(starts, dtype=np.intp),
        **dict(zip(used, arrays, strict=True)),
        **dict.fromkeys(others, unknown),  # mids and ages of the legs: the band asks for none
        flags=np.zeros(starts[-1], dtype=np.uint8),
    )


@st.composite
def filters_of_boxes(draw: st.DrawFn) -> BoxFilters:
    least, most = draw(st.sampled_from(WINDOWS))
    counts = st.integers(0, 2)
    return BoxFilters(least, most, min_volume=draw(counts), min_open_interest=draw(counts))


@pytest.mark.usefixtures("_each_way")
@given(blocks_of_quotes(), filters_of_boxes(), st.sampled_from([0.0, 1.0, 3.0]))
def test_agrees_with_enumeration(
    blocks: StrikeBlocks, filters: BoxFilters, min_size: float
) -> None:
    found = bands(blocks, filters, min_size)
    for block in range(len(blocks)):
        assert_is_best_of(found, block, *enumerated(blocks, block, filters, min_size))


@given(blocks_of_quotes())
def test_is_the_optimum_of_the_linear_programme(blocks: StrikeBlocks) -> None:
    BAND.load()
    found = bands(blocks)
    for block in range(len(blocks)):
        rows = slice(blocks.starts[block], blocks.starts[block + 1])
        strike, bid, ask = blocks.strike[rows], blocks.syn_bid[rows], blocks.syn_ask[rows]
        # Unknowns D and G; bid ≤ G - D·K ≤ ask.
        below = np.column_stack([-strike, np.ones_like(strike)])[~np.isnan(ask)]
        above = np.column_stack([strike, -np.ones_like(strike)])[~np.isnan(bid)]
        limits = np.concatenate([ask[~np.isnan(ask)], -bid[~np.isnan(bid)]])
        highest, lowest = (
            linprog(
                [sign, 0.0],
                A_ub=np.vstack([below, above]),
                b_ub=limits,
                bounds=(None, None),
                method="highs",
            )
            if limits.size
            else None
            for sign in (-1.0, 1.0)
        )
        crossed = bool(np.any(bid > ask))
        if found.inversion[block] > 1e-6 or crossed:
            assert highest is not None
            assert highest.status != 0
            continue
        if found.inverted[block]:
            continue  # too little for the solver to see
        for solved, side in ((highest, found.lend), (lowest, found.borrow)):
            if isnan(side.discount[block]):
                assert solved is None or solved.status != 0  # nothing bounds it
            else:
                assert solved is not None
                assert solved.x[0] == pytest.approx(side.discount[block], abs=1e-6)


@pytest.mark.usefixtures("_each_way")
def test_the_box_of_the_method_page(example: Chain, expiry: date) -> None:
    blocks = StrikeBlocks.of([synthetics(example, "SPX", expiry, QualityRules())])
    found = bands(blocks)
    # syn(6000): 1069.5 / 1070.8; syn(7000): 112.4 / 112.6. Sizes as in the fixture.
    assert found.keys == (("SPX", expiry),)
    assert found.lend.discount[0] == pytest.approx((1070.8 - 112.4) / 1000)
    assert found.borrow.discount[0] == pytest.approx((1069.5 - 112.6) / 1000)
    assert (found.lend.kl[0], found.lend.ks[0]) == (6000.0, 7000.0)
    assert found.lend.size[0] == min(12, 13, 9, 8)
    assert found.borrow.size[0] == min(11, 14, 16, 17)
    assert not found.inverted.any()
    assert np.isnan(bands(blocks, min_size=9).lend.discount[0])
    assert bands(blocks, min_size=9).borrow.size[0] == 11
    assert np.isnan(bands(blocks, BoxFilters(max_strike_gap=999)).borrow.size[0])


@pytest.mark.usefixtures("_each_way")
def test_filters_may_differ_by_root(random_chain: Callable[..., Chain]) -> None:
    chain = random_chain(3, 40)
    [spx] = synthetics_by_expiry(chain, QualityRules())
    both = StrikeBlocks.of([spx, spx])
    xsp = replace(both, keys=(("SPX", spx.expiry), ("XSP", spx.expiry)))
    narrow, wide = BoxFilters(max_strike_gap=200), BoxFilters(min_strike_gap=2000)
    found = bands(xsp, lambda root: narrow if root == "XSP" else wide)
    assert found.lend.ks[0] - found.lend.kl[0] >= 2000
    assert found.lend.ks[1] - found.lend.kl[1] <= 200


@pytest.mark.usefixtures("_each_way")
def test_no_blocks_and_no_strikes_have_no_band() -> None:
    found = bands(StrikeBlocks.of([]))
    assert found.lend.discount.size == found.borrow.kl.size == found.inverted.size == 0
    best = numpy_cheapest(np.array([5.0]), np.array([1.0]), np.array([1.0]), 0.0, inf)
    assert best[1:] == (-1, -1)
    assert isnan(best[0])


@pytest.mark.parametrize(
    ("above", "inverted"),
    [(-1e-6, False), (0.0, False), (9e-10, False), (1.1e-9, True), (1e-6, True)],
)
def test_an_inversion_is_more_than_rounding(above: float, inverted: bool) -> None:  # noqa: FBT001
    def side(discount: float) -> BandSide:
        one, at = np.array([discount]), np.array([0])
        return BandSide(one, at, at + 1, one, one + 1, one)

    # A cent on a box of 10,000 points is 1e-6 of its discount factor.
    found = Bands((("SPX", date(2026, 12, 18)),), side(0.5), side(0.5 + above))
    assert bool(found.inverted[0]) is inverted
    assert found.inversion[0] == pytest.approx(above if inverted else 0.0, rel=1e-6, abs=0)
