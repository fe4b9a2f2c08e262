"""The panel of the term structure: fair curve, executable band, reference, median of a band."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from live_box_spreads.books.views.reasons import usual_reason
from live_box_spreads.dashboard.axes import days_to_payment, lasts
from live_box_spreads.dashboard.content import Content, Tally, nothing_left
from live_box_spreads.dashboard.market_view import spot_of
from live_box_spreads.dashboard.quality_line import quality_line
from live_box_spreads.dashboard.term_figure import term_structure_figure
from live_box_spreads.dashboard.term_lines import (
    filtered_line,
    reference_label,
    reference_line,
    smooth_line,
)
from live_box_spreads.dashboard.theme import PALETTES

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from live_box_spreads.dashboard.choices import Choices
    from live_box_spreads.dashboard.market_view import MarketView
    from live_box_spreads.service.snapshots import Market

_PRICE_NAMES = {"mid": "Mid", "ask": "Lend", "bid": "Borrow"}


def term_structure_panel(view: MarketView, market: Market, choices: Choices) -> Content:
    """Draw the term structure of the chosen root, or say why there is none."""
    root = choices.root
    desk = view.compared_desk(market, choices.options, root)
    every = desk.curve(root)
    curve = every.filter(lasts(every["years"].to_numpy()))
    median, missing = _median(view, market, choices)
    rates = curve.select("fair_rate", "lend_rate", "borrow_rate").to_numpy()
    if not np.isfinite(rates).any() and median.is_empty():
        return Content(message=_why_no_rate(every, missing))
    days = [*days_to_payment(curve["years"].to_numpy()), *days_to_payment(_years(median))]
    reference = view.reference(market)
    figure = term_structure_figure(
        curve,
        median,
        smooth_line(desk.smooth(root), choices.options.compounding, desk.conventions.fit),
        reference_line(reference, market, days, choices.options.compounding),
        PALETTES[choices.scheme],
        uirevision=root,
        filtered=filtered_line(desk, root),
    )
    short = len(every) - len(curve)
    compared = reference_label(reference)
    notes = (
        [f"{'Reference' if reference.curve else 'No reference'}: {compared}"] if compared else []
    )
    notes.append(
        missing.partition("\n")[0] or f"{_PRICE_NAMES[choices.price]} median at {_band(choices)}"
    )
    if short:
        notes.append(f"{short} within a day left out")
    return Content(figure, caption=" · ".join(notes), note=quality_line(desk, root))


def _why_no_rate(curve: pl.DataFrame, missing: str) -> str:
    """Return what keeps most expiries without a rate, and why no box of the band has one."""
    reason, expiries = usual_reason(curve["reason"])
    if not expiries:
        return missing
    return f"{expiries} of {len(curve)} expiries have no rate: {reason}.\n{missing}"


def _years(median: pl.DataFrame) -> NDArray[np.float64]:
    return median["tte_years"].to_numpy()


def _median(view: MarketView, market: Market, choices: Choices) -> tuple[pl.DataFrame, str]:
    """Return the median rates of the boxes in the moneyness band, and why there are none."""
    frame = view.desk(market, choices.options).term_structure(
        choices.root, centre=choices.centre, band=choices.half_width, price=choices.price
    )
    frame = frame.filter(pl.col("boxes") > 0, lasts(_years(frame)))
    if not frame.is_empty():
        return frame, ""
    tally = Tally.of(view.survey(market, choices))
    if not tally.kept:
        return frame, nothing_left(tally.removed)
    if spot_of(market.chain, choices.root) is None:
        return frame, f"The spot of {choices.root} is not known, so no box has a moneyness."
    return (
        frame,
        f"No box has its middle strike at {_band(choices)}.\nWiden the band or move its centre.",
    )


def _band(choices: Choices) -> str:
    low, high = choices.centre - choices.half_width, choices.centre + choices.half_width
    return f"{low:.1%} to {high:.1%} of spot"
