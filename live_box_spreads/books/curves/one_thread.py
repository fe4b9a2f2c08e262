"""Linear algebra in one thread: in small matrices, more threads only wait for each other.

On a busy machine a matrix of a hundred rows takes twenty times as long in two threads as in one.
One thread also gives the same last digits everywhere.
"""

from __future__ import annotations

from contextlib import contextmanager
from functools import cache
from threading import RLock
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_LIMITED = RLock()


@contextmanager
def one_thread() -> Iterator[None]:
    """Let numpy and scipy do linear algebra in one thread meanwhile; one caller at a time.

    The limit is that of the process. Taken by two at a time, the later one to end would restore the
    limit of the first, so they wait for each other.
    """
    with _LIMITED, _controller().limit(limits=1):
        yield


@cache
def _controller() -> Any:
    import scipy.linalg  # noqa: F401, PLC0415 - the controller finds only what is loaded
    from threadpoolctl import ThreadpoolController  # noqa: PLC0415 - likewise

    return ThreadpoolController()
