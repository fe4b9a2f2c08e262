"""The three surfaces, over expiries or over the snapshots of one expiry."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from live_box_spreads.books.views.surfaces import rate_surface, volume_surface
from live_box_spreads.dashboard import ids
from live_box_spreads.dashboard.axes import lasts, snapshot_times, time_to_payment
from live_box_spreads.dashboard.content import Content, Tally, left_out, nothing_left
from live_box_spreads.dashboard.figures_3d import (
    Layer,
    cells_beyond_axis,
    has_a_face,
    rate_figure,
    volume_figure,
)
from live_box_spreads.dashboard.theme import PALETTES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from numpy.typing import NDArray

    from live_box_spreads.books.views.surfaces import RowLabel, Surface
    from live_box_spreads.dashboard.axes import TimeAxis
    from live_box_spreads.dashboard.choices import Choices, Price, TimeChoice
    from live_box_spreads.dashboard.market_view import MarketView
    from live_box_spreads.service.snapshots import Market

_NAMES: dict[Price, str] = {"mid": "Mid", "bid": "Borrow (bid)", "ask": "Lend (ask)"}
_EACH_CELL = {
    ids.MID_SURFACE: "weighted medians",
    ids.QUOTED_SURFACE: "best in cell",
}
_SEE_THROUGH = 0.88
"""Of two surfaces, the one behind should be seen through the one before."""
_FEWEST_ROWS = 2
_LABELS: dict[TimeChoice, RowLabel] = {"expiry": "expiry", "snapshot": "snapshot_time"}


def mid_surface(view: MarketView, market: Market, choices: Choices) -> Content:
    """Return the surface of mid rates."""
    return _rates(view, market, choices, ids.MID_SURFACE, ("mid",))


def quoted_surface(view: MarketView, market: Market, choices: Choices) -> Content:
    """Return the surfaces that can be traded now, lend and borrow, in one scene."""
    return _rates(view, market, choices, ids.QUOTED_SURFACE, ("bid", "ask"))


def volume(view: MarketView, market: Market, choices: Choices) -> Content:
    """Return the surface of contracts traded today."""
    surface = volume_surface(
        ((at.chain, expiry) for at, expiry in _rows(view, market, choices)),
        choices.root,
        view.strike_edges(market, choices.root),
        label=_LABELS[choices.time],
        basis=view.settings.time_basis,
    )
    shown = _shown(surface, choices)
    if missing := _too_few(shown, view, market, choices):
        return Content(message=missing)
    # No contract is listed in an empty cell, so none was traded there.
    values = np.nan_to_num(surface.values[shown])
    if not values.any():
        return Content(message=f"No {choices.root} contract of these strikes has traded today.")
    palette = PALETTES[choices.scheme]
    layer = Layer("Volume", surface.strikes, values, palette.volume_scale)
    time = _time_axis(surface, shown, choices)
    figure = volume_figure(layer, time, palette, uirevision=ids.VOLUME_SURFACE)
    return Content(
        figure, caption=f"{_what(shown, choices)}, contracts traded today{_within_a_day(shown)}"
    )


def _rates(
    view: MarketView, market: Market, choices: Choices, panel: str, which: tuple[Price, ...]
) -> Content:
    edges = view.strike_edges(market, choices.root)
    over = view.survey if choices.time == "expiry" else view.survey_history
    surveys = list(over(market, choices))
    tally, label = Tally.of(surveys), _LABELS[choices.time]
    surfaces = {side: rate_surface(surveys, edges, side, label=label) for side in which}
    first = surfaces[which[0]]
    shown = _shown(first, choices)
    if shown.any() and not tally.kept:
        return Content(message=nothing_left(tally.removed))
    if missing := _too_few(shown, view, market, choices):
        return Content(message=missing)
    palette = PALETTES[choices.scheme]
    scales = {"mid": palette.mid_scale, "bid": palette.borrow_scale, "ask": palette.lend_scale}
    opacity = 1.0 if len(which) == 1 else _SEE_THROUGH
    layers = [
        Layer(_NAMES[price], first.strikes, surface.values[shown], scales[price], opacity)
        for price, surface in surfaces.items()
    ]
    unclear = max(surface.unclear for surface in surfaces.values())
    not_drawn = left_out({"wide": unclear, "off axis": cells_beyond_axis(layers)})
    if not has_a_face(layers):
        return Content(message=_no_face(tally, edges, choices))
    figure = rate_figure(layers, _time_axis(first, shown, choices), palette, uirevision=panel)
    caption = f"{_what(shown, choices)}, {_EACH_CELL[panel]}{not_drawn}{_within_a_day(shown)}"
    return Content(figure, caption=caption)


def _rows(view: MarketView, market: Market, choices: Choices) -> Iterator[tuple[Market, date]]:
    """Return the rows of a surface: every expiry of a snapshot, or the snapshots of an expiry."""
    root, expiry = choices.root, choices.expiry
    if choices.time == "expiry":
        for each in market.chain.expiries(root):
            yield market, each
    elif expiry is not None:
        for at in view.snapshots.history(market, choices.history_minutes):
            if expiry in at.chain.expiries(root):
                yield at, expiry


def _shown(surface: Surface, choices: Choices) -> NDArray[np.bool_]:
    """Tell which rows have a place on the time axis."""
    if choices.time == "expiry":
        return lasts(surface.tte_years)
    return np.ones(len(surface.labels), np.bool_)


def _too_few(shown: NDArray[np.bool_], view: MarketView, market: Market, choices: Choices) -> str:
    """Return why there are not rows enough for a surface; empty if there are."""
    root, rows = choices.root, int(np.count_nonzero(shown))
    if rows >= _FEWEST_ROWS:
        return ""
    if choices.time == "snapshot":
        return _short_history(rows, view, market, choices)
    if rows == 0:
        return f"Every expiry of {root} in this snapshot has passed, or is paid within a day."
    return f"A surface needs two expiries with a day or more to their payment; {root} has one."


def _short_history(rows: int, view: MarketView, market: Market, choices: Choices) -> str:
    if choices.expiry is None:
        return "Choose an expiry to see its history."
    older = view.snapshots.past(market, choices.history_minutes).older
    return (
        f"A history needs two snapshots of {choices.root} {choices.expiry:%d %b %Y}; the last "
        f"{choices.history_minutes:g} minutes have {rows}.\n"
        + (
            f"Choose a longer history window: {older:,} snapshots are older."
            if older
            else "No older snapshot is kept. Let the collector run."
        )
    )


def _no_face(tally: Tally, edges: NDArray[np.float64], choices: Choices) -> str:
    rows = "expiries" if choices.time == "expiry" else "snapshots"
    return (
        f"Too few rates for a surface: {tally.kept:,} boxes of {choices.root} pass the filters, "
        f"but between {edges[0]:,.0f} and {edges[-1]:,.0f} no two neighbouring strikes have a "
        f"clear rate at two {rows} in a row.\nThe skew and the table show the boxes."
    )


def _time_axis(surface: Surface, shown: NDArray[np.bool_], choices: Choices) -> TimeAxis:
    if choices.time == "snapshot":
        return snapshot_times([datetime.fromisoformat(instant) for instant in surface.labels])
    return time_to_payment(surface.tte_years[shown])


def _what(shown: NDArray[np.bool_], choices: Choices) -> str:
    """Say what the rows are."""
    rows = int(np.count_nonzero(shown))
    if choices.time == "snapshot":
        return f"{choices.root} {choices.expiry:%d %b %Y}, {rows} snapshots"
    return f"{choices.root}, {rows} expiries"


def _within_a_day(shown: NDArray[np.bool_]) -> str:
    """Say how many expiries have no place on the axis; empty if all have one."""
    short = int(np.count_nonzero(~shown))
    return f" · {short} within a day left out" if short else ""
