"""Rates over a sequence of chains in calm times: what moves is mostly error."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import polars as pl

from benchmarks.accuracy.chain_files import PANEL_ROOT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.accuracy.chain_files import ChainFile
    from benchmarks.accuracy.rate_curves import Fitted
    from live_box_spreads.model.chain import Chain

TWO_WEEKS_DAYS = 14
CALM_DAYS = 30
CALM_ROOTS = ("SPX", "SPXW")
CALM_CHAINS = (
    "spx_20250828_1610",
    "spx_20250829_1614",
    "spx_20250829_dl20250831_2233GTH",
    "spx_20250904_1430intraday",
)
"""Snapshots of a calm week in the order of time. The Labor Day page has the stamp of the night
session's quotes, and a filter takes one snapshot an instant."""


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


def calm_week(files: Sequence[ChainFile], fitted: Fitted) -> pl.DataFrame:
    """Return the one-month rate of each root over the snapshots of a calm week.

    Returns:
        ``root, estimator, chain, rate_bps, error_bps``.
    """
    by_name = {file.name: file for file in files}
    rows = []
    for root in CALM_ROOTS:
        for estimator, follower in fitted.filters(root).items():
            for name in CALM_CHAINS:
                curve = follower.update(by_name[name].chain)
                if curve is None:
                    continue
                [rate], [error] = curve.at([curve.premium_date + timedelta(days=CALM_DAYS)])
                rows.append(
                    {
                        "root": root,
                        "estimator": estimator,
                        "chain": name,
                        "rate_bps": rate,
                        "error_bps": error,
                    }
                )
    return pl.DataFrame(rows)


def over_week(rates: pl.DataFrame) -> pl.DataFrame:
    """Return ``root, estimator, snapshots, mean_bps, deviation_bps, error_bps`` (mean claimed)."""
    return (
        rates.filter(pl.col("rate_bps").is_finite())
        .group_by("root", "estimator", maintain_order=True)
        .agg(
            snapshots=pl.len(),
            mean_bps=pl.col("rate_bps").mean(),
            deviation_bps=pl.col("rate_bps").std(),
            error_bps=pl.col("error_bps").mean(),
        )
    )
