"""Bodies of the option-chain calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from live_box_spreads.model.sessions import NEW_YORK
from live_box_spreads.simulator.rest.responses import decimal

if TYPE_CHECKING:
    from datetime import date, datetime

    from live_box_spreads.model.products import Product
    from live_box_spreads.simulator.market.universe import Listing, Series

_QUARTER_ENDS = {3, 6, 9, 12}
_LATE_IN_MONTH = 26


def nested_chain(listing: Listing, underlying: str, now: datetime) -> list[dict[str, Any]]:
    """Return the nested chain of an underlying: one item a root; empty if none is listed."""
    chosen = [series for series in listing.series if series.product.underlying == underlying]
    roots = dict.fromkeys(series.product.root for series in chosen)
    return [
        _root_item([series for series in chosen if series.product.root == root], listing, now)
        for root in roots
    ]


def flat_chain(listing: Listing, underlying: str, now: datetime) -> list[dict[str, Any]]:
    """Return the flat chain of an underlying: one item a contract; empty if none is listed."""
    return [
        contract_item(listing, series, number, now)
        for series in listing.series
        if series.product.underlying == underlying
        for number in range(series.start, series.stop)
    ]


def contract_item(listing: Listing, series: Series, number: int, now: datetime) -> dict[str, Any]:
    """Return what ``/instruments/equity-options`` and the flat chain say about a contract."""
    item = series.product
    return {
        "symbol": listing.occ_symbols[number],
        "instrument-type": "Equity Option",
        "active": True,
        "strike-price": decimal(listing.strike[number]),
        "root-symbol": item.root,
        "underlying-symbol": item.underlying,
        "expiration-date": series.expiry.isoformat(),
        "exercise-style": item.style.value,
        "shares-per-contract": item.multiplier,
        "option-type": "C" if listing.is_call[number] else "P",
        "option-chain-type": "Standard",
        "expiration-type": _expiration_type(series),
        "settlement-type": item.settlement,
        "stops-trading-at": series.expires_at.isoformat(timespec="milliseconds"),
        "market-time-instrument-collection": "Index Option",
        "days-to-expiration": _days(series.expiry, now),
        "expires-at": series.expires_at.isoformat(timespec="milliseconds"),
        "is-closing-only": False,
        "streamer-symbol": listing.streamer_symbols[number],
    }


def _root_item(chosen: list[Series], listing: Listing, now: datetime) -> dict[str, Any]:
    item = chosen[0].product
    return {
        "underlying-symbol": item.underlying,
        "root-symbol": item.root,
        "option-chain-type": "Standard",
        "shares-per-contract": item.multiplier,
        "tick-sizes": _tick_sizes(item),
        "deliverables": [],
        "expirations": [_expiration(series, listing, now) for series in chosen],
    }


def _expiration(series: Series, listing: Listing, now: datetime) -> dict[str, Any]:
    strikes = [
        {
            "strike-price": decimal(listing.strike[call]),
            "call": listing.occ_symbols[call],
            "call-streamer-symbol": listing.streamer_symbols[call],
            "put": listing.occ_symbols[call + 1],
            "put-streamer-symbol": listing.streamer_symbols[call + 1],
        }
        for call in range(series.start, series.stop, 2)
    ]
    return {
        "expiration-type": _expiration_type(series),
        "expiration-date": series.expiry.isoformat(),
        "days-to-expiration": _days(series.expiry, now),
        "settlement-type": series.product.settlement,
        "strikes": strikes,
    }


def _expiration_type(series: Series) -> str:
    if series.standard:
        return "Regular"
    if series.expiry.day >= _LATE_IN_MONTH and series.expiry.month in _QUARTER_ENDS:
        return "Quarterly"
    return "End-Of-Month" if series.expiry.day >= _LATE_IN_MONTH else "Weekly"


def _tick_sizes(item: Product) -> list[dict[str, str]]:
    ticks = item.ticks
    if ticks.below == ticks.above:
        return [{"value": decimal(ticks.below)}]
    return [
        {"value": decimal(ticks.below), "threshold": decimal(ticks.threshold)},
        {"value": decimal(ticks.above)},
    ]


def _days(expiry: date, now: datetime) -> int:
    return (expiry - now.astimezone(NEW_YORK).date()).days
