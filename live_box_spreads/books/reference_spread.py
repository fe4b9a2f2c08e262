"""Box rates beside a reference: its rate for the same loan, and the spread between them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from live_box_spreads.model.rates import Compounding

if TYPE_CHECKING:
    from live_box_spreads.model.reference_curve import ReferenceCurve


def with_reference(
    frame: pl.DataFrame,
    reference: ReferenceCurve,
    compounding: Compounding = Compounding.EFFECTIVE,
    *,
    rate: str = "fair_rate",
) -> pl.DataFrame:
    """Return a table with the reference rate of each row's loan and the spread to it.

    Args:
        frame: rows with ``premium_date``, ``payment_date`` and a rate.
        reference: what to compare with.
        compounding: convention of the rate; the reference is told in the same one.
        rate: column of the rate, a fraction.

    Returns:
        The frame with ``reference_rate`` (a fraction), ``spread_bps`` (rate above the reference,
        in basis points) and ``reference_date``. NaN where the reference does not cover the loan
        or there is no rate.
    """
    dates = zip(frame["premium_date"], frame["payment_date"], strict=True)
    rates = [reference.rate(premium, payment, compounding) for premium, payment in dates]
    return frame.with_columns(
        pl.Series("reference_rate", rates, dtype=pl.Float64),
        pl.lit(reference.as_of).alias("reference_date"),
    ).with_columns(spread_bps=(pl.col(rate) - pl.col("reference_rate")) * 1e4)
