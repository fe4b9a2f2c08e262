"""Which boxes say most about the rate: those quoted tightest."""

from __future__ import annotations

import polars as pl

TIGHT_SHARE = 0.25

RATE_SPREAD = pl.col("bid_rate") - pl.col("ask_rate")
"""Distance of the two executable rates, as a fraction; NaN unless both sides can be executed."""


def tightest(column: str) -> pl.Expr:
    """Return a column's values in the tightest quarter of boxes by ``RATE_SPREAD``.

    At least one box, and every box that ties with the last one taken; boxes of which only one
    side can be executed have no spread and are never among them. Works within a group too.
    """
    spread = RATE_SPREAD.fill_nan(None)
    return pl.col(column).filter(spread <= spread.quantile(TIGHT_SHARE, "lower"))
