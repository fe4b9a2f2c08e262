"""The quality of the quotes of a root in plain words, for the line over the term structure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from live_box_spreads.books.conventions import CurveFit

if TYPE_CHECKING:
    from live_box_spreads.books.desk import Desk

_STANDARD_ERRORS = 2
_NAMED = 3
"""Doubted expiries that the line names, those that stand out most; it counts the others."""


def quality_line(desk: Desk, root: str) -> str:
    """Return what the quotes of a root err by together, and which expiries are doubted.

    Args:
        desk: the snapshot under the chosen options.
        root: option root on which a box is a loan.
    """
    row = desk.quality(root).row(0, named=True)
    if row["at_expiry"] is None:
        return f"Quotes of {root}: {row['reason']}" if row["reason"] else ""
    done = "left in" if desk.conventions.fit is CurveFit.PER_EXPIRY else "taken away"
    where = f"Quotes of {root} at {row['at_days']:,} days"
    shared = f"{_shared(row)} ({done}; ± {_STANDARD_ERRORS} standard errors)"
    parts = [f"{where}: {shared}", _doubted(desk.expiry_quality(root))]
    if row["strikes_doubted"]:
        strikes = row["strikes_used"] + row["strikes_doubted"]
        parts.append(f"{row['strikes_doubted']:,} of {strikes:,} strikes left out")
    return "; ".join(parts)


def _shared(row: dict[str, Any]) -> str:
    kink_error = _STANDARD_ERRORS * row["kink_error_points"]
    tilt_error = _STANDARD_ERRORS * row["tilt_error_bps"]
    return (
        f"kink {row['kink_points']:+z.2f} ± {kink_error:.2f} points, "
        f"tilt {row['tilt_bps']:+z.1f} ± {tilt_error:.1f} bp of the discount factor"
    )


def _doubted(expiries: pl.DataFrame) -> str:
    """Say how many expiries are doubted, and which most."""
    used = expiries.filter(pl.col("reason") == "")
    doubted = used.filter(pl.col("is_doubted")).sort("off_std_errors", descending=True)
    if doubted.is_empty():
        return f"none of {len(used)} expiries doubted"
    named = [
        f"{expiry} ({off:.1f} s.e. off)"
        for expiry, off in doubted["expiry", "off_std_errors"].head(_NAMED).iter_rows()
    ]
    others = len(doubted) - len(named)
    more = [f"{others} more"] if others else []
    return f"{len(doubted)} of {len(used)} expiries doubted: {', '.join([*named, *more])}"
