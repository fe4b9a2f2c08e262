"""Chains and delayed-quote pages of a market that the simulator makes up."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from live_box_spreads.model.chain import Chain, Timeliness
from live_box_spreads.simulator.market.market import Market

if TYPE_CHECKING:
    from collections.abc import Mapping

FIRST = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)  # a Tuesday, 10:00 in New York
ROOTS = ("SPX", "XSP")
SPACING = timedelta(seconds=60)


@cache
def made_chains(count: int = 3) -> tuple[Chain, ...]:
    """Return the market at instants a minute apart."""
    market = Market(FIRST, seed=11, roots=ROOTS)
    chains = [_chain(market)]
    for step in range(1, count):
        market.advance(FIRST + step * SPACING)
        chains.append(_chain(market))
    return tuple(chains)


def _chain(market: Market) -> Chain:
    listing, book, count = market.listing, market.book, len(market.listing)
    series = [listing.series[at] for at in listing.series_of]
    rows = pl.DataFrame(
        {
            "root": [item.product.root for item in series],
            "underlying": [item.product.underlying for item in series],
            "expiry": [item.expiry for item in series],
            "settlement": [item.product.settlement for item in series],
            "strike": listing.strike,
            "right": np.where(listing.is_call, "C", "P"),
            **{
                name: getattr(book, name)[:count] for name in ("bid", "ask", "bid_size", "ask_size")
            },
            "last": np.where(book.last[:count] > 0, book.last[:count], np.nan),
            "volume": book.volume[:count].astype(np.int64),
            "open_interest": book.open_interest[:count].astype(np.int64),
        }
    )
    spot = {name: float(book.last[count + at]) for at, name in enumerate(listing.underlyings)}
    return Chain.build(
        rows.with_columns(quote_time=pl.lit(market.now)),
        snapshot_time=market.now,
        feed="made",
        timeliness=Timeliness.SIMULATED,
        spot=spot,
    )


def without_ask(chain: Chain, key: Mapping[str, Any]) -> Chain:
    """Return the chain with nobody offering one contract."""
    this = pl.all_horizontal(pl.col(name) == value for name, value in key.items())
    asked = [
        pl.when(this).then(float("nan")).otherwise(pl.col(name)).alias(name)
        for name in ("ask", "ask_size")
    ]
    return Chain.build(
        chain.quotes.with_columns(asked),
        snapshot_time=chain.snapshot_time,
        feed=chain.feed,
        timeliness=chain.timeliness,
        spot=chain.spot,
    )


def page_of(chain: Chain, underlying: str, told_at: datetime) -> bytes:
    """Return the options on one index as Cboe's delayed-quotes JSON."""
    mine = chain.quotes.filter(pl.col("underlying") == underlying)
    options = [_option(row) for row in mine.iter_rows(named=True)]
    body = {
        "timestamp": f"{told_at:%Y-%m-%d %H:%M:%S}",
        "symbol": f"_{underlying}",
        "data": {"options": options, "current_price": chain.spot[underlying]},
    }
    return json.dumps(body).encode()


def _option(row: dict[str, Any]) -> dict[str, Any]:
    symbol = f"{row['root']}{row['expiry']:%y%m%d}{row['right']}{round(row['strike'] * 1000):08d}"
    numbers = {
        name: None if np.isnan(row[name]) else row[name]
        for name in ("bid", "bid_size", "ask", "ask_size")
    }
    traded = not np.isnan(row["last"])
    return {
        "option": symbol,
        **numbers,
        "iv": 0.2,
        "open_interest": float(row["open_interest"]),
        "volume": float(row["volume"]),
        "delta": 0.5,
        "theo": 0.0,
        "tick": "up",
        "last_trade_price": row["last"] if traded else 0.0,
        "last_trade_time": "2026-11-24T09:58:00" if traded else None,
        "prev_day_close": 1.0,
    }
