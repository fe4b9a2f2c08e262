"""Axes that the figures share: tenors on a log scale, snapshot times, rates without outliers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from numpy.typing import NDArray

DAYS_PER_YEAR = 365.0

_TENORS = {
    "1 d": 1,
    "1 w": 7,
    "1 m": 30.4,
    "3 m": 91.25,
    "6 m": 182.5,
    "1 y": 365,
    "2 y": 730,
    "5 y": 1825,
}
_SHOWN_QUANTILES = (0.04, 0.96)
_MARGIN = 0.12
_LEAST_SPAN = 0.004
_FEW = 8
"""With fewer rates than this, each one is shown: a quantile of so few says nothing."""


@dataclass(frozen=True, slots=True)
class RateRange:
    """The rates that an axis shows.

    Attributes:
        low: lower end, as a fraction.
        high: upper end, as a fraction.
        beyond: number of finite rates outside it.
    """

    low: float
    high: float
    beyond: int


@dataclass(frozen=True, slots=True)
class TimeAxis:
    """The second axis of a surface.

    Attributes:
        values: position of each row: days to payment, or snapshot times.
        layout: plotly's axis properties.
        hover: how a hover box writes a position.
    """

    values: list[Any]
    layout: dict[str, Any]
    hover: str


def rate_range(
    rates: Sequence[NDArray[np.float64]], *, matter: Sequence[NDArray[np.float64]] = ()
) -> RateRange | None:
    """Return a range that shows nearly all rates, so that a few wild ones do not flatten the rest.

    Args:
        rates: what is drawn.
        matter: rates to show, all of them, whatever the others do; if there are none, those are
            shown that lie between the 4 % and 96 % quantiles of what is drawn.

    Returns:
        The range with a margin; None if no rate is finite.
    """
    every, kept = _finite([*rates, *matter]), _finite(matter)
    if every.size == 0:
        return None
    if kept.size or every.size < _FEW:
        shown = kept if kept.size else every
        low, high = shown.min(), shown.max()
    else:
        low, high = np.quantile(every, _SHOWN_QUANTILES)
    pad = max((high - low) * _MARGIN, (_LEAST_SPAN - (high - low)) / 2)
    low, high = low - pad, high + pad
    drawn = _finite(rates)
    return RateRange(float(low), float(high), int(((drawn < low) | (drawn > high)).sum()))


def _finite(rates: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    every: NDArray[np.float64] = np.concatenate([np.array([]), *map(np.ravel, rates)])
    return every[np.isfinite(every)]


def tenor_ticks(days: Sequence[float]) -> dict[str, Any]:
    """Return a log axis over days to payment with the usual tenors as ticks."""
    first, last = min(days, default=1.0), max(days, default=DAYS_PER_YEAR)
    ticks = {name: at for name, at in _TENORS.items() if first * 0.8 <= at <= last * 1.25}
    return {"type": "log", "tickvals": list(ticks.values()), "ticktext": list(ticks)}


def time_to_payment(tte_years: NDArray[np.float64]) -> TimeAxis:
    """Return the axis of a surface over expiries."""
    days = [round(float(years) * DAYS_PER_YEAR, 2) for years in tte_years]
    return TimeAxis(
        values=days,
        layout={**tenor_ticks(days), "title": {"text": "Time to payment"}},
        hover="%{y:,.0f} days to payment",
    )


def snapshot_times(times: Sequence[datetime]) -> TimeAxis:
    """Return the axis of a surface over snapshots; times are shown in UTC."""
    return TimeAxis(
        values=[time.strftime("%Y-%m-%d %H:%M:%S") for time in times],
        layout={"type": "date", "title": {"text": "Snapshot (UTC)"}, "tickformat": "%H:%M\n%d %b"},
        hover="%{y}",
    )
