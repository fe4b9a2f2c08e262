"""Reference curves: rates of other instruments, with which box rates are compared.

Each gives the rate of a loan between two payment dates in any convention, and carries the date
of its rates. An unknown rate is NaN, never a guess.

A reference is read by the length of the loan (constant maturity): 182 days of a curve dated
Monday are compared with 182 days of a box quoted on Tuesday.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from math import ceil, isfinite, nan
from typing import TYPE_CHECKING, Protocol, TypeVar

import numpy as np
import polars as pl

from live_box_spreads.model.errors import ModelError
from live_box_spreads.model.rates import Compounding, rate_from_discount
from live_box_spreads.model.settlement import DAYS_PER_YEAR

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date

    from numpy.typing import NDArray

    _Interpolation = Callable[[NDArray[np.float64]], NDArray[np.float64]]

LONGEST_MONTHS = 1200
"""A hundred years; no tenor is longer."""
_Rate = TypeVar("_Rate", float, pl.Expr)

_MONTHS_PER_YEAR = 12
_HALF_YEAR = 0.5
_FEWEST_TENORS = 2
_MONEY_MARKET_YEAR_DAYS = 360
_SMALLEST_YIELD = 1e-12
"""A yield nearer to zero is taken as zero; interpolation divides by yields, and may overflow."""


class ReferenceCurve(Protocol):
    """A curve to compare box rates with."""

    @property
    def name(self) -> str:
        """What it is, for a person."""
        ...

    @property
    def as_of(self) -> date:
        """The date of its rates."""
        ...

    def rate(
        self,
        premium_date: date,
        payment_date: date,
        compounding: Compounding = Compounding.EFFECTIVE,
    ) -> float:
        """Return the rate of a loan between two dates, a fraction.

        NaN for a length that the curve does not cover, or where the payment is not later.
        """
        ...


@dataclass(frozen=True)
class ParYieldCurve:
    """Par yields of one date, such as Treasuries', and the zero-coupon curve that they imply.

    A par yield y at a maturity of T years is the coupon of a bond worth 100 that pays twice a
    year. Up to half a year one payment is left, so ``D = 1 / (1 + y T)``, which is the bond
    equivalent yield of a bill. Beyond, ``y/2 (D(1/2) + D(1) + … + D(T)) + D(T) = 1`` at each half
    year gives the discount factors one after the other. Source: the Treasury's own account of its
    "par yield curve rates", yields of securities that pay interest semi-annually.

    Between the tenors, par yields follow a monotone cubic in the square root of the maturity.
    (Tenors from 6 months to 7 years of the Treasury's curves of 1990 to 2026, left out one at a
    time, come back within 4 to 7 bp RMS; straight lines miss them by up to 12.) Between the half
    years, ``-ln D`` follows one in the maturity; forward rates are positive where those between
    half years are.

    Attributes:
        name: what the curve is, such as ``Treasury par curve``.
        as_of: the date of the yields.
        par_yields: yield by tenor in months, fractions; at least two tenors. NaN is not there.
    """

    name: str
    as_of: date
    par_yields: Mapping[float, float]

    def __post_init__(self) -> None:
        """Refuse yields that make no curve.

        Raises:
            ModelError: fewer than two known yields, a tenor that is not positive or longer than a
                hundred years, or yields that leave some bond without a positive discount factor.
        """
        tenors = self.tenors_months
        if len(tenors) < _FEWEST_TENORS or not 0 < tenors[0] <= tenors[-1] <= LONGEST_MONTHS:
            raise ModelError(
                f"{self.name} of {self.as_of} has yields at {tenors} months; a curve needs at "
                f"least {_FEWEST_TENORS} tenors, all positive and none above {LONGEST_MONTHS}"
            )
        if not (self._half_year_discounts > 0).all():
            raise ModelError(
                f"{self.name} of {self.as_of}: no positive discount factors give the par yields "
                f"{dict(self.par_yields)}; check them (fractions, by months)"
            )

    @cached_property
    def tenors_months(self) -> list[float]:
        """Return the tenors with a known yield, in months, ascending."""
        return sorted(tenor for tenor, par in self.par_yields.items() if isfinite(par))

    def par_yield(self, years: float) -> float:
        """Return the par yield of a maturity in years, semi-annual; NaN outside the tenors."""
        return float(self._par(np.asarray(years, dtype=np.float64)))

    def discount(self, years: float) -> float:
        """Return the price today of 1 paid after so many years of 365 days.

        NaN outside the tenors, except that the shortest counts from its last whole day (1 month
        from 30 days).
        """
        first, last = self._covered_years
        if not first <= years <= last:
            return nan
        if years <= _HALF_YEAR:
            shortest = self.tenors_months[0] / _MONTHS_PER_YEAR
            return 1 / (1 + self.par_yield(max(years, shortest)) * years)
        return float(np.exp(-self._log_discounts(np.asarray(years, dtype=np.float64))))

    def rate(
        self,
        premium_date: date,
        payment_date: date,
        compounding: Compounding = Compounding.EFFECTIVE,
    ) -> float:
        """Return the zero-coupon rate of the length of a loan; see :class:`ReferenceCurve`."""
        years = (payment_date - premium_date).days / DAYS_PER_YEAR
        return rate_from_discount(self.discount(years), years, compounding)

    @cached_property
    def _covered_years(self) -> tuple[float, float]:
        shortest, longest = (
            self.tenors_months[end] / _MONTHS_PER_YEAR * DAYS_PER_YEAR for end in (0, -1)
        )
        return int(shortest) / DAYS_PER_YEAR, longest / DAYS_PER_YEAR

    @cached_property
    def _in_root_years(self) -> _Interpolation:
        years = np.array(self.tenors_months) / _MONTHS_PER_YEAR
        yields = np.array([self.par_yields[tenor] for tenor in self.tenors_months])
        yields[np.abs(yields) < _SMALLEST_YIELD] = 0.0
        return _monotone_cubic(np.sqrt(years), yields)

    def _par(self, years: NDArray[np.float64]) -> NDArray[np.float64]:
        return self._in_root_years(np.sqrt(years))

    @cached_property
    def _half_years(self) -> NDArray[np.float64]:
        """Maturities of the bonds that are stripped, until they cover the tenors."""
        longest = self.tenors_months[-1] / _MONTHS_PER_YEAR
        count = max(1, ceil(longest / _HALF_YEAR))
        return np.linspace(_HALF_YEAR, count * _HALF_YEAR, count)

    @cached_property
    def _half_year_discounts(self) -> NDArray[np.float64]:
        """Discount factors at ``_half_years``, each from the bond that matures there."""
        shortest, longest = (self.tenors_months[end] / _MONTHS_PER_YEAR for end in (0, -1))
        # Outside the tenors (a coupon before the shortest, the half year after the last) the
        # nearest yield is used; no rate is returned there.
        coupons = self._par(np.clip(self._half_years, shortest, longest)) * _HALF_YEAR
        discounts = np.zeros(len(coupons))
        annuity = 0.0
        for i, coupon in enumerate(coupons):
            discounts[i] = (1 - coupon * annuity) / (1 + coupon)
            annuity += discounts[i]
        return discounts

    @cached_property
    def _log_discounts(self) -> _Interpolation:
        return _monotone_cubic(
            np.append(0.0, self._half_years), np.append(0.0, -np.log(self._half_year_discounts))
        )


@dataclass(frozen=True)
class OvernightRate:
    """An overnight rate held flat, such as SOFR: what rolling overnight would earn if it stayed.

    It is compounded each calendar day, ACT/360. Compounding on settlement days only, as SOFR in
    arrears does, is lower by less than 0.1 bp a year at rates up to 6 %. It holds no view of
    where the rate will go: beside a box of a year it is a level, not a fair value.

    Attributes:
        name: what it is, such as ``SOFR overnight, held flat``.
        as_of: the date of the fixing.
        overnight: the fixing, a fraction, ACT/360.
    """

    name: str
    as_of: date
    overnight: float

    def __post_init__(self) -> None:
        """Refuse a fixing that is no number or loses everything in a day."""
        if not (isfinite(self.overnight) and self.overnight > -1):
            raise ModelError(
                f"{self.name} of {self.as_of} is {self.overnight}; expected a fraction"
            )

    def rate(
        self,
        premium_date: date,
        payment_date: date,
        compounding: Compounding = Compounding.EFFECTIVE,
    ) -> float:
        """Return the rate of rolling overnight between two dates; see :class:`ReferenceCurve`."""
        days = (payment_date - premium_date).days
        discount = (1 + self.overnight / _MONEY_MARKET_YEAR_DAYS) ** -days
        return rate_from_discount(discount, days / DAYS_PER_YEAR, compounding)


def spread_bps(rate: _Rate, reference_rate: _Rate) -> _Rate:
    """Return how far a rate is above a reference, in basis points; NaN if either is unknown.

    Both in the same convention; numbers, or columns of a table.
    """
    return (rate - reference_rate) * 1e4


def _monotone_cubic(x: NDArray[np.float64], y: NDArray[np.float64]) -> _Interpolation:
    """Return the cubic through points that never goes beyond them; NaN outside ``x``.

    Fritsch and Butland, "A method for constructing local monotone piecewise cubic interpolants",
    SIAM J. Sci. Stat. Comput. 5 (1984).
    """
    # Imported where a curve is made: scipy.interpolate takes some tenths of a second to import.
    pchip = import_module("scipy.interpolate").PchipInterpolator
    interpolation: _Interpolation = pchip(x, y, extrapolate=False)
    return interpolation
