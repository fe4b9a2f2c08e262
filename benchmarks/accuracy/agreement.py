"""How far numbers that should agree are apart, and whether their standard errors say so."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from scipy.stats import binomtest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.accuracy.rate_curves import RateCurve

TENORS_DAYS = (14, 30, 60, 91, 182)
LONG_TENORS_DAYS = (*TENORS_DAYS, 365)
ERRORS_ALLOWED = 2.0
CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Coverage:
    """How many differences are within two standard errors.

    Attributes:
        within: how many are.
        total: of how many.
        low: the least share that would still give so many (Clopper and Pearson, 95 %).
        high: the greatest likewise.
    """

    within: int
    total: int
    low: float
    high: float

    @classmethod
    def of(cls, within: int, total: int) -> Coverage:
        """Return the counts with their interval; from 0 to 1 where nothing was counted."""
        if not total:
            return cls(0, 0, 0.0, 1.0)
        interval = binomtest(within, total).proportion_ci(CONFIDENCE, method="exact")
        return cls(within, total, float(interval.low), float(interval.high))

    @property
    def share(self) -> float:
        """The share within; NaN of nothing."""
        return self.within / self.total if self.total else np.nan

    def __str__(self) -> str:
        """Say counts, share and interval, such as ``18 of 20 (90 %, 68 to 99)``."""
        if not self.total:
            return ""
        return (
            f"{self.within} of {self.total} "
            f"({self.share:.0%}, {100 * self.low:.0f} to {100 * self.high:.0f})"
        ).replace("%", " %")


def coverage_of(frame: pl.DataFrame) -> Coverage:
    """Return how many of ``apart_bps`` are within two of ``error_bps``; NaN of either is passed."""
    known = frame.filter(pl.col("apart_bps").is_finite(), pl.col("error_bps").is_finite())
    within = known.filter(pl.col("apart_bps").abs() <= ERRORS_ALLOWED * pl.col("error_bps"))
    return Coverage.of(len(within), len(known))


def summary(frame: pl.DataFrame, by: Sequence[str]) -> pl.DataFrame:
    """Return how far apart rates are, a row a group.

    Args:
        frame: ``chain, apart_bps, error_bps`` and the columns of ``by``.
        by: what makes a group; nothing for one of all.

    Returns:
        The columns of ``by`` and ``count, rms_bps, median_bps`` (of distances), ``error_bps``
        (median), ``worst`` (the chain with most of the squares), ``rms_without_bps`` and
        ``median_without_bps`` (without that chain), ``within, errors, coverage`` (text).
    """
    known = frame.filter(pl.col("apart_bps").is_finite())
    groups = known.group_by(by, maintain_order=True) if by else [((), known)]
    rows = []
    for key, part in groups:
        squares = part.group_by("chain", maintain_order=True).agg(
            squares=(pl.col("apart_bps") ** 2).sum()
        )
        worst = squares.sort("squares", descending=True, maintain_order=True)["chain"][0]
        rest = part.filter(pl.col("chain") != worst)
        covered = coverage_of(part)
        rows.append(
            dict(zip(by, key, strict=True))
            | {
                "count": len(part),
                "rms_bps": rms(part["apart_bps"]),
                "median_bps": median(part["apart_bps"].abs()),
                "error_bps": median(part["error_bps"]),
                "worst": worst,
                "rms_without_bps": rms(rest["apart_bps"]),
                "median_without_bps": median(rest["apart_bps"].abs()),
                "within": covered.within,
                "errors": covered.total,
                "coverage": str(covered),
            }
        )
    return pl.DataFrame(rows)


def apart(one: RateCurve, other: RateCurve, tenors: Sequence[int]) -> pl.DataFrame:
    """Return how far two curves are apart at the same payment dates.

    Args:
        one: its premium date is where the tenors are counted from.
        other: what is compared with it.
        tenors: days.

    Returns:
        ``days, payment_date, rate_bps, other_bps, apart_bps`` (one less other) and ``error_bps``
        of the difference, for independent errors.
    """
    dates = [one.premium_date + timedelta(days=days) for days in tenors]
    rate, error = one.at(dates)
    other_rate, other_error = other.at(dates)
    return pl.DataFrame(
        {
            "days": list(tenors),
            "payment_date": dates,
            "rate_bps": rate,
            "other_bps": other_rate,
            "apart_bps": rate - other_rate,
            "error_bps": np.hypot(error, other_error),
        }
    )


def rms(values: pl.Series) -> float:
    """Return the root of the mean square; NaN of nothing."""
    numbers = values.drop_nulls().drop_nans().to_numpy()
    return float(np.sqrt(np.mean(numbers**2))) if numbers.size else np.nan


def median(values: pl.Series) -> float:
    """Return the median of what is known; NaN of nothing."""
    numbers = values.drop_nulls().drop_nans().to_numpy()
    return float(np.median(numbers)) if numbers.size else np.nan
