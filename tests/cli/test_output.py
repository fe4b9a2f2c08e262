"""What a command writes: nothing that a spreadsheet runs or a terminal obeys, and no traceback."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest
import structlog
import typer
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from live_box_spreads.cli.main import run
from live_box_spreads.cli.output import encode, people_table, say, tell
from live_box_spreads.logs import log_to_stderr
from live_box_spreads.model.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cli.conftest import Boxes

CHECKOUT = Path(__file__).resolve().parents[2]
posix_only = pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("=HYPERLINK(1)", "'=HYPERLINK(1)"),
        ("+1", "'+1"),
        ("-2+3", "'-2+3"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\ufffd=1"),
        ("\r=1", "'\ufffd=1"),
        ("\uff1d1", "'\uff1d1"),
        ("SPX", "SPX"),
        ("a=1", "a=1"),
        ("\x1b[31mred", "\ufffd[31mred"),
        ("", ""),
    ],
)
def test_no_text_cell_of_a_csv_is_a_formula(cell: str, written: str) -> None:
    frame = pl.DataFrame({"name": [cell], "rate": [-0.05], "size": [-3]})
    row = next(csv.DictReader(io.StringIO(encode(frame, "csv").decode(), newline="")))
    assert row == {"name": written, "rate": "-0.05", "size": "-3"}


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1, max_size=5))
def test_any_text_cell_is_harmless(cells: list[str]) -> None:
    frame = pl.DataFrame({"name": cells, "n": range(len(cells))})
    written = list(csv.reader(io.StringIO(encode(frame, "csv").decode(), newline="")))
    assert len(written) == len(cells) + 1
    for name, number in written[1:]:
        assert not name.startswith(("=", "+", "-", "@", "\t", "\r"))
        assert not {character for character in name if ord(character) < 32 or ord(character) == 127}
        assert number.isdigit()
    records = json.loads(encode(frame, "json"))
    assert not any("\x1b" in record["name"] for record in records)


def test_no_cell_or_title_of_a_table_is_markup_or_a_control_code() -> None:
    frame = pl.DataFrame({"note": ["[red]x[/red]", "[/]", "\x1b[2J"]})
    table = people_table(frame, {"note": "{}"}, "a[bold]b.parquet \x1b[31m", "[link=http://x]c")
    console = Console(file=io.StringIO(), width=100, force_terminal=True, color_system=None)
    console.print(table)
    shown = console.file.getvalue()  # type: ignore[attr-defined] # it is a StringIO
    for text in (
        "[red]x[/red]",
        "[/]",
        "\\x1b[2J",
        "a[bold]b.parquet",
        "\\x1b[31m",
        "[link=http://x]c",
    ):
        assert text in shown
    assert "\x1b[31m" not in shown
    assert "\x1b[2J" not in shown


def test_a_line_is_plain_for_a_person_and_whole_for_a_program(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    say("a\x07b")
    tell("a\x1b]0;title\x07b" + "x" * 5_000)
    printed = capsys.readouterr()
    assert "\x07" not in printed.err
    assert len(printed.err) < 1_100
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    say("a\x07b")
    assert capsys.readouterr().out == "a\\x07b\n"


def _failing(error: BaseException) -> typer.Typer:
    program = typer.Typer(pretty_exceptions_enable=False)

    @program.command()
    def fail() -> None:
        local_secret = "local-" + "secret"
        assert local_secret
        raise error

    return program


def _ended(
    program: typer.Typer, capfd: pytest.CaptureFixture[str]
) -> tuple[int | str | None, str, str]:
    with pytest.raises(SystemExit) as ended:
        run(program, "boxes", [])
    printed = capfd.readouterr()
    return ended.value.code, printed.out, printed.err


def test_a_mistake_of_ours_is_one_line_without_its_words(capfd: pytest.CaptureFixture[str]) -> None:
    status, _, err = _ended(_failing(KeyError("topsecret")), capfd)
    assert status == 1
    assert err.count("\n") == 1
    assert err.startswith("boxes: KeyError in test_output.py, line ")
    assert "please report it" in err
    assert "topsecret" not in err
    assert "local-secret" not in err


def test_the_whole_traceback_is_for_who_asks_and_holds_no_secret(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BOX_TRACEBACK", "1")
    monkeypatch.setenv("TT_PASSWORD", "topsecret")
    _, _, err = _ended(_failing(KeyError("it is topsecret")), capfd)
    assert "Traceback (most recent call last)" in err
    assert "KeyError: 'it is ****'" in err
    assert "topsecret" not in err
    assert "local-secret" not in err


def test_an_error_of_many_long_lines_is_bounded(capfd: pytest.CaptureFixture[str]) -> None:
    error = ConfigError("\n".join(["\x1b[2J" + "x" * 10_000] * 500))
    _, _, err = _ended(_failing(error), capfd)
    assert len(err) < 30_000
    assert "\x1b" not in err
    assert "… and 480 more lines" in err


@pytest.fixture
def _structlog_as_before() -> Iterator[None]:
    before = structlog.get_config()
    yield
    structlog.configure(**before)


@pytest.mark.usefixtures("_structlog_as_before")
@pytest.mark.parametrize("json_logs", [True, False])
def test_a_log_has_no_locals_and_no_control_codes(
    capsys: pytest.CaptureFixture[str], *, json_logs: bool
) -> None:
    log_to_stderr(json=json_logs)
    password = "local-" + "secret"
    try:
        int(password[:0])
    except ValueError:
        structlog.get_logger().exception("failed\x1b[2J", reason="a\x1b]0;b\x07", many="x" * 9_000)
    err = capsys.readouterr().err
    assert "ValueError" in err
    assert "local-secret" not in err
    assert "\x1b" not in err
    assert len(err) < 6_000
    if json_logs:
        assert json.loads(err)["level"] == "error"


def _shell(command: str, folder: Path, env: dict[str, str] | None = None) -> str:
    """Run a line of bash in which ``boxes`` is ours; return what it prints."""
    function = f'boxes() {{ "{sys.executable}" -m live_box_spreads "$@"; }}; '
    done = subprocess.run(  # noqa: S603 # our own line
        ["bash", "-c", function + command],  # noqa: S607 # whichever bash there is
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT), "NO_COLOR": "1", **(env or {})},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return done.stdout + done.stderr


@posix_only
def test_a_reader_who_leaves_ends_a_command_quietly(snapshot: Path, tmp_path: Path) -> None:
    # The pipe's reader is gone before anything is written.
    line = f'(sleep 1; boxes curve "{snapshot}"; echo "status $?" >&2) | exec true'
    assert _shell(line, tmp_path) == "status 141\n"


@posix_only
def test_a_result_that_finds_no_room_is_a_failure_in_one_line(
    snapshot: Path, tmp_path: Path
) -> None:
    told = _shell(f'boxes curve "{snapshot}" --format csv >/dev/full; echo "status $?"', tmp_path)
    assert told == ("status 1\nboxes: cannot write to standard output: No space left on device\n")


@posix_only
def test_notes_that_find_no_room_do_not_fail_a_result(snapshot: Path, tmp_path: Path) -> None:
    told = _shell(f'boxes best "{snapshot}" --format csv 2>/dev/full; echo "status $?"', tmp_path)
    assert told.startswith("side,root,expiry")
    assert told.endswith("status 0\n")


def test_quotes_ahead_of_the_clock_are_not_imported(boxes: Boxes, tmp_path: Path) -> None:
    file = tmp_path / "chain.csv"
    file.write_text("ticker,expiry,type,strike,bid,ask\nSPX,2041-12-20,call,6000,600,602\n")
    to = tmp_path / "data"
    result = boxes("import", "csv", file, "--to", to, "--quote-time", "2040-09-04T18:15:00+00:00")
    assert result.status == 1
    assert result.out == ""
    (line,) = result.err.splitlines()
    assert "2040-09-04 18:15 UTC" in line
    assert "days ahead of this machine's clock; set the clock, or give" in line
    assert not to.exists()
