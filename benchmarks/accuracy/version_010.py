"""What version 0.1.0 said: a line an expiry, each for itself, and a spline through their rates.

A desk with ``CurveFit.PER_EXPIRY`` does the same, but refuses rates that are known only to more
than 100 bp. Version 0.1.0 gave them, so they belong to what is compared.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from benchmarks.accuracy.estimates import BP
from live_box_spreads.books.curves.parity_fit import parity_fits
from live_box_spreads.books.curves.smooth_curve import smooth_curves
from live_box_spreads.books.strikes.blocks import Strikes
from live_box_spreads.model.quality import QualityRules
from live_box_spreads.model.settlement import DAYS_PER_YEAR, payment_date, premium_date

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from numpy.typing import NDArray

    from live_box_spreads.books.curves.smooth_curve import SmoothCurve
    from live_box_spreads.model.chain import Chain

    Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class OldCurve:
    """The smooth curve of version 0.1.0, with no rate refused."""

    smooth: SmoothCurve

    @property
    def premium_date(self) -> date:
        """When the money is lent."""
        return self.smooth.premium_date

    @property
    def last_date(self) -> date:
        """The payment date of the last expiry."""
        return self.smooth.payment_dates[-1]

    def at(self, dates: Sequence[date]) -> tuple[Floats, Floats]:
        """Return rates and standard errors, bp, continuous; NaN beyond the last expiry."""
        days = np.array([(day - self.premium_date).days for day in dates], dtype=np.float64)
        zero, covariance = self.smooth.posterior.at(days / DAYS_PER_YEAR)
        known = np.array([self.premium_date < day <= self.last_date for day in dates])
        rate: Floats = np.where(known, zero / BP, np.nan)
        error: Floats = np.where(known, np.sqrt(np.diag(covariance)) / BP, np.nan)
        return rate, error


def old_lines(chain: Chain, root: str) -> pl.DataFrame:
    """Return the lines of a root whose loan is not over.

    Returns:
        ``root, expiry, premium_date, payment_date, days, discount, discount_error`` and
        ``rate_bps, std_error_bps`` (continuous), for expiries that have a line.
    """
    blocks = Strikes.of(chain, QualityRules(), root).blocks
    fits = parity_fits(blocks)
    paid = premium_date(chain.snapshot_time)
    repaid = [payment_date(expiry) for _, expiry in blocks.keys]
    lines = pl.DataFrame(
        {
            "root": root,
            "expiry": [expiry for _, expiry in blocks.keys],
            "premium_date": paid,
            "payment_date": repaid,
            "days": [(day - paid).days for day in repaid],
            "discount": fits.discount,
            "discount_error": fits.std_error,
        }
    ).filter(pl.col("days") > 0, pl.col("discount").is_finite())
    years = pl.col("days") / DAYS_PER_YEAR
    return lines.with_columns(
        rate_bps=-pl.col("discount").log() / years / BP,
        std_error_bps=pl.col("discount_error") / pl.col("discount") / years / BP,
    )


def old_curve(chain: Chain, root: str) -> OldCurve | None:
    """Return the smooth curve of a root; None where it has too few expiries."""
    if root not in chain.roots:
        return None
    smooth = smooth_curves(old_lines(chain, root)).get(root)
    return None if smooth is None else OldCurve(smooth)
