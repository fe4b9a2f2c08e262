from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.books.by_desk import box_table, term_structure

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from live_box_spreads.books.boxes.table import BoxTable
    from live_box_spreads.model.chain import Chain


@pytest.fixture(scope="module")
def table(random_chain: Callable[..., Chain], expiry: date) -> BoxTable:
    return box_table(random_chain(5, 40, spot={"SPX": 5000.0}), "SPX", expiry)


@pytest.mark.parametrize("price", ["mid", "bid", "ask"])
def test_summarises_the_boxes_of_the_band(table: BoxTable, price: str) -> None:
    near = [box for box in table.frame.to_dicts() if 0.85 <= box["moneyness_mid"] <= 1.05]
    rates = [box[f"{price}_rate"] for box in near if not np.isnan(box[f"{price}_rate"])]
    assert len(rates) > 20
    [row] = term_structure([table], centre=0.95, band=0.1, price=price).to_dicts()  # type: ignore[arg-type]
    assert row["boxes"] == len(rates)
    assert row["rate"] == pytest.approx(np.median(rates))
    assert row["low"] == pytest.approx(np.quantile(rates, 0.1))
    assert row["high"] == pytest.approx(np.quantile(rates, 0.9))
    assert row["best_lend_rate"] == np.nanmax([box["ask_rate"] for box in near])
    assert row["best_borrow_rate"] == np.nanmin([box["bid_rate"] for box in near])
    assert (row["expiry"], row["tte_years"]) == (table.expiry, table.tte_years)


def test_a_row_for_each_table_even_without_boxes(
    table: BoxTable, make_chain: Callable[..., Chain], example: Chain, expiry: date
) -> None:
    expired = make_chain(
        example.quotes.to_dicts(), snapshot_time=datetime(2027, 12, 18, 20, tzinfo=UTC)
    )
    frame = term_structure(
        [box_table(expired, "SPX", expiry), table], centre=5.0, band=0.01, price="mid"
    )
    assert frame["boxes"].to_list() == [0, 0]
    assert np.isnan(frame.select("rate", "low", "high", "best_lend_rate").to_numpy()).all()
    assert frame.columns == [
        *("expiry", "tte_years", "rate", "low", "high"),
        *("best_lend_rate", "best_borrow_rate", "boxes"),
    ]
    assert term_structure([], centre=1.0, band=0.1).columns == frame.columns


def test_the_box_of_the_method_page(example: Chain, expiry: date) -> None:
    [row] = term_structure(
        [box_table(example, "SPX", expiry)], centre=1.0, band=0.0, price="mid"
    ).to_dicts()
    assert row["rate"] == pytest.approx(0.041330276289084)
    assert row["best_lend_rate"] == pytest.approx(0.040567596729505)
    assert row["best_borrow_rate"] == pytest.approx(0.042094113048209)
    assert row["boxes"] == 1
