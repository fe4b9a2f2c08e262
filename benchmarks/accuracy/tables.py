"""Frames as tables of a page, and figures over tenors in one line."""

from __future__ import annotations

from math import isnan
from typing import TYPE_CHECKING, Any

import polars as pl

from benchmarks.accuracy.agreement import coverage_of, summary

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

UNKNOWN = "-"
_FIGURES = {
    "rms_bps": "RMS",
    "median_bps": "median",
    "error_bps": "its s.e.",
    "rms_without_bps": "RMS without the worst chain",
    "median_without_bps": "median without it",
}


def frame_table(
    frame: pl.DataFrame, heads: Mapping[str, str], forms: Mapping[str, str] | None = None
) -> str:
    """Return some columns of a frame as a table; floats with one decimal unless told."""
    forms = forms or {}

    def said(name: str, value: Any) -> str:
        if isinstance(value, float):
            return "" if isnan(value) else forms.get(name, "{:.1f}").format(value)
        return "" if value is None else str(value)

    rows = [[said(name, row[name]) for name in heads] for row in frame.to_dicts()]
    return table(list(heads.values()), rows)


def table(head: list[str], rows: Iterable[list[str]]) -> str:
    """Return rows of text as a table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def verdict(*, met: bool) -> str:
    """Return the word for a goal."""
    return "met" if met else "**not met**"


def across(values: Iterable[float | None], form: str = "{:.1f}") -> str:
    """Return figures by tenor in one cell, such as ``9.1 / 5.0``."""
    return " / ".join(
        UNKNOWN if value is None or isnan(value) else form.format(value) for value in values
    )


def tenor_lines(frame: pl.DataFrame, kind: str) -> pl.DataFrame:
    """Return a line a kind and estimator: figures by tenor, and the coverage of all together.

    Args:
        frame: ``chain, estimator, days, apart_bps, error_bps`` and ``kind``.
        kind: column that says what is compared.

    Returns:
        ``kind``, ``estimator, chains``, the figures of ``summary`` by tenor, ``worst`` (the chain
        with most of the squares of all tenors), ``within`` (by tenor) and ``coverage``, all text.
    """
    by = [kind, "estimator"]
    # Kinds and estimators each in the order in which they first appear.
    order = [pl.col(name).cast(pl.Enum(frame[name].unique(maintain_order=True))) for name in by]
    lines = []
    for key, own in frame.sort(order, maintain_order=True).group_by(by, maintain_order=True):
        known = own.filter(pl.col("apart_bps").is_finite())
        if known.is_empty():
            continue
        tenors = summary(known, ["days"])
        [whole] = summary(known, []).to_dicts()
        lines.append(
            dict(zip(by, key, strict=True))
            | {"chains": str(known["chain"].n_unique())}
            | {head: across(tenors[name]) for name, head in _FIGURES.items()}
            | {
                "worst": whole["worst"],
                "within": " / ".join(map(str, tenors["within"])),
                "coverage": str(coverage_of(known)),
            }
        )
    return pl.DataFrame(lines)


def tenor_table(frame: pl.DataFrame, kind: str, head: str) -> str:
    """Return ``tenor_lines`` as a table of the page."""
    lines = tenor_lines(frame, kind)
    names = [*_FIGURES.values()]
    return frame_table(
        lines,
        {kind: head, "estimator": "estimator", "chains": "chains"}
        | dict(zip(names, names, strict=True))
        | {"worst": "worst chain", "coverage": "within ±2 s.e."},
    )


def difference_lines(frame: pl.DataFrame, index: list[str]) -> pl.DataFrame:
    """Return one line for each difference of two curves: signed, by tenor, with its s.e.

    Args:
        frame: ``days, apart_bps, error_bps`` and ``index``.
        index: what makes a line.

    Returns:
        ``index`` and ``apart, error, coverage``, all text.
    """
    lines = []
    for key, own in frame.group_by(index, maintain_order=True):
        known = own.filter(pl.col("apart_bps").is_finite()).sort("days")
        if known.is_empty():
            continue
        lines.append(
            dict(zip(index, key, strict=True))
            | {
                "apart": across(known["apart_bps"], "{:+.1f}"),
                "error": across(known["error_bps"]),
                "coverage": str(coverage_of(known)),
            }
        )
    return pl.DataFrame(lines)
