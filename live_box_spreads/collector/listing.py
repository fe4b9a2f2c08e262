"""How long a list of contracts holds: until its trading day ends or one of its expiries passes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from live_box_spreads.model.settlement import expiry_instant, trade_date

if TYPE_CHECKING:
    from datetime import datetime

    from live_box_spreads.feeds.base import Contracts


@dataclass(frozen=True, slots=True)
class Listing:
    """The contracts of a universe, as listed at one instant.

    Attributes:
        contracts: the contracts, and the roots that could not be listed.
        listed_at: when (UTC).
        next_expiry: the first expiry instant after ``listed_at``; None if all have passed.
    """

    contracts: Contracts
    listed_at: datetime
    next_expiry: datetime | None

    @classmethod
    def of(cls, contracts: Contracts, listed_at: datetime) -> Self:
        """Keep the contracts with the instant from which they have to be listed anew."""
        pairs = contracts.table.select("expiry", "settlement").unique().sort("expiry", "settlement")
        instants = (expiry_instant(expiry, settlement) for expiry, settlement in pairs.iter_rows())
        upcoming = (instant for instant in instants if instant > listed_at)
        return cls(contracts, listed_at, next(upcoming, None))

    def is_outdated(self, now: datetime) -> bool:
        """Tell whether an expiry has passed or another trading day has begun since."""
        expired = self.next_expiry is not None and now >= self.next_expiry
        return expired or trade_date(now) != trade_date(self.listed_at)
