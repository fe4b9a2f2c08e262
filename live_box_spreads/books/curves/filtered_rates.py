"""Filtered rates beside those of a snapshot: of the same loans, from all snapshots so far."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from live_box_spreads.model.rates import Compounding, rate_from_discount
from live_box_spreads.model.settlement import DAYS_PER_YEAR

if TYPE_CHECKING:
    from collections.abc import Mapping

    from live_box_spreads.books.curves.smooth_curve import SmoothCurve


def with_filtered(
    frame: pl.DataFrame,
    filtered: Mapping[str, SmoothCurve],
    compounding: Compounding = Compounding.EFFECTIVE,
    *,
    root: str | None = None,
) -> pl.DataFrame:
    """Return a table with the filtered rate of each row's loan.

    Args:
        frame: rows with ``payment_date``, and ``root`` where none is given; where they have
            ``years``, the rate counts those, else the days between the payments over 365.
        filtered: the filtered curve of each root that is followed.
        compounding: convention of the rates.
        root: of all rows.

    Returns:
        The frame with ``filtered_rate`` (a fraction) and ``filtered_std_error_bps``; NaN for a
        root that is not followed, and where the rate is known too badly (``SmoothCurve.rates``).
    """
    rate, error = np.full((2, len(frame)), np.nan)
    roots = frame["root"].to_numpy() if root is None else np.full(len(frame), root)
    for each, smooth in filtered.items():
        rows = np.flatnonzero(roots == each)
        if not rows.size:
            continue
        found = smooth.rates(frame["payment_date"][rows.tolist()].to_list(), compounding)
        settled = found["days"].to_numpy() / DAYS_PER_YEAR
        years = frame["years"].to_numpy()[rows] if "years" in frame.columns else settled
        rate[rows] = rate_from_discount(found["discount"].to_numpy(), years, compounding)
        error[rows] = found["std_error_bps"].to_numpy() * settled / years
    return frame.with_columns(
        filtered_rate=pl.Series(rate, dtype=pl.Float64),
        filtered_std_error_bps=pl.Series(error, dtype=pl.Float64),
    )
