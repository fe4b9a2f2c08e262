"""The smooth curve of a root: zero rates at any date, from the quotes of all its expiries.

It is the joint curve (``joint_fit.py``), or, by name, the spline of version 0.1.0 through fair
rates that were fitted expiry by expiry. In the spline, each expiry counts by its standard error,
and by an excess that all share: the market itself quotes expiries some bp off any smooth curve. How
much, and how far the curve bends, the rates themselves say (``smoothing_spline.py``).

Discount factors ``exp(-r t)`` are positive. Forward rates ``r + t · dr/dt`` are continuous, and
bend no more than the prior of the curve lets them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import polars as pl

from live_box_spreads.books.curves.smoothing_spline import fit_spline
from live_box_spreads.model.errors import ModelError
from live_box_spreads.model.rates import Compounding, rate_from_discount
from live_box_spreads.model.settlement import DAYS_PER_YEAR

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

FEWEST_EXPIRIES = 4
LARGEST_ERROR_BPS = 100.0
"""A rate whose standard error is beyond this is none."""
_BP = 1e-4


class Posterior(Protocol):
    """What is known of continuous zero rates."""

    def at(self, years: Floats) -> tuple[Floats, Floats]:
        """Return mean (k,) and covariance (k, k) of the zero rates at some times, from 0 on."""
        ...

    def left_out(self) -> tuple[Floats, Floats]:
        """Return how far each expiry is off what the others say, and that error, raised; (n,)."""
        ...


@dataclass(frozen=True, slots=True)
class SmoothCurve:
    """Zero rates of one root, as a distribution.

    Attributes:
        root: option root.
        premium_date: when the money is lent, whatever the date it comes back.
        payment_dates: of the n expiries that the curve rests on.
        excess_bps: how far expiries scatter around the spline beyond their standard errors; NaN
            for a joint curve.
        inflation: (n,) how many times an expiry's standard error was raised because it stands out.
        posterior: the distribution of the zero rates.
        rows: the root's own expiries among those of ``posterior``.
    """

    root: str
    premium_date: date
    payment_dates: tuple[date, ...]
    excess_bps: float
    inflation: Floats
    posterior: Posterior
    rows: slice = field(default_factory=lambda: slice(None))

    def rates(
        self,
        payment_dates: Sequence[date],
        compounding: Compounding = Compounding.EFFECTIVE,
    ) -> pl.DataFrame:
        """Return the rate of a loan to each date, and its standard error.

        Beyond the last expiry the curve goes on, and its standard error grows.

        Returns:
            ``payment_date, days, years, discount, rate, std_error_bps``, in the order given; NaN
            for dates that are not after the premium date, and where the rate is known only to more
            than ``LARGEST_ERROR_BPS``.
        """
        days = self._days(payment_dates)
        zero, covariance = self.posterior.at(days / DAYS_PER_YEAR)
        error = np.sqrt(np.diag(covariance))
        known = (days > 0) & (error <= LARGEST_ERROR_BPS * _BP)
        years = np.where(days > 0, days / DAYS_PER_YEAR, np.nan)
        zero = np.where(known, zero, np.nan)
        rate, error = _rate_and_error(zero * years, error * years, years, compounding)
        return pl.DataFrame(
            {
                "payment_date": pl.Series(payment_dates, dtype=pl.Date),
                "days": pl.Series(days, dtype=pl.Int64),
                "years": years,
                "discount": np.exp(-zero * years),
                "rate": rate,
                "std_error_bps": error / _BP,
            }
        )

    def forward_rates(
        self,
        payment_dates: Sequence[date],
        compounding: Compounding = Compounding.EFFECTIVE,
    ) -> pl.DataFrame:
        """Return the rate of a loan from each date to the next one.

        Between two expiries it is what a jelly roll locks in.

        Returns:
            ``start_date, end_date, days, years, rate, std_error_bps``, one row less than dates;
            NaN where a date is not after the one before, the first is before the premium date, or
            the rate is known only to more than ``LARGEST_ERROR_BPS``.
        """
        days = self._days(payment_dates)
        zero, covariance = self.posterior.at(days / DAYS_PER_YEAR)
        lent = days / DAYS_PER_YEAR
        grown = np.where(days >= 0, zero * lent, np.nan)
        years = np.where(np.diff(days) > 0, np.diff(lent), np.nan)
        error = _error_between(covariance, lent)
        grown = np.where(error <= LARGEST_ERROR_BPS * _BP * years, np.diff(grown), np.nan)
        rate, error = _rate_and_error(grown, error, years, compounding)
        return pl.DataFrame(
            {
                "start_date": pl.Series(payment_dates[:-1], dtype=pl.Date),
                "end_date": pl.Series(payment_dates[1:], dtype=pl.Date),
                "days": pl.Series(np.diff(days), dtype=pl.Int64),
                "years": years,
                "rate": rate,
                "std_error_bps": error / _BP,
            }
        )

    def errors_bps(self, payment_dates: Sequence[date]) -> tuple[Floats, Floats]:
        """Return the standard errors of continuous rates, those too large to have a rate too.

        Returns:
            Of the loan to each of k dates, (k,), and from each to the next one, (k - 1,).
        """
        lent = self._days(payment_dates) / DAYS_PER_YEAR
        _, covariance = self.posterior.at(lent)
        between = _error_between(covariance, lent) / np.diff(lent)
        return np.sqrt(np.diag(covariance)) / _BP, between / _BP

    def left_out(self) -> pl.DataFrame:
        """Return how far each expiry is off the curve through the others.

        Returns:
            ``payment_date, off_bps, std_error_bps`` (continuous; the error is that of the
            difference, before it was raised), one row an expiry.
        """
        off, error = (each[self.rows] for each in self.posterior.left_out())
        return pl.DataFrame(
            {
                "payment_date": pl.Series(self.payment_dates, dtype=pl.Date),
                "off_bps": off / _BP,
                "std_error_bps": error / self.inflation / _BP,
            }
        )

    def _days(self, payment_dates: Sequence[date]) -> NDArray[np.int64]:
        return np.array([(day - self.premium_date).days for day in payment_dates], dtype=np.int64)


def smooth_curve(table: pl.DataFrame, root: str) -> SmoothCurve:
    """Lay a smooth curve through the fair discount factors of a root.

    Args:
        table: rows of ``curve``; those without a number are passed over.
        root: option root.

    Raises:
        ModelError: fewer than four expiries of the root have a number.
    """
    rows = table.filter(
        pl.col("root") == root, pl.col("discount").is_finite(), pl.col("days") > 0
    ).sort("payment_date")
    if len(rows) < FEWEST_EXPIRIES:
        raise ModelError(
            f"{root} has {len(rows)} expiries with a fair rate; a smooth curve needs "
            f"{FEWEST_EXPIRIES}"
        )
    years = rows["days"].to_numpy() / DAYS_PER_YEAR
    discount = rows["discount"].to_numpy()
    spline, excess, inflation = fit_spline(
        years, -np.log(discount) / years, rows["discount_error"].to_numpy() / discount / years
    )
    return SmoothCurve(
        root=root,
        premium_date=rows["premium_date"][0],
        payment_dates=tuple(rows["payment_date"]),
        excess_bps=excess / _BP,
        inflation=inflation,
        posterior=spline,
    )


def smooth_curves(table: pl.DataFrame) -> dict[str, SmoothCurve]:
    """Return the smooth curve of each root of a table that has enough expiries."""
    counts = table.filter(pl.col("discount").is_finite(), pl.col("days") > 0).group_by("root").len()
    roots = counts.filter(pl.col("len") >= FEWEST_EXPIRIES)["root"].sort()
    return {root: smooth_curve(table, root) for root in roots}


def _error_between(covariance: Floats, lent: Floats) -> Floats:
    """Return the standard error of the growth from each time to the next one, (k - 1,)."""
    grown = covariance * np.outer(lent, lent)
    variance = np.diag(grown)[1:] + np.diag(grown)[:-1] - 2.0 * np.diag(grown, 1)
    return np.sqrt(np.maximum(variance, 0.0))


def _rate_and_error(
    grown: Floats, error: Floats, years: Floats, compounding: Compounding
) -> tuple[Floats, Floats]:
    """Return the rate of ``-ln D``, and its standard error, in a convention; fractions."""
    rate: Any = rate_from_discount(np.exp(-grown), years, compounding)
    above = rate_from_discount(np.exp(-grown - error), years, compounding)
    below = rate_from_discount(np.exp(-grown + error), years, compounding)
    return rate, 0.5 * (above - below)
