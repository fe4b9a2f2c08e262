"""The surfaces: implied rates and traded volume over strike and time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from live_box_spreads.dashboard.axes import WILDEST_RATE, rate_range
from live_box_spreads.dashboard.theme import layout_3d

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from live_box_spreads.dashboard.axes import TimeAxis
    from live_box_spreads.dashboard.theme import Palette


_FAR = 1.3
"""The volume panel is narrow on a small screen; from further away its labels fit."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One surface of a figure.

    Attributes:
        name: what the hover box calls it, such as ``Mid``.
        strikes: (m,) middle of each strike cell.
        values: (n, m), one row per position of the time axis; NaN where no box is.
        scale: colour scale, low to high.
        opacity: 1 is solid.
    """

    name: str
    strikes: NDArray[np.float64]
    values: NDArray[np.float64]
    scale: list[list[float | str]]
    opacity: float = 1.0


def rate_figure(
    layers: Sequence[Layer], time: TimeAxis, palette: Palette, *, uirevision: str
) -> go.Figure:
    """Draw one or more rate surfaces in one scene.

    The rate axis leaves out the wildest 4 % on either side; ``cells_beyond_axis`` counts them.
    """
    shown = rate_range([layer.values for layer in layers])
    low, high = (shown.low, shown.high) if shown else (0.0, 0.05)
    figure = go.Figure(layout=layout_3d(palette, uirevision))
    single = len(layers) == 1
    for layer in layers:
        within = replace(layer, values=np.clip(layer.values, -WILDEST_RATE, WILDEST_RATE))
        figure.add_trace(
            _surface(
                within,
                time,
                hover=f"<b>{layer.name} rate %{{z:.2%}}</b>",
                cmin=low,
                cmax=high,
                showscale=single,
                colorbar=_colour_bar(palette, tickformat=".1%"),
            )
        )
    figure.update_scenes(
        xaxis=_strike_axis(layers[0].strikes),
        yaxis=time.layout,
        zaxis={
            "type": "linear",
            "title": {"text": "Rate"},
            "tickformat": ".1%",
            "range": [low, high],
        },
    )
    return figure


def cells_beyond_axis(layers: Sequence[Layer]) -> int:
    """Return how many cells have a rate outside the axis that ``rate_figure`` gives them."""
    shown = rate_range([layer.values for layer in layers])
    return shown.beyond if shown else 0


def has_a_face(layers: Sequence[Layer]) -> bool:
    """Tell whether a surface shows anything: it is made of squares with a value at each corner."""
    known = (np.isfinite(layer.values) for layer in layers)
    return any(bool((at[:-1, :-1] & at[1:, :-1] & at[:-1, 1:] & at[1:, 1:]).any()) for at in known)


def volume_figure(layer: Layer, time: TimeAxis, palette: Palette, *, uirevision: str) -> go.Figure:
    """Draw traded volume; the colours follow its logarithm, since a few strikes have most of it."""
    figure = go.Figure(layout=layout_3d(palette, uirevision, distance=_FAR))
    surface = _surface(layer, time, hover="<b>%{z:,.0f} contracts</b>")
    surface.update(
        surfacecolor=np.log10(1.0 + layer.values).astype(np.float32), showscale=False, cmin=0.0
    )
    figure.add_trace(surface)
    figure.update_scenes(
        xaxis=_strike_axis(layer.strikes),
        yaxis=time.layout,
        zaxis={
            "type": "linear",
            "title": {"text": ""},  # the caption says contracts; here it would leave the panel
            "tickformat": "~s",
            "nticks": 5,
            "range": [0.0, 1.05 * max(1.0, float(np.nanmax(layer.values)))],
        },
    )
    return figure


def _surface(layer: Layer, time: TimeAxis, *, hover: str, **properties: Any) -> go.Surface:
    lines = {"show": True, "color": "rgba(22,32,46,0.35)", "width": 1}
    return go.Surface(
        name=layer.name,
        x=np.round(layer.strikes, 2),
        y=time.values,
        z=layer.values.astype(np.float32),
        # Plotly looks up what a hover box says by column, then row.
        customdata=[time.labels] * layer.strikes.size if time.labels else None,
        colorscale=layer.scale,
        opacity=layer.opacity,
        contours={"x": {**lines, "highlight": False}, "y": {**lines, "highlight": False}},
        lighting={"ambient": 0.78, "diffuse": 0.5, "specular": 0.06, "roughness": 0.9},
        hovertemplate=f"{hover}<br>strike %{{x:,.0f}}<br>{time.hover}<extra></extra>",
        **properties,
    )


def _strike_axis(strikes: NDArray[np.float64]) -> dict[str, Any]:
    return {
        "type": "linear",
        "range": [float(strikes[0]), float(strikes[-1])],
        "title": {"text": "Mid strike"},
        "tickformat": "~s" if strikes[0] >= 1000 else ",.0f",  # noqa: PLR2004, four digits crowd a small axis
        "nticks": 6,
    }


def _colour_bar(palette: Palette, *, tickformat: str) -> dict[str, Any]:
    return {
        "tickformat": tickformat,
        "thickness": 10,
        "len": 0.62,
        "x": 0.98,
        "xanchor": "right",
        "outlinewidth": 0,
        "tickfont": {"size": 10.5, "color": palette.muted},
    }
