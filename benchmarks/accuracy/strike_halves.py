"""Strikes below the forward against strikes above it: the same loan from other options."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from benchmarks.accuracy.agreement import TENORS_DAYS, apart
from benchmarks.accuracy.chain_files import half_chains

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.accuracy.chain_files import ChainFile
    from benchmarks.accuracy.rate_curves import Fitted


def strike_halves(
    files: Sequence[ChainFile], fitted: Fitted, told: Callable[[str], None] = lambda _: None
) -> pl.DataFrame:
    """Return how far the two halves of the strikes are apart.

    Returns:
        ``chain, chosen_on, root, estimator`` and the columns of ``apart`` (below less above), for
        roots with a curve on both sides.
    """
    frames = []
    for file in files:
        for root in file.loan_roots:
            below, above = half_chains(file.chain, root)
            for estimator, estimate in fitted.estimators.items():
                low, high = estimate(below, root), estimate(above, root)
                if low is not None and high is not None:
                    frames.append(
                        apart(low, high, TENORS_DAYS).select(
                            pl.lit(file.name).alias("chain"),
                            pl.lit(file.chosen_on).alias("chosen_on"),
                            pl.lit(root).alias("root"),
                            pl.lit(estimator).alias("estimator"),
                            pl.all(),
                        )
                    )
        told(f"halves of {file.name}")
    return pl.concat(frames)
