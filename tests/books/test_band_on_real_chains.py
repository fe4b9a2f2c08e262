"""The band of every expiry of every real chain: enumeration and the linear programme agree."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy.optimize import linprog

from live_box_spreads.books.boxes.filters import BoxFilters
from live_box_spreads.books.curves.band import bands, numpy_cheapest
from live_box_spreads.books.kernels import BAND
from live_box_spreads.books.strikes.blocks import StrikeBlocks
from live_box_spreads.books.strikes.synthetics import synthetics_by_expiry
from live_box_spreads.feeds.importers.cboe import read_cboe
from live_box_spreads.model.quality import QualityRules
from tests.books.by_desk import band_table
from tests.real_data import CHAIN_FILES, NO_DATA

if TYPE_CHECKING:
    from collections.abc import Iterator

    from live_box_spreads.model.chain import Chain

LP_EVERY = 3

pytestmark = [
    pytest.mark.realdata,
    pytest.mark.skipif(not CHAIN_FILES, reason=NO_DATA),
]


@pytest.fixture(scope="module", params=CHAIN_FILES, ids=lambda path: path.name.split(".")[0])
def chain(request: pytest.FixtureRequest) -> Chain:
    return read_cboe(request.param)


@pytest.fixture(scope="module")
def blocks(chain: Chain) -> StrikeBlocks:
    return StrikeBlocks.of(synthetics_by_expiry(chain, QualityRules()))


@pytest.fixture
def _compiled() -> Iterator[None]:
    BAND.load()
    yield
    BAND.unload()


@pytest.mark.usefixtures("_compiled")
@pytest.mark.parametrize("filters", [BoxFilters(), BoxFilters(50.0, 3000.0)], ids=["all", "window"])
@pytest.mark.parametrize("min_size", [0.0, 10.0])
def test_agrees_with_enumeration(
    blocks: StrikeBlocks, filters: BoxFilters, min_size: float
) -> None:
    found = bands(blocks, filters, min_size)
    window = filters.min_strike_gap, filters.max_strike_gap
    have_size = [
        size >= min_size if min_size else np.isreal(size)
        for size in (blocks.buy_size, blocks.sell_size)
    ]
    buy = np.where(have_size[0], blocks.syn_ask, np.nan)
    sell = np.where(have_size[1], blocks.syn_bid, np.nan)
    assert np.isfinite(found.lend.discount).any() or min_size
    for block in range(len(blocks)):
        rows = slice(blocks.starts[block], blocks.starts[block + 1])
        strike = blocks.strike[rows]
        for side, sign, sides in (
            (found.lend, 1.0, (buy[rows], sell[rows])),
            (found.borrow, -1.0, (-sell[rows], -buy[rows])),
        ):
            quotient, i, _ = numpy_cheapest(strike, *sides, *window)
            np.testing.assert_allclose(side.discount[block], sign * quotient, rtol=0, atol=1e-13)
            if i < 0:
                assert side.low[block] == side.high[block] == -1
                continue
            low, high = side.low[block] - rows.start, side.high[block] - rows.start
            assert (strike[low], strike[high]) == (side.kl[block], side.ks[block])
            width = strike[high] - strike[low]
            assert window[0] <= width <= window[1]
            assert (sides[0][low] - sides[1][high]) / width == sign * side.discount[block]
            if min_size:
                assert side.size[block] >= min_size


def test_is_the_optimum_of_the_linear_programme(blocks: StrikeBlocks) -> None:
    found = bands(blocks)
    solved = 0
    for block in range(0, len(blocks), LP_EVERY):
        rows = slice(blocks.starts[block], blocks.starts[block + 1])
        strike, bid, ask = blocks.strike[rows], blocks.syn_bid[rows], blocks.syn_ask[rows]
        if found.inverted[block] or np.isnan(found.lend.discount[block]):
            continue
        centred = strike - strike.mean()
        columns = np.column_stack([-centred, np.ones_like(strike)])
        has_bid, has_ask = ~np.isnan(bid), ~np.isnan(ask)
        for sign, side in ((-1.0, found.lend), (1.0, found.borrow)):
            result = linprog(
                [sign, 0.0],
                A_ub=np.vstack([columns[has_ask], -columns[has_bid]]),
                b_ub=np.concatenate([ask[has_ask], -bid[has_bid]]),
                bounds=(None, None),
                method="highs",
            )
            assert result.status == 0
            # HiGHS allows a constraint to be missed by 1e-7 points.
            assert result.x[0] == pytest.approx(side.discount[block], rel=0, abs=1e-7)
            solved += 1
    assert solved >= 2


def test_has_a_rate_or_a_reason_for_every_expiry(chain: Chain) -> None:
    table = band_table(chain, filters=BoxFilters(50.0, 3000.0, max_abs_rate=0.25))
    assert table.select("root", "expiry").rows() == chain.keys()
    for row in table.iter_rows(named=True):
        rates = row["lend_rate"], row["borrow_rate"]
        if row["note"]:
            assert any(map(np.isnan, rates)) or row["inverted"]
        else:
            assert -0.25 <= rates[0] <= rates[1] <= 0.25
