"""The chart of the term structure: fair rates, what can be executed, and a reference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go

from live_box_spreads.dashboard.axes import days_to_payment, tenor_axis
from live_box_spreads.dashboard.figures import percents, rate_axis, rates_of
from live_box_spreads.dashboard.formats import UNKNOWN
from live_box_spreads.dashboard.theme import layout_2d

if TYPE_CHECKING:
    import polars as pl
    from numpy.typing import NDArray

    from live_box_spreads.dashboard.theme import Palette

_STANDARD_ERRORS = 2
_LEGEND_PX = 36
_FAIR_PX = 7
_MARGIN = 1.15
"""Of the time axis, so that a marker at its end is whole."""
_SURE, _NARROW = 0.005, 0.015
"""Rates on the axis: fair ones with an error up to the first, bands of a width up to the second,
both as fractions. What is wider, at the short end, may leave it."""


@dataclass(frozen=True, slots=True)
class Line:
    """A curve as it is drawn.

    Attributes:
        label: what it is and of which day.
        days: (n,) days to payment.
        rates: (n,) rates there, fractions.
        legend: what the legend calls a reference.
        errors: (n,) standard errors of the rates, drawn as a band; None draws none.
    """

    label: str
    days: NDArray[np.float64]
    rates: NDArray[np.float64]
    legend: str = "Reference"
    errors: NDArray[np.float64] | None = None


def term_structure_figure(
    curve: pl.DataFrame,
    median: pl.DataFrame,
    smooth: Line | None,
    reference: Line | None,
    palette: Palette,
    *,
    uirevision: str,
    filtered: Line | None = None,
) -> go.Figure:
    """Draw the fair rate of each expiry with two standard errors, and what it is compared with.

    The errors are a band around a curve that has them, on which the fair rates lie; else bars.

    Args:
        curve: a row an expiry of a day or more, with ``expiry``, ``years``, ``fair_rate``,
            ``std_error_bps``, ``lend_rate``, ``borrow_rate``, ``strikes_used`` and, with a
            reference, ``reference_rate`` and ``spread_bps``.
        median: what ``books.term_structure.term_structure`` returns.
        smooth: the curve of the fair rates; None joins them with straight lines.
        reference: drawn as a dashed line; None draws none.
        palette: colours of the scheme in use.
        uirevision: the zoom lives as long as this stays the same.
        filtered: the curve from all snapshots so far; None draws none.
    """
    figure = go.Figure(layout=layout_2d(palette, uirevision))
    # Where plotly makes room for a legend of its own accord, a resized panel may draw over it.
    figure.update_layout(
        margin_t=_LEGEND_PX, legend={"yref": "container", "y": 1, "yanchor": "top"}
    )
    days = days_to_payment(curve["years"].to_numpy())
    lend, borrow, fair = (rates_of(curve, f"{side}_rate") for side in ("lend", "borrow", "fair"))
    errors = _STANDARD_ERRORS * curve["std_error_bps"].to_numpy() / 1e4
    figure.add_traces(_executable(days, lend, borrow, palette))
    has_fair = bool(np.isfinite(fair).any())
    median_days, median_rates = _median(figure, median, palette, silent=has_fair)
    if reference is not None:
        dashed = {"color": palette.text, "width": 1.5, "dash": "dash"}
        _line(figure, reference, reference.legend, dashed)
    if smooth is not None:
        _smooth(figure, smooth, palette)
    if filtered is not None:
        look = {"color": palette.text, "width": 1.25, "dash": "longdashdot"}
        _line(figure, filtered, "Filtered", look)
    medians = dict(zip(median["expiry"], _median_words(median), strict=True))
    words = [medians.get(expiry, "no box in the band") for expiry in curve["expiry"]]
    _fair(figure, curve, errors, words, reference, palette, joined=smooth is None)
    if smooth is not None and smooth.errors is not None:
        figure.data[-1].update(error_y={"visible": False})  # the band tells it
    every_day = [*days.tolist(), *median_days.tolist()]
    figure.update_xaxes(
        {**tenor_axis(every_day, margin=_MARGIN), "title": {"text": "Time to payment"}}
    )
    sure, narrow = errors <= _SURE, borrow - lend <= _NARROW
    matter = [(fair - errors)[sure], (fair + errors)[sure], lend[narrow], borrow[narrow]]
    if reference is not None:
        matter.append(reference.rates)
    rate_axis(figure, [fair, lend, borrow, median_rates], palette, matter=matter)
    return figure


def _executable(
    days: NDArray[np.float64],
    lend: NDArray[np.float64],
    borrow: NDArray[np.float64],
    palette: Palette,
) -> list[go.Scatter]:
    """Draw the best rates of each side, and the space between them that is for limit orders."""
    both = np.isfinite(lend) & np.isfinite(borrow)
    edge: dict[str, Any] = {"x": days[both], "mode": "lines", "line": {"width": 0}}
    edge |= {"hoverinfo": "skip", "showlegend": False}
    return [
        go.Scatter(y=borrow[both], **edge),
        go.Scatter(y=lend[both], fill="tonexty", fillcolor=palette.mid_fill, **edge),
        _side(days, lend, "Best lend", palette.lend, "triangle-up"),
        _side(days, borrow, "Best borrow", palette.borrow, "triangle-down"),
    ]


def _side(
    days: NDArray[np.float64], rates: NDArray[np.float64], name: str, colour: str, symbol: str
) -> go.Scatter:
    return go.Scatter(
        x=days,
        y=rates,
        name=name,
        mode="lines+markers",
        line={"color": colour, "width": 1.25, "dash": "dot"},
        marker={"size": 7, "symbol": symbol},
        hovertemplate=f"{name.lower()} <b>%{{y:.2%}}</b> · %{{x:,.0f}} days<extra></extra>",
    )


def _median(
    figure: go.Figure, median: pl.DataFrame, palette: Palette, *, silent: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Draw the median of the chosen boxes; return where it is.

    Where there are fair rates it lies on or beside them, and is silent: they tell it on hover.
    """
    days = days_to_payment(median["tte_years"].to_numpy())
    rates = rates_of(median, "rate")
    if days.size:
        figure.add_scatter(
            x=days,
            y=rates,
            name="Median",
            mode="lines+markers",
            line={"color": palette.muted, "width": 1},
            marker={"size": 4},
            customdata=_median_words(median),
            hovertemplate=None if silent else "%{customdata} · %{x:,.0f} days<extra></extra>",
            hoverinfo="skip" if silent else None,
        )
    return days, rates


def _median_words(median: pl.DataFrame) -> list[str]:
    rate, low, high = (percents(rates_of(median, name)) for name in ("rate", "low", "high"))
    return [
        f"median of {boxes:,} boxes {middle} (10 % to 90 %: {least} to {most})"
        for middle, least, most, boxes in zip(rate, low, high, median["boxes"], strict=True)
    ]


def _line(figure: go.Figure, line: Line, name: str, look: dict[str, Any]) -> None:
    figure.add_scatter(
        x=np.round(line.days, 1),
        y=np.round(line.rates, 6),
        name=name,
        mode="lines",
        line=look,
        hovertemplate=f"{line.label} <b>%{{y:.2%}}</b> · %{{x:,.0f}} days<extra></extra>",
    )


def _smooth(figure: go.Figure, smooth: Line, palette: Palette) -> None:
    """Draw the curve of the fair rates, within two standard errors where it has them."""
    if smooth.errors is not None:
        within = _STANDARD_ERRORS * smooth.errors
        edge: dict[str, Any] = {
            "x": np.round(smooth.days, 1),
            "mode": "lines",
            "line": {"width": 0},
        }
        edge |= {"hoverinfo": "skip", "showlegend": False}
        figure.add_scatter(y=np.round(smooth.rates + within, 6), **edge)
        figure.add_scatter(
            y=np.round(smooth.rates - within, 6),
            name="Fair ± 2 s.e.",
            fill="tonexty",
            fillcolor=palette.error_fill,
            **edge,
        )
    _line(figure, smooth, "Smooth", {"color": palette.mid, "width": 2})
    figure.data[-1].update(showlegend=False)  # the fair rates are on it or beside it
    if smooth.errors is not None:
        figure.data[-1].update(
            customdata=[f"{error * 1e4:.1f}" for error in _STANDARD_ERRORS * smooth.errors],
            hovertemplate=f"{smooth.label} <b>%{{y:.2%}}</b> ± %{{customdata}} bp "
            "(2 standard errors) · %{x:,.0f} days<extra></extra>",
        )


def _fair(
    figure: go.Figure,
    curve: pl.DataFrame,
    errors: NDArray[np.float64],
    medians: list[str],
    reference: Line | None,
    palette: Palette,
    *,
    joined: bool,
) -> None:
    expiries = [day.strftime("%a %d %b %Y") for day in curve["expiry"]]
    sides = [percents(rates_of(curve, f"{side}_rate")) for side in ("lend", "borrow")]
    within = [f"{error * 1e4:.1f}" if np.isfinite(error) else UNKNOWN for error in errors]
    hover = (
        "<b>%{customdata[0]}</b> · %{x:,.0f} days<br>"
        "fair <b>%{y:.3%}</b> ± %{customdata[1]} bp (2 standard errors, %{customdata[2]} strikes)"
        "<br>executable: lend %{customdata[3]} · borrow %{customdata[4]}<br>%{customdata[5]}"
    )
    columns = [expiries, within, curve["strikes_used"].to_list(), *sides, medians]
    if reference is not None:
        spreads = curve["spread_bps"].to_list()
        columns += [
            percents(rates_of(curve, "reference_rate")),
            [f"{spread:+.1f} bp" if np.isfinite(spread) else "no spread" for spread in spreads],
        ]
        hover += f"<br>{reference.label}: %{{customdata[6]}} · <b>%{{customdata[7]}}</b>"
    figure.add_scatter(
        x=days_to_payment(curve["years"].to_numpy()),
        y=rates_of(curve, "fair_rate"),
        error_y={"array": np.round(errors, 7), "thickness": 1.5, "width": 4},
        name="Fair",
        legendrank=1,
        mode="lines+markers" if joined else "markers",
        line={"color": palette.mid, "width": 2.5},
        marker={"color": palette.mid, "size": _FAIR_PX},
        customdata=np.column_stack(columns),
        hovertemplate=hover + "<extra></extra>",
    )
