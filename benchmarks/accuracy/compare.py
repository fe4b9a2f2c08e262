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
from benchmarks.accuracy.left_out import by_claim, foretold, long_medians
from benchmarks.accuracy.levels import KNOWN_BPS, KNOWN_DAYS, known_level, over_treasuries
from benchmarks.accuracy.over_time import calm_week, over_moments, over_week, two_week_rates
from benchmarks.accuracy.rate_curves import FIT_LABELS, Fitted, desk_estimator
from benchmarks.accuracy.root_pairs import root_pairs
from benchmarks.accuracy.strike_halves import strike_halves
from benchmarks.accuracy.tables import tenor_lines
from benchmarks.accuracy.weekend import weekend
from live_box_spreads.books.kernels import PARITY

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
    estimators = {}
    for fit in asked.fit or DEFAULT:
        if fit in LINES:
            estimators[LINES[fit]] = rate_curves.ESTIMATORS[LINES[fit]]
        else:
            estimators[FIT_LABELS[fit]] = desk_estimator(fit)
    fits = {FIT_LABELS[fit]: fit for fit in asked.fit or DEFAULT if fit in FIT_LABELS}
    _print(asked.data, Fitted(estimators, fits), asked.section or SECTIONS, by_chain=asked.by_chain)


def _print(data: Path, fitted: Fitted, sections: Sequence[str], *, by_chain: bool) -> None:
    started = perf_counter()
    files = read_chain_files(data)
    print(f"{len(files)} chains read in {perf_counter() - started:.0f} s; all numbers in bp")
    if "weekend" in sections:
        _weekend(weekend(files, fitted))
    if "halves" in sections:
        halves = strike_halves(files, fitted).with_columns(kind=pl.col("root"))
        _agreement("Strikes below less above the forward", halves, each=by_chain)
    if "pairs" in sections:
        pairs = root_pairs(files, fitted).with_columns(kind=pl.col("pair"))
        _agreement("Root against root", pairs, each=by_chain)
    if "steps" in sections:
        steps = day_to_day(files, fitted, data).with_columns(kind=pl.col("step"))
        print(f"\nSnapshot to snapshot, less Treasuries: {' / '.join(map(str, LONG_TENORS_DAYS))}")
        _tenors(steps)
    if "levels" in sections:
        _levels(files, fitted, data)
    if "panel" in sections:
        print("\nTwo-week rate over the moments of the intraday panel")
        _rows(over_moments(two_week_rates(panel_moments(data), fitted)))
        print("\nOne-month rate over the snapshots of a calm week")
        _rows(over_week(calm_week(files, fitted)))
    if "left_out" in sections:
        _left_out(files, fitted)
    print(f"\n{perf_counter() - started:.0f} s")


def _weekend(frame: pl.DataFrame) -> None:
    rate, error = pl.col("rate_bps").round(1), pl.col("own_error_bps").round(1)
    shown = frame.with_columns(said=pl.format("{}±{}", rate, error))
    print("\nWeekend 2025-08-29: rates to the same payment dates ± s.e.")
    _rows(shown.pivot("snapshot", index=["root", "days", "estimator"], values="said"))
    print("\nFrom Friday, market closed")
    closed = frame.filter("closed").with_columns(kind=pl.format("{} {}", "snapshot", "root"))
    _tenors(closed)


def _agreement(title: str, frame: pl.DataFrame, *, each: bool) -> None:
    print(f"\n{title}: {' / '.join(map(str, TENORS_DAYS))} days")
    _tenors(frame)
    if each:
        apart, error = pl.col("apart_bps").round(1), pl.col("error_bps").round(1)
        said = frame.with_columns(said=pl.format("{}±{}", apart, error))
        _rows(said.pivot("days", index=["chain", "kind", "estimator"], values="said"))


def _tenors(frame: pl.DataFrame) -> None:
    _rows(tenor_lines(frame, "kind").drop("median without it", "worst"))


def _levels(files: Sequence[ChainFile], fitted: Fitted, data: Path) -> None:
    low, high = KNOWN_BPS
    print(f"\n2022-09-13, {KNOWN_DAYS} days: between {low:.0f} and {high:.0f}")
    _rows(known_level(files, fitted))
    print("\nOver Treasuries, by days")
    over = over_treasuries(files, fitted, data).with_columns(
        said=pl.format("{}±{}", pl.col("over_bps").round(1), pl.col("error_bps").round(1)),
        which=pl.format("{} {}", "estimator", "days"),
    )
    _rows(over.pivot("which", index=["chain", "root"], values="said"))


def _left_out(files: Sequence[ChainFile], fitted: Fitted) -> None:
    rows = foretold(files, fitted.fits)
    print("\nEach expiry foretold by the others, by standard error claimed; from 60 days on")
    if not rows.is_empty():
        _rows(by_claim(rows))
        _rows(long_medians(rows, ["estimator"]))


def _rows(frame: pl.DataFrame) -> None:
    """Print a frame, columns as wide as they need."""

    def said(value: object) -> str:
        return f"{value:.1f}" if isinstance(value, float) else str(value)

    rows = [frame.columns, *([said(value) for value in row] for row in frame.rows())]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)))


if __name__ == "__main__":
    main()
