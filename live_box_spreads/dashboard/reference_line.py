"""The reference of the page: its name with its day, and its line in the term structure."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from live_box_spreads.dashboard.term_figure import ReferenceLine
from live_box_spreads.model.settlement import premium_date

if TYPE_CHECKING:
    from collections.abc import Sequence

    from live_box_spreads.dashboard.market_view import Market
    from live_box_spreads.model.rates import Compounding
    from live_box_spreads.reference.history import Reference

POINTS = 60


def reference_label(reference: Reference) -> str:
    """Return the name of a reference and its day, or why there is none; empty if none is wanted."""
    curve = reference.curve
    return f"{curve.name}, {curve.as_of:%d %b %Y}" if curve else reference.reason


def reference_line(
    reference: Reference, market: Market, days: Sequence[float], compounding: Compounding
) -> ReferenceLine | None:
    """Return a reference as it is drawn, evenly on a log scale over these days to payment.

    None where there is no reference, or it covers none of them.
    """
    curve = reference.curve
    if curve is None or not days:
        return None
    paid = premium_date(market.chain.snapshot_time)
    first, last = max(1.0, min(days)), max(days)
    shown = np.unique(np.round(np.geomspace(first, last, POINTS)))
    rates = np.array([curve.rate(paid, paid + timedelta(days=d), compounding) for d in shown])
    covered = np.isfinite(rates)
    if not covered.any():
        return None
    return ReferenceLine(
        label=reference_label(reference),
        days=shown[covered],
        rates=rates[covered],
    )
