"""The lines of the term structure: the fair curve, and the reference with its name and day."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from live_box_spreads.books.conventions import CurveFit
from live_box_spreads.dashboard.term_figure import Line
from live_box_spreads.model.reference_curve import OvernightRate
from live_box_spreads.model.settlement import premium_date
from live_box_spreads.reference.history import HELD_FLAT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from live_box_spreads.books.curves.smooth_curve import SmoothCurve
    from live_box_spreads.books.desk import Desk
    from live_box_spreads.model.rates import Compounding
    from live_box_spreads.reference.history import Reference
    from live_box_spreads.service.snapshots import Market

POINTS = 60
_CURVE_NAMES = {
    CurveFit.JOINT: "joint curve of all expiries",
    CurveFit.ONE_CURVE: "shared curve of all roots of the index",
    CurveFit.PER_EXPIRY: "smooth curve through the fair rates of all expiries",
}


def reference_label(reference: Reference) -> str:
    """Return the name of a reference and its day, or why there is none; empty if none is wanted."""
    curve = reference.curve
    return f"{curve.name}, {curve.as_of:%d %b %Y}" if curve else reference.reason


def is_held_flat(reference: Reference) -> bool:
    """Return whether a reference is an overnight rate, which is no rate of longer loans."""
    return isinstance(reference.curve, OvernightRate)


def reference_line(
    reference: Reference, market: Market, days: Sequence[float], compounding: Compounding
) -> Line | None:
    """Return a reference as it is drawn, evenly on a log scale over these days to payment.

    None where there is no reference, or it covers none of them.
    """
    curve = reference.curve
    if curve is None or not days:
        return None
    paid = premium_date(market.chain.snapshot_time)
    shown = _evenly(min(days), max(days))
    rates = np.array([curve.rate(paid, paid + timedelta(days=d), compounding) for d in shown])
    covered = np.isfinite(rates)
    if not covered.any():
        return None
    legend = f"Reference, {HELD_FLAT}" if is_held_flat(reference) else "Reference"
    return Line(reference_label(reference), np.array(shown)[covered], rates[covered], legend)


def curve_name(fit: CurveFit) -> str:
    """Return what the curve of a fit is, as it is told on hover."""
    return _CURVE_NAMES[fit]


def smooth_line(
    smooth: SmoothCurve | None, compounding: Compounding, fit: CurveFit = CurveFit.JOINT
) -> Line | None:
    """Return a curve as it is drawn, from its first expiry to its last, where it has a rate.

    A joint curve has its standard errors with it: the fair rates lie on it. A spline through fair
    rates has none: these have their own, and lie beside it.
    """
    if smooth is None:
        return None
    paid = smooth.premium_date
    first, last = ((smooth.payment_dates[end] - paid).days for end in (0, -1))
    dates = [paid + timedelta(days=day) for day in _evenly(first, last)]
    rates = smooth.rates(dates, compounding).filter(pl.col("rate").is_finite())
    if rates.is_empty():
        return None
    errors = rates["std_error_bps"].to_numpy() / 1e4
    return Line(
        curve_name(fit),
        rates["days"].to_numpy().astype(np.float64),
        rates["rate"].to_numpy(),
        errors=None if fit is CurveFit.PER_EXPIRY else errors,
    )


def filtered_line(desk: Desk, root: str) -> Line | None:
    """Return the filtered curve of a root as it is drawn; None where nobody follows it."""
    filtered = (desk.conventions.filtered or {}).get(root)
    line = smooth_line(filtered, desk.conventions.compounding)
    return line and replace(line, label="filtered, from all snapshots so far")


def _evenly(first: float, last: float) -> list[float]:
    """Return whole days, evenly on a log scale, both ends among them."""
    days = np.geomspace(max(1.0, first), max(1.0, last), POINTS)
    return [float(day) for day in np.unique(np.round(days))]
