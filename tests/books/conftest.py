"""Chains for the tests of the books, made from plain numbers."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest

from live_box_spreads.model.chain import Chain, Timeliness

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

SNAPSHOT_TIME = datetime(2026, 11, 24, 20, 0, tzinfo=UTC)  # 15:00 in New York
EXPIRY = date(2027, 12, 17)  # 390 days from payment to payment


def chain_of(rows: Sequence[dict[str, Any]], **more: Any) -> Chain:
    """Build a chain of SPX 2027-12-17 unless the rows say otherwise."""
    common = {"root": "SPX", "underlying": "SPX", "expiry": EXPIRY, "settlement": "AM"}
    options = {"snapshot_time": SNAPSHOT_TIME, "spot": {"SPX": 6500.0}, **more}
    return Chain.build(
        pl.DataFrame([{**common, **row} for row in rows], infer_schema_length=None),
        feed="test",
        timeliness=Timeliness.REPLAY,
        **options,
    )


def random_chain_of(seed: int, strikes: int, **more: Any) -> Chain:
    """Build a chain with what real ones have: missing sides, zero bids, crossed and stale legs."""
    rng = np.random.default_rng(seed)
    listed = np.sort(rng.choice(np.arange(2000.0, 9000.0, 5.0), strikes, replace=False))
    discount, forward = rng.uniform(0.85, 1.02), rng.uniform(4000.0, 7000.0)
    rows = []
    for strike in listed:
        parity = discount * (forward - strike)
        put = max(-parity, 0.0) + rng.exponential(60.0)
        for right, fair in (("C", parity + put), ("P", put)):
            half_spread = rng.exponential(2.0)
            row = {
                "strike": strike,
                "right": right,
                "bid": max(fair - half_spread, 0.0),
                "ask": fair + half_spread,
                "bid_size": float(rng.integers(1, 50)),
                "ask_size": float(rng.integers(1, 50)),
                "volume": None if rng.random() < 0.1 else int(rng.integers(0, 40)),
                "open_interest": None if rng.random() < 0.1 else int(rng.integers(0, 900)),
                "quote_time": SNAPSHOT_TIME - timedelta(seconds=float(rng.uniform(0, 320))),
            }
            accident = rng.random()
            if accident < 0.04:
                row["bid"] = np.nan
            elif accident < 0.08:
                row["bid"] = 0.0
            elif accident < 0.12:
                row["ask"] = np.nan
            elif accident < 0.15:
                row["bid"], row["ask"] = row["ask"], row["bid"]
            if accident < 0.97:
                rows.append(row)
    return chain_of(rows, **more)


@pytest.fixture(scope="session")
def make_chain() -> Callable[..., Chain]:
    return chain_of


@pytest.fixture(scope="session")
def random_chain() -> Callable[..., Chain]:
    return random_chain_of


@pytest.fixture(scope="session")
def expiry() -> date:
    return EXPIRY


@pytest.fixture(scope="session")
def example() -> Chain:
    """The box of docs/method.md: SPX 6,000/7,000 at 956.90/958.40."""
    legs = [
        {"strike": 6000.0, "right": "C", "bid": 1250.0, "ask": 1250.8, "volume": 7},
        {"strike": 6000.0, "right": "P", "bid": 180.0, "ask": 180.5, "volume": 120},
        {"strike": 7000.0, "right": "C", "bid": 412.5, "ask": 412.6, "volume": 33},
        {"strike": 7000.0, "right": "P", "bid": 300.0, "ask": 300.1, "volume": 5},
    ]
    sizes = [(11.0, 12.0), (13.0, 14.0), (9.0, 16.0), (17.0, 8.0)]
    interests = [1000, 2000, 300, 4000]
    return chain_of(
        [
            {**leg, "bid_size": bid, "ask_size": ask, "open_interest": interest}
            for leg, (bid, ask), interest in zip(legs, sizes, interests, strict=True)
        ]
    )
