"""Each command and option is documented, has help and an example, and nothing else is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import typer.main

from live_box_spreads.cli.lazy import LazyCommand
from live_box_spreads.cli.main import COMMANDS as SUMMARIES
from live_box_spreads.cli.main import app

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cli.conftest import Boxes

DOCUMENTATION = Path(__file__).resolve().parents[2] / "docs" / "commands.md"


def _commands(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    below = getattr(command, "commands", {})
    if not below:
        yield name, command
    for child, found in below.items():
        yield from _commands(
            found.load() if isinstance(found, LazyCommand) else found, f"{name} {child}"
        )


COMMANDS = dict(_commands(typer.main.get_command(app), "boxes"))


@pytest.mark.parametrize("name", SUMMARIES)
def test_the_summary_of_a_command_is_the_first_line_of_its_help(name: str) -> None:
    [command] = [found for at, found in _lazy_commands() if at == name]
    assert " ".join(command.load().help.split("\n\n")[0].split()) == SUMMARIES[name]


def _lazy_commands() -> Iterator[tuple[str, LazyCommand]]:
    yield from typer.main.get_command(app).commands.items()  # type: ignore[attr-defined]


def _section(name: str) -> str:
    found = re.search(
        rf"^##+ {name}\n(.*?)(?=^##|\Z)", DOCUMENTATION.read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    assert found, f"{DOCUMENTATION.name} has no section {name!r}"
    return found[1]


def test_the_commands_are_those_of_the_design() -> None:
    analytics = {"curve", "best", "book", "prints"}
    words = {"demo", "snapshot", "collect", "dashboard", "simulate", "doctor"} | analytics
    assert set(COMMANDS) == {f"boxes {word}" for word in words} | {
        "boxes import cboe",
        "boxes import csv",
    }


@pytest.mark.parametrize("name", COMMANDS)
def test_each_option_is_documented_and_no_other(name: str) -> None:
    options = {
        option
        for parameter in COMMANDS[name].params
        for option in (*parameter.opts, *parameter.secondary_opts)
        if option.startswith("-") and option != "--help"
    }
    rows = re.findall(r"^\| (`.+?`) \| (.+) \|$", _section(name), re.MULTILINE)
    documented = {option for cell, _ in rows for option in re.findall(r"`(--[a-z-]+)`", cell)}
    assert documented == options


@pytest.mark.parametrize("name", COMMANDS)
def test_each_option_has_help(name: str) -> None:
    without = [p.name for p in COMMANDS[name].params if not getattr(p, "help", None)]
    assert without == []


@pytest.mark.parametrize("name", COMMANDS)
def test_help_shows_an_example_of_the_command(boxes: Boxes, name: str) -> None:
    result = boxes(*name.split()[1:], "--help")
    assert result.status == 0
    _, _, examples = result.out.partition("Examples")
    assert name in examples


@pytest.mark.parametrize("name", COMMANDS)
def test_the_documentation_shows_an_example_of_the_command(name: str) -> None:
    assert f"```\n{name}" in _section(name)


def test_every_documented_example_is_valid_usage(boxes: Boxes) -> None:
    lines = re.findall(r"^boxes .+$", DOCUMENTATION.read_text("utf-8"), re.MULTILINE)
    assert len(lines) > len(COMMANDS)
    for line in lines:
        # With --help at the end, the line is parsed and nothing is run.
        assert boxes(*line.split()[1:], "--help").status == 0, line
