"""FEED_DATA into columns, by the last FEED_CONFIG.

A COMPACT frame is ``["Quote", [symbol, bid, ask, symbol, bid, ask, …], "Trade", […]]``; a FULL
frame is a list of objects. Numbers may be the strings "NaN", "Infinity" and "-Infinity". A row
that cannot be read is counted and skipped; it never harms its neighbours.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import repeat
from typing import TYPE_CHECKING, Any

import numpy as np

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
        columns: numbers by field name; NaN where the server says so or left the field out.
    """

    event_type: str
    rows: NDArray[np.int32]
    columns: Mapping[str, NDArray[np.float64]]


class FeedDecoder:
    """Decodes FEED_DATA for a fixed set of symbols.

    Attributes:
        malformed: rows that could not be read.
        unknown: rows of symbols that were not asked for, or no longer.
        unconfigured: arrays by event type that came before their FEED_CONFIG; not decoded.
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
        self.malformed = 0
        self.unknown = 0
        self.unconfigured: Counter[str] = Counter()
        self._rows = {event_type: dict(index) for event_type, index in rows.items()}
        self._wanted = {event_type: tuple(names) for event_type, names in fields.items()}
        self._layout: dict[str, list[str]] = {}

    def configure(self, event_fields: Mapping[str, Sequence[str]]) -> None:
        """Take over the field order of a FEED_CONFIG; types that it does not name keep theirs."""
        for event_type, names in event_fields.items():
            self._layout[event_type] = list(names)

    def forget_layout(self) -> None:
        """Forget every FEED_CONFIG; a new connection brings its own."""
        self._layout.clear()

    def decode(self, data: Sequence[Any]) -> list[EventBatch]:
        """Return the events of one FEED_DATA, one batch for each array in it."""
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

    def _compact(self, event_type: str, flat: list[Any]) -> EventBatch | None:
        names = self._layout.get(event_type)
        if names is None or "eventSymbol" not in names or event_type not in self._rows:
            self.unconfigured[event_type] += 1
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
                name: np.fromiter(columns[name], np.float64, length)
                if name in columns
                else np.full(length, np.nan)
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
        known = rows != _UNKNOWN
        if not known.all():
            self.unknown += int(length - known.sum())
            rows = rows[known]
            numbers = {name: values[known] for name, values in numbers.items()}
        return EventBatch(event_type, rows, numbers)


def _is_number(value: Any) -> bool:
    if value is None:
        return True
    try:
        float(value)
    except _CANNOT_CONVERT:
        return False
    return True
