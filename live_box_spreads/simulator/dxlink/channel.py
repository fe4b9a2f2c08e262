"""One FEED channel of a DXLink session: its configuration, subscriptions and data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from live_box_spreads.simulator.dxlink.events import (
    FIELDS,
    changed_steps,
    compact,
    event_columns,
    full,
)
from live_box_spreads.simulator.market.book import NEVER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from live_box_spreads.simulator.dxlink.messages import FeedSetup, Subscription
    from live_box_spreads.simulator.faults import Faults
    from live_box_spreads.simulator.market.market import Market

Frame = dict[str, Any]

DEFAULT_AGGREGATION_SECS = 0.1
EVENTS_A_FRAME = 500
_SIZES = ("bidSize", "askSize")
_SIDES = frozenset({"bidPrice", "askPrice", *_SIZES})


class FeedChannel:
    """What one channel sends.

    A quote that changes several times within an aggregation period is sent once, as it is when
    the period ends.
    """

    def __init__(
        self,
        number: int,
        market: Market,
        symbol_rows: dict[str, int],
        faults: Faults,
    ) -> None:
        """Open a channel with nothing subscribed.

        Args:
            number: the channel's number.
            market: where events come from.
            symbol_rows: instrument number by DXLink symbol.
            faults: injected misbehaviour.
        """
        self.number = number
        self._market = market
        self._rows = symbol_rows
        self._faults = faults
        self._aggregation_secs = DEFAULT_AGGREGATION_SECS
        self._format = "FULL"
        self._asked: dict[str, list[str]] = {}
        self._fields: dict[str, list[str]] = {}
        self._subscribed: set[Subscription] = set()
        self._listened = {kind: np.zeros(len(market.symbols), dtype=bool) for kind in FIELDS}
        self._fresh = {kind: np.zeros(len(market.symbols), dtype=bool) for kind in FIELDS}
        self._held_back = {kind: np.zeros(len(market.symbols), dtype=bool) for kind in FIELDS}
        self._layout = self._injected_layout()
        self._sent_step = market.book.step
        self._due_secs = 0.0

    @property
    def size(self) -> int:
        """Number of subscriptions held."""
        return len(self._subscribed)

    def configure(self, setup: FeedSetup) -> Frame:
        """Take a client's wishes and return the FEED_CONFIG that answers them."""
        if setup.accept_aggregation_period is not None:
            self._aggregation_secs = max(0.0, setup.accept_aggregation_period)
        if setup.accept_data_format in {"COMPACT", "FULL"}:
            self._format = setup.accept_data_format
        if setup.accept_event_fields is not None:
            self._asked |= setup.accept_event_fields
            self._fields = {k: v for k, v in self._fields.items() if k not in self._asked}
        if self._faults.eager_config:
            for kind in self._asked.keys() & FIELDS.keys():
                self._fields[kind] = self._agreed_fields(kind)
        return self._config()

    def reset(self) -> None:
        """Drop every subscription."""
        self._subscribed.clear()
        for kind in FIELDS:
            for marks in (self._listened, self._fresh, self._held_back):
                marks[kind][:] = False

    def holds(self, wanted: Subscription) -> bool:
        """Return whether something is subscribed."""
        return wanted in self._subscribed

    def add(self, wanted: Subscription) -> None:
        """Subscribe to something; its current state is sent with the next data.

        A symbol or an event type that is not known is held, and stays silent.
        """
        self._subscribed.add(wanted)
        self._mark(wanted, listened=True)

    def remove(self, unwanted: Subscription) -> None:
        """Drop a subscription; one that is not held is no matter."""
        self._subscribed.discard(unwanted)
        self._mark(unwanted, listened=False)

    def frames(self, now_secs: float) -> Iterator[Frame]:
        """Give the frames that are due: FEED_CONFIG for new event types, then FEED_DATA."""
        if now_secs < self._due_secs and not any(fresh.any() for fresh in self._fresh.values()):
            return
        if (layout := self._injected_layout()) != self._layout:
            self._layout = layout
            self._fields.clear()
        changed = {kind: rows for kind in FIELDS if len(rows := self._changed(kind))}
        self._sent_step = self._market.book.step
        self._due_secs = now_secs + self._aggregation_secs
        unknown = [kind for kind in changed if kind not in self._fields]
        for kind in unknown:
            self._fields[kind] = self._agreed_fields(kind)
        if unknown:
            yield self._config()
        for pieces in _batches(changed):
            yield self._data(pieces)

    def _mark(self, subscription: Subscription, *, listened: bool) -> None:
        row = self._rows.get(subscription.symbol)
        if row is not None and subscription.type in FIELDS:
            self._listened[subscription.type][row] = listened
            self._fresh[subscription.type][row] = listened
            self._held_back[subscription.type][row] = False

    def _changed(self, kind: str) -> NDArray[np.intp]:
        """Return the instruments with events to send, and note them as sent."""
        steps = changed_steps(self._market, kind)
        newer = (steps > self._sent_step) & self._listened[kind]
        due = (newer | self._fresh[kind] | self._held_back[kind]) & (steps != NEVER)
        silent = self._silent()
        self._fresh[kind][:] = False
        self._held_back[kind] = due & silent  # sent once they are no longer silent
        return np.flatnonzero(due & ~silent)

    def _silent(self) -> NDArray[np.bool_]:
        """Return which instruments are set to send nothing."""
        faults, listing = self._faults, self._market.listing
        silent = np.zeros(len(self._market.symbols), dtype=bool)
        silent[[self._rows[name] for name in faults.silent_symbols if name in self._rows]] = True
        if faults.silent_roots:
            stalled = [item.product.root in faults.silent_roots for item in listing.series]
            silent[: len(listing)] |= np.array(stalled)[listing.series_of]
        return silent

    def _injected_layout(self) -> tuple[frozenset[str], bool, bool]:
        """Return the faults that decide how data is laid out; a change needs a FEED_CONFIG."""
        faults = self._faults
        return frozenset(faults.withheld_fields), faults.reversed_fields, faults.full_format

    def _agreed_fields(self, kind: str) -> list[str]:
        asked = self._asked.get(kind, list(FIELDS[kind]))
        withheld = self._faults.withheld_fields
        agreed = [name for name in asked if name in FIELDS[kind] and name not in withheld]
        return agreed[::-1] if self._faults.reversed_fields else agreed

    def _format_now(self) -> str:
        return "FULL" if self._faults.full_format else self._format

    def _config(self) -> Frame:
        frame: Frame = {
            "type": "FEED_CONFIG",
            "channel": self.number,
            "aggregationPeriod": self._aggregation_secs,
            "dataFormat": self._format_now(),
        }
        return frame | ({"eventFields": dict(self._fields)} if self._fields else {})

    def _data(self, pieces: list[tuple[str, NDArray[np.intp]]]) -> Frame:
        data: list[Any] = []
        unknown = _SIZES if self._faults.sizes_unknown else ()
        for kind, changed in pieces:
            fields = self._fields[kind]
            rows = np.repeat(changed, 2)[::-1] if self._faults.repeated_rows else changed
            columns = event_columns(self._market, kind, fields, rows, unknown)
            self._blank_unquoted(kind, fields, rows, columns)
            if self._format_now() == "COMPACT":
                data += [kind, compact(columns)]
            else:
                data += full(kind, fields, columns)
        return {"type": "FEED_DATA", "channel": self.number, "data": data}

    def _blank_unquoted(
        self, kind: str, fields: list[str], rows: NDArray[np.intp], columns: list[list[Any]]
    ) -> None:
        """Blank the quotes of symbols that are set to have none."""
        unquoted = self._faults.unquoted_symbols
        if kind != "Quote" or not unquoted:
            return
        blank = [at for at, row in enumerate(rows) if self._market.symbols[row] in unquoted]
        for name, column in zip(fields, columns, strict=True):
            if name in _SIDES:
                for at in blank:
                    column[at] = "NaN"


def _batches(
    changed: dict[str, NDArray[np.intp]],
) -> Iterator[list[tuple[str, NDArray[np.intp]]]]:
    """Cut rows by event type into frames of at most ``EVENTS_A_FRAME`` events."""
    batch: list[tuple[str, NDArray[np.intp]]] = []
    room = EVENTS_A_FRAME
    for kind, all_rows in changed.items():
        rows = all_rows
        while len(rows):
            batch.append((kind, rows[:room]))
            rows, room = rows[room:], room - len(batch[-1][1])
            if room == 0:
                yield batch
                batch, room = [], EVENTS_A_FRAME
    if batch:
        yield batch
