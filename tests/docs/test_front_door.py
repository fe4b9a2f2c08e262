"""The names of the package itself."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import live_box_spreads

SOURCE = Path(live_box_spreads.__file__).read_text("utf-8")


@pytest.mark.parametrize("name", live_box_spreads.__all__)
def test_each_name_is_there(name: str) -> None:
    assert getattr(live_box_spreads, name) is not None
    assert name in dir(live_box_spreads)


def test_a_type_checker_sees_the_same_names_in_the_same_modules() -> None:
    checked = {
        name.name: node.module
        for node in ast.walk(ast.parse(SOURCE))
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("live_box_spreads")
        for name in node.names
    }
    assert checked == live_box_spreads._MODULES
    assert sorted([*checked, "__version__"]) == sorted(live_box_spreads.__all__)


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'curves'"):
        live_box_spreads.__getattr__("curves")


def test_importing_the_package_imports_nothing_else() -> None:
    code = (
        "import __future__, importlib, sys, typing; before = set(sys.modules);"
        "import live_box_spreads; print(sorted(set(sys.modules) - before))"
    )
    done = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "['live_box_spreads']"
