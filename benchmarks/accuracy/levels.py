"""Rates beside what money is known to have cost: the policy rate of a day, and Treasuries."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from benchmarks.accuracy.estimates import BP
from live_box_spreads.model.rates import Compounding
from live_box_spreads.reference import read_reference

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date
    from pathlib import Path

    from benchmarks.accuracy.chain_files import ChainFile
    from benchmarks.accuracy.rate_curves import Fitted
    from live_box_spreads.model.reference_curve import ReferenceCurve

KNOWN_CHAIN, KNOWN_DAYS = "spx_20220913_1615", 14
KNOWN_BPS = (250.0, 300.0)
"""A week before the Federal Reserve went from 2.25-2.50 to 3.00-3.25 %, as everybody expected."""
TREASURY_DAYS = (182, 365)
_OLDEST_TREASURY_DAYS = 7
_YIELDS = "treasury_par_yields_daily_1990_2026.csv"


def known_level(files: Sequence[ChainFile], fitted: Fitted) -> pl.DataFrame:
    """Return the two-week rate of 2022-09-13: ``root, estimator, rate_bps, error_bps, inside``."""
    rows = []
    low, high = KNOWN_BPS
    for file in files:
        if file.name != KNOWN_CHAIN:
            continue
        for root in file.loan_roots:
            for estimator in fitted.estimators:
                curve = fitted.curve(estimator, file, root)
                if curve is None:
                    continue
                [rate], [error] = curve.at([curve.premium_date + timedelta(days=KNOWN_DAYS)])
                rows.append(
                    {
                        "root": root,
                        "estimator": estimator,
                        "rate_bps": rate,
                        "error_bps": error,
                        "inside": bool(low <= rate <= high),
                    }
                )
    return pl.DataFrame(rows)


def over_treasuries(
    files: Sequence[ChainFile], fitted: Fitted, data: Path, tenors: Sequence[int] = TREASURY_DAYS
) -> pl.DataFrame:
    """Return rates less the zero rates of that day's Treasuries.

    Returns:
        ``chain, root, estimator, days, rate_bps, error_bps, treasury_bps, over_bps``.
    """
    frames = []
    for file in files:
        treasury = treasuries_on(data, file.day)
        for root in file.loan_roots:
            for estimator in fitted.estimators:
                curve = fitted.curve(estimator, file, root)
                if curve is None:
                    continue
                dates = [curve.premium_date + timedelta(days=days) for days in tenors]
                rate, error = curve.at(dates)
                known = np.array([treasury_bps(treasury, curve.premium_date, day) for day in dates])
                frames.append(
                    pl.DataFrame(
                        {
                            "chain": file.name,
                            "root": root,
                            "estimator": estimator,
                            "days": list(tenors),
                            "rate_bps": rate,
                            "error_bps": error,
                            "treasury_bps": known,
                            "over_bps": rate - known,
                        }
                    )
                )
    return pl.concat(frames)


def treasuries_on(data: Path, day: date) -> ReferenceCurve | None:
    """Return the Treasury curve of a day, or of the last day before it that has one."""
    return read_reference(data / "benchmarks" / _YIELDS).on(day, _OLDEST_TREASURY_DAYS).curve


def treasury_bps(reference: ReferenceCurve | None, paid: date, repaid: date) -> float:
    """Return the continuous rate of a loan by a reference, bp; NaN unknown."""
    return reference.rate(paid, repaid, Compounding.CONTINUOUS) / BP if reference else np.nan
