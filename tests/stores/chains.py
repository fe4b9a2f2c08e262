"""Chains for the tests of the store."""

from __future__ import annotations

from datetime import UTC, date, datetime

import polars as pl

from live_box_spreads.model.chain import Chain, Timeliness

NOON = datetime(2026, 11, 24, 15, 0, 0, tzinfo=UTC)


def small_chain(snapshot_time: datetime = NOON, bid: float = 100.25) -> Chain:
    """Return two contracts, the second with a missing bid and nothing known of its activity."""
    rows = pl.DataFrame(
        {
            "root": ["SPX", "SPX"],
            "underlying": ["SPX", "SPX"],
            "expiry": [date(2026, 12, 18)] * 2,
            "settlement": ["AM", "AM"],
            "strike": [6900.0, 6900.0],
            "right": ["C", "P"],
            "bid": [bid, float("nan")],
            "ask": [101.0, 0.05],
            "bid_size": [12.0, float("nan")],
            "ask_size": [7.0, 150.0],
            "last": [99.0033, float("nan")],
            "volume": [1_234, None],
            "open_interest": [56_789, None],
            "quote_time": [snapshot_time, None],
        }
    )
    return Chain.build(
        rows,
        snapshot_time=snapshot_time,
        feed="test",
        timeliness=Timeliness.SIMULATED,
        spot={"SPX": 6912.34},
        rejected={"no quote, said the file": 3},
    )


def many_contracts(count: int, snapshot_time: datetime = NOON) -> Chain:
    """Return a chain of this many contracts, large enough for a write to take a while."""
    numbers = pl.int_range(count, eager=True)
    rows = pl.DataFrame(
        {
            "root": ["SPXW"] * count,
            "underlying": ["SPX"] * count,
            "expiry": [date(2026, 12, 18)] * count,
            "settlement": ["PM"] * count,
            "strike": 1000.0 + numbers * 0.5,
            "right": ["C"] * count,
            "bid": numbers % 1000 * 0.05,
            "ask": numbers % 1000 * 0.05 + 0.1,
        }
    )
    return Chain.build(
        rows, snapshot_time=snapshot_time, feed="test", timeliness=Timeliness.SIMULATED
    )
