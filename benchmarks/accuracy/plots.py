"""The pictures of the accuracy page, drawn by matplotlib (it needs no browser)."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
import polars as pl

from benchmarks.accuracy.estimates import OURS
from live_box_spreads.books.strikes.blocks import StrikeBlocks
from live_box_spreads.model.quality import QualityRules
from live_box_spreads.model.rates import Compounding
from tests.books.by_desk import synthetics

mpl.use("agg")
from matplotlib import pyplot as plt  # after the backend is chosen
from matplotlib.ticker import NullFormatter, ScalarFormatter

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date
    from pathlib import Path

    from benchmarks.accuracy.real_chains import RealChain
    from live_box_spreads.model.chain import Chain

DOTS_AN_INCH = 80
PANELS_A_ROW = 4
TITLE_LETTERS = 28
INK, ACCENT, SOFT = "#22303c", "#c2410c", "#94a3b8"


def errors_by_tenor(errors: pl.DataFrame, path: Path) -> None:
    """Draw the error of each expiry of normal days with the two standard errors it admits."""
    rows = errors.filter(pl.col("conditions") == "normal", pl.col("estimator") == OURS).sort("days")
    figure, (left, right) = plt.subplots(1, 2, figsize=(11, 3.6))
    left.plot(rows["days"], rows["error"], ".", ms=3, color=ACCENT, label="error")
    typical = rows.group_by("days", maintain_order=True).agg(pl.col("std_error").median(), pl.len())
    for sign in (1, -1):
        left.plot(
            typical["days"],
            sign * 2 * typical["std_error"],
            color=INK,
            lw=0.8,
            label="± 2 standard errors (median)" if sign > 0 else None,
        )
    left.set(xscale="log", yscale="symlog", xlabel="days", ylabel="error, bp", xlim=(4, None))
    left.set_title("Simulated market, normal days: fair rate less the truth")
    left.legend(frameon=False)
    bins = np.linspace(-4, 4, 33)
    for name, colour in (("normal", ACCENT), ("quiet", SOFT), ("wide", INK)):
        own = errors.filter(pl.col("conditions") == name, pl.col("estimator") == OURS)
        scaled = (own["error"] / own["std_error"]).drop_nans()
        right.hist(scaled, bins=bins, density=True, histtype="step", color=colour, label=name)
    right.plot(bins, np.exp(-(bins**2) / 2) / np.sqrt(2 * np.pi), "k:", lw=0.8, label="normal law")
    right.set(xlabel="error / standard error")
    right.set_title("What the standard errors say")
    right.legend(frameon=False)
    _save(figure, path)


def roughness_bars(table: pl.DataFrame, path: Path) -> None:
    """Draw how far rates are off the line between their neighbours, by estimator."""
    figure, axes = plt.subplots(figsize=(7.5, 3))
    place = np.arange(len(table))
    for offset, (name, colour) in zip(
        (0.2, -0.2), (("median", ACCENT), ("p90", SOFT)), strict=True
    ):
        axes.barh(place + offset, table[name], height=0.38, color=colour, label=name)
    axes.set_yticks(place, table["estimator"])
    axes.invert_yaxis()
    axes.set_xlabel("distance from the line between the neighbouring expiries, bp")
    axes.legend(frameon=False)
    axes.set_title("Real chains: roughness over expiries")
    _save(figure, path)


def real_curves(chains: Sequence[RealChain], path: Path) -> None:
    """Draw fair rates with their errors, and the smooth curve, of the first root of each chain."""
    rows = ceil(len(chains) / PANELS_A_ROW)
    figure, grid = plt.subplots(rows, PANELS_A_ROW, figsize=(16, 3 * rows), squeeze=False)
    for axes in grid.flat[len(chains) :]:
        axes.set_axis_off()
    for axes, chain in zip(grid.flat, chains, strict=False):
        for root, colour in zip(sorted(chain.smooth), (ACCENT, INK), strict=False):
            _curve(axes, chain, root, colour)
        axes.set_title(chain.name[:TITLE_LETTERS], fontsize=9)
        axes.set(xlabel="years", ylabel="continuous rate, %")
        axes.legend(frameon=False, fontsize=7)
    _save(figure, path)


def _curve(axes: Any, chain: RealChain, root: str, colour: str) -> None:
    smooth = chain.smooth[root]
    rows = chain.table.filter(
        pl.col("root") == root,
        pl.col("fair_rate").is_finite(),
        pl.col("std_error_bps") < 40,  # noqa: PLR2004
    )
    axes.errorbar(
        rows["years"],
        rows["fair_rate"] * 100,
        yerr=2 * rows["std_error_bps"] / 100,
        fmt=".",
        ms=3,
        lw=0.6,
        color=colour,
        label=root,
    )
    dates = rows["payment_date"].unique().sort().to_list()
    said = smooth.rates(dates, Compounding.CONTINUOUS)
    axes.plot(said["years"], said["rate"] * 100, color=colour, lw=0.8)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(ScalarFormatter())
    axes.xaxis.set_minor_formatter(NullFormatter())


def residuals(chain: Chain, root: str, expiry: date, path: Path) -> None:
    """Draw how far each mid of one expiry is off its parity line, and its half-spread."""
    from live_box_spreads.books.curves.parity_fit import parity_fits  # noqa: PLC0415 # only here

    blocks = StrikeBlocks.of([synthetics(chain, root, expiry, QualityRules())])
    fits = parity_fits(blocks)
    line = fits.discount[0] * (fits.forward[0] - blocks.strike)
    mid, half = (blocks.syn_ask + blocks.syn_bid) / 2, (blocks.syn_ask - blocks.syn_bid) / 2
    figure, axes = plt.subplots(figsize=(9, 3.2))
    axes.plot(blocks.strike, mid - line, ".", ms=3, color=ACCENT, label="mid less the line")
    axes.plot(blocks.strike, half / 10, color=INK, lw=0.7, label="± a tenth of the half-spread")
    axes.plot(blocks.strike, -half / 10, color=INK, lw=0.7)
    top = 1.6 * float(np.nanquantile(np.abs(mid - line), 0.98))
    axes.set(xlabel="strike", ylabel="index points", ylim=(-top, top))
    axes.set_title(f"{root} {expiry}: neighbours err together")
    axes.legend(frameon=False)
    _save(figure, path)


def _save(figure: Any, path: Path) -> None:
    figure.tight_layout()
    figure.savefig(path, dpi=DOTS_AN_INCH, metadata={"Software": None})
    plt.close(figure)
