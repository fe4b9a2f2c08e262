"""Box rates beside a reference: its rate for the same loan, and the spread between them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from live_box_spreads.model.rates import Compounding, discount_from_rate, rate_from_discount
from live_box_spreads.model.reference_curve import spread_bps
from live_box_spreads.model.settlement import DAYS_PER_YEAR

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
        frame: rows with ``premium_date``, ``payment_date`` and a rate; where they have ``years``,
            the rate counts those, else the days between the two dates over 365.
        reference: what to compare with.
        compounding: convention of the rate; the reference is converted to it, over the same years.
        rate: column of the rate, a fraction.

    Returns:
        The frame with ``reference_rate`` (a fraction), ``reference_date``, ``reference_name`` (that
        of an overnight rate has "held flat") and ``spread_bps`` (rate above the reference, in basis
        points). NaN where the reference does not cover the loan
        or there is no rate.
    """
    dates = list(zip(frame["premium_date"], frame["payment_date"], strict=True))
    apart = np.array([(payment - premium).days for premium, payment in dates]) / DAYS_PER_YEAR
    continuous = [
        reference.rate(premium, payment, Compounding.CONTINUOUS) for premium, payment in dates
    ]
    discounts = discount_from_rate(
        np.array(continuous, dtype=np.float64), apart, Compounding.CONTINUOUS
    )
    years = frame["years"].to_numpy() if "years" in frame.columns else apart
    rates = rate_from_discount(discounts, years, compounding)
    return frame.with_columns(
        pl.Series("reference_rate", rates, dtype=pl.Float64),
        pl.lit(reference.as_of).alias("reference_date"),
        pl.lit(reference.name).alias("reference_name"),
    ).with_columns(spread_bps=spread_bps(pl.col(rate), pl.col("reference_rate")))
