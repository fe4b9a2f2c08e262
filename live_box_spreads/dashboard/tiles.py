"""The headline rates: what a loan of 1, 3, 6 and 12 months costs now."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from dash import html

from live_box_spreads.dashboard.axes import DAYS_PER_YEAR
from live_box_spreads.dashboard.formats import UNKNOWN, percent
from live_box_spreads.dashboard.reference_line import reference_label

if TYPE_CHECKING:
    from live_box_spreads.dashboard.choices import Choices
    from live_box_spreads.dashboard.market_view import MarketView

TENORS_DAYS = {"1 month": 30.4, "3 months": 91.25, "6 months": 182.5, "1 year": 365.0}


def tiles(view: MarketView, choices: Choices) -> list[html.Div]:
    """Return the fair rates at the usual tenors, each of the expiry nearest to it."""
    market = view.newest().market
    if market is None or choices.root not in market.chain.roots:
        return []
    curve = view.curve(market, choices.root, choices.options)
    curve = curve.filter(pl.col("years") > 0, pl.col("fair_rate").is_finite())
    reference = reference_label(view.reference(market))
    return [_tile(tenor, row, reference) for tenor, row in headline_rows(curve)]


def headline_rows(curve: pl.DataFrame) -> list[tuple[str, dict[str, Any]]]:
    """Return, for each usual tenor, the expiry nearest to it by ratio; no expiry twice."""
    days = curve["years"].to_numpy() * DAYS_PER_YEAR
    chosen: dict[int, str] = {}
    for tenor, target in TENORS_DAYS.items():
        if days.size:
            chosen.setdefault(int(np.abs(np.log(days / target)).argmin()), tenor)
    return [(tenor, curve.row(row, named=True)) for row, tenor in chosen.items()]


def _tile(tenor: str, row: dict[str, Any], reference: str) -> html.Div:
    return html.Div(
        [
            html.Div(
                [html.B(f"About {tenor}"), f" · {row['expiry']:%d %b %Y}, {row['days']:,} days"],
                className="tile-name",
            ),
            html.Div(
                [
                    html.Div(percent(row["fair_rate"]), className="tile-rate"),
                    html.Div(_uncertainty(row["std_error_bps"]), className="tile-error"),
                ]
            ),
            html.Div(
                [
                    html.Span("best lend"),
                    html.B(percent(row["lend_rate"]), className="lend"),
                    html.Span("best borrow"),
                    html.B(percent(row["borrow_rate"]), className="borrow"),
                    *_spread(row, reference),
                ],
                className="tile-sides",
            ),
        ],
        className="tile",
    )


def _uncertainty(std_error_bps: float) -> str:
    return f"fair ± {2 * std_error_bps:.1f} bp" if isfinite(std_error_bps) else "fair"


def _spread(row: dict[str, Any], reference: str) -> list[html.Span | html.B]:
    """Return the spread to the reference; nothing where there is no reference."""
    if "spread_bps" not in row:
        return []
    spread = row["spread_bps"]
    told = f"{spread:+.0f} bp" if isfinite(spread) else UNKNOWN
    of_day = f"over ref. {row['reference_date']:%d %b}"
    return [html.Span(of_day, title=f"fair rate over {reference}"), html.B(told)]
