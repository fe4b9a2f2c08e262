"""The skew, and what the flat charts share."""

from __future__ import annotations

from math import isnan
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from live_box_spreads.dashboard.axes import rate_range
from live_box_spreads.dashboard.formats import UNKNOWN, percent
from live_box_spreads.dashboard.theme import layout_2d

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl
    from numpy.typing import NDArray

    from live_box_spreads.dashboard.theme import Palette

_RATE_TICKS = ".2%"
_UNDER_TICKS_PX = 22
_SPOT_REACH = 1.25
"""A spot further from the strikes than this would only squeeze them."""


def skew_figure(
    frame: pl.DataFrame, palette: Palette, *, spot: float | None, uirevision: str
) -> go.Figure:
    """Draw the rates of one expiry's boxes over their middle strike, coloured by width.

    Args:
        frame: what ``books.skew.skew`` returns.
        palette: colours of the scheme in use.
        spot: last price of the underlying, drawn as a line where it is near the strikes; None
            draws none.
        uirevision: the zoom lives as long as this stays the same.
    """
    strikes = frame["mid_strike"].to_numpy()
    mid, ask, bid = (rates_of(frame, f"{side}_rate") for side in ("mid", "ask", "bid"))
    details = np.column_stack(
        [
            *([f"{strike:,.10g}" for strike in frame[leg]] for leg in ("kl", "ks", "width")),
            *(percents(rates) for rates in (mid, ask, bid)),
            [UNKNOWN if isnan(at) else f"{at:.1%}" for at in frame["moneyness_mid"]],
            ["unknown" if count is None else f"{count:,}" for count in frame["min_leg_volume"]],
        ]
    )
    hover = (
        "<b>%{customdata[0]} / %{customdata[1]}</b> · width %{customdata[2]}<br>"
        "mid <b>%{customdata[3]}</b> · lend %{customdata[4]} · borrow %{customdata[5]}<br>"
        "at %{customdata[6]} of spot · least leg volume %{customdata[7]}<extra></extra>"
    )
    figure = go.Figure(layout=layout_2d(palette, uirevision))
    for name, rates, colour, symbol in (
        ("Lend (ask)", ask, palette.lend, "triangle-up"),
        ("Borrow (bid)", bid, palette.borrow, "triangle-down"),
    ):
        figure.add_scatter(
            x=strikes,
            y=rates,
            name=name,
            mode="markers",
            marker={"color": colour, "size": 5, "symbol": symbol, "opacity": 0.45},
            customdata=details,
            hovertemplate=hover,
        )
    figure.add_scatter(
        x=strikes,
        y=mid,
        name="Mid, coloured by width",
        mode="markers",
        marker=_by_width(frame["width"].to_numpy(), palette),
        customdata=details,
        hovertemplate=hover,
    )
    near = strikes.min() / _SPOT_REACH, strikes.max() * _SPOT_REACH
    if spot is not None and near[0] <= spot <= near[1]:
        figure.add_vline(
            x=spot,
            line={"color": palette.muted, "width": 1, "dash": "dot"},
            annotation={"text": f"spot {spot:,.0f}", "font": {"color": palette.muted, "size": 11}},
        )
    figure.update_xaxes(title_text="Mid strike", tickformat=",.0f")
    rate_axis(figure, [mid, ask, bid], palette)
    return figure


def rates_of(frame: pl.DataFrame, name: str) -> NDArray[np.float64]:
    """Return a column of rates, rounded to a thousandth of a basis point to send less."""
    return np.round(frame[name].to_numpy().astype(np.float64), 7)


def percents(rates: NDArray[np.float64]) -> list[str]:
    """Write each rate of an array in per cent."""
    return [percent(rate) for rate in rates]


def _by_width(widths: NDArray[np.float64], palette: Palette) -> dict[str, Any]:
    return {
        "color": widths,
        "colorscale": palette.mid_scale,
        "size": 7,
        "line": {"width": 0.5, "color": palette.panel},
        "colorbar": {
            "title": {"text": "Width", "font": {"size": 11, "color": palette.muted}},
            "thickness": 10,
            "outlinewidth": 0,
            "tickformat": "~s",
            "tickfont": {"size": 10.5, "color": palette.muted},
        },
    }


def rate_axis(
    figure: go.Figure,
    rates: Sequence[NDArray[np.float64]],
    palette: Palette,
    *,
    matter: Sequence[NDArray[np.float64]] = (),
) -> None:
    """Show nearly all of these rates on the vertical axis, and say how many are beyond.

    Args:
        figure: the chart.
        rates: what it draws.
        palette: colours of the scheme in use.
        matter: rates that the axis is for: all of these are on it, the others as they may.
    """
    # A tick such as -10.00% is wide: the margin grows with it, away from the title.
    figure.update_yaxes(title_text="Rate", tickformat=_RATE_TICKS, automargin="left")
    shown = rate_range(rates, matter=matter)
    if shown is None:
        return
    figure.update_yaxes(range=[shown.low, shown.high])
    if shown.beyond:
        figure.add_annotation(
            text=f"{shown.beyond} points beyond the rate axis",
            x=1,
            y=0,
            yshift=-_UNDER_TICKS_PX,  # on the line of the axis title: above it are data
            xref="paper",
            yref="paper",
            xanchor="right",
            yanchor="top",
            showarrow=False,
            font={"size": 11, "color": palette.muted},
        )
