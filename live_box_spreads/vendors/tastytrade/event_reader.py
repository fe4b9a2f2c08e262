"""One connection of the stream: what it subscribes, and what its events mean. No sockets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import structlog

from live_box_spreads.dxlink.decoder import EventBatch, FeedDecoder
from live_box_spreads.feeds.base import Activity, Quotes, Update
from live_box_spreads.vendors.tastytrade.plan import NUMBERS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from numpy.typing import NDArray

    from live_box_spreads.dxlink.session import Subscribed
    from live_box_spreads.vendors.tastytrade.plan import StreamPlan

log = structlog.get_logger(__name__)

_BOTH_PRICES: Final = frozenset({"bidPrice", "askPrice"})


class EventReader:
    """One connection's share of a plan, how far it is, and the meaning of what it brings.

    Attributes:
        decoder: reads its data.
        stands: whether it is up: its channel is open.
        subscribed: subscriptions sent on the connection that stands.
        wanted: subscriptions that the server takes of its share, as far as is known.
    """

    def __init__(self, plan: StreamPlan, connection: int) -> None:
        """Take over a share of a plan.

        Args:
            plan: of the whole stream.
            connection: number of the connection, and of its share in the plan.
        """
        subscriptions = plan.subscriptions.shares[connection]
        self._connection = connection
        self.stands = False
        self.subscribed = 0
        self.wanted = len(subscriptions)
        self._underlyings = plan.underlyings
        self._contracts = len(plan.symbols)
        numbers = {symbol: row for row, symbol in enumerate(plan.symbols)}
        # Behind the contracts come the underlyings.
        numbers |= {name: self._contracts + at for at, name in enumerate(plan.underlyings)}
        rows: dict[str, dict[str, int]] = {}
        for event_type, symbol in subscriptions:
            rows.setdefault(event_type, {})[symbol] = numbers[symbol]
        self._rows = {kind: np.array([*index.values()], np.int32) for kind, index in rows.items()}
        self._quotes_before = np.cumsum([0, *(kind == "Quote" for kind, _ in subscriptions)])
        self.decoder = FeedDecoder(rows, NUMBERS)
        self._prices_withheld = False
        self._unread = 0

    @property
    def is_complete(self) -> bool:
        """Whether it stands, and all that the server takes is subscribed."""
        return self.stands and self.subscribed >= self.wanted

    @property
    def quotes(self) -> int:
        """Contracts whose quotes are asked for by now."""
        return int(self._quotes_before[self.subscribed])

    @property
    def quotes_wanted(self) -> int:
        """Contracts whose quotes this connection is to bring."""
        return int(self._quotes_before[self.wanted])

    def rows_of(self, event_type: str) -> NDArray[np.int32]:
        """Return the contracts of which this connection brings events of a type."""
        rows = self._rows.get(event_type, np.empty(0, np.int32))
        return rows[rows < self._contracts]

    def note_subscribed(self, subscribed: Subscribed) -> None:
        """Take over how far subscribing is."""
        self.stands = True
        self.subscribed, self.wanted = subscribed.count, subscribed.count + subscribed.left

    def note_down(self) -> None:
        """Begin anew: another connection knows nothing of this one's layout."""
        self.stands = False
        self.subscribed = 0
        self.decoder.forget_layout()

    def configure(self, event_fields: Mapping[str, list[str]]) -> None:
        """Take over a layout; quotes without both prices are not used, and REST replaces them."""
        self.decoder.configure(event_fields)
        if "Quote" in event_fields:
            withheld = _BOTH_PRICES - set(event_fields["Quote"])
            self._prices_withheld = bool(withheld)
            if withheld:
                log.warning("prices_not_streamed", withheld=sorted(withheld))

    def missed_something(self) -> bool:
        """Return whether data came since the last call that could not be read or not be used."""
        decoder = self.decoder
        unread = decoder.unreadable + decoder.malformed
        unread += sum(decoder.unconfigured[kind] for kind in self._rows)
        more = unread > self._unread
        self._unread = unread
        return more or self._prices_withheld

    def update_of(self, data: bytes, received_at: datetime) -> Update | None:
        """Return the update in one FEED_DATA, or None if there is none."""
        by_type: dict[str, list[EventBatch]] = {}
        for batch in self.decoder.decode(data):
            if len(batch.rows):
                by_type.setdefault(batch.event_type, []).append(batch)
        if self._prices_withheld:
            by_type.pop("Quote", None)
        if not by_type:
            return None
        quotes, trades = by_type.get("Quote"), by_type.get("Trade", [])
        slow = [*trades, *by_type.get("Summary", [])]
        return Update(
            received_at,
            quotes=_quotes(quotes) if quotes else None,
            connection=self._connection,
            activity=self._activity(slow) if slow else None,
            spot=self._spot(trades),
        )

    def _spot(self, trades: Sequence[EventBatch]) -> dict[str, float]:
        spot = {}
        for batch in trades:
            for at in np.flatnonzero(batch.rows >= self._contracts):
                price = float(batch.columns["price"][at])
                if price > 0:
                    spot[self._underlyings[batch.rows[at] - self._contracts]] = price
        return spot

    def _activity(self, batches: Sequence[EventBatch]) -> Activity | None:
        rows = _rows(batches)
        contracts = rows < self._contracts
        if not contracts.any():
            return None
        return Activity(
            rows[contracts],
            last=_column(batches, "price")[contracts],
            volume=_column(batches, "dayVolume")[contracts],
            open_interest=_column(batches, "openInterest")[contracts],
        )


def _quotes(batches: Sequence[EventBatch]) -> Quotes:
    return Quotes(
        rows=_rows(batches),
        bid=_column(batches, "bidPrice"),
        ask=_column(batches, "askPrice"),
        bid_size=_column(batches, "bidSize"),
        ask_size=_column(batches, "askSize"),
    )


def _rows(batches: Sequence[EventBatch]) -> NDArray[np.int32]:
    return batches[0].rows if len(batches) == 1 else np.concatenate([b.rows for b in batches])


def _column(batches: Sequence[EventBatch], name: str) -> NDArray[np.float64]:
    """Return one field of all batches; NaN where a batch has none."""
    parts = [
        batch.columns[name] if name in batch.columns else np.full(len(batch.rows), np.nan)
        for batch in batches
    ]
    return parts[0] if len(parts) == 1 else np.concatenate(parts)
