"""Axes that the figures share: tenors on a log scale, snapshot times, rates without outliers."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import ceil, log10
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

DAYS_PER_YEAR = 365.0
LEAST_DAYS = 1.0
"""A loan shorter than this is on no axis of time. Of options that expire today both payments fall
on one day: there is no rate, and a log scale has no place for zero."""
WILDEST_RATE = 1e6
"""No axis reaches to a rate beyond this, either way; single precision holds those within."""

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
"""With fewer rates than this, each one is shown: a quantile of so few means nothing."""
_LEAST_RATIO = 1.25
_FEWEST_TICKS = 2
_MOST_STEPS = 4
"""Between clock times, on the narrow axis of a surface."""
_LEAST_MINUTES = -1 / 60
_DAY_SECS = 86_400
_STEPS_SECS = (
    *(1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 10_800, 21_600, 43_200),
    *(_DAY_SECS, 2 * _DAY_SECS, 4 * _DAY_SECS, 7 * _DAY_SECS),
)


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
        values: position of each row: days to payment, or minutes after the newest snapshot
            (0 or less). Small numbers: WebGL has single precision, which tears dates apart.
        layout: plotly's axis properties; type, range and ticks are always among them, so that
            nothing of the axis that was there before stays.
        hover: how a hover box writes a position.
        labels: what a hover box calls each row, where ``hover`` has ``%{customdata}``.
    """

    values: list[float]
    layout: dict[str, Any]
    hover: str
    labels: list[str] = field(default_factory=list)


def rate_range(
    rates: Sequence[NDArray[np.float64]], *, matter: Sequence[NDArray[np.float64]] = ()
) -> RateRange | None:
    """Return a range that shows nearly all rates, so that a few wild ones do not flatten the rest.

    Args:
        rates: what is drawn.
        matter: rates to show, all of them, whatever the others do; if there are none, those are
            shown that lie between the 4 % and 96 % quantiles of what is drawn.

    Returns:
        The range with a margin; None if no rate is finite and within ``WILDEST_RATE``.
    """
    every, kept = _tame(_finite([*rates, *matter])), _tame(_finite(matter))
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


def _tame(rates: Floats) -> Floats:
    return rates[np.abs(rates) <= WILDEST_RATE]


def days_to_payment(tte_years: Floats) -> Floats:
    """Return years to payment as days, rounded to hundredths; NaN stays NaN."""
    return np.round(tte_years * DAYS_PER_YEAR, 2)


def lasts(tte_years: Floats) -> NDArray[np.bool_]:
    """Tell which loans have a place on an axis of time: those of ``LEAST_DAYS`` or longer."""
    return days_to_payment(tte_years) >= LEAST_DAYS


def tenor_axis(days: Sequence[float], *, margin: float = 1.0) -> dict[str, Any]:
    """Return a log axis over days to payment with the usual tenors as ticks.

    Args:
        days: positive and finite; none gives an axis of a year.
        margin: the axis reaches from the first day divided by this to the last one times this.
    """
    first, last = min(days, default=LEAST_DAYS), max(days, default=DAYS_PER_YEAR)
    low, high = first / margin, last * margin
    if high < low * _LEAST_RATIO:
        low, high = low / _LEAST_RATIO, high * _LEAST_RATIO
    ticks = {name: at for name, at in _TENORS.items() if low <= at <= high}
    if len(ticks) < _FEWEST_TICKS:
        ticks = {f"{day:,.0f} d": day for day in (first, last)}
    return {
        "type": "log",
        "range": [log10(low), log10(high)],
        "tickmode": "array",
        "tickvals": list(ticks.values()),
        "ticktext": list(ticks),
    }


def time_to_payment(tte_years: Floats) -> TimeAxis:
    """Return the axis of a surface over expiries, each of which ``lasts``."""
    days = days_to_payment(tte_years).tolist()
    return TimeAxis(
        values=days,
        layout={**tenor_axis(days), "title": {"text": "Time to payment"}},
        hover="%{y:,.0f} days to payment",
    )


def snapshot_times(times: Sequence[datetime]) -> TimeAxis:
    """Return the axis of a surface over snapshots, oldest first, of which there is at least one.

    Clock times are shown in UTC, and the date where midnight is between them.
    """
    newest = times[-1]
    minutes = [_minutes(time, newest) for time in times]
    ticks = _clock_ticks(times[0], newest)
    layout = {
        "type": "linear",
        "range": [min(minutes[0], _LEAST_MINUTES), 0.0],
        "tickmode": "array",
        "tickvals": [_minutes(tick, newest) for tick in ticks],
        "ticktext": list(ticks.values()),
        "title": {"text": "Snapshot (UTC)"},
    }
    return TimeAxis(
        minutes, layout, "%{customdata} UTC", [f"{time:%d %b %H:%M:%S}" for time in times]
    )


def _minutes(time: datetime, newest: datetime) -> float:
    return round((time - newest).total_seconds() / 60, 3)


def _clock_ticks(first: datetime, last: datetime) -> dict[datetime, str]:
    """Return round clock times between two instants, and how to write them."""
    span_secs = (last - first).total_seconds()
    weeks = ceil(span_secs / (_MOST_STEPS * _STEPS_SECS[-1]))
    fitting = [step for step in _STEPS_SECS if step * _MOST_STEPS >= span_secs]
    step_secs = fitting[0] if fitting else weeks * _STEPS_SECS[-1]
    begin = ceil(first.timestamp() / step_secs) * step_secs
    seconds = np.arange(begin, last.timestamp() + 0.001, step_secs)
    ticks = [datetime.fromtimestamp(float(second), UTC) for second in seconds]
    if len(ticks) < _FEWEST_TICKS:
        ticks, step_secs = [first, last], 1
    return _written(ticks, step_secs, one_day=first.date() == last.date())


def _written(ticks: Sequence[datetime], step_secs: int, *, one_day: bool) -> dict[datetime, str]:
    """Return how to write each tick: the clock time, and the date where it is another one."""
    if step_secs >= _DAY_SECS:
        return {tick: f"{tick:%d %b}" for tick in ticks}
    clock = "%H:%M" if step_secs % 60 == 0 else "%H:%M:%S"
    day_shown = ticks[0].date() if one_day else None
    texts = {}
    for tick in ticks:
        texts[tick] = (
            f"{tick:{clock}}" if day_shown == tick.date() else f"{tick:%d %b} {tick:{clock}}"
        )
        day_shown = tick.date()
    return texts
