"""Kinds of days on the simulated market: how wide and how well it is quoted.

The normal day is fitted by eye to closing chains (``quoting.py``); the others to real chains of
such days: an intraday one of September 2025 is about as tight as the quiet one, the night session
of August 2025 as wide as the night, 2020-03-20 as the stressed one.

On the first five kinds of days mids err alone, or over stretches of strikes (``shared``): the
errors that the parity fit assumes. On the lagging days a whole root errs together, as on real
chains (``market_errors.py``); the sizes are those seen on 46 chains of 2011 to 2026.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


INDEX_UNIT = 5_000.0
"""Level of the index that errors and spreads in points are told for; others in proportion."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """How makers quote.

    Attributes:
        width: half-spreads, as a multiple of the normal ones.
        mid_noise: standard deviation of a mid around the fair price, in half-spreads.
        shared: part of that noise's variance that stands still and that neighbouring strikes have
            in common: a maker leans to one side over a stretch of strikes. 0 to 1.
        no_ask_share: contracts without an ask, as a share of all.
        volatility: implied volatilities, as a multiple of the normal ones.
        kink_points: standard deviation of the kink of a root, points per 5000 of the index.
        tilt_bps: typical (median) size of the tilt of a root at the short end, bp of the discount
            factor.
        roots_share: correlation of the kinks of two roots on one index, and of their tilts. Real
            one-month rates of SPXW moved by 46 bp (standard deviation) over three calm weeks, and
            differed from those of SPX by 33: 1 - 33² / (2 · 46²) is 0.74.
        correlation_secs: time after which the correlation of kink and tilt with themselves has
            fallen to 1/e, seconds.
        lag_secs: how much later than others a leg deep in the money is requoted, seconds; legs
            less deep lag less, those out of the money not at all.
        one_maker_from_years: expiries from this on have the mids of one maker, without any noise
            of their own, years.
        one_maker_tilt_bps: standard deviation of the error of the discount factor that such a
            maker makes, bp of the discount factor.
        thin_from_years: expiries from this on have a dozen strikes, years.
        thin_half_spread_points: half-spread there of a call less a put, points per 5000 of the
            index.
    """

    width: float = 1.0
    mid_noise: float = 0.06
    shared: float = 0.0
    no_ask_share: float = 0.001
    volatility: float = 1.0
    kink_points: float = 0.0
    tilt_bps: float = 0.0
    roots_share: float = 0.7
    correlation_secs: float = 3600.0
    lag_secs: float = 0.0
    one_maker_from_years: float = inf
    one_maker_tilt_bps: float = 0.0
    thin_from_years: float = inf
    thin_half_spread_points: float = 0.0


def lagging(kink_points: float, base: Conditions | None = None) -> Conditions:
    """Return a day on which legs in the money lag, with a tilt and a lag to match the kink.

    Args:
        kink_points: standard deviation of the kink, points per 5000 of the index; real chains have
            0.3 to 2. Each point brings 2.5 bp of tilt and 20 seconds of lag.
        base: the day without the lag; None for the normal one.
    """
    return replace(
        NORMAL if base is None else base,
        kink_points=kink_points,
        tilt_bps=2.5 * kink_points,
        lag_secs=20.0 * kink_points,
    )


NORMAL = Conditions()
_LAGGING = lagging(1.0)
CONDITIONS = {
    "normal": NORMAL,
    "quiet": Conditions(width=0.5, mid_noise=0.05),
    "wide": Conditions(width=3.0, mid_noise=0.08),
    "night": Conditions(width=8.0, mid_noise=0.08, shared=0.5, no_ask_share=0.03),
    "stressed": Conditions(width=5.0, mid_noise=0.10, shared=0.8, volatility=2.5),
    "lagging_small": lagging(0.3),
    "lagging": _LAGGING,
    "lagging_large": lagging(2.0),
    "thin_far": replace(
        _LAGGING,
        one_maker_from_years=1.0,
        one_maker_tilt_bps=10.0,
        thin_from_years=2.0,
        thin_half_spread_points=70.0,
    ),
}
"""By name."""

DEMO_DAY = "lagging_small"
"""What an exchange has unless asked for another: modest, and erring as real markets do."""

_STRETCH = 12.0  # strikes over which the correlation of a lean falls to 1/e


def leans(conditions: Conditions, series_of: NDArray[np.intp], random: Generator) -> Floats:
    """Return how far each contract's mid leans from its fair price for good, in half-spreads.

    Args:
        conditions: kind of day; nothing is drawn where no noise is shared.
        series_of: number of each contract's series; they go strike by strike, call before put.
        random: source of the leans.
    """
    lean = np.zeros(len(series_of))
    deviation = float(conditions.mid_noise * np.sqrt(conditions.shared))
    if deviation == 0.0:
        return lean
    drawn = random.standard_normal(len(series_of))
    kept = np.exp(-1.0 / _STRETCH)
    for row in range(len(lean)):
        below = row - 2  # the same right at the strike below
        if below < 0 or series_of[below] != series_of[row]:
            lean[row] = drawn[row]
        else:
            lean[row] = kept * lean[below] + np.sqrt(1.0 - kept**2) * drawn[row]
    lean *= deviation
    return lean
