"""Each expiry foretold by the others of its root: by the fit's own word, and by fitting again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from benchmarks.accuracy.agreement import coverage_of, median
from benchmarks.accuracy.chain_files import without_expiry
from benchmarks.accuracy.rate_curves import FITS_BY_LABEL, OLD, LineCurve, desk_of
from benchmarks.accuracy.version_010 import old_curve, old_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.accuracy.chain_files import ChainFile
    from benchmarks.accuracy.rate_curves import Fitted, RateCurve
    from live_box_spreads.books.curves.smooth_curve import SmoothCurve

FROM_DAYS = 30
"""Sooner expiries are foretold only roughly by anything."""
LONG_DAYS = 60
BUCKETS = {
    "< 0.6": (0.0, 0.6),
    "0.6-1": (0.6, 1.0),
    "1-2": (1.0, 2.0),
    "2-4": (2.0, 4.0),
    "> 4": (4.0, np.inf),
}
"""Standard errors of the fair rate as published, bp."""


def foretold(files: Sequence[ChainFile], labels: Sequence[str]) -> pl.DataFrame:
    """Return how far each expiry is off the curve through the others, by the fit's own word.

    Args:
        files: the chains.
        labels: of the fits with a smooth curve.

    Returns:
        ``chain, root, estimator, days, claimed_bps`` (standard error of its fair rate as
        published), ``apart_bps, error_bps``; expiries of 30 days or more.
    """
    frames = []
    for file in files:
        for root in file.loan_roots:
            for label in labels:
                smooth, claimed = _smooth_and_claims(file, root, label)
                if smooth is None:
                    continue
                said = smooth.left_out().join(claimed, on="payment_date", maintain_order="left")
                frames.append(
                    said.filter(pl.col("days") >= FROM_DAYS).select(
                        pl.lit(file.name).alias("chain"),
                        pl.lit(root).alias("root"),
                        pl.lit(label).alias("estimator"),
                        "days",
                        "claimed_bps",
                        apart_bps=pl.col("off_bps"),
                        error_bps=pl.col("std_error_bps"),
                    )
                )
    return pl.concat(frames) if frames else pl.DataFrame()


def _smooth_and_claims(
    file: ChainFile, root: str, label: str
) -> tuple[SmoothCurve | None, pl.DataFrame]:
    """Return the smooth curve, and ``payment_date, days, claimed_bps`` of the published rates."""
    if label == OLD:
        old = old_curve(file.chain, root)
        smooth = None if old is None else old.smooth
        table = old_lines(file.chain, root)
    else:
        desk = desk_of(file.chain, FITS_BY_LABEL[label])
        smooth, table = desk.smooth(root), desk.curve(root)
    return smooth, table.select("payment_date", "days", claimed_bps="std_error_bps")


def fitted_again(
    files: Sequence[ChainFile], fitted: Fitted, told: Callable[[str], None] = lambda _: None
) -> pl.DataFrame:
    """Return how far the own line of each expiry is off the curve fitted without it.

    A line of its own is what plain estimators have for each expiry. A joint fit has none; there it
    is that of version 0.1.0, which errs for itself: its distances are a bound for the worse.

    Returns:
        ``chain, root, estimator, days, claimed_bps`` (standard error of the line), ``apart_bps,
        error_bps``; expiries of 30 days or more, but for the last of a root.
    """
    rows = []
    for file in files:
        for root in file.loan_roots:
            lines = old_lines(file.chain, root).filter(pl.col("days") >= FROM_DAYS)
            for line in lines.iter_rows(named=True):
                rows += [
                    {"chain": file.name, "root": root, "days": line["days"]} | row
                    for estimator in fitted.estimators
                    if (row := _against_line(file, root, line, estimator, fitted))
                ]
        told(f"{file.name} without one expiry at a time")
    return pl.DataFrame(rows).filter(pl.col("apart_bps").is_finite())


def _against_line(
    file: ChainFile, root: str, line: dict[str, Any], estimator: str, fitted: Fitted
) -> dict[str, object]:
    repaid = line["payment_date"]
    whole = fitted.curve(estimator, file, root)
    if whole is None or repaid >= whole.last_date:
        return {}
    rate, error = line["rate_bps"], line["std_error_bps"]
    if isinstance(whole, LineCurve):
        [rate], [error] = whole.at([repaid])
        rest: RateCurve | None = whole.without(repaid)
    else:
        chain = without_expiry(file.chain, root, line["expiry"])
        rest = fitted.estimators[estimator](chain, root)
    if rest is None:
        return {}
    [foreseen], [its_error] = rest.at([repaid])
    return {
        "estimator": estimator,
        "claimed_bps": float(error),
        "apart_bps": float(rate - foreseen),
        "error_bps": float(np.hypot(error, its_error)),
    }


def by_claim(rows: pl.DataFrame) -> pl.DataFrame:
    """Return coverage by claimed standard error: ``estimator, claimed, count, coverage``."""
    said = []
    for (estimator,), part in rows.group_by(["estimator"], maintain_order=True):
        for name, (low, high) in BUCKETS.items():
            inside = part.filter(pl.col("claimed_bps") >= low, pl.col("claimed_bps") < high)
            covered = coverage_of(inside)
            if not covered.total:
                continue
            said.append(
                {
                    "estimator": estimator,
                    "claimed": name,
                    "count": covered.total,
                    "coverage": str(covered),
                    "median_bps": median(inside["apart_bps"].abs()),
                }
            )
    return pl.DataFrame(said)


def long_medians(rows: pl.DataFrame, by: Sequence[str]) -> pl.DataFrame:
    """Return the columns of ``by``, ``count``, ``median_bps`` and ``coverage`` from 60 days on."""
    long = rows.filter(pl.col("days") >= LONG_DAYS)
    return pl.DataFrame(
        [
            dict(zip(by, key, strict=True))
            | {
                "count": len(part),
                "median_bps": median(part["apart_bps"].abs()),
                "coverage": str(coverage_of(part)),
            }
            for key, part in long.group_by(by, maintain_order=True)
        ]
    )
