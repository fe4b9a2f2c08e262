"""Rates of a root at any dates: of loans to each, and of forward loans between them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from live_box_spreads.books.curves.reference_spread import with_reference
from live_box_spreads.books.views.reasons import usual_reason
from live_box_spreads.model.rates import Compounding

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from numpy.typing import NDArray

    from live_box_spreads.books.curves.smooth_curve import SmoothCurve
    from live_box_spreads.model.reference_curve import ReferenceCurve

    Floats = NDArray[np.float64]

TENOR_SCHEMA = pl.Schema(
    {
        "root": pl.String(),
        "days": pl.Int64(),
        "payment_date": pl.Date(),
        "rate": pl.Float64(),
        "std_error_bps": pl.Float64(),
        "forward_rate": pl.Float64(),
        "forward_std_error_bps": pl.Float64(),
        "note": pl.String(),
    }
)
"""``days`` lie between premium and payment, whatever the time basis of other rates. Rates are
fractions, ``std_error_bps`` is that of ``rate``, NaN is no number. ``forward_rate`` is of the loan
from the row before to this one, or from the premium date where there is none before, and
``forward_std_error_bps`` its standard error. ``note`` says why there is no rate, or that the date
is beyond the expiries; empty where there is nothing to say."""


def tenors(
    table: pl.DataFrame,
    smooth: SmoothCurve | None,
    payment_dates: Sequence[date],
    *,
    compounding: Compounding = Compounding.EFFECTIVE,
    reference: ReferenceCurve | None = None,
) -> pl.DataFrame:
    """Return the rates of one root at some dates.

    A date is what it says: none is moved to a business day.

    Args:
        table: rows of ``curve`` of the root, at least one.
        smooth: the smooth curve of the same root; None if there is none.
        payment_dates: when the loans are paid back, in any order.
        compounding: convention of the rates.
        reference: what to compare with; adds the columns of ``with_reference`` before the note.

    Returns:
        ``TENOR_SCHEMA``, each date once, soonest first.
    """
    paid: date = table["premium_date"][0]
    due = sorted(set(payment_dates))
    days = np.array([(day - paid).days for day in due], dtype=np.int64)
    ahead = days > 0
    found = np.full((4, len(due)), np.nan)
    notes = [f"not after the premium date {paid}"] * len(due)
    if smooth is None:
        notes = [why_no_curve(table)] * len(due)
    elif np.any(ahead):
        later = [day for day in due if day > paid]
        rates = smooth.rates(later, compounding)
        forwards = smooth.forward_rates([paid, *later], compounding)
        columns = ("rate", "std_error_bps")
        found[:, ahead] = [each[name] for each in (rates, forwards) for name in columns]
        said = iter(_notes(table, smooth, later, found[0, ahead], found[2, ahead]))
        notes = [next(said) if day > paid else note for day, note in zip(due, notes, strict=True)]
    values = (table["root"][0], days, due, *found, notes)
    frame = pl.DataFrame(
        dict(zip(TENOR_SCHEMA, values, strict=True)), schema=TENOR_SCHEMA, strict=False
    )
    if reference is None:
        return frame
    dated = frame.with_columns(premium_date=pl.lit(paid))
    compared = with_reference(dated, reference, compounding, rate="rate")
    return compared.select(pl.exclude("premium_date", "note"), "note")


def why_no_curve(table: pl.DataFrame) -> str:
    """Return why the expiries of a root give no smooth curve: what most of them lack.

    Args:
        table: rows of ``curve`` of the root.
    """
    refused = int((table["reason"] != "").sum())
    if not refused:
        return f"{len(table)} expiries with a fair rate are too few for a curve"
    example, _ = usual_reason(table["reason"])
    return f"no curve: {refused} of {len(table)} expiries have no rate, such as: {example}"


def _notes(
    table: pl.DataFrame,
    smooth: SmoothCurve,
    later: Sequence[date],
    rate: Floats,
    forward: Floats,
) -> list[str]:
    """Return what is to be said of each date after the premium date."""
    expiry_of = dict(zip(table["payment_date"], table["expiry"], strict=True))
    first, last = smooth.payment_dates[0], smooth.payment_dates[-1]
    errors, forward_error = smooth.errors_bps([smooth.premium_date, *later])
    error = errors[1:]
    notes = []
    for row, day in enumerate(later):
        said = []
        if np.isnan(rate[row]):
            said.append(f"known only to ±{error[row]:,.0f} bp")
        if np.isnan(forward[row]) and np.isfinite(rate[row]):
            said.append(f"forward known only to ±{forward_error[row]:,.0f} bp")
        if day > last:
            said.append(f"beyond the last expiry {expiry_of[last]}, extrapolated")
        if day < first:
            said.append(f"before that of the first expiry {expiry_of[first]}, extrapolated")
        notes.append("; ".join(said))
    return notes
