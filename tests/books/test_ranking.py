from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from live_box_spreads.books.box_table import BoxTable, box_table
from live_box_spreads.books.ranking import RANKING_COLUMNS, ranking

if TYPE_CHECKING:
    from collections.abc import Callable

    from live_box_spreads.model.chain import Chain

DISCOUNTS = {date(2026, 12, 18): 0.997, date(2027, 6, 18): 0.976, date(2027, 12, 17): 0.955}


def fair_rows(expiry: date, half_spread: float = 0.5) -> list[dict[str, Any]]:
    """Quote a forward of 6,000 at 40 strikes with one half-spread and known sizes."""
    rows: list[dict[str, Any]] = []
    for strike in np.arange(4000.0, 8000.0, 100.0):
        parity = DISCOUNTS[expiry] * (6000.0 - strike)
        put = max(-parity, 0.0) + 40.0
        for right, fair in (("C", parity + put), ("P", put)):
            quote = {"bid": fair - half_spread, "ask": fair + half_spread}
            more = {"bid_size": 3.0, "ask_size": 4.0, "volume": 10, "open_interest": 20}
            rows.append({"expiry": expiry, "strike": strike, "right": right, **quote, **more})
    return rows


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    return [row for expiry in DISCOUNTS for row in fair_rows(expiry)]


def tables_of(make_chain: Callable[..., Chain], rows: list[dict[str, Any]]) -> list[BoxTable]:
    chain = make_chain(rows)
    return [box_table(chain, "SPX", expiry) for expiry in DISCOUNTS]


def test_lend_is_best_at_the_highest_ask_rate(
    make_chain: Callable[..., Chain], rows: list[dict[str, Any]]
) -> None:
    tables = tables_of(make_chain, rows)
    frame = ranking(tables, side="lend", limit=5, per_expiry=3)
    assert frame.columns == RANKING_COLUMNS
    assert len(frame) == 5
    assert frame["ask_rate"].to_list() == sorted(frame["ask_rate"], reverse=True)
    every = np.concatenate([table.frame["ask_rate"].to_numpy() for table in tables])
    assert frame["ask_rate"][0] == every.max()
    # One half-spread for all: the widest box loses least to it.
    assert frame.row(0, named=True)["width"] == 3900.0
    assert frame["size"].to_list() == [3.0] * 5
    assert frame["min_open_interest"].to_list() == [20] * 5
    spread_bps = (frame["bid_rate"] - frame["ask_rate"]) * 1e4
    np.testing.assert_allclose(frame["spread_bps"], spread_bps)


def test_borrow_is_best_at_the_lowest_bid_rate(
    make_chain: Callable[..., Chain], rows: list[dict[str, Any]]
) -> None:
    tables = tables_of(make_chain, rows)
    frame = ranking(tables, side="borrow", limit=50, per_expiry=2)
    assert frame["bid_rate"].to_list() == sorted(frame["bid_rate"])
    every = np.concatenate([table.frame["bid_rate"].to_numpy() for table in tables])
    assert frame["bid_rate"][0] == every.min()
    assert len(frame) == 6


def test_an_expiry_gives_few_boxes_without_a_common_strike(
    make_chain: Callable[..., Chain], rows: list[dict[str, Any]]
) -> None:
    frame = ranking(tables_of(make_chain, rows), side="lend", per_expiry=4)
    assert frame["expiry"].value_counts()["count"].to_list() == [4, 4, 4]
    for _, boxes in frame.group_by("expiry"):
        strikes = [*boxes["kl"], *boxes["ks"]]
        assert len(set(strikes)) == len(strikes)


@pytest.mark.parametrize("side", ["lend", "borrow"])
def test_a_quote_too_good_to_be_true_does_not_lead(
    make_chain: Callable[..., Chain], rows: list[dict[str, Any]], side: str
) -> None:
    # A call 30 points off: a lend box would earn, or a borrow box cost, far beyond the market.
    wrong = 30.0 if side == "borrow" else -30.0
    spoilt = [
        row | {"bid": row["bid"] + wrong, "ask": row["ask"] + wrong}
        if (row["expiry"], row["strike"], row["right"]) == (date(2027, 12, 17), 5000.0, "C")
        else row
        for row in rows
    ]
    tables = tables_of(make_chain, spoilt)
    column = "ask_rate" if side == "lend" else "bid_rate"
    clean = ranking(tables_of(make_chain, rows), side=side)  # type: ignore[arg-type]
    extreme = [table.frame[column] for table in tables][2]
    frame = ranking(tables, side=side)  # type: ignore[arg-type]
    if side == "lend":
        assert extreme.max() > clean["ask_rate"].max() + 0.005  # type: ignore[operator]
    else:
        assert extreme.min() < clean["bid_rate"].min() - 0.005  # type: ignore[operator]
    assert frame[column][0] == pytest.approx(clean[column][0], abs=5e-4)


def test_boxes_of_one_side_and_no_tables_are_left_out(
    make_chain: Callable[..., Chain], example: Chain, expiry: date
) -> None:
    quotes = example.quotes.to_dicts()
    quotes[0]["bid"] = 0.0
    table = box_table(make_chain(quotes), "SPX", expiry)
    assert len(table.frame) == 1
    assert ranking([table], side="lend").is_empty()
    assert ranking([], side="lend").columns == RANKING_COLUMNS
