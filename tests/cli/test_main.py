"""`boxes` itself: start-up, version, statuses, one line for an error."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import typer

from live_box_spreads import __version__
from live_box_spreads.cli.main import run
from live_box_spreads.model.errors import ConfigError

if TYPE_CHECKING:
    from tests.cli.conftest import Boxes

HEAVY = {"numpy", "polars", "pydantic", "dash", "httpx2", "numba", "uvicorn", "structlog"}


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys; from live_box_spreads.cli.main import app, run\n"
        "try: run(app, 'boxes', ['--help'])\n"
        f"finally: print(sorted({HEAVY!r} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run(  # noqa: S603 # our own code
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert "collect" in done.stdout
    assert done.stderr == "[]\n"


def test_version(boxes: Boxes) -> None:
    assert boxes("--version").out == f"boxes {__version__}\n"


def test_no_command_shows_the_help_and_is_bad_usage(boxes: Boxes) -> None:
    result = boxes()
    assert result.status == 2
    assert "Commands" in result.out + result.err


@pytest.mark.parametrize("arguments", [("nonsense",), ("demo", "--prot", "1"), ("import", "xlsx")])
def test_bad_usage_exits_2(boxes: Boxes, arguments: tuple[str, ...]) -> None:
    result = boxes(*arguments)
    assert result.status == 2
    assert result.out == ""


def _program(error: BaseException) -> typer.Typer:
    program = typer.Typer(pretty_exceptions_enable=False)

    @program.command()
    def fail() -> None:
        raise error

    return program


def test_each_line_of_an_error_is_marked(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        run(_program(ConfigError("one\ntwo")), "boxes", [])
    assert ended.value.code == 1
    assert capfd.readouterr().err == "boxes: one\nboxes: two\n"


def test_an_interruption_exits_130(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        run(_program(KeyboardInterrupt()), "boxes", [])
    assert ended.value.code == 130
    assert "Traceback" not in capfd.readouterr().err


def test_a_defect_is_not_hidden(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for switch, says in (("0", "please report it"), ("1", "Traceback (most recent call last)")):
        monkeypatch.setenv("BOX_TRACEBACK", switch)
        with pytest.raises(SystemExit) as ended:
            run(_program(ZeroDivisionError()), "boxes", [])
        err = capfd.readouterr().err
        assert ended.value.code == 1
        assert "ZeroDivisionError" in err
        assert "test_main.py" in err
        assert says in err
