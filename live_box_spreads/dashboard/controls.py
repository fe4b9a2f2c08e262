"""The controls over the panels; each starts at what the configuration says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import dash_mantine_components as dmc
from dash import dcc, html

from live_box_spreads.dashboard import ids, status
from live_box_spreads.dashboard.formats import aria
from live_box_spreads.model.rates import Compounding

if TYPE_CHECKING:
    from live_box_spreads.dashboard.market_view import MarketView
    from live_box_spreads.service.snapshots import Market
    from live_box_spreads.settings import Settings

_HISTORY_MINUTES = (30, 60, 120, 240, 480, 1440)
_COMPOUNDING_LABELS = {
    Compounding.EFFECTIVE: "Effective",
    Compounding.CONTINUOUS: "Continuous",
    Compounding.SIMPLE: "Simple",
    Compounding.BOND_EQUIVALENT: "Bond equivalent",
}
CUSTOM_BAND = "custom"


def controls(view: MarketView, market: Market | None) -> html.Div:
    """Return the strip of controls, with the roots and expiries of a snapshot."""
    settings = view.settings
    return html.Div(
        [*_what(view, market), *_which_boxes(settings), *_how(settings)],
        className="controls",
        role="toolbar",
        **aria(label="Controls"),
    )


def _what(view: MarketView, market: Market | None) -> list[Any]:
    settings = view.settings
    roots, root = status.root_choice(view, market, settings.tickers[0])
    expiries, expiry = status.expiry_choice(market, root, None)
    return [
        _select(ids.ROOT, "Root", roots, root, "5.4rem"),
        _select(ids.EXPIRY, "Expiry", expiries, expiry, "10.6rem", searchable=True),
        _labelled(
            "Surface time",
            dmc.SegmentedControl(
                id=ids.TIME_AXIS,
                data=[
                    {"value": "expiry", "label": "To expiry"},
                    {"value": "snapshot", "label": "Snapshots"},
                ],
                value="expiry",
                size="xs",
            ),
        ),
        _select(
            ids.HISTORY,
            "History",
            _history_options(settings.surface_history_minutes),
            f"{settings.surface_history_minutes:g}",
            "5.2rem",
        ),
    ]


def _which_boxes(settings: Settings) -> list[Any]:
    bands = {
        band.name: [round(band.centre * 100, 4), round(band.half_width * 100, 4)]
        for band in settings.moneyness_bands
    }
    first = settings.moneyness_bands[0]
    return [
        dcc.Store(ids.BANDS, data=bands),
        _number(ids.MIN_VOLUME, "Min leg volume", 0, minimum=0, step=1, width="6rem"),
        _select(
            ids.BAND,
            "Moneyness band",
            [*bands, CUSTOM_BAND],
            first.name,
            "8.2rem",
        ),
        _number(
            ids.CENTRE, "Centre", first.centre * 100, minimum=1, step=1, width="4.9rem", suffix=" %"
        ),
        _number(
            ids.HALF_WIDTH,
            "Half-width",
            first.half_width * 100,
            minimum=0.1,
            step=1,
            width="4.9rem",
            suffix=" %",
        ),
    ]


def _how(settings: Settings) -> list[Any]:
    labels = [{"value": kind.value, "label": text} for kind, text in _COMPOUNDING_LABELS.items()]
    return [
        _select(ids.COMPOUNDING, "Compounding", labels, settings.compounding.value, "8.6rem"),
        _labelled(
            "Term price",
            dmc.SegmentedControl(
                id=ids.PRICE,
                data=[
                    {"value": "mid", "label": "Mid"},
                    {"value": "ask", "label": "Lend"},
                    {"value": "bid", "label": "Borrow"},
                ],
                value=settings.price_selector,
                size="xs",
            ),
        ),
    ]


def _history_options(configured: float) -> list[dict[str, str]]:
    minutes = sorted({*_HISTORY_MINUTES, configured})
    return [{"value": f"{span:g}", "label": _duration(span)} for span in minutes]


def _duration(minutes: float) -> str:
    return f"{minutes:g} min" if minutes < 60 else f"{minutes / 60:.3g} h"  # noqa: PLR2004, an hour


def _labelled(label: str, control: Any) -> html.Div:
    return html.Div([html.Span(label, className="control-label"), control], className="control")


def _select(
    control: str,
    label: str,
    data: list[Any],
    value: str | None,
    width: str,
    *,
    searchable: bool = False,
) -> html.Div:
    return _labelled(
        label,
        dmc.Select(
            id=control,
            data=data,
            value=value,
            w=width,
            size="xs",
            allowDeselect=False,
            searchable=searchable,
            checkIconPosition="right",
            comboboxProps={"width": "max-content", "position": "bottom-start"},
            **aria(label=label),
        ),
    )


def _number(
    control: str,
    label: str,
    value: float,
    *,
    minimum: float,
    step: float,
    width: str,
    suffix: str = "",
) -> html.Div:
    return _labelled(
        label,
        dmc.NumberInput(
            id=control,
            value=round(value, 4),
            min=minimum,
            step=step,
            suffix=suffix,
            w=width,
            size="xs",
            debounce=250,
            thousandSeparator=",",
            **aria(label=label),
        ),
    )
