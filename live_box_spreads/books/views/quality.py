"""The quality of the quotes of a root: what they err by together, and which of them are doubted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from live_box_spreads.books.curves.joint_fit import STANDS_OUT
from live_box_spreads.books.views.reasons import usual_reason
from live_box_spreads.model.settlement import DAYS_PER_YEAR

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from live_box_spreads.books.curves.joint_curve import JointCurve

    Floats = NDArray[np.float64]

USUAL_DAYS = 30
"""Kink and tilt of a root are told at the expiry nearest to so many days: tilt fades with time, and
the rate of a month is the one that it spoils most among those that people ask for."""
_BP = 1e-4

_ERRORS = {
    "kink_points": pl.Float64(),
    "kink_error_points": pl.Float64(),
    "tilt_bps": pl.Float64(),
    "tilt_error_bps": pl.Float64(),
}

EXPIRY_QUALITY_SCHEMA = pl.Schema(
    {
        "root": pl.String(),
        "expiry": pl.Date(),
        "days": pl.Int64(),
        **_ERRORS,
        "is_doubted": pl.Boolean(),
        "off_std_errors": pl.Float64(),
        "strikes_used": pl.Int64(),
        "strikes_doubted": pl.Int64(),
        "reason": pl.String(),
    }
)
"""``kink_points``: by how much synthetic forwards far from the money lie above those at the money,
beside parity; points of the index. ``tilt_bps``: how far the quotes' discount factor lies above the
curve's, in basis points of it, by the error that expiries share. Both were taken away, and both
have their standard errors. ``is_doubted``: the expiry stands out from what the others foretell by
``off_std_errors``, and counts for less. ``strikes_doubted``: left out because their mid is far off
the line. ``reason``: why the expiry takes no part; empty where it does, else NaN stands in the
numbers and no strike is used."""

QUALITY_SCHEMA = pl.Schema(
    {
        "root": pl.String(),
        "expiries": pl.Int64(),
        "expiries_used": pl.Int64(),
        **_ERRORS,
        "doubted_expiries": pl.String(),
        "strikes_used": pl.Int64(),
        "strikes_doubted": pl.Int64(),
        "at_expiry": pl.Date(),
        "at_days": pl.Int64(),
        "expiries_doubted": pl.Int64(),
        "reason": pl.String(),
    }
)
"""``at_expiry``: where kink and tilt are told, ``at_days`` from payment to payment.
``doubted_expiries`` names them, each with its ``off_std_errors``. ``reason``: what keeps most of
the other expiries from taking part; empty where all do."""


def expiry_quality(joint: JointCurve) -> pl.DataFrame:
    """Return what the joint fit of a root tells of the quotes of each expiry.

    Returns:
        ``EXPIRY_QUALITY_SCHEMA``, soonest expiry first.
    """
    lines, part = joint.lines, joint.lines.part
    keys = lines.strikes.blocks.keys
    numbers = np.full((5, len(keys)), np.nan)
    doubted = np.zeros(len(keys), dtype=np.bool_)
    if joint.fit is not None:
        kink, kink_error = (lines.index_scale * each[joint.rows] for each in joint.fit.kink())
        # The tilt is one of -log D: a discount factor that is too high has a negative one.
        tilt, tilt_error = (each[joint.rows] / _BP for each in joint.fit.tilt())
        inflation = joint.fit.lines.inflation[joint.rows]
        doubted[part] = inflation > 1.0
        off = np.where(inflation > 1.0, STANDS_OUT * inflation, np.nan)
        numbers[:, part] = kink, kink_error, -tilt, tilt_error, off
    takes_part = np.isin(np.arange(len(keys)), part)
    columns: dict[str, Any] = {
        "root": [root for root, _ in keys],
        "expiry": [expiry for _, expiry in keys],
        "days": [_days(years) for years in lines.years],
        **dict(zip(_ERRORS, numbers[:4], strict=True)),
        "is_doubted": doubted,
        "off_std_errors": numbers[4],
        "strikes_used": np.where(takes_part, lines.fits.used, 0),
        "strikes_doubted": lines.fits.off_line,
        "reason": list(lines.reasons),
    }
    return pl.DataFrame(columns, schema=EXPIRY_QUALITY_SCHEMA, strict=False)


def quality(expiries: pl.DataFrame) -> pl.DataFrame:
    """Return the quality of the quotes of one root as one row.

    Args:
        expiries: ``expiry_quality`` of the root, at least one row.

    Returns:
        ``QUALITY_SCHEMA``.
    """
    used = expiries.filter(pl.col("reason") == "")
    doubted = used.filter(pl.col("is_doubted"))
    row: dict[str, Any] = dict.fromkeys(_ERRORS, np.nan) | {"at_expiry": None, "at_days": None}
    ahead = used.filter(pl.col("days") > 0)
    if not ahead.is_empty():
        away = np.abs(np.log(ahead["days"].to_numpy() / USUAL_DAYS))
        at = ahead.row(int(away.argmin()), named=True)
        row |= {name: at[name] for name in _ERRORS}
        row |= {"at_expiry": at["expiry"], "at_days": at["days"]}
    row |= {
        "root": expiries["root"][0],
        "expiries": len(expiries),
        "expiries_used": len(used),
        "expiries_doubted": len(doubted),
        "doubted_expiries": "; ".join(
            f"{expiry} ({off:.1f} s.e.)"
            for expiry, off in doubted["expiry", "off_std_errors"].rows()
        ),
        "strikes_used": used["strikes_used"].sum(),
        "strikes_doubted": used["strikes_doubted"].sum(),
        "reason": _most_common(expiries),
    }
    return pl.DataFrame([row], schema=QUALITY_SCHEMA)


def _most_common(expiries: pl.DataFrame) -> str:
    reason, count = usual_reason(expiries["reason"])
    if not count:
        return ""
    return f"{count} of {len(expiries)} expiries take no part: {reason}"


def _days(years: float) -> int | None:
    return None if np.isnan(years) else round(years * DAYS_PER_YEAR)
