"""From one snapshot to the next: rates should move as Treasuries of the same tenor do."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from benchmarks.accuracy.agreement import LONG_TENORS_DAYS
from benchmarks.accuracy.levels import treasuries_on, treasury_bps

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from benchmarks.accuracy.chain_files import ChainFile
    from benchmarks.accuracy.rate_curves import Fitted, RateCurve

    Floats = NDArray[np.float64]

STEPS = (
    ("spx_20181015_2000", "spx_20181018_1615"),
    ("spx_20250828_1610", "spx_20250829_1614"),
    ("spx_20250829_1614", "spx_20250904_1430intraday"),
)
"""Snapshots a few days apart, the earlier first."""
SHORTEST_TREASURY_DAYS = 31
"""Shorter tenors are compared with this one: there is no Treasury yield below a month."""


def day_to_day(files: Sequence[ChainFile], fitted: Fitted, data: Path) -> pl.DataFrame:
    """Return how rates changed between snapshots, beside Treasuries of the same tenor.

    Returns:
        ``step, chain`` (the later), ``root, estimator, days, changed_bps, treasury_bps,
        apart_bps`` (change beyond that of Treasuries) and its ``error_bps``.
    """
    by_name = {file.name: file for file in files}
    frames = []
    for before, after in STEPS:
        if before not in by_name or after not in by_name:
            continue
        first, second = by_name[before], by_name[after]
        government = _treasury_change(first, second, data)
        for root in first.loan_roots:
            for estimator in fitted.estimators:
                one, other = (fitted.curve(estimator, file, root) for file in (first, second))
                if one is None or other is None:
                    continue
                changed, error = _change(one, other)
                frames.append(
                    pl.DataFrame(
                        {
                            "step": f"{first.day} to {second.day}",
                            "chain": after,
                            "root": root,
                            "estimator": estimator,
                            "days": LONG_TENORS_DAYS,
                            "changed_bps": changed,
                            "treasury_bps": government,
                            "apart_bps": changed - government,
                            "error_bps": error,
                        }
                    )
                )
    return pl.concat(frames)


def _change(one: RateCurve, other: RateCurve) -> tuple[Floats, Floats]:
    """Return how far rates of constant tenors moved, and the standard error of that; bp."""
    (before, error_before), (after, error_after) = (
        curve.at([curve.premium_date + timedelta(days=days) for days in LONG_TENORS_DAYS])
        for curve in (one, other)
    )
    return after - before, np.hypot(error_before, error_after)


def _treasury_change(first: ChainFile, second: ChainFile, data: Path) -> Floats:
    rates = []
    for file in (first, second):
        curve = treasuries_on(data, file.day)
        tenors = [max(days, SHORTEST_TREASURY_DAYS) for days in LONG_TENORS_DAYS]
        repaid = [file.day + timedelta(days=days) for days in tenors]
        rates.append([treasury_bps(curve, file.day, day) for day in repaid])
    changed: Floats = np.diff(np.array(rates), axis=0)[0]
    return changed
