"""The tables of the page about real chains, by the name under which its text asks for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from benchmarks.accuracy.agreement import coverage_of
from benchmarks.accuracy.chain_files import PANEL, PANEL_ROOT
from benchmarks.accuracy.goals import goals_table
from benchmarks.accuracy.left_out import by_claim, long_medians
from benchmarks.accuracy.rate_curves import DESK_FITS
from benchmarks.accuracy.regressions import WORSE_BPS, WORSE_MEDIAN_BPS
from benchmarks.accuracy.root_pairs import MAIN_PAIR
from benchmarks.accuracy.tables import difference_lines, frame_table, table, tenor_table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.accuracy.real_half import RealHalf

_ESTIMATOR = {"estimator": "estimator"}
_WITHIN = {"coverage": "within ±2 s.e."}


def real_tables(half: RealHalf) -> dict[str, str]:
    """Return what ``page.md`` puts into its half about real chains, by name."""
    closed = half.weekend.filter("closed")
    return {
        "goals": goals_table(half),
        "files": _files(half),
        "files_count": str(len(half.files)),
        "files_chosen": str(sum(file.chosen_on for file in half.files)),
        "weekend_rates": _weekend_rates(half.weekend),
        "weekend": _differences(closed.sort("root", maintain_order=True), "root", "snapshot"),
        "weekend_coverage": _coverage(closed),
        "halves": tenor_table(half.halves, "root", "root"),
        "pairs": tenor_table(half.pairs, "pair", "roots"),
        "pairs_chains": _pairs_by_chain(half.pairs),
        "steps": _steps(half.steps),
        "steps_coverage": _coverage(half.steps),
        "treasuries": _treasuries(half.treasuries),
        "worse": _worse(half.worse),
        "worse_bps": f"{WORSE_BPS:g}",
        "worse_median_bps": f"{WORSE_MEDIAN_BPS:g}",
    } | dict([*_levels(half), *_left_out(half), *_published(half)])


def _levels(half: RealHalf) -> Iterator[tuple[str, str]]:
    """Yield the tables whose rates are in per cent: the known level, and calm times."""
    percent = {"mean": "{:.2f}", "rate": "{:.2f}"}
    yield (
        "level",
        frame_table(
            half.level.with_columns(rate=pl.col("rate_bps") / 100),
            {"root": "root"} | _ESTIMATOR | {"rate": "rate, %", "error_bps": "s.e., bp"},
            percent,
        ),
    )
    scatter = {"mean": "mean, %", "deviation_bps": "standard deviation, bp"}
    claimed = {"error_bps": "mean s.e. claimed, bp"}
    within = {"daily_bps": "of it within a day, bp"}
    moments = half.moments.with_columns(mean=pl.col("mean_bps") / 100)
    heads = _ESTIMATOR | {"moments": "moments"} | scatter | within | claimed
    yield "moments", frame_table(moments, heads, percent)
    week = half.week.with_columns(mean=pl.col("mean_bps") / 100)
    heads = {"root": "root"} | _ESTIMATOR | {"snapshots": "snapshots"} | scatter | claimed
    yield "week", frame_table(week, heads, percent)


def _files(half: RealHalf) -> str:
    rows = [
        [
            file.name,
            f"{file.chain.snapshot_time:%Y-%m-%d %H:%M} UTC",
            ", ".join(file.loan_roots),
            "choosing" if file.chosen_on else "showing only",
        ]
        for file in half.files
    ]
    moments = max(half.moments["moments"].to_list())
    panel = [PANEL.split(".")[0], f"{moments} moments", PANEL_ROOT, "choosing"]
    return table(["file", "quotes of", "roots", "used for"], [*rows, panel])


def _weekend_rates(frame: pl.DataFrame) -> str:
    """Return rates in per cent with their errors in bp, a column a snapshot."""
    said = frame.filter(pl.col("rate_bps").is_finite()).with_columns(
        rate=(pl.col("rate_bps") / 100).round(2).map_elements("{:.2f}".format, pl.String),
        error=pl.col("own_error_bps").map_elements("{:.1f}".format, pl.String),
    )
    known = pl.format("{} ± {}", "rate", "error")
    shown = said.with_columns(
        said=pl.when(pl.col("own_error_bps").is_finite()).then(known).otherwise("rate")
    )
    wide = shown.pivot("snapshot", index=["root", "days", "estimator"], values="said")
    # All estimators of one tenor beside each other.
    sorted_rows = wide.sort("root", "days", maintain_order=True)
    return frame_table(sorted_rows, {name: name for name in sorted_rows.columns})


def _differences(frame: pl.DataFrame, *index: str) -> str:
    """Return a line a difference and estimator: by tenor, with its standard error."""
    lines = difference_lines(frame, [*index, "estimator"])
    heads = {name: name for name in (*index, "estimator")}
    return frame_table(
        lines, heads | {"apart": "difference, bp", "error": "its s.e., bp"} | _WITHIN
    )


def _pairs_by_chain(frame: pl.DataFrame) -> str:
    """Return the differences of the main pair by chain, for the fits of a desk."""
    own = frame.filter(
        pl.col("pair") == ", ".join(MAIN_PAIR), pl.col("estimator").is_in([*DESK_FITS])
    )
    return _differences(own, "chain")


def _steps(frame: pl.DataFrame) -> str:
    known = frame.filter(pl.col("changed_bps").is_finite())
    said = known.with_columns(
        said=pl.col("changed_bps").map_elements("{:+.1f}".format, pl.String)
        + pl.when(pl.col("error_bps").is_finite())
        .then(pl.col("error_bps").map_elements(" ± {:.1f}".format, pl.String))
        .otherwise(pl.lit(""))
    )
    index = ["step", "root", "days", "treasury_bps"]
    wide = said.pivot("estimator", index=index, values="said")
    heads = {name: name for name in wide.columns} | {"treasury_bps": "Treasuries"}
    return frame_table(wide, heads, {"treasury_bps": "{:+.1f}"})


def _coverage(frame: pl.DataFrame) -> str:
    """Return how many of all differences of each estimator are within two standard errors."""
    rows = [
        [str(estimator), str(coverage_of(part))]
        for (estimator,), part in frame.group_by(["estimator"], maintain_order=True)
    ]
    return table(["estimator", "within ±2 s.e."], [row for row in rows if row[1]])


def _treasuries(frame: pl.DataFrame) -> str:
    months = {182: "6 m", 365: "12 m"}
    named = frame.with_columns(
        which=pl.col("estimator")
        + pl.lit(", ")
        + pl.col("days").replace_strict(months, return_dtype=pl.String)
    )
    wide = named.pivot("which", index=["chain", "root"], values="over_bps")
    heads = {name: name for name in wide.columns}
    return frame_table(wide, heads, dict.fromkeys(wide.columns[2:], "{:+.0f}"))


def _left_out(half: RealHalf) -> Iterator[tuple[str, str]]:
    claims = _ESTIMATOR | {"claimed": "s.e. claimed, bp", "count": "expiries"} | _WITHIN
    yield "foretold", frame_table(by_claim(half.foretold), claims)
    yield "again", frame_table(by_claim(half.again), claims)
    medians = {"count": "expiries", "median_bps": "median distance, bp"} | _WITHIN
    for name, frame in (("foretold", half.foretold), ("again", half.again)):
        long = long_medians(frame, ["estimator"])
        yield f"{name}_long", frame_table(long, _ESTIMATOR | medians)
    chains = long_medians(half.foretold, ["chain", "root", "estimator"])
    yield (
        "foretold_chains",
        frame_table(chains, {"chain": "chain", "root": "root"} | _ESTIMATOR | medians),
    )


def _published(half: RealHalf) -> Iterator[tuple[str, str]]:
    yield (
        "published",
        frame_table(
            half.published.with_columns(
                published=pl.col("published_bps") / 100, ours=pl.col("rate_bps") / 100
            ),
            _ESTIMATOR
            | {
                "months": "months",
                "published": "published, %",
                "ours": "ours, %",
                "error_bps": "s.e., bp",
                "apart_bps": "difference, bp",
            },
            {"published": "{:.2f}", "ours": "{:.2f}", "apart_bps": "{:+.1f}"},
        ),
    )
    yield (
        "printed",
        frame_table(
            half.printed,
            {
                "expiry": "expiry",
                "days": "days",
                "boxes": "boxes",
                "rate": "median rate, %",
                "scatter_bps": "median distance from it, bp",
                "spread_bps": "over Treasuries, bp",
            },
            {"days": "{:.0f}", "rate": "{:.2f}", "spread_bps": "{:+.0f}"},
        ),
    )


def _worse(frame: pl.DataFrame) -> str:
    if frame.is_empty():
        return "None."
    heads = {
        "measure": "measure",
        "chain": "chain",
        "roots": "roots",
        "where": "at days",
        "joint_bps": "joint, bp",
        "old_bps": "version 0.1.0, bp",
        "reason": "why",
    }
    return frame_table(frame, heads)
