"""The best boxes to lend or to borrow with, over all expiries: net of fees, against a fair curve.

What is ranked is how much better than fair a box is, in basis points of its rate, at the quotes
that can be hit now and after fees. It is nearly always a little worse than fair. Four things keep
the list honest:

- **Bad quotes.** A strike whose mid is far from the parity line of the others is left out
  (``off_parity.py``); so is a box that is better than fair beyond doubt. A bad quote makes the
  best-looking boxes, so without a fair value an expiry has no opportunities.
- **Variety.** An expiry gives at most a few boxes, no two with a common strike, nor with both
  strikes within a round step of another's; one of them is of the kind that trades most.
- **Fees.** The broker's and the exchange's to open (``model/fees.py``), spread over the boxes.
- **What trades.** Strikes on round hundreds and widths of whole thousands find the other side
  sooner. A box off either is scored as if it had to give a tick for each, and ``why`` says so: on
  2024-09-20 printed boxes of the usual kind were 0.12 points on average from the median of their
  expiry, the others 0.24 to 0.28, and a tick is 0.10. Rates and spreads are not touched by this.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from live_box_spreads.books.boxes.filters import BoxFilters
from live_box_spreads.books.boxes.ranking import rank_expiry
from live_box_spreads.books.boxes.search import OPPORTUNITY_SCHEMA, FairValue
from live_box_spreads.model.products import is_loan
from live_box_spreads.model.rates import Compounding
from live_box_spreads.model.settlement import TimeBasis

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date

    from live_box_spreads.books.boxes.filters import Removals
    from live_box_spreads.books.boxes.search import Search
    from live_box_spreads.books.strikes.blocks import Strikes

_UNKNOWN = FairValue(np.nan, np.nan)


@dataclass(frozen=True, slots=True)
class Opportunities:
    """The best boxes on one side.

    Attributes:
        frame: ``OPPORTUNITY_SCHEMA``, best first.
        removed: boxes left out, by the first reason that applied.
        unranked: for each (root, expiry) without any box, why.
    """

    frame: pl.DataFrame
    removed: Mapping[str, int]
    unranked: Mapping[tuple[str, date], str]


def fair_values(table: pl.DataFrame) -> dict[tuple[str, date], FairValue]:
    """Return the fair value of each (root, expiry) of a curve, or why it has none.

    Args:
        table: rows of ``curve_table``; of whatever time basis and compounding.
    """
    columns = table.select("root", "expiry", "discount", "discount_error", "reason")
    return {
        (root, expiry): FairValue(discount, error, reason)
        for root, expiry, discount, error, reason in columns.iter_rows()
    }


def opportunities(
    strikes: Strikes,
    fair: Mapping[tuple[str, date], FairValue],
    search: Search,
    *,
    basis: TimeBasis = TimeBasis.SETTLEMENT,
    compounding: Compounding = Compounding.EFFECTIVE,
    filters: BoxFilters | Callable[[str], BoxFilters] = BoxFilters(),  # noqa: B008 # frozen
) -> Opportunities:
    """Rank the boxes of some expiries on one side.

    Both sides of a box must be quoted at both strikes, so that its mid is known.

    Args:
        strikes: quotes at one instant.
        fair: fair value by (root, expiry); an expiry without one has no opportunities.
        search: which boxes to look for.
        basis: how years are counted.
        compounding: convention of the rates.
        filters: thresholds, or what gives them by root.
    """
    removed: Counter[str] = Counter()
    unranked: dict[tuple[str, date], str] = {}
    found: list[Mapping[str, Any]] = []
    for part, years in zip(strikes.expiries, strikes.years(basis), strict=True):
        key = part.root, part.expiry
        value = fair.get(key, _UNKNOWN)
        if reason := _why_unranked(part.root, years, value):
            unranked[key] = reason
            continue
        thresholds = filters if isinstance(filters, BoxFilters) else filters(part.root)
        rows, removals = rank_expiry(part, float(years), value, search, compounding, thresholds)
        removed.update(removals.boxes)
        found.append(rows)
        if not len(rows["kl"]):
            unranked[key] = _main_reason(removals)
    best = _frame(found).sort("score_bps", descending=True, maintain_order=True)
    return Opportunities(
        best.head(search.limit), MappingProxyType(dict(removed)), MappingProxyType(unranked)
    )


def _frame(found: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """Lay the rows of all expiries end to end."""
    return pl.DataFrame(
        {
            name: pl.Series(name, [value for rows in found for value in rows[name]], kind)
            for name, kind in OPPORTUNITY_SCHEMA.items()
        }
    )


def _why_unranked(root: str, years: float, fair: FairValue) -> str:
    if not is_loan(root):
        return "a box is no loan: the root is not known to be European"
    if np.isnan(years):
        return "nothing is left of the loan"
    if not fair.discount > 0.0:
        return fair.reason or "no fair value to compare with"
    return ""


def _main_reason(removals: Removals) -> str:
    """Return what keeps most boxes of an expiry out."""
    if not removals.boxes:
        return "fewer than two strikes have a call and a put"
    return max(removals.boxes, key=removals.boxes.__getitem__)
