"""The parts of the page that depend on a snapshot: what each needs, and how it is drawn.

All parts are drawn from one snapshot and sent in one answer, so that no two of them ever show
different ones. A part is drawn again only if what it was drawn from has changed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go
from dash import Output, html, no_update

from live_box_spreads.dashboard import ids, panels, status
from live_box_spreads.dashboard.ranked import ranked_rows
from live_box_spreads.dashboard.tiles import tiles

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from live_box_spreads.dashboard.choices import Choices
    from live_box_spreads.dashboard.market_view import MarketView
    from live_box_spreads.dashboard.status import Version
    from live_box_spreads.service.snapshots import Market

    Outputs = dict[str, Any]
    Draw = Callable[[MarketView, Market | None, Choices], Outputs]

_BOXES = ("root", "compounding", "min_leg_volume")
_BAND = ("centre", "half_width", "price")
_SURFACE = (*_BOXES, "scheme", "expiry", "time", "history", "painted")
_PANEL_CONTROLS = {
    ids.MID_SURFACE: _SURFACE,
    ids.QUOTED_SURFACE: _SURFACE,
    ids.VOLUME_SURFACE: _SURFACE,
    ids.TERM_STRUCTURE: (*_BOXES, "scheme", *_BAND),
    ids.SKEW: (*_BOXES, "scheme", "expiry"),
}
_TOLD_BY_THE_BROWSER = ("scheme", "painted")


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the page.

    Attributes:
        name: names it in the log and in the store of what is shown.
        controls: names of the controls that it depends on.
        outputs: the properties that it fills, by a name of its own.
        draw: returns a value for each of them.
        failed: returns the same from one line that says why it could not be drawn.
    """

    name: str
    controls: tuple[str, ...]
    outputs: Mapping[str, Output]
    draw: Draw
    failed: Callable[[str], Outputs]

    def is_ready(self, controls: Mapping[str, Any]) -> bool:
        """Return whether the browser has sent what the part waits for."""
        needed = set(self.controls).intersection(_TOLD_BY_THE_BROWSER)
        return all(controls[name] is not None for name in needed)

    def drawn_from(self, version: Version, controls: Mapping[str, Any]) -> str:
        """Return what the part is drawn from, as text to compare."""
        chosen = {name: controls[name] for name in self.controls}
        return json.dumps([version["snapshot"], version["reference"], chosen])

    def unchanged(self) -> Outputs:
        """Return the values that leave the part as it is."""
        return dict.fromkeys(self.outputs, no_update)


def _header() -> Part:
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
    return Part(
        "header",
        _BOXES,
        outputs,
        status.header,
        lambda line: {**status.empty_header(), "removed": line},
    )


def _tiles() -> Part:
    return Part(
        "headline rates",
        _BOXES,
        {"tiles": Output(ids.TILES, "children")},
        lambda view, market, choices: {"tiles": tiles(view, market, choices)},
        lambda line: {"tiles": [html.P(line, className="tiles-message")]},
    )


def _figure(panel: str) -> Part:
    def draw(view: MarketView, market: Market | None, choices: Choices) -> Outputs:
        content = panels.content(view, market, panel, choices)
        figure = nothing_drawn() if content.figure is None else content.figure
        shown = {"figure": figure, "message": content.message, "caption": content.caption}
        return shown | ({"note": content.note} if panel in ids.NOTED else {})

    outputs = {
        "figure": Output(panel, "figure"),
        "message": Output(ids.message(panel), "children"),
        "caption": Output(ids.caption(panel), "children"),
    }
    silent = {"caption": ""}
    if panel in ids.NOTED:
        outputs["note"] = Output(ids.note(panel), "children")
        silent["note"] = ""
    return Part(
        panel,
        _PANEL_CONTROLS[panel],
        outputs,
        draw,
        lambda line: {"figure": nothing_drawn(), "message": line, **silent},
    )


def _ranking() -> Part:
    def draw(view: MarketView, market: Market | None, choices: Choices) -> Outputs:
        found = ranked_rows(view, market, choices)
        return {"rows": found.rows, "message": found.message, "caption": found.caption}

    outputs = {
        "rows": Output(ids.GRID, "rowData"),
        "message": Output(ids.message(ids.RANKING), "children"),
        "caption": Output(ids.caption(ids.RANKING), "children"),
    }
    return Part(
        ids.RANKING,
        (*_BOXES, "side"),
        outputs,
        draw,
        lambda line: {"rows": [], "message": line, "caption": ""},
    )


def nothing_drawn() -> go.Figure:
    """Return an empty chart: a message stands in its place, and no older picture behind it."""
    return go.Figure(layout={"xaxis": {"visible": False}, "yaxis": {"visible": False}})


PARTS = (_header(), _tiles(), *(_figure(panel) for panel in ids.FIGURES), _ranking())
