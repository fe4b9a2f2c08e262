from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

from live_box_spreads.books.kernels import ALL
from live_box_spreads.machine_code import Kernel, load_in_background

if TYPE_CHECKING:
    from collections.abc import Iterator


class Compiled(ModuleType):
    """A module that counts how often it was warmed up."""

    warmed = 0

    def warm_up(self) -> None:
        self.warmed += 1


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> Iterator[Compiled]:
    module = Compiled("a_compiled_module")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return module


def test_there_is_no_code_before_it_is_loaded_and_warm(compiled: Compiled) -> None:
    kernel = Kernel(compiled.__name__)
    seen = [kernel.code, kernel.load(), kernel.load(), kernel.code]
    kernel.unload()
    assert [*seen, kernel.code] == [None, compiled, compiled, compiled, None]
    assert compiled.warmed == 1


def test_kernels_are_loaded_in_a_thread_of_their_own(compiled: Compiled) -> None:
    failures: list[str] = []
    kernel = Kernel(compiled.__name__)
    load_in_background([kernel], failures.append).join(10)
    assert kernel.code is compiled
    assert failures == []


def test_one_that_cannot_be_loaded_is_told_and_no_other_is_tried(compiled: Compiled) -> None:
    failures: list[str] = []
    absent, other = Kernel("not_a_module_at_all"), Kernel(compiled.__name__)
    load_in_background([absent, other], failures.append).join(10)
    assert (absent.code, other.code) == (None, None)
    assert failures == ["ModuleNotFoundError: No module named 'not_a_module_at_all'"]


def test_every_kernel_of_the_books_can_be_loaded_and_warmed() -> None:
    for kernel in ALL:
        assert kernel.load() is kernel.code
        kernel.unload()
