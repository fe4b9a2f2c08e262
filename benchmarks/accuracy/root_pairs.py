"""Two roots of one index at one instant: money costs the same on both."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from benchmarks.accuracy.agreement import TENORS_DAYS, apart

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from benchmarks.accuracy.chain_files import ChainFile
    from benchmarks.accuracy.rate_curves import Fitted

MAIN_PAIR = ("SPX", "SPXW")
PAIRS = (MAIN_PAIR, ("SPX", "SPXPM"), ("NDX", "NDXP"), ("SPX", "XSP"), ("SPXW", "XSP"))


def same_instant_pairs(
    files: Sequence[ChainFile],
) -> Iterator[tuple[ChainFile, str, ChainFile, str]]:
    """Yield each pair of roots whose quotes are of one instant: file and root, file and root."""
    for one in files:
        for other in files:
            if one.chain.snapshot_time != other.chain.snapshot_time:
                continue
            for left, right in PAIRS:
                # Two files of one instant may hold the same roots: then each pairs with itself.
                own = one.name == other.name
                apart_files = right not in one.loan_roots and left not in other.loan_roots
                if left in one.loan_roots and right in other.loan_roots and (own or apart_files):
                    yield one, left, other, right


def root_pairs(files: Sequence[ChainFile], fitted: Fitted) -> pl.DataFrame:
    """Return how far two roots of one instant are apart.

    Returns:
        ``chain, chosen_on, pair, estimator`` and the columns of ``apart`` (first less second).
    """
    frames = []
    for one, left, other, right in same_instant_pairs(files):
        for estimator in fitted.estimators:
            first = fitted.curve(estimator, one, left)
            second = fitted.curve(estimator, other, right)
            if first is not None and second is not None:
                frames.append(
                    apart(first, second, TENORS_DAYS).select(
                        pl.lit(one.name).alias("chain"),
                        pl.lit(one.chosen_on and other.chosen_on).alias("chosen_on"),
                        pl.lit(f"{left}, {right}").alias("pair"),
                        pl.lit(estimator).alias("estimator"),
                        pl.all(),
                    )
                )
    return pl.concat(frames)
