"""Compare estimators on real chains in about a minute, as text; see ``--help``."""

from __future__ import annotations

import argparse
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

import polars as pl

from benchmarks.accuracy import rate_curves
from benchmarks.accuracy.agreement import LONG_TENORS_DAYS, TENORS_DAYS
from benchmarks.accuracy.chain_files import panel_moments, read_chain_files
from benchmarks.accuracy.day_to_day import day_to_day
from benchmarks.accuracy.goals import GOALS
from benchmarks.accuracy.left_out import by_claim, foretold, long_medians
from benchmarks.accuracy.levels import KNOWN_BPS, KNOWN_DAYS, known_level, over_treasuries
from benchmarks.accuracy.over_time import calm_week, over_moments, over_week, two_week_rates
from benchmarks.accuracy.rate_curves import FIT_LABELS, Fitted, desk_estimator
from benchmarks.accuracy.real_half import RealHalf
from benchmarks.accuracy.root_pairs import root_pairs
from benchmarks.accuracy.strike_halves import strike_halves
from benchmarks.accuracy.tables import difference_lines, tenor_lines
from benchmarks.accuracy.weekend import weekend
from live_box_spreads.books.kernels import KINKED, PARITY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.accuracy.chain_files import ChainFile

LINES = {
    "least_squares": rate_curves.LEAST_SQUARES,
    "robust": rate_curves.ROBUST_LINE,
}
DEFAULT = ("joint", "per_expiry")
SECTIONS = ("weekend", "halves", "pairs", "steps", "levels", "panel", "left_out")


def main() -> None:
    """Print the sections that were asked for."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.accuracy.compare",
        description="Compare estimators of the fair rate on real chains, in bp.",
        epilog="example: python -m benchmarks.accuracy.compare --data ../data --fit joint",
    )
    parser.add_argument("--data", type=Path, required=True, help="folder with the real data")
    parser.add_argument(
        "--fit",
        action="append",
        choices=[*FIT_LABELS, *LINES],
        help="an estimator, again for more; joint and per_expiry if not given",
    )
    parser.add_argument("--section", action="append", choices=SECTIONS, help="all if not given")
    parser.add_argument("--by-chain", action="store_true", help="each difference too")
    asked = parser.parse_args()
    PARITY.load()
    KINKED.load()
    estimators = {}
    for fit in asked.fit or DEFAULT:
        if fit in LINES:
            estimators[LINES[fit]] = rate_curves.ESTIMATORS[LINES[fit]]
        else:
            label = FIT_LABELS[fit]
            estimators[label] = rate_curves.ESTIMATORS.get(label) or desk_estimator(fit)
    fits = {FIT_LABELS[fit]: fit for fit in asked.fit or DEFAULT if fit in FIT_LABELS}
    _print(asked.data, Fitted(estimators, fits), asked.section or SECTIONS, by_chain=asked.by_chain)


def _print(data: Path, fitted: Fitted, sections: Sequence[str], *, by_chain: bool) -> None:
    started = perf_counter()
    files = read_chain_files(data)
    print(f"{len(files)} chains read in {perf_counter() - started:.0f} s; all numbers in bp")
    seen: dict[str, pl.DataFrame] = {}
    if "weekend" in sections:
        seen["weekend"] = weekend(files, fitted)
        _weekend(seen["weekend"])
    if "halves" in sections:
        seen["halves"] = strike_halves(files, fitted)
        _agreement("Strikes below less above the forward", seen["halves"], "root", each=by_chain)
    if "pairs" in sections:
        seen["pairs"] = root_pairs(files, fitted)
        _agreement("Root against root", seen["pairs"], "pair", each=by_chain)
    if "steps" in sections:
        seen["steps"] = day_to_day(files, fitted, data)
        print(f"\nSnapshot to snapshot, less Treasuries: {' / '.join(map(str, LONG_TENORS_DAYS))}")
        _tenors(seen["steps"], "step")
    if "levels" in sections:
        seen |= _levels(files, fitted, data)
    if "panel" in sections:
        seen |= _over_time(files, fitted, data)
    if "left_out" in sections:
        seen["foretold"] = _left_out(files, fitted)
    if set(sections) == set(SECTIONS):
        _goals(files, seen, fitted)
    print(f"\n{perf_counter() - started:.0f} s")


def _weekend(frame: pl.DataFrame) -> None:
    rate, error = pl.col("rate_bps").round(1), pl.col("own_error_bps").round(1)
    shown = frame.with_columns(said=pl.format("{}±{}", rate, error))
    print("\nWeekend 2025-08-29: rates to the same payment dates ± s.e.")
    _rows(shown.pivot("snapshot", index=["root", "days", "estimator"], values="said"))
    print("\nFrom Friday, market closed")
    closed = frame.filter("closed")
    _rows(difference_lines(closed, ["root", "snapshot", "estimator"]))


def _agreement(title: str, frame: pl.DataFrame, kind: str, *, each: bool) -> None:
    print(f"\n{title}: {' / '.join(map(str, TENORS_DAYS))} days")
    _tenors(frame, kind)
    if each:
        _rows(difference_lines(frame, ["chain", kind, "estimator"]))


def _tenors(frame: pl.DataFrame, kind: str) -> None:
    _rows(tenor_lines(frame, kind).drop("median without it", "worst"))


def _levels(files: Sequence[ChainFile], fitted: Fitted, data: Path) -> dict[str, pl.DataFrame]:
    low, high = KNOWN_BPS
    print(f"\n2022-09-13, {KNOWN_DAYS} days: between {low:.0f} and {high:.0f}")
    level = known_level(files, fitted)
    _rows(level)
    print("\nOver Treasuries, by days")
    over = over_treasuries(files, fitted, data)
    said = over.filter(pl.col("over_bps").is_finite()).with_columns(
        said=pl.format("{}±{}", pl.col("over_bps").round(1), pl.col("error_bps").round(1)),
        which=pl.format("{} {}", "estimator", "days"),
    )
    _rows(said.pivot("which", index=["chain", "root"], values="said"))
    return {"level": level, "treasuries": over}


def _over_time(files: Sequence[ChainFile], fitted: Fitted, data: Path) -> dict[str, pl.DataFrame]:
    print("\nTwo-week rate over the moments of the intraday panel")
    moments = over_moments(two_week_rates(panel_moments(data), fitted))
    _rows(moments)
    print("\nOne-month rate over the snapshots of a calm week")
    week = over_week(calm_week(files, fitted))
    _rows(week)
    return {"moments": moments, "week": week}


def _left_out(files: Sequence[ChainFile], fitted: Fitted) -> pl.DataFrame:
    rows = foretold(files, [*fitted.fits])
    print("\nEach expiry foretold by the others, by standard error claimed; from 60 days on")
    if not rows.is_empty():
        _rows(by_claim(rows))
        _rows(long_medians(rows, ["estimator"]))
    return rows


def _goals(files: Sequence[ChainFile], seen: dict[str, pl.DataFrame], fitted: Fitted) -> None:
    # The sections that are left out here are those that no goal is about.
    missing = dict.fromkeys(["again", "published", "printed", "worse"], pl.DataFrame())
    half = RealHalf(files=files, **seen, **missing)
    words = {True: "met", False: "NOT MET", None: ""}
    print("\nGoals")
    rows = []
    for goal, reached in GOALS:
        row = {"goal": goal}
        for label in fitted.fits:
            said, met = reached(half, label)
            row |= {label: said, f"{label}?": words[met]}
        rows.append(row)
    _rows(pl.DataFrame(rows))


def _rows(frame: pl.DataFrame) -> None:
    """Print a frame, columns as wide as they need."""
    if frame.is_empty():
        return

    def said(value: object) -> str:
        return f"{value:.1f}" if isinstance(value, float) else str(value)

    rows = [frame.columns, *([said(value) for value in row] for row in frame.rows())]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)))


if __name__ == "__main__":
    main()
