"""What all estimators make of real chains: how rough their rates are over expiries."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from benchmarks.accuracy.estimates import OURS, estimates
from benchmarks.accuracy.rate_curves import DESK_FITS, JOINT, desk_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date

    from benchmarks.accuracy.chain_files import ChainFile
    from live_box_spreads.books.curves.smooth_curve import SmoothCurve

ROUGH_FROM_DAYS = 30
"""Interpolating below amplifies the errors of expiries a day apart."""


class RealChain(NamedTuple):
    """One file: its name, trade date, estimates, fair curve and smooth curves by root."""

    name: str
    day: date
    rates: pl.DataFrame
    table: pl.DataFrame
    smooth: dict[str, SmoothCurve]


def real_chains(
    files: Sequence[ChainFile], told: Callable[[str], None] = lambda _: None
) -> list[RealChain]:
    """Fit the chains of some files, by every estimator."""
    found = []
    for file in files:
        desk = desk_of(file.chain, DESK_FITS[JOINT])
        curves = {root: desk.smooth(root) for root in file.loan_roots}
        smooth = {root: curve for root, curve in curves.items() if curve is not None}
        found.append(RealChain(file.name, file.day, estimates(file.chain), desk.curve(), smooth))
        told(f"every estimator on {file.name}")
    return found


def roughness(chains: Sequence[RealChain]) -> pl.DataFrame:
    """Return how far each rate is off the straight line between its neighbours in time.

    One row an estimator: ``median, p90, rms`` of the absolute distance in bp, over all expiries of
    30 days or more that have a neighbour on both sides, and the number of them. The rms takes
    distances beyond 100 bp for 100.
    """
    rough = pl.concat([chain_roughness(chain) for chain in chains])
    return (
        rough.group_by("estimator", maintain_order=True)
        .agg(
            expiries=pl.len(),
            median=pl.col("off").abs().median(),
            p90=pl.col("off").abs().quantile(0.9),
            rms=(pl.col("off").abs().clip(upper_bound=100.0) ** 2).mean().sqrt(),
        )
        .sort("median")
    )


def chain_roughness(chain: RealChain) -> pl.DataFrame:
    """Return ``chain, root, estimator, days, off`` of one file.

    Only expiries for which the fair curve has a number take part, so that all estimators meet the
    same ones: those that it refuses would count against the others.
    """
    by = ["root", "estimator"]
    known = chain.rates.filter(pl.col("rate").is_finite(), pl.col("days") >= ROUGH_FROM_DAYS)
    given = known.filter(pl.col("estimator") == OURS)
    known = known.join(given, on=["root", "expiry"], how="semi", maintain_order="left")
    days, rate = pl.col("days"), pl.col("rate")
    before, after = days.shift(1).over(by), days.shift(-1).over(by)
    weight = (days - before) / (after - before)
    between = rate.shift(1).over(by) * (1 - weight) + rate.shift(-1).over(by) * weight
    return (
        known.unique([*by, "days"], keep="first", maintain_order=True)
        .sort("root", "estimator", "days")
        .select(pl.lit(chain.name).alias("chain"), *by, "days", off=rate - between)
        .drop_nulls()
    )
