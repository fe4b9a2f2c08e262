"""The table of the best boxes to lend or to borrow with."""

from __future__ import annotations

from typing import Any

import dash_ag_grid as dag

from live_box_spreads.dashboard import ids
from live_box_spreads.dashboard.formats import UNKNOWN


def _unless_unknown(formatted: str) -> str:
    """Return the script of a cell: a dash where the value is unknown."""
    return f"params.value == null ? '{UNKNOWN}' : {formatted}"


_RATE = _unless_unknown("d3.format('.2%')(params.value)")
_POINTS = _unless_unknown("d3.format(',.2f')(params.value)")
_STRIKE = _unless_unknown("d3.format(',~f')(params.value)")
_COUNT = _unless_unknown("d3.format(',.0f')(params.value)")
_BPS = _unless_unknown("d3.format(',.1f')(params.value)")

_RIGHT = "ag-right-aligned-cell"  # a class of our own takes the place of the type's

_THEME = (
    "themeQuartz"
    ".withParams({fontFamily: 'inherit', fontSize: 12.5, headerFontSize: 11.5, spacing: 5,"
    " borderRadius: 0, wrapperBorderRadius: 0, wrapperBorder: false, rowHeight: 29,"
    " headerHeight: 34, backgroundColor: '#ffffff', foregroundColor: '#16202e',"
    " headerBackgroundColor: '#f6f8fa', accentColor: '#0072b2', browserColorScheme: 'light'})"
    ".withParams({backgroundColor: '#161d27', foregroundColor: '#e6ebf2',"
    " headerBackgroundColor: '#1b2430', accentColor: '#56b4e9', browserColorScheme: 'dark'},"
    " 'dark')"
)


def _column(field: str, header: str, tooltip: str, **properties: Any) -> dict[str, Any]:
    return {"field": field, "headerName": header, "headerTooltip": tooltip, **properties}


def _number(
    field: str, header: str, tooltip: str, formatter: str, **properties: Any
) -> dict[str, Any]:
    return _column(
        field,
        header,
        tooltip,
        type="rightAligned",
        filter="agNumberColumnFilter",
        valueFormatter={"function": formatter},
        **properties,
    )


COLUMNS = [
    _column("ticker", "Root", "Option root", width=78, pinned="left"),
    _column("expiry", "Expiry", "Expiration date", width=104, pinned="left"),
    _number("days", "Days", "Days from premium to payment", _COUNT, width=74),
    _number("kl", "Low", "Lower strike", _STRIKE, width=82),
    _number("ks", "High", "Higher strike", _STRIKE, width=82),
    _number("width", "Width", "What one box pays, in index points", _STRIKE, width=82),
    _number(
        "ask_rate",
        "Lend",
        "Earned by a lender who pays the ask",
        _RATE,
        cellClass=f"{_RIGHT} cell-lend",
    ),
    _number("mid_rate", "Mid", "Rate at the mid price", _RATE),
    _number(
        "bid_rate",
        "Borrow",
        "Paid by a borrower who hits the bid",
        _RATE,
        cellClass=f"{_RIGHT} cell-borrow",
    ),
    _number("spread_bps", "Spread bp", "Borrow less lend, in basis points", _BPS, width=98),
    _number("ask_cost", "Ask cost", "Index points paid to lend now", _POINTS, width=98),
    _number("bid_cost", "Bid cost", "Index points received to borrow now", _POINTS, width=98),
    _number("min_leg_volume", "Min leg vol", "Least traded of the four legs", _COUNT, width=104),
    _number("total_leg_volume", "Leg volume", "Traded today in all four legs", _COUNT, width=104),
    _number("min_open_interest", "Min leg OI", "Least open interest of the legs", _COUNT, width=98),
    _number("size", "Size", "Boxes to be had at the quoted sizes", _COUNT, width=76),
    _column("quality", "Quality", "What is doubtful about a leg; ok is clean", minWidth=90, flex=1),
]


def ranking_grid() -> dag.AgGrid:
    """Return the empty table; its sort, filter and scroll stay in the browser."""
    return dag.AgGrid(
        id=ids.GRID,
        columnDefs=COLUMNS,
        rowData=[],
        getRowId="params.data.id",
        defaultColDef={
            "sortable": True,
            "filter": True,
            "resizable": True,
            "width": 84,
        },
        dashGridOptions={
            "theme": {"function": _THEME},
            "animateRows": False,
            "suppressCellFocus": True,
            "tooltipShowDelay": 300,
        },
        className="ranking-grid",
        style={"height": "100%", "width": "100%"},
    )
