"""What the fair curve should reach on real chains, what it does, and whether that is enough."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from benchmarks.accuracy.agreement import TENORS_DAYS, coverage_of, median, summary
from benchmarks.accuracy.left_out import LONG_DAYS
from benchmarks.accuracy.levels import KNOWN_BPS, KNOWN_DAYS
from benchmarks.accuracy.over_time import CALM_DAYS
from benchmarks.accuracy.rate_curves import FILTERED, JOINT, OLD
from benchmarks.accuracy.root_pairs import MAIN_PAIR
from benchmarks.accuracy.tables import UNKNOWN, across, table, verdict
from benchmarks.accuracy.weekend import friday_to

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.accuracy.real_half import RealHalf

RMS_BPS = (12.0, 10.0, 7.0, 5.0, 3.0)
MEDIAN_BPS = (5.0, 4.0, 3.0, 2.0, 1.5)
COVERED = 0.95
STEPS_COVERED = (0.90, 0.98)
WEEKEND_BPS, WEEKEND_DAYS = 20.0, 30
FILTERED_BPS = 4.0
LEFT_OUT_BPS = 2.0
TREASURY_BPS = (0.0, 60.0)
STRESS = "spx_20200320"

Seen = tuple[str, bool | None]
"""What was seen of one estimator, and whether it is enough; None where nothing was measured."""


def goals_table(half: RealHalf) -> str:
    """Return the goals with what the joint fit and version 0.1.0 reach, as a table."""
    head = ["goal on real chains", JOINT, OLD, f"{JOINT}: verdict"]
    rows = []
    for goal, seen in GOALS:
        joint, met = seen(half, JOINT)
        old, _ = seen(half, OLD)
        rows.append([goal, joint, old, "" if met is None else verdict(met=met)])
    return table(head, rows)


def _main_pair(half: RealHalf, estimator: str) -> pl.DataFrame:
    pair = ", ".join(MAIN_PAIR)
    return half.pairs.filter(pl.col("pair") == pair, pl.col("estimator") == estimator)


def _tenors(half: RealHalf, estimator: str, column: str, limits: Sequence[float]) -> Seen:
    by_days = dict(summary(_main_pair(half, estimator), ["days"]).select("days", column).rows())
    values = [by_days.get(days, np.nan) for days in TENORS_DAYS]
    met = all(value <= limit for value, limit in zip(values, limits, strict=True))
    return across(values), met


def _rms(half: RealHalf, estimator: str) -> Seen:
    return _tenors(half, estimator, "rms_bps", RMS_BPS)


def _median(half: RealHalf, estimator: str) -> Seen:
    return _tenors(half, estimator, "median_bps", MEDIAN_BPS)


def _pair_coverage(half: RealHalf, estimator: str) -> Seen:
    covered = coverage_of(_main_pair(half, estimator))
    return str(covered), covered.share >= COVERED


def _steps(half: RealHalf, estimator: str) -> Seen:
    covered = coverage_of(half.steps.filter(pl.col("estimator") == estimator))
    low, high = STEPS_COVERED
    return str(covered), low <= covered.share <= high


def _weekend(half: RealHalf, estimator: str) -> Seen:
    moved = friday_to(half.weekend, "Sunday night", WEEKEND_DAYS)
    own = moved.filter(pl.col("estimator") == estimator)
    said = ", ".join(f"{root} {apart:+.1f}" for root, _, apart in own.rows())
    return f"{said} bp", bool((own["apart_bps"].abs() <= WEEKEND_BPS).all())


def _filtered(half: RealHalf, estimator: str) -> Seen:
    # The filter belongs to the joint fit; version 0.1.0 has single snapshots only.
    label = FILTERED if estimator == JOINT else estimator
    own = half.week.filter(pl.col("estimator") == label)
    if own.is_empty():
        return "not measured", None
    said = ", ".join(f"{row['root']} {row['deviation_bps']:.1f}" for row in own.to_dicts())
    return f"{said} bp", bool((own["deviation_bps"] <= FILTERED_BPS).all())


def _level(half: RealHalf, estimator: str) -> Seen:
    own = half.level.filter(pl.col("estimator") == estimator)
    said = ", ".join(f"{row['root']} {row['rate_bps'] / 100:.2f}" for row in own.to_dicts())
    return f"{said} %", bool(own["inside"].all())


def _left_out(half: RealHalf, estimator: str) -> Seen:
    own = half.foretold.filter(pl.col("estimator") == estimator, pl.col("days") >= LONG_DAYS)
    middle = median(own["apart_bps"].abs())
    return f"{middle:.1f} bp", middle <= LEFT_OUT_BPS


def _treasuries(half: RealHalf, estimator: str) -> Seen:
    own = half.treasuries.filter(
        pl.col("estimator") == estimator,
        ~pl.col("chain").str.starts_with(STRESS),
        pl.col("over_bps").is_finite(),
    )["over_bps"].to_numpy()
    if not own.size:
        return UNKNOWN, None
    low, high = TREASURY_BPS
    met = bool(low <= own.min() and own.max() <= high)
    return f"{own.min():.0f} to {own.max():.0f} bp", met


_TENORS = across([float(days) for days in TENORS_DAYS], "{:.0f}")
_RMS_LIMITS, _MEDIAN_LIMITS = across(RMS_BPS, "{:g}"), across(MEDIAN_BPS, "{:g}")
_PAIR = " against ".join(MAIN_PAIR)
_LOW, _HIGH = KNOWN_BPS
GOALS: list[tuple[str, Callable[[RealHalf, str], Seen]]] = [
    (f"{_PAIR}, RMS at {_TENORS} days at most {_RMS_LIMITS} bp", _rms),
    (f"{_PAIR}, median at most {_MEDIAN_LIMITS} bp", _median),
    (f"{_PAIR} within ±2 s.e.: at least {COVERED:.0%}".replace("%", " %"), _pair_coverage),
    (
        (
            f"change from snapshot to snapshot, less that of Treasuries, within ±2 s.e.: "
            f"{100 * STEPS_COVERED[0]:.0f} to {100 * STEPS_COVERED[1]:.0f} %"
        ),
        _steps,
    ),
    (
        f"Friday to Sunday, markets closed, at {WEEKEND_DAYS} days: at most {WEEKEND_BPS:.0f} bp",
        _weekend,
    ),
    (
        (
            f"filtered, {CALM_DAYS} days, standard deviation over a calm week: "
            f"at most {FILTERED_BPS:.0f} bp"
        ),
        _filtered,
    ),
    (
        f"2022-09-13 at {KNOWN_DAYS} days: between {_LOW / 100:.1f} and {_HIGH / 100:.1f} %",
        _level,
    ),
    (
        (
            f"each expiry foretold by the others, from {LONG_DAYS} days on: median at most "
            f"{LEFT_OUT_BPS:.1f} bp"
        ),
        _left_out,
    ),
    (
        (
            f"over Treasuries at 6 and 12 months, outside stress: {TREASURY_BPS[0]:.0f} to "
            f"{TREASURY_BPS[1]:.0f} bp"
        ),
        _treasuries,
    ),
]
