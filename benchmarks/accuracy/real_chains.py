"""What the estimators make of real chains, where nobody knows the truth: do rates agree?"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import polars as pl

from benchmarks.accuracy.estimates import BP, OURS, estimates
from live_box_spreads.books.curves.smooth_curve import smooth_curves
from live_box_spreads.books.prints import printed_boxes
from live_box_spreads.feeds.importers.cboe import read_cboe
from live_box_spreads.feeds.importers.prints import read_prints
from live_box_spreads.model.rates import Compounding
from live_box_spreads.model.settlement import premium_date, trade_date
from live_box_spreads.reference import read_reference
from tests.books.by_desk import curve

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date
    from pathlib import Path

    from live_box_spreads.books.curves.smooth_curve import SmoothCurve
    from live_box_spreads.model.reference_curve import ReferenceCurve

ROUGH_FROM_DAYS = 30
"""Interpolating below amplifies the errors of expiries a day apart."""
HALF_YEAR, YEAR, YEAR_AND_A_HALF = 182, 365, 547


class RealChain(NamedTuple):
    """One file: its name, trade date, estimates, fair curve and smooth curves by root."""

    name: str
    day: date
    rates: pl.DataFrame
    table: pl.DataFrame
    smooth: dict[str, SmoothCurve]


def real_chains(data: Path, told: Callable[[str], None] = lambda _: None) -> list[RealChain]:
    """Read and fit every chain of a data folder."""
    found = []
    for path in sorted((data / "chains").glob("*.gz")):
        chain = read_cboe(path)
        table = curve(chain, compounding=Compounding.CONTINUOUS)
        name = path.name.split("_cboe")[0]
        day = trade_date(chain.snapshot_time)
        found.append(RealChain(name, day, estimates(chain), table, smooth_curves(table)))
        told(name)
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


def foretold(chains: Sequence[RealChain]) -> pl.DataFrame:
    """Return how well each expiry is foretold by the smooth curve through the others.

    One row a chain and root: ``expiries, excess_bps, median_off_bps, covered`` (share within two
    standard errors of the difference), for roots with a smooth curve.
    """
    rows = []
    for chain in chains:
        for root, smooth in chain.smooth.items():
            left_out = smooth.left_out().filter(
                pl.col("payment_date") >= smooth.premium_date + timedelta(days=ROUGH_FROM_DAYS)
            )
            off, error = pl.col("off_bps").abs(), pl.col("std_error_bps")
            [row] = left_out.select(
                expiries=pl.len(), median_off_bps=off.median(), covered=(off < 2 * error).mean()
            ).to_dicts()
            rows.append({"chain": chain.name, "root": root, **row, "excess_bps": smooth.excess_bps})
    return pl.DataFrame(rows).filter(pl.col("expiries") > 0)


def agreement(one: pl.DataFrame, other: pl.DataFrame) -> pl.DataFrame:
    """Return expiries of 30 days or more that two curve tables pay on the same day.

    ``days, expiry, rate, other_rate, apart_bps, error_bps`` (of the difference).
    """
    columns = ["payment_date", "days", "expiry", "fair_rate", "std_error_bps"]
    pairs = (
        one.select(columns)
        .join(other.select(columns), on="payment_date", suffix="_other")
        .filter(
            pl.col("days") >= ROUGH_FROM_DAYS,
            pl.col("fair_rate").is_finite(),
            pl.col("fair_rate_other").is_finite(),
        )
    )
    return pairs.select(
        "days",
        "expiry",
        rate=pl.col("fair_rate"),
        other_rate=pl.col("fair_rate_other"),
        apart_bps=(pl.col("fair_rate") - pl.col("fair_rate_other")) / BP,
        error_bps=(pl.col("std_error_bps") ** 2 + pl.col("std_error_bps_other") ** 2).sqrt(),
    ).sort("days")


def over_treasuries(chains: Sequence[RealChain], data: Path) -> pl.DataFrame:
    """Return the smooth curve less the Treasury zero curve, at 6 and 12 months, in bp."""
    history = read_reference(data / "benchmarks" / "treasury_par_yields_daily_1990_2026.csv")
    rows = []
    for chain in chains:
        treasury = history.on(chain.day, 7).curve
        for root, smooth in chain.smooth.items():
            row: dict[str, object] = {"chain": chain.name, "root": root}
            for name, days in (("6m", HALF_YEAR), ("12m", YEAR)):
                repaid = smooth.premium_date + timedelta(days=days)
                [rate] = smooth.rates([repaid], Compounding.CONTINUOUS)["rate"]
                known = _rate(treasury, smooth.premium_date, repaid)
                row[name] = (rate - known) / BP if repaid <= smooth.payment_dates[-1] else np.nan
            rows.append(row)
    return pl.DataFrame(rows)


def against_published(chain: RealChain, data: Path) -> pl.DataFrame:
    """Return our SPX rates of 2011-01-24 beside the published ones, per cent, continuous."""
    rates = pl.read_csv(data / "box_rates" / "box_and_government_rates_daily_2004_2018.csv")
    [published] = rates.filter(pl.col("date") == chain.day.isoformat()).to_dicts()
    smooth = chain.smooth["SPX"]
    days = {6: HALF_YEAR, 12: YEAR, 18: YEAR_AND_A_HALF}
    repaid = [smooth.premium_date + timedelta(days=count) for count in days.values()]
    said = smooth.rates(repaid, Compounding.CONTINUOUS)
    return pl.DataFrame(
        {
            "months": list(days),
            "published": [published[f"box_{months}m"] for months in days],
            "ours": said["rate"] * 100,
            "error_bps": said["std_error_bps"],
        }
    )


def printed(data: Path) -> pl.DataFrame:
    """Return the rates of the boxes printed on 2024-09-20 by expiry, beside Treasuries.

    ``expiry, days, boxes, rate`` (median, per cent, continuous), ``spread_bps`` over the Treasury
    zero curve, and ``scatter_bps``, the median distance of a box of 500 points or more from its
    expiry's median.
    """
    prints = read_prints(data / "box_trades" / "spx_option_prints_20240920.csv.gz").frame
    boxes = printed_boxes(prints, compounding=Compounding.CONTINUOUS).frame
    wide = boxes.filter(pl.col("rate").is_finite(), pl.col("width") >= 500)  # noqa: PLR2004
    history = read_reference(data / "benchmarks" / "treasury_par_yields_daily_1990_2026.csv")
    treasury = history.on(trade_date(wide["time"][0]), 7).curve
    fewest = 3
    table = (
        wide.group_by("expiry")
        .agg(
            days=(pl.col("tte_years").first() * 365).round(),
            boxes=pl.len(),
            rate=pl.col("rate").median() * 100,
            scatter_bps=(pl.col("rate") - pl.col("rate").median()).abs().median() / BP,
        )
        .filter(pl.col("boxes") >= fewest)
        .sort("expiry")
    )
    paid = premium_date(wide["time"][0])
    known = [_rate(treasury, paid, paid + timedelta(days=days)) for days in table["days"]]
    return table.with_columns(spread_bps=table["rate"] * 100 - pl.Series(known) / BP)


def _rate(reference: ReferenceCurve | None, paid: date, repaid: date) -> float:
    return reference.rate(paid, repaid, Compounding.CONTINUOUS) if reference else np.nan
