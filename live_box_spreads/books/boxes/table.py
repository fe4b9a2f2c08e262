"""The box table: every usable box of one root and expiry, one row each. Derived, never stored."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from live_box_spreads.books.boxes.filters import (
    BoxFilters,
    Removals,
    count_widths,
    usable_boxes,
    usable_strikes,
)
from live_box_spreads.books.boxes.frame import BOX_COLUMNS, box_frame
from live_box_spreads.books.boxes.prices import StrikePairs, box_prices
from live_box_spreads.books.strikes.synthetics import synthetics
from live_box_spreads.model.chain import TIME_TYPE
from live_box_spreads.model.products import loan_product
from live_box_spreads.model.quality import QualityRules
from live_box_spreads.model.rates import Compounding
from live_box_spreads.model.settlement import TimeBasis, years_to_payment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime

    from live_box_spreads.model.chain import Chain


@dataclass(frozen=True, slots=True)
class BoxTable:
    """Boxes of one root and expiry at one instant.

    Attributes:
        root: option root.
        expiry: expiration date.
        snapshot_time: the instant of the quotes (UTC).
        tte_years: years to the payment, on the basis asked for; NaN when nothing is left.
        frame: ``BOX_COLUMNS``, or those asked for, ordered by ``kl``, then ``ks``.
        removed: boxes left out, by the first reason that applied (see ``books/boxes/filters.py``);
            with the rows of ``frame`` they make up all pairs of listed strikes.
    """

    root: str
    expiry: date
    snapshot_time: datetime
    tte_years: float
    frame: pl.DataFrame
    removed: Mapping[str, int]


def box_table(  # noqa: PLR0913 # each is a choice that a face offers
    chain: Chain,
    root: str,
    expiry: date,
    *,
    basis: TimeBasis = TimeBasis.SETTLEMENT,
    compounding: Compounding = Compounding.EFFECTIVE,
    filters: BoxFilters = BoxFilters(),  # noqa: B008 # frozen
    rules: QualityRules = QualityRules(),  # noqa: B008 # frozen
    columns: Sequence[str] = BOX_COLUMNS,
    allow_american: bool = False,
) -> BoxTable:
    """Price every box of one root and expiry.

    Args:
        chain: quotes at one instant.
        root: option root.
        expiry: expiration date.
        basis: how years are counted.
        compounding: how rates are said.
        filters: which boxes to keep.
        rules: which legs to flag, and to leave out.
        columns: of ``BOX_COLUMNS`` and ``LEG_QUOTE_COLUMNS``, those that the frame is to have, in
            that order; the fewer, the less memory a table of millions of boxes takes.
        allow_american: show boxes of a root on which a box is no loan, or whose style is unknown.

    Raises:
        ChainError: the chain has no such root or expiry.
        UnknownRootError: the root's style is unknown and was not allowed.
        NotALoanError: the root is American style and was not allowed.
    """
    synthetic = synthetics(chain, root, expiry, rules)
    if not allow_american:
        loan_product(root)
    removals = Removals()
    usable = np.flatnonzero(usable_strikes(synthetic, filters, removals))
    forwards = synthetic.forwards.take(usable)
    pairs = StrikePairs.within(forwards.strike, filters.min_strike_gap, filters.max_strike_gap)
    count_widths(pairs, removals)
    years = years_to_payment(chain.snapshot_time, expiry, synthetic.settlement, basis)
    prices = box_prices(forwards, pairs, years, compounding)
    keep = usable_boxes(prices, filters, years, removals)
    low, high = (usable[index[keep]] for index in pairs.indices())
    frame = box_frame(synthetic, low, high, prices.where(keep), columns)
    constants = {
        "ticker": pl.lit(root),
        "expiry": pl.lit(expiry, pl.Date),
        "snapshot_time": pl.lit(chain.snapshot_time, TIME_TYPE),
        "tte_years": pl.lit(years),
        "spot_price": pl.lit(synthetic.spot),
    }
    constants = {name: value for name, value in constants.items() if name in columns}
    return BoxTable(
        root=root,
        expiry=expiry,
        snapshot_time=chain.snapshot_time,
        tte_years=years,
        frame=frame.with_columns(**constants).select(columns),
        removed=MappingProxyType(removals.boxes),
    )
