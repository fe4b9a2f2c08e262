"""What the estimators make of the simulated market, whose true rates are known."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from benchmarks.accuracy.estimates import BP, OURS, estimates
from live_box_spreads.books.desk import Desk
from live_box_spreads.model.chain import Chain, Timeliness
from live_box_spreads.model.rates import Compounding
from live_box_spreads.simulator.market.conditions import CONDITIONS, NORMAL, Conditions, lagging
from live_box_spreads.simulator.market.market import Market
from live_box_spreads.simulator.market.universe import ALL_ROOTS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from live_box_spreads.books.conventions import Conventions

OPENED = datetime(2026, 11, 24, 20, tzinfo=UTC)
TENORS = {
    "5-10": (5, 11),
    "11-20": (11, 21),
    "21-44": (21, 45),
    "45-59": (45, 60),
    "≥ 60": (60, 9999),
}
LONG_DAYS = 60
LAGGING_SECS = 90
"""How long a market with a lag runs before it is looked at."""
SIZES = (0.3, 1.0, 2.0)
"""Kinks of small, usual and large size, points per 5000 of the index."""
ERROR_DAYS: dict[str, Conditions] = {
    "none": NORMAL,
    **{f"kink {size:g}": replace(NORMAL, kink_points=size) for size in SIZES},
    **{f"tilt {2.5 * size:g} bp": replace(NORMAL, tilt_bps=2.5 * size) for size in SIZES},
    **{f"lag {20 * size:g} s": replace(NORMAL, lag_secs=20 * size) for size in SIZES},
    **{f"all three, {size:g}": lagging(size) for size in SIZES},
    "thin far": CONDITIONS["thin_far"],
}
"""Days on which the root errs together, one way at a time and all ways at once."""


def chain_of(market: Market) -> Chain:
    """Return every quote of a market as it stands."""
    listing, book = market.listing, market.book
    count = len(listing)
    series = [listing.series[number] for number in listing.series_of]
    rows = pl.DataFrame(
        {
            "root": [item.product.root for item in series],
            "underlying": [item.product.underlying for item in series],
            "expiry": [item.expiry for item in series],
            "settlement": [item.product.settlement for item in series],
            "strike": listing.strike,
            "right": np.where(listing.is_call, "C", "P"),
            "bid": book.bid[:count],
            "ask": book.ask[:count],
            "quote_time": _times(book.quoted_at_secs[:count]),
        }
    )
    return Chain.build(
        rows, snapshot_time=market.now, feed="simulated", timeliness=Timeliness.SIMULATED
    )


def _times(epoch_secs: NDArray[np.float64]) -> pl.Series:
    """Return instants (UTC) of epoch seconds; null for NaN."""
    microseconds = pl.Series(np.round(epoch_secs * 1e6)).fill_nan(None).cast(pl.Int64)
    return microseconds.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")


def market_of_day(conditions: Conditions, seed: int, roots: tuple[str, ...] = ALL_ROOTS) -> Market:
    """Return a market on which legs that lag have had the time to fall behind."""
    market = Market(OPENED, seed=seed, roots=roots, conditions=conditions)
    if conditions.lag_secs:
        for second in range(1, LAGGING_SECS + 1):
            market.advance(OPENED + timedelta(seconds=second))
    return market


def simulated_errors(
    seeds: Sequence[int], told: Callable[[str], None] = lambda _: None
) -> pl.DataFrame:
    """Return the rows of ``estimates`` with ``conditions``, ``seed`` and ``error`` (bp).

    All plain estimators take part on normal days, the robust line on all.
    """
    frames = []
    for name, conditions in CONDITIONS.items():
        for seed in seeds:
            market = market_of_day(conditions, seed)
            frame = estimates(chain_of(market), everybody=name == "normal")
            truth = market.truth()
            true = [
                truth.rate(root, expiry) for root, expiry in frame.select("root", "expiry").rows()
            ]
            frames.append(
                frame.with_columns(
                    conditions=pl.lit(name),
                    seed=pl.lit(seed),
                    error=pl.col("rate") - pl.Series(true) / BP,
                )
            )
            told(f"simulated market, {name}, seed {seed}")
    return pl.concat(frames)


def by_tenor(errors: pl.DataFrame, estimator: str = OURS) -> pl.DataFrame:
    """Return ``conditions, tenor, expiries, rms, bias, std_error, covered`` (within 2 s.e.)."""
    own = errors.filter(pl.col("estimator") == estimator)
    frames = [
        _summary(
            own.filter(pl.col("days") >= low, pl.col("days") < high), ["conditions"]
        ).insert_column(1, pl.lit(tenor).alias("tenor"))
        for tenor, (low, high) in TENORS.items()
    ]
    order = {name: place for place, name in enumerate(CONDITIONS)}
    return pl.concat(frames).sort(pl.col("conditions").replace_strict(order), maintain_order=True)


def desk_errors(
    conventions: Mapping[str, Conventions],
    seeds: Sequence[int],
    days: Mapping[str, Conditions] = ERROR_DAYS,
    roots: tuple[str, ...] = ("SPX", "SPXW"),
    told: Callable[[str], None] = lambda _: None,
) -> pl.DataFrame:
    """Return how far the curves of desks are off the truth on days of several kinds.

    Args:
        conventions: by the name of the estimator that they ask for; rates become continuous.
        seeds: of the markets; each estimator sees the same ones.
        days: kinds of day by name.
        roots: option roots to list.
        told: called with what has been measured.

    Returns:
        ``estimator, day, seed, root, expiry, days, error, std_error`` (bp, continuous; NaN where
        there is no fair rate), a row an expiry with something left of the loan.
    """
    frames = []
    for day, conditions in days.items():
        for seed in seeds:
            market = market_of_day(conditions, seed, roots)
            chain, truth = chain_of(market), market.truth()
            for name, asked in conventions.items():
                desk = Desk(chain, replace(asked, compounding=Compounding.CONTINUOUS))
                curve = pl.concat([desk.curve(root) for root in roots]).filter(pl.col("days") > 0)
                keys = curve.select("root", "expiry").rows()
                true = pl.Series([truth.rate(*key) for key in keys], dtype=pl.Float64)
                frames.append(
                    curve.select(
                        pl.lit(name).alias("estimator"),
                        pl.lit(day).alias("day"),
                        pl.lit(seed).alias("seed"),
                        "root",
                        "expiry",
                        "days",
                        ((pl.col("fair_rate") - true) / BP).alias("error"),
                        pl.col("std_error_bps").alias("std_error"),
                    )
                )
            told(f"desks on the simulated market, {day}, seed {seed}")
    return pl.concat(frames)


def coverage(errors: pl.DataFrame) -> pl.DataFrame:
    """Return how well standard errors hold the truth, by estimator, day and tenor.

    Args:
        errors: as of ``desk_errors``.

    Returns:
        ``estimator, day, tenor, expiries, rms, bias, std_error, covered`` (within 2 s.e.), in the
        order of ``errors`` and of ``TENORS``. Expiries without a fair rate do not count.
    """
    groups = ["estimator", "day"]
    order = errors.select(groups).unique(maintain_order=True).with_row_index("place")
    frames = [
        _summary(errors.filter(pl.col("days") >= low, pl.col("days") < high), groups).insert_column(
            2, pl.lit(tenor).alias("tenor")
        )
        for tenor, (low, high) in TENORS.items()
    ]
    table = pl.concat(frames).join(order, on=groups, maintain_order="left")
    return table.sort("place", maintain_order=True).drop("place")


def by_estimator(errors: pl.DataFrame) -> pl.DataFrame:
    """Return the same for each estimator on normal days, at 21-44 and at 60 days or more."""
    normal = errors.filter(pl.col("conditions") == "normal")
    frames = []
    for tenor in ("21-44", "≥ 60"):
        low, high = TENORS[tenor]
        rows = normal.filter(pl.col("days") >= low, pl.col("days") < high)
        frames.append(_summary(rows, ["estimator"]).insert_column(1, pl.lit(tenor).alias("tenor")))
    return pl.concat(frames)


def _summary(rows: pl.DataFrame, by: list[str]) -> pl.DataFrame:
    known = rows.filter(pl.col("error").is_finite())
    return known.group_by(by, maintain_order=True).agg(
        expiries=pl.len(),
        rms=(pl.col("error") ** 2).mean().sqrt(),
        bias=pl.col("error").mean(),
        std_error=(pl.col("std_error") ** 2).mean().sqrt(),
        covered=(pl.col("error").abs() < 2 * pl.col("std_error")).mean(),
    )
