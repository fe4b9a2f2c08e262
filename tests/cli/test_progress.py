"""The progress bar: on a terminal only, one step at a time, gone when done."""

from __future__ import annotations

import io

from rich.console import Console

from live_box_spreads.cli.progress import ProgressBar


def _console(*, terminal: bool) -> tuple[Console, io.StringIO]:
    text = io.StringIO()
    return Console(file=text, force_terminal=terminal, width=100), text


def test_nothing_is_shown_where_nobody_watches() -> None:
    console, text = _console(terminal=False)
    bar = ProgressBar(console)
    bar("subscribing", 1, 10)
    bar.close()
    assert text.getvalue() == ""


def test_a_terminal_shows_the_step_and_how_far_it_is() -> None:
    console, text = _console(terminal=True)
    bar = ProgressBar(console)
    bar("subscribing", 3, 10)
    bar.close()
    assert "subscribing" in text.getvalue()
    assert "3/10" in text.getvalue()


def test_a_step_that_took_no_time_is_not_shown() -> None:
    console, text = _console(terminal=True)
    bar = ProgressBar(console)
    bar("quotes", 7, 7)
    bar.close()
    assert text.getvalue() == ""


def test_a_step_that_is_done_gives_way_to_the_next() -> None:
    console, text = _console(terminal=True)
    bar = ProgressBar(console)
    bar("roots", 0, 5)
    bar("roots", 5, 5)
    bar("quotes", 0, 7)
    bar("rest", 2, 7)
    bar.close()
    shown = text.getvalue()
    assert shown.index("roots") < shown.index("quotes") < shown.index("rest")
    assert "2/7" in shown
