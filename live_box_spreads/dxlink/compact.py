"""Plain COMPACT data read straight from its bytes: the fast twin of ``decoder``.

What is not plain (escapes, exponents, null, a missing value, whitespace, …) is left to the decoder,
so that both always give the same result.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from live_box_spreads.machine_code import Kernel

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import ModuleType

    from numpy.typing import NDArray

    Bytes = NDArray[np.uint8]

_FIRST_TYPE, _NEXT_TYPE, _TYPE_BEHIND, _END = b'["', b',"', b'",[', b"]"
"""What stands before and behind the name of an event type, and behind the last array."""

_LONGEST_NAME = 40
"""Of an event type, with what stands around it, in bytes."""


@dataclass(frozen=True, slots=True)
class PlainRows:
    """Events of one type, unknown symbols among them.

    Attributes:
        event_type: such as ``Quote``.
        rows: (n,) row number of each event's symbol; -1 where it is not known.
        numbers: (fields, n) wanted numbers, in their order; NaN where the layout has none.
    """

    event_type: str
    rows: NDArray[np.int32]
    numbers: NDArray[np.float64]


READER: Final = Kernel("live_box_spreads.dxlink.compact_kernel")
"""Once it is loaded, every decoder of this process reads with it."""


class PlainReader:
    """Reads the ``data`` of a FEED_DATA frame, if it is plain."""

    def __init__(
        self,
        kernel: ModuleType,
        rows: Mapping[str, Mapping[str, int]],
        fields: Mapping[str, Sequence[str]],
    ) -> None:
        """Prepare for these symbols and numbers.

        Args:
            kernel: the code of ``READER``.
            rows: by event type, the row number of each symbol.
            fields: by event type, the numeric fields wanted.
        """
        self._kernel = kernel
        self._fields = fields
        self._tables = {kind: _symbol_table(kernel, index) for kind, index in rows.items()}
        self._layouts: dict[bytes, tuple[str, NDArray[np.int8]]] = {}

    def configure(self, event_type: str, names: Sequence[str]) -> None:
        """Take over the layout of a type; one without symbols cannot be read here."""
        self._layouts.pop(event_type.encode(), None)
        if event_type not in self._tables or "eventSymbol" not in names:
            return
        fields = self._fields.get(event_type, ())
        layout = np.full(len(names), self._kernel.IGNORED, np.int8)
        last = {name: at for at, name in enumerate(names)}
        for column, field in enumerate(fields):
            if field in last:
                layout[last[field]] = column
        layout[last["eventSymbol"]] = self._kernel.SYMBOL
        self._layouts[event_type.encode()] = (event_type, layout)

    def forget_layout(self) -> None:
        """Forget every layout."""
        self._layouts.clear()

    def read(self, data: bytes) -> list[PlainRows] | None:
        """Return the events, one item for each array; None if they have to be read otherwise."""
        text = np.frombuffer(data, np.uint8)
        batches: list[PlainRows] = []
        opening, at = _FIRST_TYPE, 0
        while not batches or data[at:] != _END:
            begin, end = at + len(opening), data.find(_TYPE_BEHIND, at, at + _LONGEST_NAME)
            known = self._layouts.get(data[begin:end])
            if known is None or end < 0 or not data.startswith(opening, at):
                return None
            batch, at = self._array(text, end + len(_TYPE_BEHIND), *known)
            if batch is None:
                return None
            batches.append(batch)
            opening = _NEXT_TYPE
        return batches

    def _array(
        self, text: Bytes, at: int, event_type: str, layout: NDArray[np.int8]
    ) -> tuple[PlainRows | None, int]:
        """Read one array from its first value on, and return where the text goes on behind it."""
        wanted = len(self._fields.get(event_type, ()))
        most = text.size // (2 * layout.size) + 1  # a value and what follows it are two bytes
        rows = np.empty(most, np.int32)
        numbers = np.full((wanted, most), np.nan)
        count, at = self._kernel.read_rows(
            text, at, layout, self._tables[event_type], rows, numbers
        )
        if count < 0:
            return None, at
        return PlainRows(event_type, rows[:count].copy(), numbers[:, :count].copy()), at


def _symbol_table(
    kernel: ModuleType, rows: Mapping[str, int]
) -> tuple[NDArray[np.int32], NDArray[np.uint8]]:
    """Return row numbers and symbols by slot: open addressing, at most half full."""
    # A zero ends a name here. One that holds a zero is never plain, so it is never looked up.
    known = {name.encode(): row for name, row in rows.items() if "\0" not in name}
    width = max(map(len, known), default=0) + 1
    names = np.array([*known], f"S{width}").view(np.uint8).reshape(-1, width)
    slots = 1 << (2 * len(known) + 1).bit_length()
    table = np.full(slots, kernel.UNKNOWN, np.int32), np.zeros((slots, width), np.uint8)
    kernel.fill_table(names, np.array([*known.values()], np.int32), table)
    return table
