"""The curve: fair and executable rates of each expiry of each root, with standard errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from live_box_spreads.books.curves.smooth_curve import LARGEST_ERROR_BPS
from live_box_spreads.model.products import is_loan
from live_box_spreads.model.rates import Compounding, rate_from_discount
from live_box_spreads.model.settlement import (
    TimeBasis,
    expiry_instant,
    payment_date,
    premium_date,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from numpy.typing import NDArray

    from live_box_spreads.books.curves.parity_fit import ParityFits
    from live_box_spreads.books.strikes.blocks import Strikes
    from live_box_spreads.books.strikes.synthetics import Synthetics

    Floats = NDArray[np.float64]

CURVE_SCHEMA = pl.Schema(
    {
        "root": pl.String(),
        "expiry": pl.Date(),
        "settlement": pl.String(),
        "premium_date": pl.Date(),
        "payment_date": pl.Date(),
        "days": pl.Int64(),
        "years": pl.Float64(),
        "discount": pl.Float64(),
        "forward": pl.Float64(),
        "fair_rate": pl.Float64(),
        "std_error_bps": pl.Float64(),
        "lend_rate": pl.Float64(),
        "borrow_rate": pl.Float64(),
        "strikes_used": pl.Int64(),
        "strikes_rejected": pl.Int64(),
        "rejected": pl.String(),
        "reason": pl.String(),
        "band_note": pl.String(),
        "discount_error": pl.Float64(),
    }
)
"""``days`` lie between the two payments. Rates are fractions, ``std_error_bps`` is the standard
error of ``fair_rate`` in basis points, NaN is no number. ``rejected`` counts the strikes left out
by reason, ``reason`` says why there is no fair rate, ``band_note`` what is wrong with the band; all
three are empty where there is nothing to say. ``discount_error`` is the standard error of
``discount``."""


def curve_table(
    strikes: Strikes,
    fits: ParityFits,
    band: pl.DataFrame,
    *,
    basis: TimeBasis = TimeBasis.SETTLEMENT,
    compounding: Compounding = Compounding.EFFECTIVE,
) -> pl.DataFrame:
    """Return the fair rate, its standard error and the executable band of each root and expiry.

    An expiry whose rate would be known only to more than ``LARGEST_ERROR_BPS`` has none.

    Args:
        strikes: quotes at one instant; the quality rules have already excluded legs there.
        fits: fair discount factors of their blocks, jointly fitted or each by itself.
        band: ``band_table`` of the same strikes, basis and compounding.
        basis: how years are counted.
        compounding: convention of the rates.

    Returns:
        ``CURVE_SCHEMA``, a row for each expiry of ``strikes``.
    """
    parts, now = strikes.expiries, strikes.snapshot_time
    years = strikes.years(basis)
    error_bps = fits.std_error / fits.discount / strikes.years() / 1e-4
    reasons = [
        _why_no_rate(part, now)
        or _why_no_line(part, fits.reasons[block])
        or _why_useless(float(error_bps[block]))
        for block, part in enumerate(parts)
    ]
    frame = pl.DataFrame(
        _loans(parts, now, years)
        | _fair(fits, years, reasons, compounding)
        | _counts(fits, parts, reasons)
    )
    frame = frame.hstack(band.select("lend_rate", "borrow_rate", band_note="note"))
    return frame.select(pl.col(name).cast(dtype) for name, dtype in CURVE_SCHEMA.items())


def _loans(parts: Sequence[Synthetics], instant: datetime, years: Floats) -> dict[str, Any]:
    """Return the columns that say which loan each row is."""
    paid: date = premium_date(instant)
    repaid = [payment_date(part.expiry) for part in parts]
    return {
        "root": [part.root for part in parts],
        "expiry": [part.expiry for part in parts],
        "settlement": [part.settlement for part in parts],
        "premium_date": [paid] * len(parts),
        "payment_date": repaid,
        "days": [(day - paid).days for day in repaid],
        "years": years,
    }


def _fair(
    fits: ParityFits, years: Floats, reasons: list[str], compounding: Compounding
) -> dict[str, Floats]:
    """Return the fitted columns, NaN where there is a reason."""
    known = np.array([not reason for reason in reasons], dtype=np.bool_)
    discount = np.where(known, fits.discount, np.nan)
    steeper = rate_from_discount(discount - fits.std_error, years, compounding)
    flatter = rate_from_discount(discount + fits.std_error, years, compounding)
    return {
        "discount": discount,
        "forward": np.where(known, fits.forward, np.nan),
        "fair_rate": rate_from_discount(discount, years, compounding),
        "std_error_bps": 0.5e4 * (steeper - flatter),
        "discount_error": np.where(known, fits.std_error, np.nan),
    }


def _counts(fits: ParityFits, parts: Sequence[Synthetics], reasons: list[str]) -> dict[str, Any]:
    """Return how many strikes the line rests on, and which were left out for which reason."""
    rejected = []
    for block, part in enumerate(parts):
        counts = {**part.excluded, **fits.rejected(block)}
        one_sided = "synthetic forward has one side or none"
        excluded = int(np.count_nonzero(part.excluded_by))  # they have no side left
        counts[one_sided] = counts.get(one_sided, 0) - excluded
        rejected.append({reason: strikes for reason, strikes in counts.items() if strikes})
    return {
        "strikes_used": np.where([bool(reason) for reason in reasons], 0, fits.strikes_used),
        "strikes_rejected": [sum(counts.values()) for counts in rejected],
        "rejected": [
            "; ".join(f"{reason}: {strikes}" for reason, strikes in counts.items())
            for counts in rejected
        ],
        "reason": reasons,
    }


def _why_no_rate(part: Synthetics, instant: datetime) -> str:
    """Return why no quotes could give a rate; empty if they could."""
    if not is_loan(part.root):
        return "a box is no loan: the root is not known to be European"
    if instant >= expiry_instant(part.expiry, part.settlement):
        return "the options have expired"
    if not payment_date(part.expiry) > premium_date(instant):
        return "nothing is left of the loan: premium and payment fall on one day"
    return ""


def _why_useless(error_bps: float) -> str:
    """Return why a rate with this standard error is none."""
    if not error_bps <= LARGEST_ERROR_BPS:
        return f"the rate is known only to ±{error_bps:,.0f} bp"
    return ""


def _why_no_line(part: Synthetics, reason: str) -> str:
    """Return the fit's reason, and what the quality rules have to do with it."""
    excluded = part.excluded
    if not reason or not excluded:
        return reason
    counts = ", ".join(f"{strikes} where {why}" for why, strikes in excluded.items())
    return f"{reason}; left out: {counts}"
