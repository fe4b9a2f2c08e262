from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from live_box_spreads.dashboard.axes import time_to_payment
from live_box_spreads.dashboard.figures import skew_figure
from live_box_spreads.dashboard.figures_3d import (
    Layer,
    cells_beyond_axis,
    rate_figure,
    volume_figure,
)
from live_box_spreads.dashboard.theme import PALETTES, Scheme

LIGHT = PALETTES["light"]
LARGEST_BYTES = 60_000


def test_the_skew_tells_width_and_legs_on_hover() -> None:
    frame = pl.DataFrame(
        {
            "mid_strike": [4500.0],
            "moneyness_mid": [0.9],
            "kl": [4000.0],
            "ks": [5000.0],
            "width": [1000.0],
            "mid_rate": [0.04],
            "bid_rate": [0.05],
            "ask_rate": [0.03],
            "min_leg_volume": [None],
        },
        schema_overrides={"min_leg_volume": pl.Int64},
    )
    figure = skew_figure(frame, LIGHT, spot=5000.0, uirevision="x")
    assert [trace.name for trace in figure.data] == [
        "Lend (ask)",
        "Borrow (bid)",
        "Mid, coloured by width",
    ]
    assert [trace.y[0] for trace in figure.data] == [0.03, 0.05, 0.04]
    assert list(figure.data[2].customdata[0]) == [
        *("4,000", "5,000", "1,000"),
        *("4.00%", "3.00%", "5.00%"),
        *("90.0%", "unknown"),
    ]
    assert figure.layout.shapes[0].x0 == 5000.0


def test_bid_and_ask_share_one_scene_and_one_range() -> None:
    time = time_to_payment(np.array([0.1, 0.5]))
    strikes = np.linspace(4000, 6000, 20)
    flat = np.full((2, 20), 0.04)
    wild = flat + 0.01
    wild[0, 0] = 7.0
    layers = [
        Layer("bid", strikes, wild, LIGHT.borrow_scale),
        Layer("ask", strikes, flat, LIGHT.lend_scale),
    ]
    figure = rate_figure(layers, time, LIGHT, uirevision="quoted")
    assert [trace.type for trace in figure.data] == ["surface", "surface"]
    low, high = figure.layout.scene.zaxis.range
    assert low < 0.04
    assert 0.05 < high < 0.1
    assert cells_beyond_axis(layers) == 1
    assert figure.layout.scene.uirevision == "quoted"
    assert {trace.cmax for trace in figure.data} == {high}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_figures_of_the_largest_grid_are_small(scheme: Scheme) -> None:
    palette = PALETTES[scheme]
    rng = np.random.default_rng(1)
    time = time_to_payment(np.linspace(0.01, 5, 40))
    layer = Layer("mid", np.linspace(4000, 6000, 48), rng.random((40, 48)), palette.mid_scale)
    for figure in (
        rate_figure([layer, layer], time, palette, uirevision="x"),
        volume_figure(layer, time, palette, uirevision="x"),
    ):
        assert len(figure.to_json()) < LARGEST_BYTES
