"""A market whose rate is known: every box of it is a loan at 4 %, whatever its strikes."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from live_box_spreads.model.chain import Chain, Timeliness

if TYPE_CHECKING:
    from collections.abc import Sequence

    from live_box_spreads.dashboard.market_view import MarketView
    from live_box_spreads.service.snapshots import Market

RATE = 0.04
SPOT = 5000.0
HALF_SPREAD = 0.5
NOON = datetime(2025, 9, 4, 18, 15, tzinfo=UTC)
"""A Thursday: premium is paid on Friday the 5th."""
DAYS = {date(2025, 10, 17): 45, date(2025, 12, 19): 108, date(2026, 9, 18): 381}
"""From the payment of the premium to that of the exercise amount (the Monday after), by hand."""
ROOTS = ("SPXW", "XSP")


def chain_at(
    time: datetime = NOON,
    *,
    strikes: Sequence[float] = tuple(np.linspace(3600, 6400, 57)),
    roots: Sequence[str] = ROOTS,
    timeliness: Timeliness = Timeliness.SIMULATED,
) -> Chain:
    """Return quotes in parity with a forward at the spot, all of one half-spread."""
    rows = [
        row
        for root in roots
        for expiry, days in DAYS.items()
        for strike in strikes
        for row in _pair(root, expiry, (1 + RATE) ** (-days / 365), strike)
    ]
    spot = {"SPX": SPOT, "XSP": SPOT}
    return Chain.build(
        pl.DataFrame(rows), snapshot_time=time, feed="test", timeliness=timeliness, spot=spot
    )


def newest(view: MarketView) -> Market | None:
    """Return the snapshot that a page would show."""
    return view.snapshots.newest().market


def _pair(root: str, expiry: date, discount: float, strike: float) -> list[dict[str, Any]]:
    forward = discount * (SPOT - strike)
    put = max(-forward, 0.0) + 60.0 * np.exp(-(((strike - SPOT) / 600.0) ** 2)) + 2.0
    prices = {"C": forward + put, "P": put}
    return [
        {
            "root": root,
            "underlying": "XSP" if root == "XSP" else "SPX",
            "expiry": expiry,
            "settlement": "PM",
            "strike": float(strike),
            "right": right,
            "bid": mid - HALF_SPREAD,
            "ask": mid + HALF_SPREAD,
            "bid_size": 10.0,
            "ask_size": 12.0,
            "volume": round(1000 * np.exp(-(((strike - SPOT) / 400.0) ** 2))),
            "open_interest": 500,
        }
        for right, mid in prices.items()
    ]
