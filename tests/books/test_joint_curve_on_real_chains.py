"""The joint curve on real chains: over a weekend, between two roots, at a known level."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from live_box_spreads.books.desk import Desk
from live_box_spreads.books.kernels import KINKED
from live_box_spreads.feeds.importers.box_csv import read_chain_csv
from live_box_spreads.feeds.importers.cboe import read_cboe
from live_box_spreads.model.rates import Compounding
from tests.real_data import CHAIN_FILES, DATA, NO_DATA

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from live_box_spreads.model.chain import Chain

pytestmark = [pytest.mark.realdata, pytest.mark.skipif(not CHAIN_FILES, reason=NO_DATA)]


@pytest.fixture(scope="module", autouse=True)
def _compiled() -> Iterator[None]:
    KINKED.load()
    yield
    KINKED.unload()


@cache
def real_chain(name: str) -> Chain:
    """Read a chain of either folder by its day."""
    paths = [*CHAIN_FILES, *sorted((DATA / "chains_more").glob("*.csv.gz"))]
    [path] = [path for path in paths if path.name.startswith(name)]
    return read_cboe(path) if "cboe" in path.name else read_chain_csv(path)


def rate_at(chain: Chain, root: str, day: date) -> tuple[float, float]:
    """Return the continuous rate to a day, and its standard error in bp."""
    curve = Desk(chain).smooth(root)
    assert curve is not None
    [row] = curve.rates([day], Compounding.CONTINUOUS).to_dicts()
    return row["rate"], row["std_error_bps"]


FRIDAY, SUNDAY = "spx_20250829_1614", "spx_20250829_dl20250831_2233GTH"


@pytest.mark.parametrize("root", ["SPX", "SPXW"])
def test_a_weekend_moves_no_rate(root: str) -> None:
    month = date(2025, 10, 2)  # thirty days from the Tuesday on which both premiums are paid
    before, after = (rate_at(real_chain(name), root, month)[0] for name in (FRIDAY, SUNDAY))
    assert abs(after - before) <= 20e-4


@pytest.mark.parametrize("name", ["spx_20230914", "spx_20250904", "spx_20220712", "spx_20181015"])
def test_two_roots_of_one_index_have_one_rate(name: str) -> None:
    chain = real_chain(name)
    day = chain.snapshot_time.date()
    for days in (30, 60, 91, 182):
        until = day + timedelta(days=days)
        (rate, error), (other, other_error) = (
            rate_at(chain, root, until) for root in ("SPX", "SPXW")
        )
        assert abs(rate - other) * 1e4 <= 2 * np.hypot(error, other_error)


@pytest.mark.parametrize("root", ["SPX", "SPXW"])
def test_two_weeks_before_a_rise_of_the_policy_rate_have_the_mean_of_both(root: str) -> None:
    # The Federal Reserve had 2.25 to 2.5 % and went to 3 to 3.25 % on 2022-09-21.
    rate, error = rate_at(real_chain("spx_20220913"), root, date(2022, 9, 28))
    assert 0.025 <= rate <= 0.030
    assert error < 40


@pytest.mark.parametrize("path", CHAIN_FILES[:4], ids=lambda path: path.name.split(".")[0])
def test_no_part_of_a_real_chain_ends_in_an_error(path: Path) -> None:
    chain = read_cboe(path)
    low = pl.col("strike") < pl.col("strike").median().over("root", "expiry")
    odd = pl.col("strike").rank("dense").over("root", "expiry") % 2 == 1
    for part in (low, ~low, odd, pl.col("expiry") > pl.col("expiry").median().over("root")):
        table = Desk(replace(chain, quotes=chain.quotes.filter(part))).curve()
        rates = table.filter(pl.col("fair_rate").is_finite())
        assert len(rates) + len(table.filter(pl.col("reason") != "")) == len(table)
        assert rates["fair_rate"].is_between(-0.1, 0.5).all()
        assert rates["std_error_bps"].is_between(1.5, 100).all()
