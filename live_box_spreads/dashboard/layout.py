"""What is on the page: header, controls, headline rates and panels."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import dash_mantine_components as dmc
from dash import dcc, html

from live_box_spreads.dashboard import ids, status
from live_box_spreads.dashboard.controls import controls
from live_box_spreads.dashboard.formats import UNKNOWN, aria
from live_box_spreads.dashboard.ranking_grid import ranking_grid

if TYPE_CHECKING:
    from live_box_spreads.dashboard.market_view import MarketView

_THEME: dict[str, Any] = {
    "primaryColor": "blue",
    "fontFamily": "var(--font)",
    "defaultRadius": "sm",
    "fontSizes": {"xs": "0.75rem", "sm": "0.8125rem"},
}
INDEX_SCRIPT = """
  // Before the first paint, so that a dark page never flashes white. Mantine keeps its key.
  const kept = localStorage.getItem("mantine-color-scheme-value") || "auto";
  const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  const scheme = kept === "auto" ? system : kept;
  document.documentElement.setAttribute("data-mantine-color-scheme", scheme);
"""
"""The only script within the page; the security policy names its hash."""
INDEX = f"""<!DOCTYPE html>
<html lang="en">
<head>
{{%metas%}}
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{%title%}}</title>
{{%favicon%}}
{{%css%}}
<script>{INDEX_SCRIPT}</script>
</head>
<body>{{%app_entry%}}<footer>{{%config%}}{{%scripts%}}{{%renderer%}}</footer></body>
</html>"""

_GRAPH_CONFIG: Any = {
    "displaylogo": False,
    "responsive": True,
    # The page asks no other host: plotly would offer to upload a chart to a service.
    "showSendToCloud": False,
    "plotlyServerURL": "",
    "modeBarButtonsToRemove": ["select2d", "lasso2d", "resetCameraLastSave3d", "autoScale2d"],
}


def layout(view: MarketView) -> dmc.MantineProvider:
    """Return the whole page with its selections made; the panels fill themselves."""
    settings = view.settings
    newest = view.snapshots.newest()
    wanted = status.version(view, newest, time.time())
    return dmc.MantineProvider(
        [
            dcc.Interval(ids.POLL, interval=round(settings.update_interval_seconds * 1000)),
            dcc.Interval(ids.CLOCK, interval=1000),
            dcc.Store(ids.VERSION, data=dict(wanted)),
            dcc.Store(ids.SHOWN),
            dcc.Store(ids.SNAPSHOT_TIME),
            dcc.Store(ids.SCHEME),
            dcc.Store(ids.PAINTED),
            dcc.Store(ids.PAINT_WATCH),
            _header(),
            html.Main(
                [
                    controls(view, newest.market),
                    html.Div(id=ids.SERVER, className="server-gone", role="alert"),
                    html.Div(status.notice(wanted), id=ids.NOTICE, role="status"),
                    html.Section(id=ids.TILES, **aria(label="Headline rates")),
                    _panels(),
                ],
                className="page",
            ),
        ],
        theme=_THEME,
        defaultColorScheme="auto",
    )


def _header() -> html.Header:
    return html.Header(
        [
            html.Div(
                [
                    html.Span(className="brand-mark", **aria(hidden="true")),
                    html.H1("Live Box Spreads"),
                    dmc.Badge("no data", id=ids.BADGE, color="gray", variant="light", size="md"),
                ],
                className="brand",
            ),
            html.Div(
                [
                    _fact("Snapshot", html.Span(UNKNOWN, id=ids.SNAPSHOT_LABEL)),
                    _fact("Age", html.Span(UNKNOWN, id=ids.AGE, className="age")),
                    _fact("Spot", html.Span(UNKNOWN, id=ids.SPOT)),
                    _fact("Contracts", html.Span(UNKNOWN, id=ids.CONTRACTS)),
                    _fact("Boxes", _boxes()),
                ],
                className="facts",
            ),
            dmc.ColorSchemeToggle(
                id=ids.SCHEME_SWITCH,
                lightIcon=html.Span("☀", **aria(hidden="true")),
                darkIcon=html.Span("☾", **aria(hidden="true")),
                variant="default",
                size="lg",
                **aria(label="Switch between light and dark"),
            ),
        ],
        className="header",
    )


def _fact(name: str, value: Any) -> html.Div:
    return html.Div([html.Span(name, className="fact-name"), value], className="fact")


def _boxes() -> dmc.HoverCard:
    return dmc.HoverCard(
        [
            dmc.HoverCardTarget(html.Span(UNKNOWN, id=ids.BOXES, className="hint", tabIndex=0)),
            dmc.HoverCardDropdown(html.Div(id=ids.REMOVED)),
        ],
        position="bottom-end",
        shadow="md",
        width=340,
    )


def _panels() -> html.Div:
    return html.Div(
        [
            _figure_panel(ids.MID_SURFACE, "Mid rate"),
            _figure_panel(
                ids.QUOTED_SURFACE, "Executable rates", _key("lend (ask)", "borrow (bid)")
            ),
            _figure_panel(ids.TERM_STRUCTURE, "Term structure"),
            _figure_panel(ids.SKEW, "Skew"),
            _figure_panel(ids.VOLUME_SURFACE, "Volume"),
            _panel(
                ids.RANKING,
                "Best boxes",
                ranking_grid(),
                dmc.SegmentedControl(
                    id=ids.SIDE,
                    data=[
                        {"value": "lend", "label": "Top lend"},
                        {"value": "borrow", "label": "Top borrow"},
                    ],
                    value="lend",
                    size="xs",
                ),
            ),
        ],
        className="panels",
    )


def _key(lend: str, borrow: str) -> html.Div:
    """Return a legend: a surface has none of its own."""
    return html.Div(
        [
            html.Span(lend, className="key key-lend"),
            html.Span(borrow, className="key key-borrow"),
        ],
        className="keys",
    )


def _figure_panel(panel: str, title: str, extra: Any = None) -> html.Section:
    graph = dcc.Graph(
        id=panel, config=_GRAPH_CONFIG, responsive=True, className="graph", figure={"data": []}
    )
    return _panel(panel, title, graph, extra)


def _panel(panel: str, title: str, content: Any, extra: Any = None) -> html.Section:
    return html.Section(
        [
            html.Div(
                [
                    html.Div(
                        [
                            html.H2(title),
                            html.P(id=ids.caption(panel), className="caption"),
                            *_note(panel),
                        ],
                        className="panel-title",
                    ),
                    extra,
                ],
                className="panel-head",
            ),
            html.Div(
                [content, html.Div("Loading…", id=ids.message(panel), className="panel-message")],
                className="panel-body",
            ),
        ],
        className=f"panel panel-{panel}",
    )


def _note(panel: str) -> list[html.P]:
    """Return the second line under the title of a panel that has one."""
    return [html.P(id=ids.note(panel), className="caption")] if panel in ids.NOTED else []
