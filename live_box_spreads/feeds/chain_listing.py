"""From quotes that are already here to the contracts that a universe takes of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from live_box_spreads.feeds.base import CONTRACT_SCHEMA, Contracts
from live_box_spreads.feeds.selection import (
    ListedExpiry,
    choose_expiries,
    is_bounded,
    within_moneyness,
)
from live_box_spreads.model.chain import KEY
from live_box_spreads.model.errors import FeedError, ModelError
from live_box_spreads.model.products import loan_product

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from live_box_spreads.feeds.base import Universe


def contracts_of_quotes(
    quotes: pl.DataFrame,
    spot: Mapping[str, float],
    universe: Universe,
    now: datetime,
    *,
    source: str,
    failures: Mapping[str, str] | None = None,
) -> Contracts:
    """Choose the contracts of a universe among those that are quoted.

    Args:
        quotes: columns of ``CHAIN_SCHEMA``, no contract twice.
        spot: price by underlying, index points.
        universe: what to take.
        now: instant of the quotes; what expired before is left out.
        source: where the quotes come from, for messages.
        failures: what is known to fail already, one line a root.

    Raises:
        FeedError: nothing at all is left.
    """
    lines = dict(failures or {})
    tables = []
    for root in dict.fromkeys(universe.roots):
        if root in lines:
            continue
        try:
            tables.append(_of_root(root, quotes, spot, universe, now, source))
        except (ModelError, FeedError) as error:
            lines[root] = str(error)
    if not tables:
        reasons = "; ".join(lines.values()) or "the universe names no root"
        raise FeedError(f"nothing to quote: {reasons}")
    chosen = pl.concat(tables).sort(KEY).with_columns(_occ_symbol(), _streamer_symbol())
    return Contracts(chosen.select(CONTRACT_SCHEMA.names()), lines)


def _of_root(
    root: str,
    quotes: pl.DataFrame,
    spot: Mapping[str, float],
    universe: Universe,
    now: datetime,
    source: str,
) -> pl.DataFrame:
    product = loan_product(root)
    mine = quotes.filter(pl.col("root") == root)
    if mine.is_empty():
        names = ", ".join(quotes["root"].unique().sort()) or "nothing"
        raise FeedError(f"{source} has no {root}; it has {names}")
    price = spot.get(product.underlying, float("nan"))
    if is_bounded(universe.moneyness) and not price > 0:
        raise FeedError(
            f"{source} has no price of {product.underlying}, so strikes around it cannot be chosen "
            f"for {root}; try again in a while"
        )
    per_expiry = mine.group_by("expiry", "settlement").agg(pl.col("strike").n_unique())
    listed = [ListedExpiry(*row) for row in per_expiry.iter_rows()]
    chosen = choose_expiries(listed, universe.expiries_per_root, universe.expiry_selection, now)
    near = within_moneyness(mine["strike"].to_numpy(), price, universe.moneyness)
    taken = mine.filter(pl.col("expiry").is_in(chosen), pl.Series(near))
    if taken.is_empty():
        raise FeedError(
            f"{source} has no {root} that expires after {now:%Y-%m-%d %H:%M} UTC within moneyness "
            f"{universe.moneyness} of {price:g}; widen the window"
        )
    return taken


def _occ_symbol() -> pl.Expr:
    thousandths = (pl.col("strike") * 1000).round().cast(pl.Int64).cast(pl.String).str.zfill(8)
    return pl.concat_str(pl.col("root").str.pad_end(6), _day_and_right(), thousandths).alias(
        "occ_symbol"
    )


def _streamer_symbol() -> pl.Expr:
    strike = pl.col("strike").cast(pl.String).str.strip_suffix(".0")
    return pl.concat_str(pl.lit("."), "root", _day_and_right(), strike).alias("streamer_symbol")


def _day_and_right() -> pl.Expr:
    return pl.concat_str(pl.col("expiry").dt.strftime("%y%m%d"), pl.col("right").cast(pl.String))
