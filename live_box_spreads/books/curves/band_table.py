"""The bands of a chain as a table, with rates: one row a root and expiry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from live_box_spreads.books.boxes.filters import BoxFilters
from live_box_spreads.books.curves.band import bands
from live_box_spreads.books.curves.suspects import suspect_leg
from live_box_spreads.model.products import is_loan
from live_box_spreads.model.rates import Compounding, rate_from_discount
from live_box_spreads.model.settlement import TimeBasis

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from live_box_spreads.books.curves.suspects import Suspect
    from live_box_spreads.books.strikes.blocks import Strikes

    Floats = NDArray[np.float64]

_BOX = ("discount", "kl", "ks", "size")
_SIDE = ("discount", "rate", "kl", "ks", "size")

BAND_SCHEMA = pl.Schema(
    {
        "root": pl.String(),
        "expiry": pl.Date(),
        "settlement": pl.String(),
        "tte_years": pl.Float64(),
        **{f"{side}_{name}": pl.Float64() for side in ("lend", "borrow") for name in _SIDE},
        "inverted": pl.Boolean(),
        "note": pl.String(),
    }
)
"""Strikes in index points, sizes in boxes (NaN unknown), rates as fractions."""


def band_table(
    strikes: Strikes,
    *,
    basis: TimeBasis = TimeBasis.SETTLEMENT,
    compounding: Compounding = Compounding.EFFECTIVE,
    filters: BoxFilters | Callable[[str], BoxFilters] = BoxFilters(),  # noqa: B008 # frozen
    min_size: float = 0.0,
) -> pl.DataFrame:
    """Return the best executable box to lend and to borrow with, for each root and expiry.

    Args:
        strikes: quotes at one instant.
        basis: how years are counted.
        compounding: convention of the rates.
        filters: thresholds, or what gives them by root.
        min_size: least boxes at the top of the book.

    Returns:
        ``BAND_SCHEMA``, a row for each expiry of ``strikes``. A side without an executable box is
        NaN throughout. A rate is NaN, with its box still there, where it is beyond
        ``max_abs_rate``, where the cost is not positive, where nothing is left of the loan and
        where the root is not known to be European. ``note`` says why, and in an inverted band
        which leg is the likely cause; it is empty where all is well.
    """
    parts = strikes.expiries
    by_block = [filters if isinstance(filters, BoxFilters) else filters(p.root) for p in parts]
    found = bands(strikes.blocks, filters, min_size)
    years = strikes.years(basis)
    limits = np.array([item.max_abs_rate for item in by_block])
    no_loan = np.array([not is_loan(part.root) for part in parts], dtype=np.bool_)
    columns: dict[str, Any] = {
        "root": [part.root for part in parts],
        "expiry": [part.expiry for part in parts],
        "settlement": [part.settlement for part in parts],
        "tte_years": years,
        "inverted": found.inverted,
    }
    whys: list[list[str]] = []
    for name, side in (("lend", found.lend), ("borrow", found.borrow)):
        rate = rate_from_discount(side.discount, years, compounding)
        why = _why_no_rate(side.discount, rate, years, limits, no_loan)
        columns |= {f"{name}_{item}": getattr(side, item) for item in _BOX}
        columns[f"{name}_rate"] = np.where([bool(reason) for reason in why], np.nan, rate)
        whys.append(why)
    columns["note"] = [
        _note(
            lend, borrow, suspect_leg(part, limits_of, min_size) if found.inverted[block] else None
        )
        for block, (part, limits_of, lend, borrow) in enumerate(
            zip(parts, by_block, *whys, strict=True)
        )
    ]
    return pl.DataFrame(columns).select(pl.col(n).cast(t) for n, t in BAND_SCHEMA.items())


def _why_no_rate(
    discount: Floats, rate: Floats, years: Floats, limits: Floats, no_loan: NDArray[np.bool_]
) -> list[str]:
    """Return the reason for which each rate is not given; empty where it is."""
    why = np.full(discount.size, "", dtype=object)
    why[np.abs(rate) > limits] = "rate is beyond max_abs_rate"
    why[discount <= 0.0] = "cost is not positive"
    why[np.isnan(years)] = "nothing is left of the loan"
    why[np.isnan(discount)] = "no box can be executed"
    why[no_loan] = "a box is no loan: the root is not known to be European"
    return [str(reason) for reason in why]


def _note(lend: str, borrow: str, suspect: Suspect | None) -> str:
    """Say what is wrong with a row, in one line."""
    if lend == borrow:
        notes = [lend] if lend else []
    else:
        notes = [f"{side}: {why}" for side, why in (("lend", lend), ("borrow", borrow)) if why]
    if suspect:
        notes.append(f"inverted, likely by the {suspect}")
    return "; ".join(notes)
