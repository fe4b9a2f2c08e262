"""The headline rates: the fair rate nearest to each usual tenor, and how sure it is."""

from __future__ import annotations

import json
from datetime import date
from math import nan
from typing import TYPE_CHECKING, Any

import polars as pl

from live_box_spreads.dashboard.choices import Choices
from live_box_spreads.dashboard.tiles import _tile, headline_rows, tiles
from tests.dashboard.market import chain_at

if TYPE_CHECKING:
    from live_box_spreads.dashboard.market_view import MarketView


def _text(tile: Any) -> str:
    return json.dumps(
        tile.to_plotly_json(), default=lambda part: part.to_plotly_json(), ensure_ascii=False
    )


def test_headline_rates_take_the_nearest_expiry_once() -> None:
    frame = pl.DataFrame(
        {"expiry": [date(2026, 1, 16), date(2026, 12, 18)], "years": [40 / 365, 0.95]}
    )
    rows = [(tenor, row["expiry"].year) for tenor, row in headline_rows(frame)]
    assert rows == [("1 month", 2026), ("6 months", 2026)]
    assert [row["years"] for _, row in headline_rows(frame)] == [40 / 365, 0.95]


def test_no_snapshot_and_no_such_root_have_no_headline(view: MarketView) -> None:
    assert tiles(view, Choices("SPXW")) == []
    view.settings.store().write(chain_at())
    assert tiles(view, Choices("NDX")) == []


def test_a_tile_tells_rate_error_and_both_sides(view: MarketView) -> None:
    view.settings.store().write(chain_at())
    shown = tiles(view, Choices("SPXW"))
    texts = [_text(tile) for tile in shown]
    assert len(texts) == 3
    assert "About 1 month" in texts[0]
    assert "17 Oct 2025, 45 days" in texts[0]
    assert all("4.00%" in text for text in texts)
    assert all("best lend" in text and "best borrow" in text for text in texts)
    assert all("over ref" not in text for text in texts)


def test_a_tile_tells_the_spread_and_the_day_of_the_reference() -> None:
    row = {
        "expiry": date(2026, 9, 18),
        "days": 381,
        "fair_rate": 0.0431,
        "std_error_bps": 0.44,
        "lend_rate": 0.0420,
        "borrow_rate": nan,
        "spread_bps": 29.6,
        "reference_date": date(2025, 9, 3),
    }
    text = _text(_tile("1 year", row, "Treasury par curve, 03 Sep 2025"))
    for part in ("4.31%", "0.9 bp", "4.20%", "+30 bp", "over ref. 03 Sep", "Treasury par curve"):
        assert part in text
    assert "+30" not in _text(_tile("1 year", row | {"spread_bps": nan}, "x"))
