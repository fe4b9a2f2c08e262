"""Tastytrade's option chains into the contracts of a universe."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from live_box_spreads.feeds.base import CONTRACT_SCHEMA
from live_box_spreads.feeds.selection import (
    ListedExpiry,
    choose_expiries,
    is_bounded,
    within_moneyness,
)
from live_box_spreads.model.errors import FeedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from live_box_spreads.feeds.base import Universe
    from live_box_spreads.model.products import Product, Settlement
    from live_box_spreads.vendors.tastytrade.messages import Expiration, RootListing, Strike

_STANDARD = "Standard"


@dataclass(frozen=True, slots=True)
class _Side:
    """One contract of a strike."""

    right: str
    occ_symbol: str
    streamer_symbol: str


def root_contracts(
    product: Product,
    listings: Sequence[RootListing],
    universe: Universe,
    spot: float,
    now: datetime,
) -> pl.DataFrame:
    """Return the contracts that a universe takes of one root.

    Args:
        product: the root.
        listings: every root of its underlying.
        universe: what to take.
        spot: price of the underlying, index points; NaN if unknown.
        now: an instant with a time zone; what expired before is left out.

    Returns:
        Columns of ``CONTRACT_SCHEMA``.

    Raises:
        FeedError: the root is not listed, nothing of it is left, or the spot is missing.
    """
    expirations = _expirations_of(product, listings)
    if is_bounded(universe.moneyness) and not spot > 0:
        raise FeedError(
            f"no price of {product.underlying}, so strikes around it cannot be chosen for "
            f"{product.root}; try again in a while"
        )
    listed = [
        ListedExpiry(item.expiration_date, _settlement(item, product), len(item.strikes))
        for item in expirations
    ]
    chosen = set(
        choose_expiries(listed, universe.expiries_per_root, universe.expiry_selection, now)
    )
    rows = [
        (
            item.expiration_date,
            _settlement(item, product),
            strike.strike_price,
            side.right,
            side.occ_symbol,
            side.streamer_symbol,
        )
        for item in expirations
        if item.expiration_date in chosen
        for strike in _strikes_within(item, spot, universe.moneyness)
        for side in _sides(strike)
    ]
    if not rows:
        raise FeedError(
            f"{product.root} lists no contract within moneyness {universe.moneyness} "
            f"of {spot:g}; widen the window"
        )
    names = ["expiry", "settlement", "strike", "right", "occ_symbol", "streamer_symbol"]
    schema = {name: CONTRACT_SCHEMA[name] for name in names}
    return pl.DataFrame(rows, schema=schema, orient="row").select(
        pl.lit(product.root).alias("root"),
        pl.lit(product.underlying).alias("underlying"),
        *names,
    )


def _expirations_of(product: Product, listings: Sequence[RootListing]) -> list[Expiration]:
    """Return the expirations of a root, without adjusted contracts."""
    found = [
        expiration
        for listing in listings
        if listing.root_symbol == product.root
        and listing.option_chain_type == _STANDARD
        and listing.shares_per_contract == product.multiplier
        for expiration in listing.expirations
    ]
    if not found:
        names = ", ".join(sorted({listing.root_symbol for listing in listings})) or "nothing"
        raise FeedError(
            f"the option chain of {product.underlying} lists no standard {product.root}; "
            f"it lists {names}"
        )
    return found


def _settlement(expiration: Expiration, product: Product) -> Settlement:
    match expiration.settlement_type:
        case "AM":
            return "AM"
        case "PM":
            return "PM"
        case _:
            return product.settlement


def _strikes_within(
    expiration: Expiration, spot: float, moneyness: tuple[float, float]
) -> Iterable[Strike]:
    prices = np.array([strike.strike_price for strike in expiration.strikes], np.float64)
    taken = within_moneyness(prices, spot, moneyness)
    return (strike for strike, take in zip(expiration.strikes, taken, strict=True) if take)


def _sides(strike: Strike) -> Iterable[_Side]:
    if strike.call and strike.call_streamer_symbol:
        yield _Side("C", strike.call, strike.call_streamer_symbol)
    if strike.put and strike.put_streamer_symbol:
        yield _Side("P", strike.put, strike.put_streamer_symbol)
