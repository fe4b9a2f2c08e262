"""A bounded cache that computes each value once, also when many threads ask at the same time."""

from __future__ import annotations

from collections import OrderedDict
from concurrent.futures import Future
from threading import Lock
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    import polars as pl

Value = TypeVar("Value")


_ENTRY_BYTES = 6_000
"""What an entry takes beside the values of a frame: its key, its columns, its place here."""


def size_of_frame(frame: pl.DataFrame | None) -> int:
    """Return the bytes that a frame takes in a cache, an empty one or none too."""
    return _ENTRY_BYTES + (0 if frame is None else int(frame.estimated_size()))


class Cache(Generic[Value]):
    """Least recently used values go first, once the sum of their sizes passes a bound."""

    def __init__(self, max_bytes: float, size_of: Callable[[Value], int]) -> None:
        """Hold values of at most ``max_bytes`` together; the newest one is always held.

        Args:
            max_bytes: bound of the sum of sizes.
            size_of: returns the size of a value in bytes, with what holding it costs beside: a
                value of no size would be held for ever.
        """
        self._max_bytes = max_bytes
        self._size_of = size_of
        self._values: OrderedDict[Hashable, Future[Value]] = OrderedDict()
        self._sizes: dict[Hashable, int] = {}
        self._bytes = 0
        self._lock = Lock()

    def get(self, key: Hashable, compute: Callable[[], Value]) -> Value:
        """Return the value of a key; one thread computes it, the others wait for that one.

        An error is raised to all who wait, and is not kept.
        """
        with self._lock:
            future = self._values.get(key)
            mine = future is None
            if future is None:
                future = self._values[key] = Future()
            self._values.move_to_end(key)
        if mine:
            self._fill(key, future, compute)
        return future.result()

    def peek(self, key: Hashable) -> Value | None:
        """Return the value of a key if it is there already, else None."""
        with self._lock:
            if key not in self._sizes:
                return None
            self._values.move_to_end(key)
            return self._values[key].result()

    def forget(self, key: Hashable) -> None:
        """Let go of the value of a key, unless it is still being computed."""
        with self._lock:
            if key in self._sizes:
                self._drop(key)

    def _fill(self, key: Hashable, future: Future[Value], compute: Callable[[], Value]) -> None:
        try:
            value = compute()
        except BaseException as error:
            with self._lock:
                self._values.pop(key, None)
            future.set_exception(error)
            raise
        with self._lock:
            self._sizes[key] = self._size_of(value)
            self._bytes += self._sizes[key]
            self._evict(keep=key)
        future.set_result(value)

    def _evict(self, keep: Hashable) -> None:
        for key in list(self._values):
            if self._bytes <= self._max_bytes:
                return
            if key != keep and key in self._sizes:
                self._drop(key)

    def _drop(self, key: Hashable) -> None:
        del self._values[key]
        self._bytes -= self._sizes.pop(key)
