"""One way to compile a kernel. Importing this module imports numba, which takes seconds.

Only modules of compiled kernels import it, and those are loaded when they pay.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, cast

from numba import njit

if TYPE_CHECKING:
    from collections.abc import Callable

_Function = TypeVar("_Function", bound="Callable[..., Any]")


def cached_njit(function: _Function, **flags: Any) -> _Function:
    """Compile on first call, without the interpreter's lock.

    The machine code is kept on disk where any folder can be written.

    Args:
        function: what to compile.
        flags: numba's, beyond ``nogil``.
    """
    compile_ = partial(njit, nogil=True, **flags)
    try:
        return cast("_Function", compile_(function, cache=True))
    except RuntimeError:  # numba found no folder for its cache: each process compiles anew
        return cast("_Function", compile_(function))
