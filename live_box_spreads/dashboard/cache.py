"""A bounded cache that computes each value once, also when many threads ask at the same time."""

from __future__ import annotations

from collections import OrderedDict
from concurrent.futures import Future
from threading import Lock
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

Value = TypeVar("Value")


class Cache(Generic[Value]):
    """Least recently used values go first, once the sum of their sizes passes a bound."""

    def __init__(self, max_bytes: int, size_of: Callable[[Value], int]) -> None:
        """Hold values of at most ``max_bytes`` together; the newest one is always held."""
        self._max_bytes = max_bytes
        self._size_of = size_of
        self._values: OrderedDict[Hashable, Future[Value]] = OrderedDict()
        self._sizes: dict[Hashable, int] = {}
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

    def _fill(self, key: Hashable, future: Future[Value], compute: Callable[[], Value]) -> None:
        try:
            value = compute()
        except BaseException as error:
            with self._lock:
                self._values.pop(key, None)
            future.set_exception(error)
            raise
        with self._lock:
            if key in self._values:
                self._sizes[key] = self._size_of(value)
            self._evict(keep=key)
        future.set_result(value)

    def _evict(self, keep: Hashable) -> None:
        for key in list(self._values):
            if sum(self._sizes.values()) <= self._max_bytes:
                return
            if key != keep and key in self._sizes:
                del self._values[key]
                del self._sizes[key]
