"""Which boxes say most about the rate: those quoted tightest."""

from __future__ import annotations

import polars as pl

TIGHT_SHARE = 0.25
LEAST_SPREAD = 1e-7
"""A thousandth of a basis point: where the two sides are locked, the weight stays finite."""

RATE_SPREAD = pl.col("bid_rate") - pl.col("ask_rate")
"""Distance of the two executable rates, as a fraction; NaN unless both sides can be executed."""


def tightest_spread() -> pl.Expr:
    """Return ``RATE_SPREAD`` of the tightest quarter of boxes.

    At least one box, and every box that ties with the last one taken; boxes of which only one
    side can be executed have no spread and are never among them. Works within a group too.
    """
    spread = RATE_SPREAD.fill_nan(None)
    return RATE_SPREAD.filter(spread <= spread.quantile(TIGHT_SHARE, "lower"))


def weighted_median(column: str) -> pl.Expr:
    """Return the median of a column, each box weighing ``1 / RATE_SPREAD**2``.

    The error of a mid grows with the width of its quotes, so this is the weight that the precision
    of each box earns; a median, so that a few bad quotes do not move it. Boxes without a spread
    weigh nothing; those with a spread under ``LEAST_SPREAD``, either way, weigh as much as one of
    that spread. Null where no box has a spread. Works within a group too, and on no rows.
    """
    weight = (1.0 / RATE_SPREAD.abs().clip(lower_bound=LEAST_SPREAD) ** 2).fill_nan(0.0)
    below = weight.sort_by(column).cum_sum()
    return pl.col(column).sort().filter(below >= weight.sum() / 2, below > 0.0).first()
