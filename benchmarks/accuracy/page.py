"""The accuracy page: the text of ``page.md``, and tables from figures."""

from __future__ import annotations

from math import isnan
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from benchmarks.accuracy import real_chains as real
from benchmarks.accuracy.estimates import OURS, ROBUST
from benchmarks.accuracy.simulated import by_estimator, by_tenor

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from benchmarks.accuracy.real_chains import RealChain

TEXT = Path(__file__).with_name("page.md")
LONG = "≥ 60"
NORMAL_DAYS = ("normal", "quiet")
RMS_TARGET_BPS, COVERED_TARGET = 1.0, (0.92, 0.98)
TREASURY_TARGET_BPS = (0.0, 60.0)
STRESS = "spx_20200320"
PAIRS = [("SPX", "SPXW"), ("SPX", "XSP"), ("SPXW", "XSP")]


def page(errors: pl.DataFrame, chains: Sequence[RealChain], data: Path) -> str:
    """Return the whole page.

    Args:
        errors: rows of ``simulated_errors``.
        chains: all real chains.
        data: folder of the real data.
    """
    told = real.foretold(chains)
    within = pl.col("covered") * pl.col("expiries")
    share = _number(told, within.sum() / pl.col("expiries").sum())
    claims = [*_simulated_claims(errors), *_real_claims(chains, data)]
    return Template(TEXT.read_text(encoding="utf-8")).substitute(
        claims=_table(["claim", "seen", ""], claims),
        seeds=errors["seed"].n_unique(),
        simulated=_simulated(errors),
        foretold_share=f"{share:.1%} of {told['expiries'].sum()}",
        foretold=_frame(
            told,
            {
                "chain": "chain",
                "root": "root",
                "expiries": "expiries",
                "median_off_bps": "median distance, bp",
                "covered": "within ±2 s.e.",
                "excess_bps": "excess, bp",
            },
            {"covered": "{:.0%}"},
        ),
        agreement=_agreements(chains),
        treasuries=_frame(
            real.over_treasuries(chains, data),
            {"chain": "chain", "root": "root", "6m": "6 months", "12m": "12 months"},
            {"6m": "{:+.0f}", "12m": "{:+.0f}"},
        ),
        published=_frame(
            real.against_published(_named(chains, "20110124"), data),
            {"months": "months", "published": "published", "ours": "ours", "error_bps": "s.e., bp"},
            {"published": "{:.2f}", "ours": "{:.2f}"},
        ),
        printed=_frame(
            real.printed(data),
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
        estimators=_estimators(errors, chains),
    )


def _simulated_claims(errors: pl.DataFrame) -> Iterator[list[str]]:
    long = by_tenor(errors).filter(pl.col("tenor") == LONG).to_dicts()
    for row in long:
        if row["conditions"] in NORMAL_DAYS:
            claim = f"RMS error at most 1 bp from 60 days on, {row['conditions']} days"
            yield [claim, f"{row['rms']:.2f} bp", _verdict(met=row["rms"] <= RMS_TARGET_BPS)]
    low, high = COVERED_TARGET
    for row in long:
        claim = f"±2 s.e. hold the truth in 92 to 98 %, from 60 days on, {row['conditions']} days"
        yield [claim, f"{row['covered']:.1%}", _verdict(met=low <= row["covered"] <= high)]


def _real_claims(chains: Sequence[RealChain], data: Path) -> Iterator[list[str]]:
    rms = {row["estimator"]: row["rms"] for row in real.roughness(chains).to_dicts()}
    yield [
        "smoother over expiries than a plain robust fit (RMS)",
        f"{rms[OURS]:.1f} against {rms[ROBUST]:.1f} bp",
        _verdict(met=rms[OURS] < rms[ROBUST]),
    ]
    pairs = _pairs(chains)
    for one, other in PAIRS[:2]:
        within = _share_within(pairs[one, other])
        claim = f"{one} and {other} agree within their standard errors (95 % within 2)"
        yield [claim, f"{within:.0%}", _verdict(met=within >= COVERED_TARGET[0])]
    spreads = real.over_treasuries(chains, data).filter(~pl.col("chain").str.starts_with(STRESS))
    values = np.concatenate([spreads["6m"].drop_nans(), spreads["12m"].drop_nans()])
    low, high = TREASURY_TARGET_BPS
    yield [
        "box over Treasury at 6 and 12 months between 0 and 60 bp, outside stress",
        f"{values.min():.0f} to {values.max():.0f} bp",
        _verdict(met=low <= values.min() and values.max() <= high),
    ]
    published = real.against_published(_named(chains, "20110124"), data)
    off = _number(published, ((pl.col("ours") - pl.col("published")) * 100).abs().max())
    yield ["2011-01-24, distance from the published box rates", f"up to {off:.1f} bp", ""]


def _simulated(errors: pl.DataFrame) -> str:
    both = by_tenor(errors).join(
        by_tenor(errors, ROBUST),
        on=["conditions", "tenor"],
        suffix="_robust",
        maintain_order="left",
    )
    return _frame(
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


def _estimators(errors: pl.DataFrame, chains: Sequence[RealChain]) -> str:
    by = by_estimator(errors).pivot("tenor", index="estimator", values="rms")
    return _frame(
        real.roughness(chains).join(by, on="estimator", maintain_order="left"),
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


def _pairs(chains: Sequence[RealChain]) -> dict[tuple[str, str], pl.DataFrame]:
    tables = {
        root: _named(chains, f"{name}_20230914").table.filter(pl.col("root") == root)
        for root, name in (("SPX", "spx"), ("SPXW", "spx"), ("XSP", "xsp"))
    }
    return {(one, other): real.agreement(tables[one], tables[other]) for one, other in PAIRS}


def _share_within(pair: pl.DataFrame) -> float:
    return _number(pair, (pl.col("apart_bps").abs() < 2 * pl.col("error_bps")).mean())


def _number(frame: pl.DataFrame, expression: pl.Expr) -> float:
    return float(frame.select(expression).item())


def _agreements(chains: Sequence[RealChain]) -> str:
    head = [
        "roots",
        "expiries",
        "median distance, bp",
        "its s.e., bp",
        "within ±2 s.e.",
        "median difference, bp",
    ]
    rows = [
        [
            f"{one}, {other}",
            str(len(pair)),
            f"{_number(pair, pl.col('apart_bps').abs().median()):.1f}",
            f"{_number(pair, pl.col('error_bps').median()):.1f}",
            f"{_share_within(pair):.0%}",
            f"{_number(pair, pl.col('apart_bps').median()):+.1f}",
        ]
        for (one, other), pair in _pairs(chains).items()
    ]
    return _table(head, rows)


def _frame(frame: pl.DataFrame, heads: Mapping[str, str], forms: Mapping[str, str]) -> str:
    """Return some columns of a frame as a table; floats with one decimal unless told."""

    def said(name: str, value: Any) -> str:
        if isinstance(value, float):
            return "" if isnan(value) else forms.get(name, "{:.1f}").format(value)
        return str(value)

    rows = [[said(name, row[name]) for name in heads] for row in frame.to_dicts()]
    return _table(list(heads.values()), rows)


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _verdict(*, met: bool) -> str:
    return "met" if met else "**not met**"


def _named(chains: Sequence[RealChain], part: str) -> RealChain:
    [found] = [chain for chain in chains if part in chain.name]
    return found
