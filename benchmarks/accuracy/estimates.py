"""Rates of every expiry of a chain by every estimator, in one frame."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from benchmarks.plain_estimators import ESTIMATORS, robust_line_and_error
from live_box_spreads.books.curves.parity_fit import parity_fits
from live_box_spreads.books.desk import Desk
from live_box_spreads.books.strikes.blocks import StrikeBlocks
from live_box_spreads.books.strikes.synthetics import synthetics_by_expiry
from live_box_spreads.model.products import is_loan
from live_box_spreads.model.quality import QualityRules
from live_box_spreads.model.settlement import payment_date, years_to_payment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from live_box_spreads.model.chain import Chain

    Floats = NDArray[np.float64]

BP = 1e-4
OURS, ALONE, ROBUST = "joint curve", "each expiry alone (0.1.0)", "robust line, 1/h²"


def estimates(chain: Chain, *, everybody: bool = True) -> pl.DataFrame:
    """Return one row an expiry and estimator.

    Args:
        chain: quotes at one instant.
        everybody: all plain estimators, or only the robust line.

    Returns:
        ``root, expiry, payment_date, days, years, estimator, rate, std_error`` (continuous, bp;
        NaN unknown), for expiries with something left of the loan.
    """
    parts = [part for part in synthetics_by_expiry(chain, QualityRules()) if is_loan(part.root)]
    blocks = StrikeBlocks.of(parts)
    years = np.array(
        [years_to_payment(chain.snapshot_time, part.expiry, part.settlement) for part in parts]
    )
    found: dict[str, Floats] = {
        OURS: _ours(chain, blocks),
        ALONE: np.column_stack(_alone(blocks)),
    }
    if everybody:
        for name, estimator in ESTIMATORS.items():
            found[name] = each_line(
                blocks,
                lambda *quotes, by=estimator: (by(*quotes), np.nan),
            )
    found[ROBUST] = each_line(blocks, robust_line_and_error)
    keys = {
        "root": [part.root for part in parts],
        "expiry": [part.expiry for part in parts],
        "payment_date": [payment_date(part.expiry) for part in parts],
        "days": np.round(years * 365),
        "years": years,
    }
    frames = [_frame(keys, name, lines, years) for name, lines in found.items()]
    return pl.concat(frames).filter(pl.col("years") > 0)


def _frame(keys: Mapping[str, object], name: str, lines: Floats, years: Floats) -> pl.DataFrame:
    discount, error = lines.T
    discount = np.where(discount > 0, discount, np.nan)
    return pl.DataFrame(keys).with_columns(
        estimator=pl.lit(name),
        rate=pl.Series(-np.log(discount) / years / BP),
        std_error=pl.Series(error / discount / years / BP),
    )


def _ours(chain: Chain, blocks: StrikeBlocks) -> Floats:
    curve = Desk(chain).curve().select("root", "expiry", "discount", "discount_error")
    by_key = {(root, expiry): line for root, expiry, *line in curve.iter_rows()}
    return np.array([by_key[key] for key in blocks.keys], dtype=np.float64).reshape(-1, 2)


def _alone(blocks: StrikeBlocks) -> tuple[Floats, Floats]:
    fits = parity_fits(blocks)
    return fits.discount, fits.std_error


def each_line(blocks: StrikeBlocks, estimator: object) -> Floats:
    """Return (n, 2) discount factor and its standard error of each block; NaN under 5 strikes."""
    assert callable(estimator)
    fewest = 5
    lines = np.full((len(blocks), 2), np.nan)
    for block, (a, b) in enumerate(pairwise(blocks.starts.tolist())):
        half_spread = (blocks.syn_ask[a:b] - blocks.syn_bid[a:b]) / 2
        usable = half_spread > 0
        if np.count_nonzero(usable) >= fewest:
            mid = (blocks.syn_ask[a:b] + blocks.syn_bid[a:b]) / 2
            lines[block] = estimator(blocks.strike[a:b][usable], mid[usable], half_spread[usable])
    return lines
