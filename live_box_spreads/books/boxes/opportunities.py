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
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from live_box_spreads.books.boxes.best import (
    OPPORTUNITY_SCHEMA,
    FairValue,
    Side,
    Wish,
    best_boxes,
)
from live_box_spreads.books.boxes.filters import BoxFilters
from live_box_spreads.books.strikes.synthetics import synthetics_by_expiry
from live_box_spreads.model.products import is_loan
from live_box_spreads.model.quality import QualityRules
from live_box_spreads.model.rates import Compounding
from live_box_spreads.model.settlement import TimeBasis, years_to_payment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date

    from live_box_spreads.books.boxes.filters import Removals
    from live_box_spreads.model.chain import Chain

__all__ = [
    "OPPORTUNITY_SCHEMA",
    "FairValue",
    "Opportunities",
    "Side",
    "Wish",
    "fair_values",
    "opportunities",
]


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
        table: rows of ``curve``; of whatever time basis and compounding.
    """
    columns = table.select("root", "expiry", "discount", "discount_error", "reason")
    return {
        (root, expiry): FairValue(discount, error, reason)
        for root, expiry, discount, error, reason in columns.iter_rows()
    }


def opportunities(  # noqa: PLR0913 # each is a choice that a face offers
    chain: Chain,
    fair: Mapping[tuple[str, date], FairValue],
    wish: Wish,
    *,
    root: str | None = None,
    basis: TimeBasis = TimeBasis.SETTLEMENT,
    compounding: Compounding = Compounding.EFFECTIVE,
    filters: BoxFilters | Callable[[str], BoxFilters] = BoxFilters(),  # noqa: B008 # frozen
    rules: QualityRules = QualityRules(),  # noqa: B008 # frozen
) -> Opportunities:
    """Rank the boxes of a chain on one side.

    Both sides of a box must be quoted at both strikes, so that its mid is known.

    Args:
        chain: quotes at one instant.
        fair: fair value by (root, expiry); an expiry without one has no opportunities.
        wish: what kind of boxes to look for.
        root: only this option root; all of them if not given.
        basis: how years are counted.
        compounding: how rates are said.
        filters: thresholds, or what gives them by root.
        rules: which legs to flag, and to leave out.

    Raises:
        ChainError: the chain has no such root, or mixes AM and PM settlement in an expiry.
    """
    removed: Counter[str] = Counter()
    unranked: dict[tuple[str, date], str] = {}
    rows = [pl.DataFrame(schema=OPPORTUNITY_SCHEMA)]
    for part in synthetics_by_expiry(chain, rules, root):
        key = part.root, part.expiry
        years = years_to_payment(chain.snapshot_time, part.expiry, part.settlement, basis)
        value = fair.get(key, _UNKNOWN)
        if reason := _why_unranked(part.root, years, value):
            unranked[key] = reason
            continue
        thresholds = filters if isinstance(filters, BoxFilters) else filters(part.root)
        found, removals = best_boxes(part, years, value, wish, compounding, thresholds)
        removed.update(removals.boxes)
        rows.append(found)
        if found.is_empty():
            unranked[key] = _main_reason(removals)
    best = pl.concat(rows).sort("score_bps", descending=True, maintain_order=True)
    return Opportunities(
        best.head(wish.limit), MappingProxyType(dict(removed)), MappingProxyType(unranked)
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
