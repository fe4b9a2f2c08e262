"""The controls over the panels; each starts at what the configuration says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import dash_mantine_components as dmc
from dash import dcc, html

from live_box_spreads.dashboard import ids
from live_box_spreads.model.rates import Compounding

if TYPE_CHECKING:
    from live_box_spreads.settings import Settings

_HISTORY_MINUTES = (30, 60, 120, 240, 480, 1440)
_COMPOUNDING_LABELS = {
    Compounding.EFFECTIVE: "Effective, ACT/365",
    Compounding.CONTINUOUS: "Continuous, ACT/365",
    Compounding.SIMPLE: "Simple, ACT/360",
    Compounding.BOND_EQUIVALENT: "Bond equivalent",
}
CUSTOM_BAND = "custom"


def controls(settings: Settings) -> html.Div:
    """Return the strip of controls."""
    return html.Div(
        [*_what(settings), *_which_boxes(settings), *_how(settings)],
        className="controls",
        role="toolbar",
        **{"aria-label": "Controls"},
    )


def _what(settings: Settings) -> list[Any]:
    return [
        _select(ids.ROOT, "Root", list(settings.tickers), settings.tickers[0], "6.2rem"),
        _select(ids.EXPIRY, "Expiry", [], None, "12rem", searchable=True),
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
            "History window",
            _history_options(settings.surface_history_minutes),
            f"{settings.surface_history_minutes:g}",
            "7rem",
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
        _number(ids.MIN_VOLUME, "Min leg volume", 0, minimum=0, step=1, width="7rem"),
        _select(
            ids.BAND,
            "Moneyness band",
            [*bands, CUSTOM_BAND],
            first.name,
            "9.5rem",
        ),
        _number(
            ids.CENTRE, "Centre", first.centre * 100, minimum=1, step=1, width="5.6rem", suffix=" %"
        ),
        _number(
            ids.HALF_WIDTH,
            "Half-width",
            first.half_width * 100,
            minimum=0.1,
            step=1,
            width="5.6rem",
            suffix=" %",
        ),
    ]


def _how(settings: Settings) -> list[Any]:
    labels = [{"value": kind.value, "label": text} for kind, text in _COMPOUNDING_LABELS.items()]
    return [
        _select(ids.COMPOUNDING, "Compounding", labels, settings.compounding.value, "11rem"),
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


def _select(  # noqa: PLR0913, each is a property of one control
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
            **{"aria-label": label},
        ),
    )


def _number(  # noqa: PLR0913, each is a property of one control
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
            **{"aria-label": label},
        ),
    )
