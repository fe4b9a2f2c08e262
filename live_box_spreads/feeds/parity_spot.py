"""The price of an index from the options on it, by put-call parity."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from live_box_spreads.model.settlement import expiry_instant

if TYPE_CHECKING:
    from datetime import datetime


def spot_by_parity(quotes: pl.DataFrame, now: datetime) -> float | None:
    """Return the price at which the soonest options pay their calls and puts the same.

    Put-call parity: strike + call - put at the strike where the mids of call and put are nearest.
    That is the forward; within days of expiry it is the spot to a few hundredths of a per cent,
    which is enough to choose strikes around it.

    Args:
        quotes: ``root, expiry, settlement, strike, right, bid, ask`` of one underlying.
        now: instant of the quotes, with a time zone.

    Returns:
        Index points; None if no expiry ahead has a call and a put with both sides at one strike.
    """
    both_sides = quotes.filter(pl.col("bid") > 0, pl.col("ask") >= pl.col("bid"))
    mids = both_sides.select(
        "root", "expiry", "settlement", "strike", "right", mid=(pl.col("bid") + pl.col("ask")) / 2
    )
    on = ["root", "expiry", "settlement", "strike"]
    calls, puts = (mids.filter(pl.col("right") == right).drop("right") for right in ("C", "P"))
    pairs = calls.join(puts, on=on, suffix="_put")
    for expiry, settlement in pairs.select("expiry", "settlement").unique().sort("expiry").rows():
        if expiry_instant(expiry, settlement) > now:
            soonest = pairs.filter(pl.col("expiry") == expiry, pl.col("settlement") == settlement)
            gap = pl.col("mid") - pl.col("mid_put")
            return float(soonest.sort(gap.abs()).select((pl.col("strike") + gap).first()).item())
    return None
