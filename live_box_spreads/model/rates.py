"""Discount factors into rates and back, in the four conventions of the field.

With D the discount factor and y the years of 365 days between the payments:

===============  =========================  ==================================
compounding      rate                       basis
===============  =========================  ==================================
effective        D^(-1/y) - 1               annual, ACT/365
continuous       -ln(D) / y                 ACT/365
simple           (1/D - 1) * 360 / (365 y)  ACT/360, as SOFR
bond_equivalent  2 (D^(-1/(2y)) - 1)        semi-annual, ACT/365, as Treasuries
===============  =========================  ==================================

Source: any text on money markets, such as Stigum's Money Market, chapters on yields.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, overload

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SIMPLE_DAYS_RATIO = 365 / 360


class Compounding(StrEnum):
    """How a rate is quoted."""

    EFFECTIVE = "effective"
    CONTINUOUS = "continuous"
    SIMPLE = "simple"
    BOND_EQUIVALENT = "bond_equivalent"


@overload
def rate_from_discount(discount: float, years: float, compounding: Compounding = ...) -> float: ...
@overload
def rate_from_discount(
    discount: NDArray[np.float64],
    years: float | NDArray[np.float64],
    compounding: Compounding = ...,
) -> NDArray[np.float64]: ...
@overload
def rate_from_discount(
    discount: float | NDArray[np.float64],
    years: NDArray[np.float64],
    compounding: Compounding = ...,
) -> NDArray[np.float64]: ...
def rate_from_discount(
    discount: float | NDArray[np.float64],
    years: float | NDArray[np.float64],
    compounding: Compounding = Compounding.EFFECTIVE,
) -> float | NDArray[np.float64]:
    """Return the rate, as a fraction, of discount factors.

    Args:
        discount: price today of 1 paid at the end; above 1 is a negative rate. Any shape.
        years: years of 365 days between the payments; broadcasts against ``discount``.
        compounding: convention of the rate.

    Returns:
        A float for two scalars, else an array of the broadcast shape. NaN where ``discount`` or
        ``years`` is not positive or NaN; infinite where the rate exceeds what a float can hold.
    """
    with np.errstate(all="ignore"):
        d, y = _positive(discount), _positive(years)
        log_rate = -np.log(d) / y
        match compounding:
            case Compounding.EFFECTIVE:
                rate = np.expm1(log_rate)
            case Compounding.CONTINUOUS:
                rate = log_rate
            case Compounding.SIMPLE:
                rate = (1 - d) / d / (_SIMPLE_DAYS_RATIO * y)
            case Compounding.BOND_EQUIVALENT:
                rate = 2 * np.expm1(log_rate / 2)
    return _as_given(rate)


@overload
def discount_from_rate(rate: float, years: float, compounding: Compounding = ...) -> float: ...
@overload
def discount_from_rate(
    rate: NDArray[np.float64],
    years: float | NDArray[np.float64],
    compounding: Compounding = ...,
) -> NDArray[np.float64]: ...
@overload
def discount_from_rate(
    rate: float | NDArray[np.float64],
    years: NDArray[np.float64],
    compounding: Compounding = ...,
) -> NDArray[np.float64]: ...
def discount_from_rate(
    rate: float | NDArray[np.float64],
    years: float | NDArray[np.float64],
    compounding: Compounding = Compounding.EFFECTIVE,
) -> float | NDArray[np.float64]:
    """Return the discount factors of rates; the exact inverse of :func:`rate_from_discount`.

    Args:
        rate: rate as a fraction (0.0431 is 4.31 %). Any shape.
        years: years of 365 days between the payments; broadcasts against ``rate``.
        compounding: convention of the rate.

    Returns:
        A float for two scalars, else an array of the broadcast shape. NaN where ``years`` is not
        positive, an input is NaN, or the rate loses everything or more (no positive discount
        factor gives it).
    """
    with np.errstate(all="ignore"):
        r, y = np.asarray(rate, dtype=np.float64), _positive(years)
        match compounding:
            case Compounding.EFFECTIVE:
                discount = np.exp(-y * np.log1p(r))
            case Compounding.CONTINUOUS:
                discount = np.exp(-y * r)
            case Compounding.SIMPLE:
                discount = 1 / _positive(1 + r * _SIMPLE_DAYS_RATIO * y)
            case Compounding.BOND_EQUIVALENT:
                discount = np.exp(-2 * y * np.log1p(r / 2))
        discount = np.where(np.isfinite(discount), discount, np.nan)
    return _as_given(discount)


def _positive(values: float | NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the values as an array, NaN where they are not positive."""
    array = np.asarray(values, dtype=np.float64)
    return np.where(array > 0, array, np.nan)


def _as_given(result: NDArray[np.float64]) -> float | NDArray[np.float64]:
    return float(result) if np.ndim(result) == 0 else result
