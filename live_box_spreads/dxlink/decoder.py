"""FEED_DATA into columns, by the last FEED_CONFIG.

A COMPACT frame is ``["Quote", [symbol, bid, ask, symbol, bid, ask, …], "Trade", […]]``; a FULL
frame is a list of objects. Numbers may be the strings "NaN", "Infinity" and "-Infinity". A row
that cannot be read is counted and skipped; it never harms its neighbours.

Plain COMPACT data is read by ``compact`` once that is compiled. What is here reads everything,
and defines what the fast way returns.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import repeat
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from live_box_spreads.dxlink.compact import READER, PlainReader
from live_box_spreads.dxlink.messages import UNREADABLE, tally

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

_UNKNOWN = -1
_CANNOT_CONVERT = (TypeError, ValueError, OverflowError)


@dataclass(frozen=True, slots=True)
class EventBatch:
    """Events of one type; all arrays have one length.

    Attributes:
        event_type: such as ``Quote``.
        rows: row number of each event's symbol; may repeat, the last one is the newest.
        columns: finite numbers by field name; NaN where the server sends that there is none, be it
            as NaN or as an infinity, or left the field out.
    """

    event_type: str
    rows: NDArray[np.int32]
    columns: Mapping[str, NDArray[np.float64]]


class FeedDecoder:
    """Decodes FEED_DATA for a fixed set of symbols.

    Attributes:
        unreadable: texts that are no JSON array.
        malformed: rows that could not be read.
        unknown: rows of symbols that were not asked for, or no longer.
        unconfigured: arrays by event type that came before their FEED_CONFIG; not decoded.
        read_slowly: events read without the compiled reader; many of them mean that it would pay.
    """

    def __init__(
        self,
        rows: Mapping[str, Mapping[str, int]],
        fields: Mapping[str, Sequence[str]],
    ) -> None:
        """Prepare for these symbols and numbers.

        Args:
            rows: by event type, the row number of each symbol.
            fields: by event type, the numeric fields wanted in ``EventBatch.columns``.
        """
        self.unreadable = 0
        self.malformed = 0
        self.unknown = 0
        self.unconfigured: Counter[str] = Counter()
        self.read_slowly = 0
        self._rows = {event_type: dict(index) for event_type, index in rows.items()}
        self._wanted = {event_type: tuple(names) for event_type, names in fields.items()}
        self._layout: dict[str, list[str]] = {}
        self._reader: PlainReader | None = None

    def configure(self, event_fields: Mapping[str, Sequence[str]]) -> None:
        """Take over the field order of a FEED_CONFIG; types that it does not name keep theirs.

        Types that were not asked for are left out, so that a server cannot fill our memory.
        """
        for event_type, names in event_fields.items():
            if event_type in self._rows:
                self._layout[event_type] = list(names)
                if self._reader is not None:
                    self._reader.configure(event_type, names)

    def forget_layout(self) -> None:
        """Forget every FEED_CONFIG; a new connection brings its own."""
        self._layout.clear()
        if self._reader is not None:
            self._reader.forget_layout()

    def decode(self, text: bytes) -> list[EventBatch]:
        """Return the events of one FEED_DATA, one batch for each array in it.

        Args:
            text: its ``data``, as it came: a JSON array.
        """
        plain = self._plain(text)
        if plain is not None:
            return plain
        try:
            data = msgspec.json.decode(text, type=list[Any])
        except UNREADABLE:
            self.unreadable += 1
            return []
        return self.decode_values(data)

    def decode_values(self, data: Sequence[Any]) -> list[EventBatch]:
        """Do what ``decode`` does, in the way that reads everything.

        Args:
            data: the array's values.
        """
        if data and isinstance(data[0], dict):
            return self._full(data)
        batches = []
        for event_type, flat in zip(data[0::2], data[1::2], strict=False):
            if isinstance(event_type, str) and isinstance(flat, list):
                batches.append(self._compact(event_type, flat))
            else:
                self.malformed += 1
        self.malformed += len(data) % 2
        return [batch for batch in batches if batch is not None]

    def _plain(self, text: bytes) -> list[EventBatch] | None:
        """Read by machine code; None if it is not there, or leaves the text to others."""
        if self._reader is None:
            if (kernel := READER.code) is None:
                return None
            self._reader = PlainReader(kernel, self._rows, self._wanted)
            for event_type, names in self._layout.items():
                self._reader.configure(event_type, names)
        arrays = self._reader.read(text)
        if arrays is None:
            return None
        return [
            self._known(array.event_type, array.rows, dict(zip(wanted, array.numbers, strict=True)))
            for array in arrays
            for wanted in [self._wanted.get(array.event_type, ())]
        ]

    def _compact(self, event_type: str, flat: list[Any]) -> EventBatch | None:
        names = self._layout.get(event_type)
        if names is None or "eventSymbol" not in names or event_type not in self._rows:
            tally(self.unconfigured, event_type)
            return None
        stride = len(names)
        if len(flat) % stride:  # a value is missing somewhere, so no row can be trusted
            self.malformed += len(flat) // stride + 1
            return None
        columns = {name: flat[at::stride] for at, name in enumerate(names)}
        return self._batch(event_type, columns, len(flat) // stride)

    def _full(self, events: Sequence[Any]) -> list[EventBatch]:
        """Group the objects of a FULL frame by type; an omitted field is NaN."""
        by_type: dict[str, list[dict[str, Any]]] = {}
        for event in events:
            event_type = event.get("eventType") if isinstance(event, dict) else None
            if isinstance(event_type, str) and event_type in self._rows:
                by_type.setdefault(event_type, []).append(event)
            else:
                self.malformed += 1
        batches = []
        for event_type, group in by_type.items():
            names = ("eventSymbol", *self._wanted.get(event_type, ()))
            columns = {name: [event.get(name) for event in group] for name in names}
            batches.append(self._batch(event_type, columns, len(group)))
        return batches

    def _batch(self, event_type: str, columns: dict[str, list[Any]], length: int) -> EventBatch:
        """Convert whole columns at once; row by row only if one of them has a bad value."""
        wanted = self._wanted.get(event_type, ())
        index = self._rows[event_type]
        symbols = columns["eventSymbol"]
        try:
            rows = np.fromiter(map(index.get, symbols, repeat(_UNKNOWN)), np.int32, length)
            numbers = {
                name: _doubles(columns[name]) if name in columns else np.full(length, np.nan)
                for name in wanted
            }
        except _CANNOT_CONVERT:
            good = [
                at
                for at in range(length)
                if isinstance(symbols[at], str)
                and all(_is_number(columns[name][at]) for name in wanted if name in columns)
            ]
            self.malformed += length - len(good)
            kept = {name: [values[at] for at in good] for name, values in columns.items()}
            return self._batch(event_type, kept, len(good))
        self.read_slowly += length
        return self._known(event_type, rows, numbers)

    def _known(
        self, event_type: str, rows: NDArray[np.int32], numbers: dict[str, NDArray[np.float64]]
    ) -> EventBatch:
        """Leave out the rows of unknown symbols, counted."""
        if rows.size and rows.min() == _UNKNOWN:
            known = rows != _UNKNOWN
            self.unknown += int(rows.size - known.sum())
            rows = rows[known]
            numbers = {name: values[known] for name, values in numbers.items()}
        return EventBatch(event_type, rows, numbers)


def _doubles(values: Sequence[Any]) -> NDArray[np.float64]:
    """Return finite numbers, null as NaN; true and false are none, whatever numpy thinks."""
    if bool in set(map(type, values)):
        raise TypeError("a boolean among numbers")
    doubles = np.fromiter(values, np.float64, len(values))
    doubles[np.isinf(doubles)] = np.nan
    return doubles


def _is_number(value: Any) -> bool:
    if value is None or isinstance(value, bool):
        return value is None
    try:
        float(value)
    except _CANNOT_CONVERT:
        return False
    return True
