"""What it costs to open a box, in dollars: the broker's schedule and the exchange's fee.

The schedule is Tastytrade's for index options, dated 2026-07-30, as transcribed; re-check with a
dry run before an order. Commission is charged to open and not to close, and boxes are held to
expiry. The SEC's fee on sales ($20.60 a million) is not in it: options on security indexes are
exempt (15 U.S.C. 78ee; SEC release 34-45371).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from live_box_spreads.model.errors import ModelError

if TYPE_CHECKING:
    from live_box_spreads.model.products import Product

LEGS = 4
SOLD_LEGS = 2


@dataclass(frozen=True, slots=True)
class FeeSchedule:
    """What a broker charges on an index option, in dollars a contract.

    Attributes:
        dated: the day of the schedule.
        commission_to_open: the broker's own commission.
        clearing: passed on to the clearing house.
        regulatory: options regulatory fee (ORF), bought or sold.
        trading_activity: FINRA's trading activity fee (TAF), sold only.
    """

    dated: date
    commission_to_open: float
    clearing: float
    regulatory: float
    trading_activity: float


TASTYTRADE = FeeSchedule(
    dated=date(2026, 7, 30),
    commission_to_open=1.00,
    clearing=0.10,
    regulatory=0.02,
    trading_activity=0.00329,
)


def opening_fees(product: Product, boxes: int, schedule: FeeSchedule = TASTYTRADE) -> float:
    """Return what it costs to open boxes in one order, in dollars for all of them.

    The same to lend and to borrow: either way each box buys two options and sells two.

    Args:
        product: the option root; its own index fee may depend on the contracts a leg.
        boxes: how many, at least one.
        schedule: the broker's.

    Raises:
        ModelError: fewer than one box.
    """
    if boxes < 1:
        raise ModelError(f"{boxes} boxes cannot be opened; it takes at least 1")
    each = (
        schedule.commission_to_open
        + schedule.clearing
        + schedule.regulatory
        + product.index_fee.per_contract(boxes)
    )
    return boxes * (LEGS * each + SOLD_LEGS * schedule.trading_activity)
