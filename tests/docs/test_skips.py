"""The last lines of the test command."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.skips import skip_lines

ROOT = Path(__file__).resolve().parents[2]


def test_nothing_is_said_where_nothing_was_skipped() -> None:
    assert skip_lines([]) == []


def test_skipped_tests_are_counted_by_what_they_need() -> None:
    lines = skip_lines(
        [
            "Skipped: no chromium on the path; install it to run the browser tests",
            "Skipped: no real chains: shared/data is not beside the checkout",
            "Skipped: no rates: shared/data is not there",
            "Skipped: file modes are a POSIX matter",
        ]
    )
    data = "without real market data (not ours to give away); to run them: put it into"
    browser = "without Chromium; to run them: install it (Debian and Ubuntu: apt install"
    assert lines == [
        "4 tests were skipped:",
        f"     2  {data} ../shared/data",
        f"     1  {browser} chromium)",
        "     1  file modes are a POSIX matter",
    ]


@pytest.mark.parametrize("workers", ["0", "2"])
def test_they_are_the_last_lines(workers: str) -> None:
    test = "tests/shell/test_packaging.py::test_requirements_say_what_the_lock_says"
    done = subprocess.run(  # noqa: S603 - our own tests
        [sys.executable, "-m", "pytest", "-n", workers, test],
        cwd=ROOT,
        env={"PATH": "/no/such/folder"},  # no uv there
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    summary, head, line = done.stdout.splitlines()[-3:]
    assert "2 skipped" in summary
    assert head == "2 tests were skipped:"
    assert line == "     2  without uv; to run them: install uv"
