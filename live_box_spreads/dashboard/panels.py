"""What each panel shows for the choices made: a figure, or a plain message instead of it."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

from live_box_spreads.dashboard import ids
from live_box_spreads.dashboard.content import Content, no_quotes, nothing_left
from live_box_spreads.dashboard.figures import skew_figure
from live_box_spreads.dashboard.market_view import spot_of
from live_box_spreads.dashboard.surface_panels import mid_surface, quoted_surface, volume
from live_box_spreads.dashboard.term_panel import term_structure_panel
from live_box_spreads.dashboard.theme import PALETTES

if TYPE_CHECKING:
    from collections.abc import Callable

    from live_box_spreads.dashboard.choices import Choices
    from live_box_spreads.dashboard.market_view import MarketView
    from live_box_spreads.service.snapshots import Market

    Draw = Callable[[MarketView, Market, Choices], Content]

SKEW_POINTS = 500


def content(view: MarketView, market: Market | None, panel: str, choices: Choices) -> Content:
    """Return what a panel shows of a snapshot; without one, how to get one."""
    missing = no_quotes(view, market, choices.root)
    if market is None or missing:
        return Content(message=missing)
    return _DRAW[panel](view, market, choices)


def _skew(view: MarketView, market: Market, choices: Choices) -> Content:
    root, expiry = choices.root, choices.expiry
    if expiry not in market.chain.expiries(root):
        return Content(message="Choose an expiry to see its skew.")
    desk = view.desk(market, choices.options)
    table = desk.view_boxes(root, expiry)
    if table.frame.is_empty():
        return Content(message=nothing_left(table.removed))
    frame = desk.skew(root, expiry, SKEW_POINTS)
    if frame.is_empty():
        why = (
            "one side has no quotes"
            if isfinite(table.tte_years)
            else "the expiry has passed, or is paid on the day of the premium"
        )
        return Content(
            message=f"No box of {root} {expiry:%d %b %Y} has a rate on both sides: {why}."
        )
    figure = skew_figure(
        frame,
        PALETTES[choices.scheme],
        spot=spot_of(market.chain, root),
        uirevision=f"{root} {expiry}",
    )
    shown = f"{len(frame):,} of {len(table.frame):,} boxes"
    return Content(figure, caption=f"{root} {expiry:%d %b %Y}, {shown}")


_DRAW: dict[str, Draw] = {
    ids.MID_SURFACE: mid_surface,
    ids.QUOTED_SURFACE: quoted_surface,
    ids.VOLUME_SURFACE: volume,
    ids.TERM_STRUCTURE: term_structure_panel,
    ids.SKEW: _skew,
}
