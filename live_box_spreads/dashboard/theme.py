"""Colours and chart chrome, light and dark: one palette for the page, the figures and the table.

The three series colours are of Okabe and Ito's set, told apart by the colour-blind: blue lends,
vermilion borrows, green is the mid.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Scheme = Literal["light", "dark"]

FONT = "Inter, system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours of one scheme.

    Attributes:
        text: figures and words that matter.
        muted: axis titles, ticks, notes.
        grid: grid lines and axis walls.
        panel: background of hover boxes.
        lend: what a lender earns, paying the ask.
        borrow: what a borrower pays, hitting the bid.
        mid: the mid rate.
        mid_fill: the band around the mid.
        error_fill: two standard errors around the curve of the mid, over that band.
        mid_scale: colour scale of the mid surface, low to high.
        lend_scale: colour scale of the ask surface.
        borrow_scale: colour scale of the bid surface.
        volume_scale: colour scale of the volume surface.
    """

    text: str
    muted: str
    grid: str
    panel: str
    lend: str
    borrow: str
    mid: str
    mid_fill: str
    error_fill: str
    mid_scale: list[list[float | str]]
    lend_scale: list[list[float | str]]
    borrow_scale: list[list[float | str]]
    volume_scale: list[list[float | str]]


def _scale(*colours: str) -> list[list[float | str]]:
    last = len(colours) - 1
    return [[step / last, colour] for step, colour in enumerate(colours)]


_VIRIDIS = ("#3b2f7d", "#33628d", "#21908d", "#5ac864", "#fde725")

_LIGHT = Palette(
    text="#16202e",
    muted="#5b6776",
    grid="#dfe4ea",
    panel="#ffffff",
    lend="#0072b2",
    borrow="#d55e00",
    mid="#00805d",
    mid_fill="rgba(0, 128, 93, 0.16)",
    error_fill="rgba(0, 128, 93, 0.34)",
    mid_scale=_scale(*_VIRIDIS),
    lend_scale=_scale("#064a73", "#0072b2", "#56b4e9"),
    borrow_scale=_scale("#8f3d00", "#d55e00", "#f4a261"),
    volume_scale=_scale("#cfdfef", "#93bbdf", "#4a83bd", "#1d4f8c", "#0b2a57"),
)

_DARK = Palette(
    text="#e6ebf2",
    muted="#98a5b5",
    grid="#2c3746",
    panel="#1a222d",
    lend="#56b4e9",
    borrow="#f08a3c",
    mid="#2fc49a",
    mid_fill="rgba(47, 196, 154, 0.18)",
    error_fill="rgba(47, 196, 154, 0.36)",
    mid_scale=_scale(*_VIRIDIS),
    lend_scale=_scale("#0b5d8f", "#2a93cf", "#8fd0f5"),
    borrow_scale=_scale("#a84b05", "#e8711a", "#ffb27a"),
    volume_scale=_scale("#1d2a3a", "#24507f", "#3d82c0", "#7db8e8", "#d4ebff"),
)

PALETTES: dict[Scheme, Palette] = {"light": _LIGHT, "dark": _DARK}


def layout_2d(palette: Palette, uirevision: str) -> dict[str, Any]:
    """Return the layout that every flat chart starts from.

    Args:
        palette: colours of the scheme in use.
        uirevision: zoom and hidden series live as long as this text stays the same.
    """
    axis = {
        "gridcolor": palette.grid,
        "linecolor": palette.grid,
        "zerolinecolor": palette.grid,
        "ticks": "outside",
        "tickcolor": palette.grid,
        "ticklen": 4,
        "title": {"standoff": 8, "font": {"size": 12, "color": palette.muted}},
    }
    return {
        **_common(palette, uirevision),
        "margin": {"l": 62, "r": 16, "t": 8, "b": 48},
        "hovermode": "closest",
        "xaxis": axis,
        "yaxis": axis,
        "legend": {
            "orientation": "h",
            "x": 0,
            "y": 1.0,
            "traceorder": "normal",
            "yanchor": "bottom",
            "font": {"size": 12},
            "bgcolor": "rgba(0,0,0,0)",
        },
    }


def layout_3d(palette: Palette, uirevision: str, *, distance: float = 1.0) -> dict[str, Any]:
    """Return the layout that every surface starts from.

    Args:
        palette: colours of the scheme in use.
        uirevision: the camera lives as long as this text stays the same.
        distance: of the first camera; 1 fills a panel that is wider than high.
    """
    axis = {
        "gridcolor": palette.grid,
        "zerolinecolor": palette.grid,
        "showbackground": False,
        "showspikes": False,
        "color": palette.muted,
        "tickfont": {"size": 10.5},
        "title": {"font": {"size": 12, "color": palette.muted}},
    }
    return {
        **_common(palette, uirevision),
        "margin": {"l": 0, "r": 0, "t": 0, "b": 0},
        "scene": {
            "xaxis": axis,
            "yaxis": axis,
            "zaxis": axis,
            "aspectmode": "manual",
            "aspectratio": {"x": 1.3, "y": 1.3, "z": 0.85},
            "camera": {
                "eye": {"x": 1.42 * distance, "y": -1.56 * distance, "z": 0.75 * distance},
                "center": {"x": 0.0, "y": 0.0, "z": -0.25},
            },
            "uirevision": uirevision,
        },
    }


def _common(palette: Palette, uirevision: str) -> dict[str, Any]:
    return {
        "template": "none",
        "uirevision": uirevision,
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "rgba(0,0,0,0)",
        "font": {"family": FONT, "size": 12, "color": palette.text},
        "hoverlabel": {
            "bgcolor": palette.panel,
            "bordercolor": palette.grid,
            "font": {"family": FONT, "size": 12, "color": palette.text},
            "align": "left",
        },
    }
