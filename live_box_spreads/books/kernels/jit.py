"""How the kernels of the books are compiled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from live_box_spreads.machine_code import cached_njit

if TYPE_CHECKING:
    from collections.abc import Callable

_Function = TypeVar("_Function", bound="Callable[..., Any]")


def jit(function: _Function) -> _Function:
    """Compile a kernel of the books on first call; see ``cached_njit``.

    ``contract`` lets a·b + c be one operation; the numpy error model makes a division by zero
    inf or NaN.
    """
    return cached_njit(function, fastmath={"contract"}, error_model="numpy")
