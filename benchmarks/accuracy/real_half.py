"""Everything that the page says about real chains, measured once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from benchmarks.accuracy.chain_files import panel_moments
from benchmarks.accuracy.day_to_day import day_to_day
from benchmarks.accuracy.left_out import fitted_again, foretold, long_medians
from benchmarks.accuracy.levels import known_level, over_treasuries
from benchmarks.accuracy.over_time import calm_week, over_moments, over_week, two_week_rates
from benchmarks.accuracy.published import against_published, printed
from benchmarks.accuracy.rate_curves import DESK_FITS, ESTIMATORS, Fitted
from benchmarks.accuracy.regressions import worse_at_tenors, worse_medians
from benchmarks.accuracy.root_pairs import root_pairs
from benchmarks.accuracy.strike_halves import strike_halves
from benchmarks.accuracy.weekend import weekend

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from benchmarks.accuracy.chain_files import ChainFile


@dataclass(frozen=True, slots=True)
class RealHalf:
    """The frames of every section; each is described where it is made.

    Attributes:
        files: the chains.
        weekend: of ``weekend``.
        halves: of ``strike_halves``.
        pairs: of ``root_pairs``.
        steps: of ``day_to_day``.
        level: of ``known_level``.
        treasuries: of ``over_treasuries``.
        moments: of ``over_moments``.
        week: of ``over_week``.
        foretold: of ``foretold``.
        again: of ``fitted_again``.
        published: of ``against_published``.
        printed: of ``printed``.
        worse: of ``worse_at_tenors`` and ``worse_medians``.
    """

    files: Sequence[ChainFile]
    weekend: pl.DataFrame
    halves: pl.DataFrame
    pairs: pl.DataFrame
    steps: pl.DataFrame
    level: pl.DataFrame
    treasuries: pl.DataFrame
    moments: pl.DataFrame
    week: pl.DataFrame
    foretold: pl.DataFrame
    again: pl.DataFrame
    published: pl.DataFrame
    printed: pl.DataFrame
    worse: pl.DataFrame


def measure(
    files: Sequence[ChainFile], data: Path, told: Callable[[str], None] = lambda _: None
) -> RealHalf:
    """Ask every estimator about every chain; ``told`` hears of each chain twice."""
    fitted = Fitted(ESTIMATORS, DESK_FITS)
    halves = strike_halves(files, fitted, told)
    pairs = root_pairs(files, fitted)
    left_out = foretold(files, [*DESK_FITS])
    worse = [
        worse_at_tenors("strikes below against above", halves, "root"),
        worse_at_tenors("root against root", pairs, "pair"),
        worse_medians(
            "foretold by the others", long_medians(left_out, ["chain", "root", "estimator"])
        ),
    ]
    return RealHalf(
        files=files,
        weekend=weekend(files, fitted),
        halves=halves,
        pairs=pairs,
        steps=day_to_day(files, fitted, data),
        level=known_level(files, fitted),
        treasuries=over_treasuries(files, fitted, data),
        moments=over_moments(two_week_rates(panel_moments(data), fitted)),
        week=over_week(calm_week(files, fitted)),
        foretold=left_out,
        again=fitted_again(files, fitted, told),
        published=against_published(files, fitted, data),
        printed=printed(data),
        worse=pl.concat(worse),
    )
