"""What is made of real chains: halves of the strikes, gaps, pairs of roots."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import polars as pl
import pytest

from benchmarks.accuracy.chain_files import (
    ChainFile,
    half_chains,
    is_third_friday,
    panel_moments,
    read_chain_files,
    with_quotes,
    without_expiry,
)
from benchmarks.accuracy.root_pairs import same_instant_pairs
from benchmarks.accuracy.simulated import OPENED, chain_of
from live_box_spreads.books.desk import Desk
from live_box_spreads.model.chain import Chain
from live_box_spreads.simulator.market.market import Market
from tests.real_data import CHAIN_FILES, DATA, NO_DATA

if TYPE_CHECKING:
    from collections.abc import Sequence

DAY = date(2026, 11, 24)


@pytest.fixture(scope="module")
def chain() -> Chain:
    return chain_of(Market(OPENED, seed=5, roots=("SPX", "SPXW")))


def only(chain: Chain, *roots: str, later: timedelta = timedelta()) -> Chain:
    return Chain.build(
        chain.quotes.filter(pl.col("root").is_in(roots)),
        snapshot_time=chain.snapshot_time + later,
        feed=chain.feed,
        timeliness=chain.timeliness,
    )


def test_halves_have_every_strike_once_on_its_side_of_the_forward(chain: Chain) -> None:
    below, above = half_chains(chain, "SPX")
    own = chain.quotes.filter(pl.col("root") == "SPX")
    assert len(below.quotes) + len(above.quotes) == len(own)
    forwards = Desk(chain).curve("SPX").select("expiry", "forward").drop_nans()
    for half, sign in ((below, -1), (above, 1)):
        assert half.roots == ["SPX"]
        off = half.quotes.join(forwards, on="expiry").select(pl.col("strike") - pl.col("forward"))
        assert (off.to_series() * sign > 0).all()


def test_an_expiry_without_a_forward_is_cut_at_that_of_its_neighbours(chain: Chain) -> None:
    expiry = chain.expiries("SPX")[3]
    here = pl.col("expiry") == expiry
    quotes = chain.quotes.with_columns(
        pl.when(here).then(float("nan")).otherwise(pl.col(side)).alias(side)
        for side in ("bid", "ask")
    )
    below, above = half_chains(with_quotes(chain, quotes), "SPX")
    known = half_chains(chain, "SPX")
    for half, whole in zip((below, above), known, strict=True):
        strikes, before = (part.quotes.filter(here)["strike"].unique() for part in (half, whole))
        assert abs(len(strikes) - len(before)) <= 3


def test_without_any_forward_both_halves_are_empty(chain: Chain) -> None:
    quotes = chain.quotes.with_columns(bid=float("nan"), ask=float("nan"))
    below, above = half_chains(with_quotes(chain, quotes), "SPX")
    assert below.quotes.is_empty()
    assert above.quotes.is_empty()


def test_one_expiry_of_one_root_is_gone(chain: Chain) -> None:
    expiry = next(day for day in chain.expiries("SPX") if day in chain.expiries("SPXW"))
    rest = without_expiry(chain, "SPX", expiry)
    assert rest.expiries("SPX") == [day for day in chain.expiries("SPX") if day != expiry]
    assert rest.expiries("SPXW") == chain.expiries("SPXW")


def names(files: Sequence[ChainFile]) -> list[tuple[str, str, str, str]]:
    return [
        (one.name, left, other.name, right) for one, left, other, right in same_instant_pairs(files)
    ]


def test_roots_of_one_file_pair_and_not_with_those_of_another_of_the_same_instant(
    chain: Chain,
) -> None:
    files = [ChainFile("a", DAY, chain), ChainFile("b", DAY, chain)]
    assert names(files) == [("a", "SPX", "a", "SPXW"), ("b", "SPX", "b", "SPXW")]


def test_roots_in_two_files_of_one_instant_pair(chain: Chain) -> None:
    one, other = only(chain, "SPX"), only(chain, "SPXW")
    files = [ChainFile("b", DAY, other), ChainFile("a", DAY, one)]
    assert names(files) == [("a", "SPX", "b", "SPXW")]


def test_roots_of_two_instants_do_not_pair(chain: Chain) -> None:
    later = only(chain, "SPXW", later=timedelta(seconds=1))
    assert names([ChainFile("a", DAY, only(chain, "SPX")), ChainFile("b", DAY, later)]) == []


@pytest.mark.parametrize(
    ("day", "third"),
    [
        (date(2026, 7, 17), True),
        (date(2026, 7, 10), False),
        (date(2026, 7, 24), False),
        (date(2026, 7, 16), False),
        (date(2021, 10, 15), True),
        (date(2025, 2, 21), True),
    ],
)
def test_third_fridays(day: date, third: bool) -> None:  # noqa: FBT001
    assert is_third_friday(day) is third


@pytest.mark.realdata
@pytest.mark.skipif(not CHAIN_FILES, reason=NO_DATA)
def test_every_file_of_the_data_folder_is_read_and_said_to_be_chosen_on_or_not() -> None:
    files = read_chain_files(DATA)
    assert len(files) == len({file.name for file in files}) >= 16
    assert {file.name for file in files if not file.chosen_on} == {
        "ndx_20240322_2140",
        "spx_20110124_1403",
        "xsp_20230914_1630",
    }


@pytest.mark.realdata
@pytest.mark.skipif(not CHAIN_FILES, reason=NO_DATA)
def test_the_panel_has_no_key_twice_and_keeps_the_order_of_time() -> None:
    moments = panel_moments(DATA)
    assert len(moments) == 39
    times = [moment.snapshot_time for moment in moments]
    assert times == sorted(times)
    assert not any(moment.rejected for moment in moments)
