"""The headline rates on the page: which loan, how sure, executable where, and over what."""

from __future__ import annotations

import json
from datetime import date
from math import nan
from typing import TYPE_CHECKING, Any

import pytest

from live_box_spreads.dashboard.choices import Choices
from live_box_spreads.dashboard.market_view import MarketView
from live_box_spreads.dashboard.tiles import _tile, tiles
from live_box_spreads.reference.history import HELD_FLAT
from live_box_spreads.settings import load_settings
from tests.dashboard.market import chain_at, newest

if TYPE_CHECKING:
    from pathlib import Path

ROW = {
    "tenor": "1 year",
    "payment_date": date(2026, 9, 8),
    "days": 368,
    "is_exact": True,
    "expiry": date(2026, 9, 18),
    "fair_rate": 0.0431,
    "std_error_bps": 0.44,
    "lend_rate": 0.0420,
    "borrow_rate": nan,
}
COMPARED = ROW | {"spread_bps": 29.6, "reference_date": date(2025, 9, 3)}


def _text(tile: Any) -> str:
    return json.dumps(
        tile.to_plotly_json(), default=lambda part: part.to_plotly_json(), ensure_ascii=False
    )


def test_no_snapshot_and_no_such_root_have_no_headline(view: MarketView) -> None:
    assert tiles(view, newest(view), Choices("SPXW")) == []
    view.settings.store().write(chain_at())
    assert tiles(view, newest(view), Choices("NDX")) == []


def test_before_the_first_expiry_that_one_is_told_under_its_own_days(view: MarketView) -> None:
    view.settings.store().write(chain_at())
    texts = [_text(tile) for tile in tiles(view, newest(view), Choices("SPXW"))]
    assert len(texts) == 4
    assert '"45 days"' in texts[0]
    assert "17 Oct 2025, shortest expiry; no 1-month quotes" in texts[0]
    for text, tenor in zip(texts[1:], ("3 months", "6 months", "1 year"), strict=True):
        assert f'"{tenor}"' in text
        assert "read off the joint curve of all expiries" in text
    assert all("4.00%" in text for text in texts)
    assert all("over ref" not in text for text in texts)


def test_a_tenor_of_its_own_has_the_expiry_of_the_executable_rates() -> None:
    text = _text(_tile(ROW, ""))
    for part in ("1 year", "08 Sep 2026, 368 days", "4.31%", "0.9 bp", "lend 18 Sep", "4.20%"):
        assert part in text
    assert "About" not in text
    assert "borrow 18 Sep" in text
    assert "\N{EN DASH}" in text  # nobody buys


def test_a_loan_that_is_not_of_its_tenor_never_bears_its_name() -> None:
    row = ROW | {"is_exact": False, "tenor": "302 days", "days": 302, "expiry": date(2026, 6, 30)}
    row |= {"note": "longest expiry; no 1-year quotes"}
    name, *_ = _tile(row, "").children
    assert name.children[0].children == "302 days"
    assert name.children[1] == " · 30 Jun 2026, longest expiry; no 1-year quotes"
    assert name.title == "the fair rate of this expiry"


@pytest.mark.parametrize(
    ("fit", "says"),
    [
        ("joint", "read off the joint curve of all expiries"),
        ("one_curve", "read off the shared curve of all roots of the index"),
        ("per_expiry", "the fair rate of this expiry"),  # three are too few for a spline
    ],
)
def test_the_hover_is_true_of_the_configured_fit(tmp_path: Path, fit: str, says: str) -> None:
    environment = {"BOX_SNAPSHOT_STORAGE__FOLDER": str(tmp_path / "kept"), "BOX_FIT": fit}
    view = MarketView(load_settings(env=environment))
    view.settings.store().write(chain_at())
    found = tiles(view, newest(view), Choices("SPXW"))
    names = [tile.children[0].title for tile in found]
    assert says in names
    assert set(names) <= {says, "the fair rate of this expiry"}


def test_a_tile_tells_the_spread_and_the_day_of_the_reference() -> None:
    text = _text(_tile(COMPARED, "Treasury par curve, 03 Sep 2025"))
    for part in ("+30 bp", "over ref. 03 Sep", "Treasury par curve, 03 Sep 2025"):
        assert part in text
    assert HELD_FLAT not in text
    overnight = _text(_tile(COMPARED, "SOFR overnight, held flat, 03 Sep 2025", held_flat=True))
    assert "over ref. held flat, 03 Sep" in overnight
    assert "+30" not in _text(_tile(COMPARED | {"spread_bps": nan}, "x"))


def test_the_filtered_rate_stands_beside_that_of_the_snapshot_and_is_named() -> None:
    text = _text(_tile(ROW | {"filtered_rate": 0.0426, "filtered_std_error_bps": 1.3}, ""))
    assert "4.31%" in text
    assert "filtered 4.26% ± 2.6 bp, from all snapshots" in text
    unknown = _text(_tile(ROW | {"filtered_rate": nan, "filtered_std_error_bps": nan}, ""))
    assert "filtered" not in unknown
    assert "filtered" not in _text(_tile(ROW, ""))
