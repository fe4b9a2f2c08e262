"""The headline rates of a root: loans of 1, 3, 6 and 12 months."""

from __future__ import annotations

from datetime import timedelta
from math import isfinite, log
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from live_box_spreads.books.curves.reference_spread import with_reference
from live_box_spreads.model.errors import ModelError
from live_box_spreads.model.rates import Compounding
from live_box_spreads.model.sessions import settlement_day_after

if TYPE_CHECKING:
    from datetime import date

    from live_box_spreads.books.curves.smooth_curve import SmoothCurve
    from live_box_spreads.model.reference_curve import ReferenceCurve

TENORS_MONTHS = {"1 month": 1, "3 months": 3, "6 months": 6, "1 year": 12}

_NEAR = 1.5

HEADLINE_SCHEMA = pl.Schema(
    {
        "tenor": pl.String(),
        "premium_date": pl.Date(),
        "payment_date": pl.Date(),
        "days": pl.Int64(),
        "years": pl.Float64(),
        "fair_rate": pl.Float64(),
        "std_error_bps": pl.Float64(),
        "is_exact": pl.Boolean(),
        "expiry": pl.Date(),
        "lend_rate": pl.Float64(),
        "borrow_rate": pl.Float64(),
        "note": pl.String(),
    }
)
"""``is_exact``: the loan ends on the tenor's own date. Else it is that of ``expiry``, the nearest
one, ``tenor`` says its real days, such as "302 days", and ``note`` which expiry it is and that the
tenor has no quotes. The executable rates are of ``expiry`` in either case."""


def headline(
    table: pl.DataFrame,
    smooth: SmoothCurve | None,
    *,
    compounding: Compounding = Compounding.EFFECTIVE,
    reference: ReferenceCurve | None = None,
) -> pl.DataFrame:
    """Return the rates at the usual tenors.

    A tenor between the first and the last expiry is read off the smooth curve, at the settlement
    day so many months after the premium's. Without a smooth curve, outside its expiries, or where
    it has no rate, the nearest expiry takes its place under its own days, if it is no more than
    half as long again or as short; no expiry does so twice. A tenor beyond the calendar of
    settlement days has no row.

    Args:
        table: rows of ``curve`` of one root.
        smooth: the smooth curve of the same root; None if there is none.
        compounding: convention of the rates.
        reference: what to compare with; adds the columns of ``with_reference``.

    Returns:
        ``HEADLINE_SCHEMA``, shortest tenor first; empty if no expiry has a fair rate.
    """
    known = table.filter(pl.col("fair_rate").is_finite(), pl.col("days") > 0).sort("days")
    rows: list[dict[str, Any]] = []
    if not known.is_empty():
        paid, taken = known["premium_date"][0], set()
        for tenor, months in TENORS_MONTHS.items():
            try:
                due = tenor_date(paid, months)
            except ModelError:  # the calendar of settlement days ends before
                break
            row = _row(known, smooth, due, compounding)
            near = abs(log(row["days"] / (due - paid).days)) <= log(_NEAR)
            if row["is_exact"]:
                rows.append({"tenor": tenor, **row, "note": ""})
            elif near and row["expiry"] not in taken:
                note = f"{_place(known, row['expiry'])}; no {_as_adjective(tenor)} quotes"
                rows.append({"tenor": f"{row['days']:,} days", **row, "note": note})
                taken.add(row["expiry"])
    frame = pl.DataFrame(rows, schema=HEADLINE_SCHEMA)
    return frame if reference is None else with_reference(frame, reference, compounding)


def tenor_date(premium_date: date, months: int) -> date:
    """Return the settlement day on or after the day so many months later."""
    later: date = pl.Series([premium_date]).dt.offset_by(f"{months}mo")[0]
    return settlement_day_after(later - timedelta(days=1))


def _row(
    known: pl.DataFrame, smooth: SmoothCurve | None, due: date, compounding: Compounding
) -> dict[str, Any]:
    target_days = (due - known["premium_date"][0]).days
    nearest = int(np.abs(np.log(known["days"].to_numpy() / target_days)).argmin())
    row = known.row(nearest, named=True)
    exact = row["payment_date"] == due
    if smooth is not None and smooth.payment_dates[0] <= due <= smooth.payment_dates[-1]:
        read = smooth.rates([due], compounding).row(0, named=True)
        if isfinite(read["rate"]):
            exact = True
            row |= {"payment_date": due, "days": target_days, "fair_rate": read["rate"]}
            row |= {"years": read["years"], "std_error_bps": read["std_error_bps"]}
    return {name: row[name] for name in HEADLINE_SCHEMA if name in row} | {"is_exact": exact}


def _place(known: pl.DataFrame, expiry: date) -> str:
    """Return which of the expiries with a rate it is."""
    if len(known) == 1:
        return "only expiry"
    ends = {known["expiry"][0]: "shortest expiry", known["expiry"][-1]: "longest expiry"}
    return ends.get(expiry, "nearest expiry")


def _as_adjective(tenor: str) -> str:
    """Write "3 months" as "3-month"."""
    return tenor.replace(" ", "-").removesuffix("s")
