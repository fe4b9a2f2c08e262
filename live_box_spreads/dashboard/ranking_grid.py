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

_SIGNED_BPS = _unless_unknown("d3.format('+,.1f')(params.value)")

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
    _column("root", "Root", "Option root", width=78, pinned="left"),
    _column("expiry", "Expiry", "Expiration date", width=104, pinned="left"),
    _number("days", "Days", "Days from premium to payment", _COUNT, width=74),
    _number("kl", "Low", "Lower strike", _STRIKE, width=82),
    _number("ks", "High", "Higher strike", _STRIKE, width=82),
    _number("width", "Width", "What one box pays, in index points", _STRIKE, width=82),
    _number("rate", "Rate", "At the quotes that can be hit now", _RATE),
    _number(
        "net_rate",
        "Net rate",
        "The same after the fees to open",
        _RATE,
        width=92,
        cellClass=f"{_RIGHT} cell-net",
    ),
    _number("fair_rate", "Fair rate", "From all strikes of the expiry", _RATE, width=92),
    _number(
        "spread_bps",
        "To fair bp",
        "Net rate less fair rate, in basis points: a lender wants it high, a borrower low",
        _SIGNED_BPS,
        width=98,
    ),
    _number(
        "spread_std_errors",
        "To fair s.e.",
        "The same in standard errors of the fair rate",
        _SIGNED_BPS,
        width=98,
    ),
    _column(
        "why",
        "Kind",
        "How usual its strikes and width are, and what that costs it in this order",
        width=270,
    ),
    _number("price", "Price", "Index points paid to lend, or received to borrow, now", _POINTS),
    _number("fair_price", "Fair price", "Index points at the fair rate", _POINTS, width=92),
    _number("fees_dollars", "Fees $", "To open one box: broker and exchange", _POINTS, width=80),
    _number(
        "quoted_spread_bps",
        "Quoted bp",
        "Between the rates to borrow and to lend with this box, before fees",
        _BPS,
        width=98,
    ),
    _number("size", "Size", "Boxes to be had at the quoted sizes", _COUNT, width=76),
    _number("oldest_quote_secs", "Age s", "Seconds since its oldest quote", _COUNT, width=80),
    _number("min_leg_volume", "Min leg vol", "Least traded of the four legs", _COUNT, width=104),
    _number("total_leg_volume", "Leg volume", "Traded today in all four legs", _COUNT, width=104),
    _number(
        "min_leg_open_interest", "Min leg OI", "Least open interest of the legs", _COUNT, width=98
    ),
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
