"""Kernels: machine code for slow loops, beside plain code that gives the same numbers.

Loading a kernel takes seconds (importing numba, and the first time on a machine compiling), so no
process waits for one. A process that runs for long calls ``load_in_background`` once; until a
kernel is loaded, and where numba is not installed, the plain code does the work.
"""

from __future__ import annotations

from functools import partial
from importlib import import_module
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any, TypeVar, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import ModuleType

_Function = TypeVar("_Function", bound="Callable[..., Any]")


class Kernel:
    """A module of compiled functions, which nobody imports but this class.

    The module has a function ``warm_up`` that calls each of its entry points once, so that they are
    compiled when ``load`` returns.
    """

    def __init__(self, module: str) -> None:
        """Name the module; nothing is imported yet.

        Args:
            module: dotted name.
        """
        self._name = module
        self._code: ModuleType | None = None
        self._loading = Lock()

    @property
    def code(self) -> ModuleType | None:
        """The compiled module; None until it is loaded. Never waits."""
        return self._code

    def load(self) -> ModuleType:
        """Import and compile the module, once for the process; safe from any thread.

        Raises:
            ImportError: numba is not installed.
        """
        with self._loading:
            if self._code is None:
                module = import_module(self._name)
                module.warm_up()
                self._code = module
            return self._code

    def unload(self) -> None:
        """Let the plain code do the work again, to compare both ways in one process."""
        with self._loading:
            self._code = None


def load_in_background(kernels: Iterable[Kernel], on_failure: Callable[[str], None]) -> Thread:
    """Load kernels one after another in a daemon thread, and return the thread.

    Args:
        kernels: what to load.
        on_failure: called with the reason, in that thread, where one cannot be loaded. That costs
            speed and nothing else: the plain code goes on, and no further kernel is tried.
    """
    arguments = tuple(kernels), on_failure
    thread = Thread(target=_load_each, args=arguments, name="load-kernels", daemon=True)
    thread.start()
    return thread


def _load_each(kernels: Iterable[Kernel], on_failure: Callable[[str], None]) -> None:
    for kernel in kernels:
        try:
            kernel.load()
        except Exception as error:  # noqa: BLE001 # whatever a compiler raises, plain code goes on
            on_failure(f"{type(error).__name__}: {error}")
            return


def cached_njit(function: _Function, **flags: Any) -> _Function:
    """Compile a function on its first call, without the interpreter's lock.

    The machine code is kept on disk where any folder can be written. Importing a module that uses
    this imports numba.

    Args:
        function: what to compile.
        flags: numba's, beyond ``nogil``.
    """
    compile_ = partial(import_module("numba").njit, nogil=True, **flags)
    try:
        return cast("_Function", compile_(function, cache=True))
    except RuntimeError:  # numba found no folder for its cache: each process compiles anew
        return cast("_Function", compile_(function))
