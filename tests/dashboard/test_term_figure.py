"""The term structure: what is drawn, and what a hover tells."""

from __future__ import annotations

from datetime import date
from math import nan
from typing import Any

import numpy as np
import polars as pl
import pytest

from live_box_spreads.dashboard.term_figure import Line, term_structure_figure
from live_box_spreads.dashboard.theme import PALETTES

LIGHT = PALETTES["light"]
CURVE = pl.DataFrame(
    {
        "expiry": [date(2026, 12, 18), date(2027, 6, 18), date(2027, 12, 17)],
        "years": [30 / 365, 0.5, 1.0],
        "fair_rate": [0.0410, 0.0420, nan],
        "std_error_bps": [12.5, 0.4, nan],
        "lend_rate": [0.0390, nan, nan],
        "borrow_rate": [0.0450, 0.0440, nan],
        "strikes_used": [80, 120, 3],
    }
)
MEDIAN = pl.DataFrame(
    {
        "expiry": [date(2027, 6, 18)],
        "tte_years": [0.5],
        "rate": [0.0415],
        "low": [0.0400],
        "high": [0.0430],
        "best_lend_rate": [nan],
        "best_borrow_rate": [nan],
        "boxes": [34],
    }
)
REFERENCE = Line(
    "Treasury par curve, 04 Sep 2025", np.array([30.0, 182.0]), np.array([0.0380, 0.0381])
)
COMPARED = CURVE.with_columns(
    reference_rate=pl.lit(0.038), spread_bps=pl.Series([30.0, -4.04, nan])
)


def _traces(
    curve: pl.DataFrame, reference: Line | None, smooth: Line | None = None
) -> dict[str, Any]:
    figure = term_structure_figure(curve, MEDIAN, smooth, reference, LIGHT, uirevision="SPX")
    return {trace.name: trace for trace in figure.data if trace.name}


def test_fair_rates_have_error_bars_of_two_standard_errors() -> None:
    fair = _traces(CURVE, None)["Fair"]
    assert list(fair.x) == [30.0, 182.5, 365.0]
    assert list(fair.y)[:2] == [0.0410, 0.0420]
    assert list(fair.error_y.array)[:2] == pytest.approx([0.0025, 0.00008])


def test_every_line_is_there_and_the_fair_one_leads_the_legend() -> None:
    traces = _traces(COMPARED, REFERENCE)
    assert set(traces) == {"Best lend", "Best borrow", "Median", "Reference", "Fair"}
    assert traces["Fair"].legendrank == 1
    assert list(traces["Median"].y) == [0.0415]
    assert list(traces["Best borrow"].y)[:2] == [0.0450, 0.0440]
    assert list(traces["Reference"].y) == [0.0380, 0.0381]


def test_the_executable_band_is_filled_where_both_sides_are_known() -> None:
    figure = term_structure_figure(CURVE, MEDIAN, None, None, LIGHT, uirevision="SPX")
    upper, lower = figure.data[:2]
    assert lower.fill == "tonexty"
    assert (list(upper.y), list(lower.y)) == ([0.0450], [0.0390])


def test_a_hover_tells_spread_and_day_of_the_reference() -> None:
    fair = _traces(COMPARED, REFERENCE)["Fair"]
    assert list(fair.customdata[0]) == [
        *("Fri 18 Dec 2026", "25.0", "80", "3.90%", "4.50%", "no box in the band"),
        *("3.80%", "+30.0 bp"),
    ]
    assert list(fair.customdata[1])[-1] == "-4.0 bp"
    assert fair.customdata[1][5] == "median of 34 boxes 4.15% (10 % to 90 %: 4.00% to 4.30%)"
    assert list(fair.customdata[2])[1:] == [
        *("\N{EN DASH}", "3", "\N{EN DASH}", "\N{EN DASH}", "no box in the band"),
        *("3.80%", "no spread"),
    ]
    assert "Treasury par curve, 04 Sep 2025" in fair.hovertemplate
    assert "Treasury" not in _traces(CURVE, None)["Fair"].hovertemplate


def test_well_known_rates_and_the_reference_are_on_the_axis() -> None:
    far = REFERENCE.rates - 0.02
    low = Line(REFERENCE.label, REFERENCE.days, far)
    figure = term_structure_figure(COMPARED, MEDIAN, None, low, LIGHT, uirevision="SPX")
    bottom, top = figure.layout.yaxis.range
    assert bottom < far.min()
    assert top > 0.0450
    unsure = COMPARED.with_columns(std_error_bps=pl.Series([900.0, 0.4, nan]))
    figure = term_structure_figure(unsure, MEDIAN, None, REFERENCE, LIGHT, uirevision="SPX")
    assert figure.layout.yaxis.range[1] < 0.06


def test_it_stands_an_empty_band_and_an_empty_curve() -> None:
    for curve, median in ((CURVE, MEDIAN.clear()), (CURVE.clear(), MEDIAN)):
        figure = term_structure_figure(curve, median, None, None, LIGHT, uirevision="SPX")
        assert figure.layout.yaxis.title.text == "Rate"
        assert figure.layout.uirevision == "SPX"


def test_the_median_speaks_for_itself_only_where_there_is_no_fair_rate() -> None:
    assert _traces(CURVE, None)["Median"].hoverinfo == "skip"
    alone = _traces(CURVE.clear(), None)["Median"]
    assert alone.hoverinfo is None
    assert alone.customdata[0].startswith("median of 34 boxes 4.15%")


def test_a_smooth_curve_takes_the_place_of_straight_lines() -> None:
    smooth = Line("smooth curve", np.array([30.0, 60.0, 182.0]), np.array([0.041, 0.0415, 0.042]))
    traces = _traces(COMPARED, REFERENCE, smooth)
    assert list(traces["Smooth"].y) == [0.041, 0.0415, 0.042]
    assert not traces["Smooth"].showlegend
    assert traces["Fair"].mode == "markers"
    assert _traces(COMPARED, REFERENCE)["Fair"].mode == "lines+markers"


def test_a_curve_that_has_errors_has_a_band_of_two_of_them_and_the_points_no_bars() -> None:
    smooth = Line(
        "joint curve of all expiries",
        np.array([30.0, 60.0, 182.0]),
        np.array([0.041, 0.0415, 0.042]),
        errors=np.array([0.0010, 0.0005, 0.0001]),
    )
    figure = term_structure_figure(CURVE, MEDIAN, smooth, None, LIGHT, uirevision="SPX")
    names = [trace.name for trace in figure.data]
    band = figure.data[names.index("Fair ± 2 s.e.")]
    upper = figure.data[names.index("Fair ± 2 s.e.") - 1]
    assert band.fill == "tonexty"
    assert list(upper.y) == pytest.approx([0.0430, 0.0425, 0.0422])
    assert list(band.y) == pytest.approx([0.0390, 0.0405, 0.0418])
    traces = {trace.name: trace for trace in figure.data if trace.name}
    assert traces["Fair"].error_y.visible is False
    assert list(traces["Smooth"].customdata) == ["20.0", "10.0", "2.0"]
    assert "joint curve of all expiries" in traces["Smooth"].hovertemplate
    assert "2 standard errors" in traces["Smooth"].hovertemplate


def test_a_curve_without_errors_has_no_band_and_the_points_have_bars() -> None:
    smooth = Line("smooth curve", np.array([30.0, 182.0]), np.array([0.041, 0.042]))
    traces = _traces(CURVE, None, smooth)
    assert "Fair ± 2 s.e." not in traces
    assert list(traces["Fair"].error_y.array)[:2] == pytest.approx([0.0025, 0.00008])
