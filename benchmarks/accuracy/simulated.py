"""What the estimators make of the simulated market, whose true rates are known."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from benchmarks.accuracy.estimates import BP, OURS, estimates
from live_box_spreads.model.chain import Chain, Timeliness
from live_box_spreads.simulator.market.conditions import CONDITIONS
from live_box_spreads.simulator.market.market import Market

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

OPENED = datetime(2026, 11, 24, 20, tzinfo=UTC)
TENORS = {
    "5-10": (5, 11),
    "11-20": (11, 21),
    "21-44": (21, 45),
    "45-59": (45, 60),
    "≥ 60": (60, 9999),
}
LONG_DAYS = 60


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
        }
    )
    return Chain.build(
        rows, snapshot_time=market.now, feed="simulated", timeliness=Timeliness.SIMULATED
    )


def simulated_errors(
    seeds: Sequence[int], told: Callable[[str], None] = lambda _: None
) -> pl.DataFrame:
    """Return the rows of ``estimates`` with ``conditions``, ``seed`` and ``error`` (bp).

    All plain estimators take part on normal days, the robust line on all.
    """
    frames = []
    for name, conditions in CONDITIONS.items():
        for seed in seeds:
            market = Market(OPENED, seed=seed, conditions=conditions)
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
