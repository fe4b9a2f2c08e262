"""One weekend with markets closed: Friday's close, the night session and Labor Day must agree."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import polars as pl

from benchmarks.accuracy.agreement import LONG_TENORS_DAYS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.accuracy.chain_files import ChainFile
    from benchmarks.accuracy.rate_curves import Fitted, RateCurve

FRIDAY = "spx_20250829_1614"
CLOSED = {
    "Friday": FRIDAY,
    "Sunday night": "spx_20250829_dl20250831_2233GTH",
    "Labor Day page": "spx_20250829_1615_laborday",
}
"""Files of the same closed market, by what the page calls them."""
AROUND = {"2025-08-28": "spx_20250828_1610", "2025-09-04": "spx_20250904_1430intraday"}
"""Files of the days before and after, for comparison."""
ROOTS = ("SPX", "SPXW")


def weekend(files: Sequence[ChainFile], fitted: Fitted) -> pl.DataFrame:
    """Return the rates of every snapshot around the weekend to Friday's payment dates.

    Returns:
        ``root, estimator, snapshot, closed, chain, days`` (of Friday's loan), ``rate_bps,
        own_error_bps, apart_bps`` (from Friday) and ``error_bps`` of that; ``closed`` where the
        market was closed between the two, so that they must agree.
    """
    by_name = {file.name: file for file in files}
    snapshots = {label: by_name[name] for label, name in (CLOSED | AROUND).items()}
    frames = []
    for root in ROOTS:
        for estimator in fitted.estimators:
            curves = {
                label: fitted.curve(estimator, file, root) for label, file in snapshots.items()
            }
            friday = curves["Friday"]
            frames += [
                _beside(friday, curve).select(
                    pl.lit(root).alias("root"),
                    pl.lit(estimator).alias("estimator"),
                    pl.lit(label).alias("snapshot"),
                    pl.lit(label in CLOSED and curve is not friday).alias("closed"),
                    pl.lit(snapshots[label].name).alias("chain"),
                    pl.all(),
                )
                for label, curve in curves.items()
                if friday is not None and curve is not None
            ]
    return pl.concat(frames)


def _beside(friday: RateCurve, curve: RateCurve) -> pl.DataFrame:
    """Return the rates of a curve, and how far they are off Friday's, by Friday's tenors."""
    dates = [friday.premium_date + timedelta(days=days) for days in LONG_TENORS_DAYS]
    (base, base_error), (rate, error) = friday.at(dates), curve.at(dates)
    return pl.DataFrame(
        {
            "days": LONG_TENORS_DAYS,
            "rate_bps": rate,
            "own_error_bps": error,
            "apart_bps": rate - base,
            "error_bps": (base_error**2 + error**2) ** 0.5,
        }
    )


def friday_to(frame: pl.DataFrame, snapshot: str, days: int) -> pl.DataFrame:
    """Return ``root, estimator, apart_bps`` of one snapshot at one tenor."""
    return frame.filter(pl.col("snapshot") == snapshot, pl.col("days") == days).select(
        "root", "estimator", "apart_bps"
    )
