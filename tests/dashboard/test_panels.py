from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest

from live_box_spreads.dashboard import ids
from live_box_spreads.dashboard.choices import BoxOptions, Choices
from live_box_spreads.dashboard.panels import content
from live_box_spreads.dashboard.ranked import ranked_rows
from live_box_spreads.dashboard.ranking_grid import COLUMNS
from tests.dashboard.market import DAYS, NOON, RATE, chain_at, newest

if TYPE_CHECKING:
    from live_box_spreads.dashboard.market_view import MarketView

EXPIRY = date(2025, 12, 19)
CHOICES = Choices("SPXW", expiry=EXPIRY, history_minutes=60)
TOO_MUCH = BoxOptions(min_leg_volume=1_000_000)


@pytest.fixture
def filled(view: MarketView) -> MarketView:
    view.settings.store().write(chain_at())
    return view


@pytest.mark.parametrize("panel", ids.FIGURES)
def test_without_a_snapshot_each_panel_says_how_to_get_one(view: MarketView, panel: str) -> None:
    shown = content(view, newest(view), panel, CHOICES)
    assert shown.figure is None
    assert "No snapshot yet" in shown.message
    assert "ingest.py --loop" in shown.message


@pytest.mark.parametrize("panel", ids.FIGURES)
def test_each_panel_draws(filled: MarketView, panel: str) -> None:
    shown = content(filled, newest(filled), panel, CHOICES)
    assert shown.message == ""
    assert shown.figure is not None
    assert shown.caption.startswith(("SPXW", "Mid median"))


def test_the_mid_surface_is_the_market_s_rate_everywhere(filled: MarketView) -> None:
    figure = content(filled, newest(filled), ids.MID_SURFACE, CHOICES).figure
    assert figure is not None
    (surface,) = figure.data
    assert list(surface.y) == list(DAYS.values())
    rates = np.asarray(surface.z)
    assert np.isfinite(rates).sum() > 60
    np.testing.assert_allclose(rates[np.isfinite(rates)], RATE, atol=1e-6)


def test_lending_and_borrowing_surfaces_are_on_either_side_of_the_mid(filled: MarketView) -> None:
    figure = content(filled, newest(filled), ids.QUOTED_SURFACE, CHOICES).figure
    assert figure is not None
    borrow, lend = figure.data
    assert (borrow.name, lend.name) == ("Borrow (bid)", "Lend (ask)")
    assert np.nanmin(np.asarray(borrow.z)) > RATE > np.nanmax(np.asarray(lend.z))


def test_the_term_structure_is_flat_at_the_market_s_rate(filled: MarketView) -> None:
    figure = content(filled, newest(filled), ids.TERM_STRUCTURE, CHOICES).figure
    assert figure is not None
    median = next(trace for trace in figure.data if trace.name == "Median")
    assert list(median.x) == list(DAYS.values())
    np.testing.assert_allclose(median.y, RATE, atol=1e-6)


def test_price_and_band_change_the_term_structure(filled: MarketView) -> None:
    lend = content(
        filled,
        newest(filled),
        ids.TERM_STRUCTURE,
        replace(CHOICES, price="ask", half_width=0.1),
    )
    assert lend.caption == "Lend median at 90.0% to 110.0% of spot"
    assert lend.figure is not None
    median = next(trace for trace in lend.figure.data if trace.name == "Median")
    assert max(median.y) < RATE


def test_a_history_needs_two_snapshots(filled: MarketView) -> None:
    history = replace(CHOICES, time="snapshot")
    assert (
        "needs two snapshots" in content(filled, newest(filled), ids.MID_SURFACE, history).message
    )
    filled.settings.store().write(chain_at(NOON + timedelta(minutes=1)))
    shown = content(filled, newest(filled), ids.MID_SURFACE, history)
    assert shown.figure is not None
    assert list(shown.figure.data[0].y) == [-1.0, 0.0]
    assert list(shown.figure.data[0].customdata[7]) == ["04 Sep 18:15:00", "04 Sep 18:16:00"]
    assert shown.caption.startswith("SPXW 19 Dec 2025, 2 snapshots")


@pytest.mark.parametrize("panel", [ids.MID_SURFACE, ids.SKEW])
def test_when_all_is_filtered_out_the_filter_is_named(filled: MarketView, panel: str) -> None:
    message = content(filled, newest(filled), panel, replace(CHOICES, options=TOO_MUCH)).message
    assert "No box passes the filters" in message
    assert "leg volume is under min_volume" in message


@pytest.mark.parametrize(
    ("choices", "says"),
    [
        (replace(CHOICES, centre=3.0), "No box has its middle strike at 295.0% to 305.0% of spot"),
        (replace(CHOICES, options=TOO_MUCH), "No box passes the filters"),
    ],
)
def test_without_a_box_in_the_band_the_fair_curve_stands(
    filled: MarketView, choices: Choices, says: str
) -> None:
    shown = content(filled, newest(filled), ids.TERM_STRUCTURE, choices)
    assert says in shown.caption
    assert shown.figure is not None
    fair = next(trace for trace in shown.figure.data if trace.name == "Fair")
    np.testing.assert_allclose(fair.y, RATE, atol=1e-5)


def test_passed_expiries_are_told(view: MarketView) -> None:
    view.settings.store().write(chain_at(NOON + timedelta(days=500)))
    assert "has passed" in content(view, newest(view), ids.MID_SURFACE, CHOICES).message
    assert "has passed" in content(view, newest(view), ids.VOLUME_SURFACE, CHOICES).message
    assert "has passed" in content(view, newest(view), ids.SKEW, CHOICES).message


def test_a_root_that_the_snapshot_lacks_is_told(filled: MarketView) -> None:
    assert (
        "no quotes of NDX"
        in content(filled, newest(filled), ids.SKEW, replace(CHOICES, root="NDX")).message
    )


def test_the_table_lists_the_best_lend_first(filled: MarketView) -> None:
    rows = ranked_rows(filled, newest(filled), CHOICES).rows
    assert {str(column["field"]) for column in COLUMNS} <= set(rows[0])
    to_fair = [row["spread_bps"] for row in rows]
    assert max(to_fair) == to_fair[0] < 0
    assert len({row["id"] for row in rows}) == len(rows) == 9
    best = rows[0]
    assert best["net_rate"] < best["rate"] < RATE
    assert best["fair_rate"] == pytest.approx(RATE, abs=1e-5)
    assert best["fees_dollars"] == 6.89
    assert best["size"] == 10
    assert best["quality"] == "ok"
    assert {row["days"] for row in rows} == set(DAYS.values())
    assert {row["width"] for row in rows if "what trades most" in row["why"]} == {1000.0}


def test_the_table_lists_the_cheapest_loan_first(filled: MarketView) -> None:
    rows = ranked_rows(filled, newest(filled), replace(CHOICES, side="borrow")).rows
    to_fair = [row["spread_bps"] for row in rows]
    assert min(to_fair) == to_fair[0] > 0
    assert all(row["net_rate"] > row["rate"] > RATE for row in rows)


def test_an_empty_table_is_told(filled: MarketView) -> None:
    assert (
        "No box passes"
        in ranked_rows(filled, newest(filled), replace(CHOICES, options=TOO_MUCH)).message
    )


def test_a_table_without_fair_values_is_told(view: MarketView) -> None:
    view.settings.store().write(chain_at(strikes=(4800.0, 5000.0, 5200.0)))
    message = ranked_rows(view, newest(view), CHOICES).message
    assert message.startswith("No box can be ranked: 3 two-sided strikes; a kinked line needs 6")
