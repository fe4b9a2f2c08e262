"""The three surfaces, over expiries or over the snapshots of one expiry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from live_box_spreads.books.surfaces import rate_surface, volume_surface
from live_box_spreads.dashboard import ids
from live_box_spreads.dashboard.axes import snapshot_times, time_to_payment
from live_box_spreads.dashboard.content import Content, nothing_passes
from live_box_spreads.dashboard.figures_3d import (
    Layer,
    cells_beyond_axis,
    rate_figure,
    volume_figure,
)
from live_box_spreads.dashboard.theme import PALETTES

if TYPE_CHECKING:
    from datetime import date

    from live_box_spreads.books.box_table import BoxTable
    from live_box_spreads.dashboard.axes import TimeAxis
    from live_box_spreads.dashboard.choices import Choices, Price
    from live_box_spreads.dashboard.market_view import Market, MarketView

_NAMES: dict[Price, str] = {"mid": "Mid", "bid": "Borrow (bid)", "ask": "Lend (ask)"}
_EACH_CELL = {
    ids.MID_SURFACE: "weighted medians",
    ids.QUOTED_SURFACE: "best in cell",
}
_CLEAR_WITHIN = 3.0
"""A cell is drawn if its rate is at most this many times worse known than the best of its row."""
_SEE_THROUGH = 0.88
"""Of two surfaces, the one behind should be seen through the one before."""


@dataclass(frozen=True, slots=True)
class _Row:
    """One position of the time axis: an expiry in a snapshot, and its boxes."""

    market: Market
    expiry: date
    table: BoxTable


def mid_surface(view: MarketView, market: Market, choices: Choices) -> Content:
    """Return the surface of mid rates."""
    return _rates(view, market, choices, ids.MID_SURFACE, ("mid",))


def quoted_surface(view: MarketView, market: Market, choices: Choices) -> Content:
    """Return the surfaces that can be traded now, lend and borrow, in one scene."""
    return _rates(view, market, choices, ids.QUOTED_SURFACE, ("bid", "ask"))


def volume(view: MarketView, market: Market, choices: Choices) -> Content:
    """Return the surface of contracts traded today."""
    rows = _rows(view, market, choices)
    if isinstance(rows, str):
        return Content(message=rows)
    edges = view.strike_edges(market, choices.root)
    surfaces = [volume_surface(row.market.chain, choices.root, [row.expiry], edges) for row in rows]
    # No contract is listed in an empty cell, so none was traded there.
    values = np.nan_to_num(np.vstack([surface.values for surface in surfaces]))
    if not values.any():
        return Content(message=f"No {choices.root} contract of these strikes has traded today.")
    palette = PALETTES[choices.scheme]
    layer = Layer("Volume", surfaces[0].strikes, values, palette.volume_scale)
    figure = volume_figure(layer, _time_axis(rows, choices), palette, uirevision=ids.VOLUME_SURFACE)
    return Content(figure, caption=f"{_what(rows, choices)}, contracts traded today")


def _rates(
    view: MarketView, market: Market, choices: Choices, panel: str, which: tuple[Price, ...]
) -> Content:
    rows = _rows(view, market, choices)
    if isinstance(rows, str):
        return Content(message=rows)
    tables = [row.table for row in rows]
    if all(table.frame.is_empty() for table in tables):
        return Content(message=nothing_passes(tables))
    palette = PALETTES[choices.scheme]
    scales = {"mid": palette.mid_scale, "bid": palette.borrow_scale, "ask": palette.lend_scale}
    edges = view.strike_edges(market, choices.root)
    layers, unclear = [], 0
    for price in which:
        surface = rate_surface(tables, edges, price, clear_within=_CLEAR_WITHIN)
        unclear = max(unclear, surface.unclear)
        opacity = 1.0 if len(which) == 1 else _SEE_THROUGH
        layers.append(Layer(_NAMES[price], surface.strikes, surface.values, scales[price], opacity))
    figure = rate_figure(layers, _time_axis(rows, choices), palette, uirevision=panel)
    caption = f"{_what(rows, choices)}, {_EACH_CELL[panel]}"
    return Content(figure, caption=caption + _not_drawn(unclear, cells_beyond_axis(layers)))


def _not_drawn(unclear: int, beyond: int) -> str:
    """Say how many cells the figure does not show, and why; empty if it shows all."""
    reasons = [(unclear, "wide"), (beyond, "off axis")]
    said = ", ".join(f"{cells} {why}" for cells, why in reasons if cells)
    return f" · not drawn: {said}" if said else ""


def _rows(view: MarketView, market: Market, choices: Choices) -> list[_Row] | str:
    """Return the rows of a surface, or a word on why there are too few."""
    root, options = choices.root, choices.options
    if choices.time == "expiry":
        rows = [
            _Row(market, expiry, view.table(market, root, expiry, options))
            for expiry in market.chain.expiries(root)
        ]
        left = [row for row in rows if row.table.tte_years > 0]
        return left or f"Every expiry of {root} in this snapshot has passed."
    expiry = choices.expiry
    if expiry is None:
        return "Choose an expiry to see its history."
    past = view.history(market, choices.history_minutes)
    past = [at for at in past if expiry in at.chain.expiries(root)]
    if len(past) < 2:  # noqa: PLR2004, a surface needs two rows
        return (
            f"A history needs two snapshots of {root} {expiry:%d %b %Y}; the last "
            f"{choices.history_minutes:g} minutes have {len(past)}.\n"
            "Let the collector run, or choose a longer history window."
        )
    return [_Row(at, expiry, view.table(at, root, expiry, options)) for at in past]


def _time_axis(rows: list[_Row], choices: Choices) -> TimeAxis:
    if choices.time == "snapshot":
        return snapshot_times([row.market.chain.snapshot_time for row in rows])
    return time_to_payment(np.array([row.table.tte_years for row in rows]))


def _what(rows: list[_Row], choices: Choices) -> str:
    if choices.time == "snapshot":
        return f"{choices.root} {choices.expiry:%d %b %Y}, {len(rows)} snapshots"
    return f"{choices.root}, {len(rows)} expiries"
