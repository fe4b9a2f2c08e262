"""The headline rates: what a loan of 1, 3, 6 and 12 months costs now."""

from __future__ import annotations

from math import isfinite, nan
from typing import TYPE_CHECKING, Any

from dash import html

from live_box_spreads.dashboard.formats import UNKNOWN, percent
from live_box_spreads.dashboard.term_lines import curve_name, is_held_flat, reference_label
from live_box_spreads.reference.history import HELD_FLAT

if TYPE_CHECKING:
    from live_box_spreads.dashboard.choices import Choices
    from live_box_spreads.dashboard.market_view import MarketView
    from live_box_spreads.service.snapshots import Market

_AN_EXPIRY = "the fair rate of the expiry that ends on this date"


def tiles(view: MarketView, market: Market | None, choices: Choices) -> list[html.Div | html.P]:
    """Return the fair rates at the usual tenors, or a word on why there are none."""
    if market is None or choices.root not in market.chain.roots:
        return []
    root = choices.root
    reference = view.reference(market)
    desk = view.compared_desk(market, choices.options, root)
    rows = desk.headline(root)
    read_off = (
        f"read off the {curve_name(desk.conventions.fit)}" if desk.smooth(root) else _AN_EXPIRY
    )
    compared = reference_label(reference)
    flat = is_held_flat(reference)
    found: list[html.Div | html.P] = [
        _tile(row, compared, read_off, held_flat=flat) for row in rows.iter_rows(named=True)
    ]
    return found or [
        html.P(f"{root} has no fair rate near 1, 3, 6 or 12 months.", className="tiles-message")
    ]


def _tile(
    row: dict[str, Any], reference: str, read_off: str = _AN_EXPIRY, *, held_flat: bool = False
) -> html.Div:
    return html.Div(
        [
            _name(row, read_off),
            html.Div(
                [
                    html.Div(percent(row["fair_rate"]), className="tile-rate"),
                    html.Div(_uncertainty(row["std_error_bps"]), className="tile-error"),
                ]
            ),
            html.Div(
                [
                    *_side(row, "lend"),
                    *_side(row, "borrow"),
                    *_spread(row, reference, held_flat=held_flat),
                ],
                className="tile-sides",
            ),
            *_filtered(row),
        ],
        className="tile",
    )


def _name(row: dict[str, Any], read_off: str) -> html.Div:
    """Say which loan it is: that of the tenor, or under its own days that of an expiry."""
    if row["is_exact"]:
        text, why = f"{row['payment_date']:%d %b %Y}, {row['days']:,} days", read_off
    else:
        text, why = f"{row['expiry']:%d %b %Y}, {row['note']}", "the fair rate of this expiry"
    return html.Div([html.B(row["tenor"]), f" · {text}"], className="tile-name", title=why)


def _filtered(row: dict[str, Any]) -> list[html.Div]:
    """Return the rate from all snapshots so far; nothing where nobody follows the root."""
    if not isfinite(row.get("filtered_rate", nan)):
        return []
    error_bps = 2 * row["filtered_std_error_bps"]
    text = f"filtered {percent(row['filtered_rate'])} ± {error_bps:.1f} bp, from all snapshots"
    why = "the rate of the same loan; the one above is of this snapshot alone"
    return [html.Div(text, className="tile-filtered", title=why)]


def _side(row: dict[str, Any], side: str) -> list[html.Span | html.B]:
    """Return the best executable rate of a side, with the expiry that it is of."""
    expiry = row["expiry"]
    where = html.Span(f"{side} {expiry:%d %b}", title=f"best executable rate, expiry {expiry}")
    return [where, html.B(percent(row[f"{side}_rate"]), className=side)]


def _uncertainty(std_error_bps: float) -> str:
    return f"fair ± {2 * std_error_bps:.1f} bp (2 s.e.)" if isfinite(std_error_bps) else "fair"


def _spread(row: dict[str, Any], reference: str, *, held_flat: bool) -> list[html.Span | html.B]:
    """Return the spread to the reference; nothing where there is no reference."""
    if "spread_bps" not in row:
        return []
    spread = row["spread_bps"]
    text = f"{spread:+.0f} bp" if isfinite(spread) else UNKNOWN
    what = f"ref. {HELD_FLAT}," if held_flat else "ref."
    of_day = f"over {what} {row['reference_date']:%d %b}"
    return [html.Span(of_day, title=f"fair rate over {reference}"), html.B(text)]
