"""Output to a full disk, to a reader who left or sleeps, to nothing: nobody fails for it."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import pytest

from live_box_spreads import standard_streams
from live_box_spreads.standard_streams import (
    LostOutput,
    going_on_without_output,
    safe_streams,
    tell_losses_as,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")

CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture
def full() -> Iterator[TextIO]:
    """A file on a disk without room."""
    with os.fdopen(os.open("/dev/full", os.O_WRONLY), "w", closefd=False) as stream:
        yield stream


@pytest.fixture
def small_pipe() -> Iterator[tuple[int, TextIO]]:
    """A pipe that takes one page, and its writing end as a stream."""
    reading, writing = os.pipe()
    if hasattr(fcntl, "F_SETPIPE_SZ"):
        fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
    with os.fdopen(writing, "w", closefd=False) as stream:
        yield reading, stream
    for descriptor in (reading, writing):
        try:
            os.close(descriptor)
        except OSError:
            assert descriptor == reading  # a test has closed it


def test_standard_error_never_raises(monkeypatch: pytest.MonkeyPatch, full: TextIO) -> None:
    monkeypatch.setattr(sys, "stderr", full)
    with safe_streams():
        for _ in range(3):
            print("a line", file=sys.stderr)  # noqa: T201 # that is what is tested
        sys.stderr.buffer.write(b"bytes\n")
        sys.stderr.flush()
    assert sys.stderr is full


def test_a_result_that_cannot_be_written_is_said_once(
    monkeypatch: pytest.MonkeyPatch, full: TextIO
) -> None:
    monkeypatch.setattr(sys, "stdout", full)
    with safe_streams():
        with pytest.raises(LostOutput, match="No space left on device") as caught:
            print("a result", flush=True)  # noqa: T201 # that is what is tested
        assert not caught.value.reader_left
        print("more of it", flush=True)  # noqa: T201 # the command is ending already


def test_a_result_in_a_buffer_is_no_less_a_result(
    monkeypatch: pytest.MonkeyPatch, full: TextIO
) -> None:
    monkeypatch.setattr(sys, "stdout", full)
    with pytest.raises(LostOutput), safe_streams():
        print("a result")  # noqa: T201 # not flushed: only the end writes it
    assert sys.stdout is full


def test_what_goes_on_counts_what_it_lost_and_says_it_once(
    monkeypatch: pytest.MonkeyPatch, small_pipe: tuple[int, TextIO]
) -> None:
    monkeypatch.setattr(standard_streams, "_PATIENCE_SECS", 0.01)
    reading, stream = small_pipe
    monkeypatch.setattr(sys, "stdout", stream)
    with safe_streams(), going_on_without_output():
        for number in range(50):  # 50 pages for a pipe of one, and nobody reads
            print(f"{number:4}" + "x" * 4095, flush=True)  # noqa: T201
        os.read(reading, 1 << 20)
        print("room again", flush=True)  # noqa: T201
        told = os.read(reading, 1 << 20).decode().splitlines()
        print("and again", flush=True)  # noqa: T201
        told += os.read(reading, 1 << 20).decode().splitlines()
    *_, loss, first, second = told
    assert loss == "(50 lines before this one could not be written: nobody reads it)"
    assert (first, second) == ("room again", "and again")


def test_a_reader_who_left_ends_nothing_that_goes_on(
    monkeypatch: pytest.MonkeyPatch, small_pipe: tuple[int, TextIO]
) -> None:
    reading, stream = small_pipe
    os.close(reading)
    monkeypatch.setattr(sys, "stdout", stream)
    with safe_streams():
        with going_on_without_output():
            print("a line", flush=True)  # noqa: T201
        with pytest.raises(LostOutput) as caught, safe_streams():
            print("a result", flush=True)  # noqa: T201
        assert caught.value.reader_left


def test_losses_are_told_as_the_log_tells(
    monkeypatch: pytest.MonkeyPatch, small_pipe: tuple[int, TextIO]
) -> None:
    monkeypatch.setattr(standard_streams, "_PATIENCE_SECS", 0.01)
    reading, stream = small_pipe
    monkeypatch.setattr(sys, "stderr", stream)
    with safe_streams():
        tell_losses_as(lambda lines, reason: f'{{"lines": {lines}, "reason": "{reason}"}}')
        print("x" * 4096, file=sys.stderr)  # noqa: T201 # its line end finds no room
        os.read(reading, 1 << 20)
        print("{}", file=sys.stderr)  # noqa: T201
        told = os.read(reading, 1 << 20).decode().splitlines()
    assert told[-2:] == ['{"lines": 1, "reason": "nobody reads it"}', "{}"]


def test_a_letter_that_the_locale_lacks_is_an_escape(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "out"
    with file.open("w", encoding="ascii") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        with safe_streams():
            print("± 5 …")  # noqa: T201
    assert file.read_text() == "\\xb1 5 \\u2026\n"


def test_no_file_gets_the_number_of_a_stream_that_was_closed(tmp_path: Path) -> None:
    program = f"""
import os, sys
from live_box_spreads.standard_streams import safe_streams
with safe_streams():
    with open({str(tmp_path / "snapshot")!r}, "w") as file:
        assert file.fileno() > 2, file.fileno()
        print("out")
        print("error", file=sys.stderr)
        os.write(2, b"below Python")
        file.write("whole")
"""
    command = f'exec "{sys.executable}" -c "$0" <&- >&- 2>&-'
    ended = subprocess.run(["/bin/sh", "-c", command, program], cwd=CHECKOUT, check=False)  # noqa: S603
    assert ended.returncode == 0
    assert (tmp_path / "snapshot").read_text() == "whole"
