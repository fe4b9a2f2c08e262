"""The two-week rate over a calm fortnight of moments: what moves is mostly error."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import polars as pl

from benchmarks.accuracy.chain_files import PANEL_ROOT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.accuracy.rate_curves import Fitted
    from live_box_spreads.model.chain import Chain

TWO_WEEKS_DAYS = 14


def two_week_rates(moments: Sequence[Chain], fitted: Fitted) -> pl.DataFrame:
    """Return the two-week rate at each moment, or that to the last expiry if it is sooner.

    Returns:
        ``time, estimator, days, rate_bps, error_bps``.
    """
    rows = []
    for estimator, follower in fitted.filters(PANEL_ROOT).items():
        for chain in moments:
            curve = follower.update(chain)
            if curve is None:
                continue
            repaid = min(curve.premium_date + timedelta(days=TWO_WEEKS_DAYS), curve.last_date)
            [rate], [error] = curve.at([repaid])
            rows.append(
                {
                    "time": chain.snapshot_time,
                    "estimator": estimator,
                    "days": (repaid - curve.premium_date).days,
                    "rate_bps": rate,
                    "error_bps": error,
                }
            )
    return pl.DataFrame(rows)


def over_moments(rates: pl.DataFrame) -> pl.DataFrame:
    """Return how the two-week rate scatters beside what its standard error says.

    Returns:
        ``estimator, moments, mean_bps, deviation_bps, daily_bps`` (standard deviation within a
        day), ``error_bps`` (mean claimed).
    """
    day = pl.col("time").dt.convert_time_zone("America/New_York").dt.date()
    within = pl.col("rate_bps") - pl.col("rate_bps").mean().over("estimator", day)
    moments = pl.len().over("estimator", day)
    return (
        rates.filter(pl.col("rate_bps").is_finite())
        .with_columns(within=within, moments_a_day=moments)
        .group_by("estimator", maintain_order=True)
        .agg(
            moments=pl.len(),
            mean_bps=pl.col("rate_bps").mean(),
            deviation_bps=pl.col("rate_bps").std(),
            # Each day's mean takes one degree of freedom.
            daily_bps=(
                (pl.col("within") ** 2).sum() / (1 - 1 / pl.col("moments_a_day")).sum()
            ).sqrt(),
            error_bps=pl.col("error_bps").mean(),
        )
    )
