"""The flat charts: term structure and skew."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from live_box_spreads.dashboard.axes import DAYS_PER_YEAR, rate_range, tenor_ticks
from live_box_spreads.dashboard.formats import percent
from live_box_spreads.dashboard.theme import layout_2d

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    from live_box_spreads.dashboard.theme import Palette

_RATE_TICKS = ".2%"


def term_structure_figure(frame: pl.DataFrame, palette: Palette, *, uirevision: str) -> go.Figure:
    """Draw the median rate of each expiry with its 10 % to 90 % band, and the best rates.

    Args:
        frame: what ``books.term_structure.term_structure`` returns.
        palette: colours of the scheme in use.
        uirevision: the zoom lives as long as this stays the same.
    """
    days = np.round(frame["tte_years"].to_numpy() * DAYS_PER_YEAR, 2)
    expiries = [day.strftime("%a %d %b %Y") for day in frame["expiry"]]
    columns = ("rate", "low", "high", "best_lend_rate", "best_borrow_rate")
    rates = {name: _rates(frame, name) for name in columns}
    figure = go.Figure(layout=layout_2d(palette, uirevision))
    figure.add_traces(_band(days, rates["low"], rates["high"], palette))
    details = np.column_stack(
        [expiries, *(_percent(rates[name]) for name in columns[1:]), frame["boxes"].to_list()]
    )
    figure.add_scatter(
        x=days,
        y=rates["rate"],
        name="Median",
        mode="lines+markers",
        line={"color": palette.mid, "width": 2.5},
        marker={"size": 6},
        customdata=details,
        hovertemplate=(
            "<b>%{customdata[0]}</b> · %{x:,.0f} days<br>median <b>%{y:.2%}</b> of "
            "%{customdata[5]} boxes<br>10 % to 90 %: %{customdata[1]} to %{customdata[2]}<br>"
            "best lend %{customdata[3]} · best borrow %{customdata[4]}<extra></extra>"
        ),
    )
    _executable(figure, days, rates["best_lend_rate"], "Best lend", palette.lend, "triangle-up")
    _executable(
        figure, days, rates["best_borrow_rate"], "Best borrow", palette.borrow, "triangle-down"
    )
    figure.update_xaxes({**tenor_ticks(days.tolist()), "title": {"text": "Time to payment"}})
    _rate_axis(figure, list(rates.values()), palette)
    return figure


def skew_figure(
    frame: pl.DataFrame, palette: Palette, *, spot: float | None, uirevision: str
) -> go.Figure:
    """Draw the rates of one expiry's boxes over their middle strike, coloured by width.

    Args:
        frame: what ``books.skew.skew`` returns.
        palette: colours of the scheme in use.
        spot: last price of the underlying, drawn as a line; None draws none.
        uirevision: the zoom lives as long as this stays the same.
    """
    strikes = frame["mid_strike"].to_numpy()
    mid, ask, bid = (_rates(frame, f"{side}_rate") for side in ("mid", "ask", "bid"))
    details = np.column_stack(
        [
            *([f"{strike:,.10g}" for strike in frame[leg]] for leg in ("kl", "ks", "width")),
            *(_percent(rates) for rates in (mid, ask, bid)),
            [f"{at:.1%}" for at in frame["moneyness_mid"]],
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
    if spot is not None:
        figure.add_vline(
            x=spot,
            line={"color": palette.muted, "width": 1, "dash": "dot"},
            annotation={"text": f"spot {spot:,.0f}", "font": {"color": palette.muted, "size": 11}},
        )
    figure.update_xaxes(title_text="Mid strike", tickformat=",.0f")
    _rate_axis(figure, [mid, ask, bid], palette)
    return figure


def _rates(frame: pl.DataFrame, name: str) -> NDArray[np.float64]:
    """Return a column of rates, rounded to a thousandth of a basis point to send less."""
    return np.round(frame[name].to_numpy().astype(np.float64), 7)


def _percent(rates: NDArray[np.float64]) -> list[str]:
    return [percent(rate) for rate in rates]


def _band(
    days: NDArray[np.float64], low: NDArray[np.float64], high: NDArray[np.float64], palette: Palette
) -> list[go.Scatter]:
    edge: dict[str, Any] = {"x": days, "mode": "lines", "line": {"width": 0}, "hoverinfo": "skip"}
    return [
        go.Scatter(y=high, showlegend=False, **edge),
        go.Scatter(y=low, name="10 % to 90 %", fill="tonexty", fillcolor=palette.mid_fill, **edge),
    ]


def _executable(
    figure: go.Figure,
    days: NDArray[np.float64],
    rates: NDArray[np.float64],
    name: str,
    colour: str,
    symbol: str,
) -> None:
    figure.add_scatter(
        x=days,
        y=rates,
        name=name,
        mode="lines+markers",
        line={"color": colour, "width": 1.25, "dash": "dot"},
        marker={"size": 7, "symbol": symbol},
        hovertemplate=f"{name.lower()} <b>%{{y:.2%}}</b> · %{{x:,.0f}} days<extra></extra>",
    )


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


def _rate_axis(figure: go.Figure, rates: list[NDArray[np.float64]], palette: Palette) -> None:
    shown = rate_range(rates)
    figure.update_yaxes(title_text="Rate", tickformat=_RATE_TICKS)
    if shown is None:
        return
    figure.update_yaxes(range=[shown.low, shown.high])
    if shown.beyond:
        figure.add_annotation(
            text=f"{shown.beyond} points beyond the rate axis",
            x=1,
            y=0,
            xref="paper",
            yref="paper",
            xanchor="right",
            yanchor="bottom",
            showarrow=False,
            font={"size": 11, "color": palette.muted},
        )
