from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest

from live_box_spreads.books.boxes.filters import BoxFilters
from live_box_spreads.books.curves.band_table import BAND_SCHEMA
from live_box_spreads.model.errors import ChainError
from live_box_spreads.model.rates import Compounding, rate_from_discount
from tests.books.by_desk import band_table

if TYPE_CHECKING:
    from collections.abc import Callable

    from live_box_spreads.model.chain import Chain


def test_the_box_of_the_method_page(example: Chain) -> None:
    table = band_table(example)
    assert table.schema == BAND_SCHEMA
    [row] = table.to_dicts()
    assert (row["root"], row["settlement"], row["tte_years"]) == ("SPX", "AM", 390 / 365)
    # docs/method.md: 4.06 % to lend at 958.40, 4.21 % to borrow at 956.90
    assert row["lend_rate"] == pytest.approx((1000 / 958.4) ** (365 / 390) - 1)
    assert row["borrow_rate"] == pytest.approx((1000 / 956.9) ** (365 / 390) - 1)
    assert (row["lend_kl"], row["lend_ks"], row["lend_size"]) == (6000.0, 7000.0, 8.0)
    assert row["borrow_size"] == 11.0
    assert (row["inverted"], row["note"]) == (False, "")
    [row] = band_table(example, compounding=Compounding.SIMPLE).to_dicts()
    wanted = rate_from_discount(0.9584, 390 / 365, Compounding.SIMPLE)
    assert row["lend_rate"] == pytest.approx(wanted)


def rows_of_example(example: Chain, **columns: Any) -> list[dict[str, Any]]:
    return example.quotes.with_columns(
        **{name: pl.lit(value) for name, value in columns.items()}
    ).to_dicts()


@pytest.mark.parametrize(
    ("columns", "filters", "note"),
    [
        ({}, BoxFilters(max_abs_rate=0.041), "borrow: rate is beyond max_abs_rate"),
        ({}, BoxFilters(max_abs_rate=0.01), "rate is beyond max_abs_rate"),
        ({}, BoxFilters(min_strike_gap=2000), "no box can be executed"),
        ({"expiry": date(2026, 11, 23)}, BoxFilters(), "nothing is left of the loan"),
        (
            {"root": "SPY"},
            BoxFilters(),
            "a box is no loan: the root is not known to be European",
        ),
        (
            {"root": "ABC"},
            BoxFilters(),
            "a box is no loan: the root is not known to be European",
        ),
    ],
)
def test_no_rate_without_a_reason(  # fixtures and cases
    make_chain: Callable[..., Chain],
    example: Chain,
    columns: dict[str, Any],
    filters: BoxFilters,
    note: str,
) -> None:
    [row] = band_table(make_chain(rows_of_example(example, **columns)), filters=filters).to_dicts()
    assert row["note"] == note
    assert np.isnan(row["borrow_rate"])
    assert np.isnan(row["lend_rate"]) == (not note.startswith("borrow"))
    if "max_abs_rate" in note:
        assert row["borrow_discount"] == pytest.approx(0.9569)


def test_a_cost_below_zero_has_no_rate(make_chain: Callable[..., Chain], example: Chain) -> None:
    rows = example.quotes.to_dicts()
    rows[2] |= {"bid": 1412.5, "ask": 1412.6}  # the call at 7,000, a thousand too dear
    [row] = band_table(make_chain(rows)).to_dicts()
    assert row["lend_discount"] == pytest.approx(-0.0416)
    assert row["note"] == "cost is not positive"


def test_only_one_root_or_none_at_all(make_chain: Callable[..., Chain], example: Chain) -> None:
    both = make_chain(rows_of_example(example) + rows_of_example(example, root="SPXW"))
    assert band_table(both)["root"].to_list() == ["SPX", "SPXW"]
    assert band_table(both, root="SPXW")["root"].to_list() == ["SPXW"]
    with pytest.raises(ChainError, match="no root 'XSP'"):
        band_table(both, root="XSP")
    nothing = band_table(replace(both, quotes=both.quotes.clear()))
    assert (nothing.schema, nothing.height) == (BAND_SCHEMA, 0)
