"""The best boxes to lend or to borrow with, over all expiries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
import polars as pl

from live_box_spreads.books.liquid import RATE_SPREAD, tightest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from live_box_spreads.books.box_table import BoxTable

Side = Literal["lend", "borrow"]

RANKING_COLUMNS = [
    *("ticker", "expiry", "tte_years", "kl", "ks", "width"),
    *("ask_rate", "bid_rate", "mid_rate", "ask_cost", "bid_cost", "mid_cost", "spread_bps"),
    *("min_leg_volume", "total_leg_volume", "min_open_interest", "size", "quality"),
]

_OPEN_INTERESTS = [
    pl.col(f"{leg}_open_interest") for leg in ("call_kl", "call_ks", "put_kl", "put_ks")
]
_MIN_OPEN_INTEREST = pl.when(~pl.any_horizontal(item.is_null() for item in _OPEN_INTERESTS)).then(
    pl.min_horizontal(_OPEN_INTERESTS)
)


def ranking(
    tables: Sequence[BoxTable], *, side: Side, limit: int = 50, per_expiry: int = 3
) -> pl.DataFrame:
    """Return the best executable boxes, best first.

    To lend, the best has the highest ``ask_rate``; to borrow, the lowest ``bid_rate``. So that the
    list is neither one bad quote nor twenty neighbours of one box:

    - both sides must be executable, so that the spread is known;
    - a rate better than what the other side typically gets is a bad quote, not an opportunity: a
      lend rate above the median ``bid_rate`` of the expiry's tightest quarter is left out, and a
      borrow rate below its median ``ask_rate``. (A bad quote that pays less than that stays.)
    - an expiry gives at most ``per_expiry`` boxes, and no two of them share a strike.

    Args:
        tables: boxes of one root and expiry each, already filtered.
        side: ``lend`` or ``borrow``.
        limit: most rows to return.
        per_expiry: most rows of one table.

    Returns:
        ``RANKING_COLUMNS``; units as in the box table, ``spread_bps`` is ``bid_rate - ask_rate``
        in basis points, ``min_open_interest`` the least of the four legs (null if one is
        unknown), ``size`` the boxes at the top of the book on this side (NaN unknown).
    """
    best = [_best_of(table.frame, side, per_expiry) for table in tables]
    if not best:
        return pl.DataFrame(schema=RANKING_COLUMNS)
    found = pl.concat(best).with_columns(
        spread_bps=RATE_SPREAD * 1e4,
        min_open_interest=_MIN_OPEN_INTEREST,
        size=pl.col(f"{side}_size"),
    )
    rate = "ask_rate" if side == "lend" else "bid_rate"
    return found.sort(rate, descending=side == "lend").head(limit).select(RANKING_COLUMNS)


def _best_of(frame: pl.DataFrame, side: Side, boxes: int) -> pl.DataFrame:
    """Return the best boxes of one expiry, no two with a common strike, best first."""
    if side == "lend":
        goodness, sane = pl.col("ask_rate"), pl.col("ask_rate") <= tightest("bid_rate").median()
    else:
        goodness, sane = -pl.col("bid_rate"), pl.col("bid_rate") >= tightest("ask_rate").median()
    candidates = frame.with_row_index("row").filter(RATE_SPREAD.is_finite()).filter(sane)
    row, kl, ks, score = (
        candidates.select("row", "kl", "ks", goodness.alias("score"))[name].to_numpy()
        for name in ("row", "kl", "ks", "score")
    )
    chosen: list[int] = []
    free = np.ones(row.size, dtype=np.bool_)
    while len(chosen) < boxes and free.any():
        best = int(np.argmax(np.where(free, score, -np.inf)))
        chosen.append(int(row[best]))
        taken = (kl[best], ks[best])
        free &= ~(np.isin(kl, taken) | np.isin(ks, taken))
    return frame[chosen]
