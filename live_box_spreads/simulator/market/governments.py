"""Made-up government par yields, so that a demo has something to compare box rates with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from live_box_spreads.simulator.market.curve import BOX_CURVE, NelsonSiegel

if TYPE_CHECKING:
    from datetime import date

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
