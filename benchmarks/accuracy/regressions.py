"""Where the joint fit does worse than version 0.1.0 on a real chain, named."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from benchmarks.accuracy.rate_curves import JOINT, OLD

if TYPE_CHECKING:
    from collections.abc import Mapping

WORSE_BPS = 3.0
"""Less than this is not told: a difference is of two rates, each with an error of its own."""
WORSE_MEDIAN_BPS = 0.5
"""Likewise for the median distance of some dozen expiries."""
_COLUMNS = ("measure", "chain", "roots", "where", "joint_bps", "old_bps", "reason")
REASONS: Mapping[tuple[str, str], str] = {
    ("root against root", "spx_20110124_1403"): "SPXPM has four expiries",
    ("root against root", "spx_20181018_1615"): "two sets of scales explain the chain alike",
    (
        "root against root",
        "spx_20200320_dl20200322_1824",
    ): "half-spreads of 5 to 30 points; within one standard error",
    ("root against root", "spx_20250829_dl20250831_2233GTH"): "within one standard error",
    ("foretold by the others", "spx_20110124_1403"): "SPXPM has four expiries",
}
"""Why, where it is known, by measure and chain."""
USUAL_REASONS: Mapping[str, str] = {
    "strikes below against above": "likely: one side of the forward tells kink and slope apart "
    "badly, and all expiries share that error"
}
"""What is likely the reason, by measure."""


def worse_at_tenors(measure: str, frame: pl.DataFrame, by: str) -> pl.DataFrame:
    """Return the differences that the joint fit makes larger.

    Args:
        measure: what the differences are of, in words.
        frame: ``chain, estimator, days, apart_bps`` and ``by``.
        by: column of the roots.

    Returns:
        ``measure, chain, roots, where`` (days), ``joint_bps, old_bps`` (by tenor), ``reason``; all
        text, a row a chain and root.
    """
    worse = _worse(measure, frame, ["chain", by, "days"], "apart_bps", WORSE_BPS)
    return (
        worse.sort("days", maintain_order=True)
        .group_by("measure", "chain", pl.col(by).alias("roots"), "reason", maintain_order=True)
        .agg(
            where=_joined("days", "{:.0f}"),
            joint_bps=_joined("joint_bps"),
            old_bps=_joined("old_bps"),
        )
        .select(*_COLUMNS)
        .sort("chain", "roots", maintain_order=True)
    )


def _joined(name: str, form: str = "{:.1f}") -> pl.Expr:
    """Return the figures of the tenors in one cell."""
    text = pl.col(name).cast(pl.Float64).map_elements(form.format, pl.String)
    return text.str.join(" / ")


def worse_medians(measure: str, frame: pl.DataFrame) -> pl.DataFrame:
    """Return the chains and roots whose median the joint fit makes larger.

    Args:
        measure: what the median is of, in words.
        frame: ``chain, root, estimator, median_bps``.
    """
    worse = _worse(measure, frame, ["chain", "root"], "median_bps", WORSE_MEDIAN_BPS)
    return worse.select(
        "measure",
        "chain",
        pl.col("root").alias("roots"),
        pl.lit("from 60").alias("where"),
        pl.col("joint_bps", "old_bps").map_elements("{:.1f}".format, pl.String),
        "reason",
    )


def _worse(
    measure: str, frame: pl.DataFrame, index: list[str], value: str, by_more_than: float
) -> pl.DataFrame:
    of = {
        label: frame.filter(pl.col("estimator") == label).select(*index, pl.col(value).abs())
        for label in (JOINT, OLD)
    }
    both = of[JOINT].join(of[OLD], on=index, suffix="_old", maintain_order="left")
    old = f"{value}_old"
    return both.filter(
        pl.col(value).is_finite(),
        pl.col(old).is_finite(),
        pl.col(value) > pl.col(old) + by_more_than,
    ).select(
        pl.lit(measure).alias("measure"),
        *index,
        pl.col(value).alias("joint_bps"),
        pl.col(old).alias("old_bps"),
        pl.col("chain")
        .map_elements(lambda chain: _reason(measure, chain), pl.String)
        .alias("reason"),
    )


def _reason(measure: str, chain: str) -> str:
    return REASONS.get((measure, chain)) or USUAL_REASONS.get(measure, "not known")
