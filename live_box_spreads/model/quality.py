"""What is wrong with a quote, as bit flags of each leg, and which flags leave it out.

Costs need no flags: a sold leg without a bid above zero, or a bought leg without an ask above
zero, has no cost (NaN). Flags give the reason, and mark bad quotes that have both sides.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntFlag
from functools import cache
from math import inf
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from live_box_spreads.model.errors import ModelError

if TYPE_CHECKING:
    from datetime import datetime

    from numpy.typing import NDArray


class LegFlag(IntFlag):
    """What is wrong with the quote of one contract. Bits; they fit ``uint8``."""

    OK = 0
    NO_BID = 1
    """No bid was sent, or one below zero."""
    ZERO_BID = 2
    """The bid is zero."""
    NO_ASK = 4
    """No ask was sent, or one of zero or less."""
    CROSSED = 8
    """The bid is above the ask."""
    STALE = 16
    """The quote is older than the rules allow."""
    WIDE = 32
    """The half-spread is beyond the rules' limit."""


@dataclass(frozen=True, slots=True)
class QualityRules:
    """When a quote is stale or wide, and what leaves a leg out.

    Attributes:
        stale_after_secs: a quote older than this at the snapshot time is stale.
        max_half_spread_points: a half-spread beyond this many index points is wide.
        exclude: a leg with any of these flags takes part in no box.
    """

    stale_after_secs: float = 300.0
    max_half_spread_points: float = inf
    exclude: LegFlag = LegFlag.CROSSED | LegFlag.STALE

    def __post_init__(self) -> None:
        """Refuse limits that no quote can meet."""
        for name in ("stale_after_secs", "max_half_spread_points"):
            limit = getattr(self, name)
            if not limit > 0:
                raise ModelError(f"{name} is {limit}; it must be above 0")


def leg_flags(
    quotes: pl.DataFrame, snapshot_time: datetime, rules: QualityRules
) -> NDArray[np.uint8]:
    """Flag each quote of a chain.

    Args:
        quotes: rows of a chain; needs ``bid``, ``ask`` (index points) and ``quote_time``.
        snapshot_time: the instant of the quotes, with a time zone.
        rules: limits on age and half-spread.

    Returns:
        One ``LegFlag`` value a row, shape (rows,). A row without a ``quote_time`` is never stale:
        many feeds send none, and an unknown age is no proof of an old quote.

    Raises:
        ModelError: the snapshot time has no time zone.
    """
    if snapshot_time.utcoffset() is None:
        raise ModelError(f"snapshot time {snapshot_time.isoformat()} has no time zone; give it one")
    bid, ask = _prices(quotes["bid"]), _prices(quotes["ask"])
    has_bid, has_ask = bid >= 0, ask > 0
    age_secs = quote_age_secs(quotes, snapshot_time)
    findings = {
        LegFlag.NO_BID: ~has_bid,
        LegFlag.ZERO_BID: bid == 0,
        LegFlag.NO_ASK: ~has_ask,
        LegFlag.CROSSED: has_ask & (bid > ask),
        LegFlag.STALE: age_secs > rules.stale_after_secs,
        LegFlag.WIDE: has_bid & has_ask & ((ask - bid) / 2 > rules.max_half_spread_points),
    }
    flags = np.zeros(len(quotes), dtype=np.uint8)
    for flag, found in findings.items():
        flags[found] |= flag.value
    return flags


def quote_age_secs(quotes: pl.DataFrame, snapshot_time: datetime) -> NDArray[np.float64]:
    """Return how old each quote is at the snapshot, in seconds, (rows,); NaN unknown."""
    quoted_ms = quotes["quote_time"].dt.epoch("ms").cast(pl.Float64).fill_null(np.nan).to_numpy()
    return snapshot_time.timestamp() - quoted_ms / 1000


@cache  # 256 at most, asked for in every row of a table
def describe_flags(flags: int) -> str:
    """Return the names of the flags set, such as ``zero_bid|wide``, or ``ok``.

    Raises:
        ModelError: a bit that is no flag.
    """
    unknown = int(flags) & ~sum(LegFlag)
    if unknown:
        raise ModelError(f"flags {flags} have bits {unknown} that no quality flag has")
    return "|".join(_name(flag) for flag in LegFlag if flag & flags) or "ok"


def _prices(column: pl.Series) -> NDArray[np.float64]:
    """Return a price column as an array, NaN where there is no usable number."""
    prices = column.cast(pl.Float64).fill_null(np.nan).to_numpy()
    return np.where(np.isfinite(prices), prices, np.nan)


def _name(flag: LegFlag) -> str:
    return str(flag.name).lower()
