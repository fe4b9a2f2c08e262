"""Rates that others published or paid: the daily box rates of a paper, and boxes that traded."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import polars as pl

from benchmarks.accuracy.estimates import BP
from benchmarks.accuracy.levels import treasuries_on, treasury_bps
from live_box_spreads.books.prints import printed_boxes
from live_box_spreads.feeds.importers.prints import read_prints
from live_box_spreads.model.rates import Compounding
from live_box_spreads.model.settlement import premium_date, trade_date

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from benchmarks.accuracy.chain_files import ChainFile
    from benchmarks.accuracy.rate_curves import Fitted

PUBLISHED_CHAIN, PUBLISHED_ROOT = "spx_20110124_1403", "SPX"
PUBLISHED_DAYS = {6: 182, 12: 365, 18: 547}
"""Days of each tenor in months."""
FEWEST_BOXES = 3
LEAST_WIDTH = 500.0
"""Narrower boxes divide the tick by too little."""


def against_published(files: Sequence[ChainFile], fitted: Fitted, data: Path) -> pl.DataFrame:
    """Return our rates of 2011-01-24 beside the published ones.

    Returns:
        ``estimator, months, published_bps, rate_bps, error_bps, apart_bps`` (ours less published).
    """
    [file] = [file for file in files if file.name == PUBLISHED_CHAIN]
    rates = pl.read_csv(data / "box_rates" / "box_and_government_rates_daily_2004_2018.csv")
    [row] = rates.filter(pl.col("date") == file.day.isoformat()).to_dicts()
    published = pl.Series([row[f"box_{months}m"] for months in PUBLISHED_DAYS]) * 100
    frames = []
    for estimator in fitted.estimators:
        curve = fitted.curve(estimator, file, PUBLISHED_ROOT)
        if curve is None:
            continue
        repaid = [curve.premium_date + timedelta(days=days) for days in PUBLISHED_DAYS.values()]
        rate, error = curve.at(repaid)
        frames.append(
            pl.DataFrame(
                {
                    "estimator": estimator,
                    "months": list(PUBLISHED_DAYS),
                    "published_bps": published,
                    "rate_bps": rate,
                    "error_bps": error,
                    "apart_bps": rate - published.to_numpy(),
                }
            )
        )
    return pl.concat(frames)


def printed(data: Path) -> pl.DataFrame:
    """Return the rates of the boxes printed on 2024-09-20 by expiry, beside Treasuries.

    ``expiry, days, boxes, rate`` (median, per cent, continuous), ``spread_bps`` over the Treasury
    zero curve, and ``scatter_bps``, the median distance of a box of 500 points or more from its
    expiry's median.
    """
    prints = read_prints(data / "box_trades" / "spx_option_prints_20240920.csv.gz").frame
    boxes = printed_boxes(prints, compounding=Compounding.CONTINUOUS).frame
    wide = boxes.filter(pl.col("rate").is_finite(), pl.col("width") >= LEAST_WIDTH)
    table = (
        wide.group_by("expiry")
        .agg(
            days=(pl.col("tte_years").first() * 365).round(),
            boxes=pl.len(),
            rate=pl.col("rate").median() * 100,
            scatter_bps=(pl.col("rate") - pl.col("rate").median()).abs().median() / BP,
        )
        .filter(pl.col("boxes") >= FEWEST_BOXES)
        .sort("expiry")
    )
    paid = premium_date(wide["time"][0])
    treasury = treasuries_on(data, trade_date(wide["time"][0]))
    repaid = [paid + timedelta(days=days) for days in table["days"]]
    known = [treasury_bps(treasury, paid, day) for day in repaid]
    return table.with_columns(spread_bps=table["rate"] * 100 - pl.Series(known))
