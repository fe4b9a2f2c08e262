"""The panel of the term structure: fair curve, executable band, reference, median of a band."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from live_box_spreads.books.term_structure import term_structure
from live_box_spreads.dashboard.axes import DAYS_PER_YEAR
from live_box_spreads.dashboard.content import Content, nothing_passes
from live_box_spreads.dashboard.term_figure import term_structure_figure
from live_box_spreads.dashboard.term_lines import reference_label, reference_line, smooth_line
from live_box_spreads.dashboard.theme import PALETTES

if TYPE_CHECKING:
    from live_box_spreads.dashboard.choices import Choices
    from live_box_spreads.dashboard.market_view import Market, MarketView

_PRICE_NAMES = {"mid": "Mid", "ask": "Lend", "bid": "Borrow"}


def term_structure_panel(view: MarketView, market: Market, choices: Choices) -> Content:
    """Draw the term structure of the chosen root, or say why there is none."""
    root, options = choices.root, choices.options
    curve = view.curve(market, root, options)
    curve = curve.filter(pl.col("years") > 0)
    median, missing = _median(view, market, choices)
    if curve.is_empty() and median.is_empty():
        return Content(message=missing)
    days = [*(curve["years"] * DAYS_PER_YEAR), *(median["tte_years"] * DAYS_PER_YEAR)]
    reference = view.reference(market)
    figure = term_structure_figure(
        curve,
        median,
        smooth_line(view.smooth_curve(market, root, options), options.compounding),
        reference_line(reference, market, days, options.compounding),
        PALETTES[choices.scheme],
        uirevision=root,
    )
    compared = reference_label(reference)
    said = [f"{'Reference' if reference.curve else 'No reference'}: {compared}"] if compared else []
    said.append(
        missing.partition("\n")[0] or f"{_PRICE_NAMES[choices.price]} median at {_band(choices)}"
    )
    return Content(figure, caption=" · ".join(said))


def _median(view: MarketView, market: Market, choices: Choices) -> tuple[pl.DataFrame, str]:
    """Return the median rates of the boxes in the moneyness band, and why there are none."""
    tables = list(view.tables(market, choices))
    frame = term_structure(
        tables, centre=choices.centre, band=choices.half_width, price=choices.price
    )
    frame = frame.filter(pl.col("boxes") > 0, pl.col("tte_years") > 0)
    if not frame.is_empty():
        return frame, ""
    if all(table.frame.is_empty() for table in tables):
        return frame, nothing_passes(tables)
    return (
        frame,
        f"No box has its middle strike at {_band(choices)}.\nWiden the band or move its centre.",
    )


def _band(choices: Choices) -> str:
    low, high = choices.centre - choices.half_width, choices.centre + choices.half_width
    return f"{low:.1%} to {high:.1%} of spot"
