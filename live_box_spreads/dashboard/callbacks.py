"""From controls to panels. The work is in ``panels`` and ``status``; here it is wired."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from dash import ClientsideFunction, Dash, Input, Output, State, no_update

from live_box_spreads.dashboard import ids, panels, status
from live_box_spreads.dashboard.choices import Choices
from live_box_spreads.dashboard.ranked import ranked_rows
from live_box_spreads.dashboard.tiles import tiles

if TYPE_CHECKING:
    from live_box_spreads.dashboard.market_view import MarketView

_BOXES = {
    "version": Input(ids.VERSION, "data"),
    "root": Input(ids.ROOT, "value"),
    "compounding": Input(ids.COMPOUNDING, "value"),
    "min_leg_volume": Input(ids.MIN_VOLUME, "value"),
}
_SCHEME = {"scheme": Input(ids.SCHEME, "data")}
_EXPIRY = {"expiry": Input(ids.EXPIRY, "value")}
_BAND = {
    "centre": Input(ids.CENTRE, "value"),
    "half_width": Input(ids.HALF_WIDTH, "value"),
    "price": Input(ids.PRICE, "value"),
}
_SURFACE = {
    **_BOXES,
    **_SCHEME,
    **_EXPIRY,
    "time": Input(ids.TIME_AXIS, "value"),
    "history": Input(ids.HISTORY, "value"),
    "painted": Input(ids.PAINTED, "data"),
}
_INPUTS = {
    ids.MID_SURFACE: _SURFACE,
    ids.QUOTED_SURFACE: _SURFACE,
    ids.VOLUME_SURFACE: _SURFACE,
    ids.TERM_STRUCTURE: {**_BOXES, **_SCHEME, **_BAND},
    ids.SKEW: {**_BOXES, **_SCHEME, **_EXPIRY},
}


def register(app: Dash, view: MarketView) -> None:
    """Wire all controls of the page to a view of the snapshot folder.

    Each callback works in a thread, so that a long one holds up neither the others nor the page.
    """
    _register_browser_side(app)
    _register_poll(app, view)
    _register_selections(app, view)
    _register_status(app, view)
    for panel in ids.FIGURES:
        _register_figure(app, view, panel)
    _register_ranking(app, view)


def _register_browser_side(app: Dash) -> None:
    add: Any = app.clientside_callback  # Dash does not annotate it
    add(
        ClientsideFunction("boxes", "age"),
        Output(ids.AGE, "children"),
        Output(ids.AGE, "className"),
        Input(ids.CLOCK, "n_intervals"),
        Input(ids.SNAPSHOT_TIME, "data"),
        State(ids.POLL, "interval"),
    )
    add(
        ClientsideFunction("boxes", "scheme"),
        Output(ids.SCHEME, "data"),
        Input(ids.SCHEME_SWITCH, "id"),
    )
    add(
        ClientsideFunction("boxes", "painted"),
        Output(ids.PAINTED, "data"),
        Input(ids.TERM_STRUCTURE, "figure"),
        Input(ids.message(ids.TERM_STRUCTURE), "children"),
        State(ids.PAINTED, "data"),
    )
    add(
        ClientsideFunction("boxes", "band"),
        Output(ids.BAND, "value"),
        Output(ids.CENTRE, "value"),
        Output(ids.HALF_WIDTH, "value"),
        Input(ids.BAND, "value"),
        Input(ids.CENTRE, "value"),
        Input(ids.HALF_WIDTH, "value"),
        State(ids.BANDS, "data"),
        prevent_initial_call=True,
    )


def _register_poll(app: Dash, view: MarketView) -> None:
    @app.callback(
        Output(ids.VERSION, "data"),
        Output(ids.NOTICE, "children"),
        Input(ids.POLL, "n_intervals"),
        State(ids.VERSION, "data"),
        prevent_initial_call=True,
    )
    async def poll(_ticks: int, shown: list[str]) -> Any:
        found = await asyncio.to_thread(status.version, view)
        return (no_update, no_update) if found == shown else (found, status.notice(view))


def _register_selections(app: Dash, view: MarketView) -> None:
    @app.callback(
        Output(ids.ROOT, "data"),
        Output(ids.ROOT, "value"),
        Input(ids.VERSION, "data"),
        State(ids.ROOT, "value"),
        prevent_initial_call=True,
    )
    async def roots(_version: list[str], root: str) -> Any:
        return await asyncio.to_thread(status.root_choice, view, root)

    @app.callback(
        Output(ids.EXPIRY, "data"),
        Output(ids.EXPIRY, "value"),
        Input(ids.VERSION, "data"),
        Input(ids.ROOT, "value"),
        State(ids.EXPIRY, "value"),
        prevent_initial_call=True,
    )
    async def expiries(_version: list[str], root: str, expiry: str | None) -> Any:
        return await asyncio.to_thread(status.expiry_choice, view, root, expiry)


def _register_status(app: Dash, view: MarketView) -> None:
    outputs = {
        "badge": Output(ids.BADGE, "children"),
        "badge_colour": Output(ids.BADGE, "color"),
        "time": Output(ids.SNAPSHOT_TIME, "data"),
        "label": Output(ids.SNAPSHOT_LABEL, "children"),
        "spot": Output(ids.SPOT, "children"),
        "contracts": Output(ids.CONTRACTS, "children"),
        "boxes": Output(ids.BOXES, "children"),
        "removed": Output(ids.REMOVED, "children"),
    }

    @app.callback(output=outputs, inputs=_BOXES)
    async def header(**controls: Any) -> Any:
        return await asyncio.to_thread(status.header, view, Choices.read(controls))

    @app.callback(output=Output(ids.TILES, "children"), inputs=_BOXES)
    async def headline(**controls: Any) -> Any:
        return await asyncio.to_thread(tiles, view, view.newest().market, Choices.read(controls))


def _register_figure(app: Dash, view: MarketView, panel: str) -> None:
    @app.callback(
        Output(panel, "figure"),
        Output(ids.message(panel), "children"),
        Output(ids.caption(panel), "children"),
        inputs=_INPUTS[panel],
    )
    async def figure(**controls: Any) -> Any:
        if controls["scheme"] is None or controls.get("painted", True) is None:
            # The browser tells in a moment; a figure of the wrong colours would be in the way.
            return no_update, no_update, no_update
        market = view.newest().market
        choices = Choices.read(controls)
        content = await asyncio.to_thread(panels.content, view, market, panel, choices)
        return content.figure or no_update, content.message, content.caption


def _register_ranking(app: Dash, view: MarketView) -> None:
    @app.callback(
        Output(ids.GRID, "rowData"),
        Output(ids.message(ids.RANKING), "children"),
        Output(ids.caption(ids.RANKING), "children"),
        inputs={**_BOXES, "side": Input(ids.SIDE, "value")},
    )
    async def ranking(**controls: Any) -> Any:
        rows = await asyncio.to_thread(
            ranked_rows, view, view.newest().market, Choices.read(controls)
        )
        return rows.rows, rows.message, rows.caption
