"""The accuracy page: the text of ``page.md``, and tables from figures."""

from __future__ import annotations

from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

import polars as pl

from benchmarks.accuracy.estimates import OURS, ROBUST
from benchmarks.accuracy.real_chains import roughness
from benchmarks.accuracy.real_page import real_tables
from benchmarks.accuracy.simulated import by_estimator, by_tenor, coverage
from benchmarks.accuracy.tables import frame_table, table, verdict

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from benchmarks.accuracy.real_chains import RealChain
    from benchmarks.accuracy.real_half import RealHalf

TEXT = Path(__file__).with_name("page.md")
LONG = "≥ 60"
NORMAL_DAYS = ("normal", "quiet")
RMS_TARGET_BPS, COVERED_TARGET = 1.0, 0.92


def page(
    errors: pl.DataFrame, lagged: pl.DataFrame, chains: Sequence[RealChain], half: RealHalf
) -> str:
    """Return the whole page.

    Args:
        errors: rows of ``simulated_errors``.
        lagged: rows of ``desk_errors``.
        chains: the real chains by every estimator, for the section on simpler ways.
        half: what was measured on real chains.
    """
    claims = [*_simulated_claims(errors), _roughness_claim(chains)]
    return Template(TEXT.read_text(encoding="utf-8")).substitute(
        claims=table(["claim", "seen", ""], claims),
        seeds=errors["seed"].n_unique(),
        simulated=_simulated(errors),
        lagged=_lagged(lagged),
        estimators=_estimators(errors, chains),
        **real_tables(half),
    )


def _simulated_claims(errors: pl.DataFrame) -> Iterator[list[str]]:
    long = by_tenor(errors).filter(pl.col("tenor") == LONG).to_dicts()
    for row in long:
        if row["conditions"] in NORMAL_DAYS:
            claim = f"RMS error at most 1 bp from 60 days on, {row['conditions']} days"
            yield [claim, f"{row['rms']:.2f} bp", verdict(met=row["rms"] <= RMS_TARGET_BPS)]
    for row in long:
        claim = f"±2 s.e. hold the truth in 92 % or more, from 60 days on, {row['conditions']} days"
        yield [claim, f"{row['covered']:.1%}", verdict(met=row["covered"] >= COVERED_TARGET)]


def _roughness_claim(chains: Sequence[RealChain]) -> list[str]:
    rms = {row["estimator"]: row["rms"] for row in roughness(chains).to_dicts()}
    return [
        "smoother over expiries than a plain robust fit (RMS)",
        f"{rms[OURS]:.1f} against {rms[ROBUST]:.1f} bp",
        verdict(met=rms[OURS] < rms[ROBUST]),
    ]


def _simulated(errors: pl.DataFrame) -> str:
    both = by_tenor(errors).join(
        by_tenor(errors, ROBUST),
        on=["conditions", "tenor"],
        suffix="_robust",
        maintain_order="left",
    )
    return frame_table(
        both,
        {
            "conditions": "day",
            "tenor": "days to payment",
            "expiries": "expiries",
            "rms": "RMS error",
            "bias": "bias",
            "std_error": "s.e.",
            "covered": "within ±2 s.e.",
            "rms_robust": "robust line: RMS",
            "covered_robust": "within ±2 of its s.e.",
        },
        dict.fromkeys(["rms", "bias", "std_error", "rms_robust"], "{:,.2f}")
        | dict.fromkeys(["covered", "covered_robust"], "{:.1%}"),
    )


def _lagged(errors: pl.DataFrame) -> str:
    return frame_table(
        coverage(errors),
        {
            "estimator": "estimator",
            "day": "day",
            "tenor": "days to payment",
            "expiries": "expiries",
            "rms": "RMS error",
            "bias": "bias",
            "std_error": "s.e.",
            "covered": "within ±2 s.e.",
        },
        dict.fromkeys(["rms", "bias", "std_error"], "{:,.2f}") | {"covered": "{:.0%}"},
    )


def _estimators(errors: pl.DataFrame, chains: Sequence[RealChain]) -> str:
    by = by_estimator(errors).pivot("tenor", index="estimator", values="rms")
    return frame_table(
        roughness(chains).join(by, on="estimator", maintain_order="left"),
        {
            "estimator": "estimator",
            "21-44": "simulated, 21-44 days: RMS",
            LONG: "from 60 days: RMS",
            "median": "real: median",
            "p90": "90th percentile",
            "rms": "RMS",
        },
        {"21-44": "{:.2f}", LONG: "{:.2f}"},
    )
