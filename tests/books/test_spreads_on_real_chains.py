"""Fair box rates beside the Treasury's curve of the same day: between nothing and 60 bp above."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest

from live_box_spreads.feeds.importers.cboe import read_cboe
from live_box_spreads.model.settlement import trade_date
from live_box_spreads.reference import History, read_reference
from tests.books.by_desk import curve
from tests.real_data import CHAIN_FILES, NO_DATA, TREASURY_YIELDS

if TYPE_CHECKING:
    from pathlib import Path

STRESS = "spx_20200320"  # Treasuries were bid for safety: the spread says so
FILES = [path for path in CHAIN_FILES if STRESS not in path.name][::2]

pytestmark = [
    pytest.mark.realdata,
    pytest.mark.skipif(not FILES, reason=NO_DATA),
]


@pytest.fixture(scope="module")
def treasuries() -> History:
    return read_reference(TREASURY_YIELDS)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name[:17])
def test_boxes_of_half_a_year_to_a_year_pay_a_little_more_than_treasuries(
    path: Path, treasuries: History
) -> None:
    chain = read_cboe(path)
    reference = treasuries.on(trade_date(chain.snapshot_time), 7)
    assert reference.curve is not None, reference.reason
    frame = curve(chain, reference=reference.curve)
    known = frame.filter(pl.col("days").is_between(150, 400), pl.col("std_error_bps") < 10)
    assert len(known) >= 2
    spreads = known["spread_bps"].to_numpy()
    assert (spreads > 0).all()
    assert (spreads < 60).all()
