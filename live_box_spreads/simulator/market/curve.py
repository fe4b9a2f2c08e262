"""The true discount curve of the simulated market, and par yields of its government bonds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from datetime import date

    from numpy.typing import NDArray

DAYS_A_YEAR = 365.0

BOX_PREMIUM = 0.0035
"""How far the boxes of the simulated market pay above its governments, continuous."""

_HALF_YEAR = 0.5
TENORS_MONTHS = {
    "1m": 1,
    "2m": 2,
    "3m": 3,
    "4m": 4,
    "6m": 6,
    "1y": 12,
    "2y": 24,
    "3y": 36,
    "5y": 60,
    "7y": 84,
    "10y": 120,
}


@dataclass(frozen=True, slots=True)
class NelsonSiegel:
    """A smooth zero curve: level, slope and one hump (Nelson and Siegel, 1987, eq. 3).

    Attributes:
        level: zero rate far out, continuous ACT/365, as a fraction.
        slope: overnight rate less ``level``.
        hump: weight of the medium-term hump.
        decay_years: where the hump lies.
    """

    level: float
    slope: float
    hump: float
    decay_years: float

    def zero_rate(self, years: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return continuous zero rates (ACT/365, fractions) for times in years, same shape.

        At zero years it is the overnight rate.
        """
        scaled = np.maximum(years, 1e-9) / self.decay_years
        loading = -np.expm1(-scaled) / scaled
        rates: NDArray[np.float64] = (
            self.level + self.slope * loading + self.hump * (loading - np.exp(-scaled))
        )
        return rates

    def discount(self, years: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return discount factors between payments this many years (ACT/365) apart."""
        factors: NDArray[np.float64] = np.exp(-self.zero_rate(years) * years)
        return factors

    def shifted(self, bps: float) -> NelsonSiegel:
        """Return the curve with all zero rates higher by so many basis points."""
        return replace(self, level=self.level + 1e-4 * bps)


BOX_CURVE = NelsonSiegel(level=0.0445, slope=-0.0050, hump=-0.0110, decay_years=1.6)
"""3.95 % overnight, a trough of 3.84 % around a year and a half, 4.01 % at five years."""


def government_par_yields(curve: NelsonSiegel = BOX_CURVE) -> dict[str, float]:
    """Return par yields by tenor, fractions, semi-annual (simple up to half a year).

    The zero curve is that of the boxes less ``BOX_PREMIUM`` at every maturity.
    """
    return {name: _par_yield(curve, months / 12) for name, months in TENORS_MONTHS.items()}


def _par_yield(curve: NelsonSiegel, years: float) -> float:
    period = min(years, _HALF_YEAR)
    count = round(years / period)
    payments = np.linspace(period, count * period, count)
    discounts = curve.discount(payments) * np.exp(BOX_PREMIUM * payments)
    return float((1 - discounts[-1]) / discounts.sum() / period)


def as_csv(day: date, par_yields: dict[str, float]) -> str:
    """Return par yields as a reference file: ``date,1m,…,10y``, per cent, two decimals."""
    cells = (f"{100 * par:.2f}" for par in par_yields.values())
    return f"date,{','.join(par_yields)}\n{day.isoformat()},{','.join(cells)}\n"
