"""Which reference a chain of one day is compared with: never a later one, never an old one."""

from __future__ import annotations

import threading
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from live_box_spreads.model.errors import FileFormatError
from live_box_spreads.reference import FileSource, History, ReferenceLookup
from live_box_spreads.reference.sources import LOOK_AGAIN_AFTER_SECS

if TYPE_CHECKING:
    from pathlib import Path

DAY = date(2025, 9, 4)


def _history(*days: date) -> History:
    return History("SOFR", "a file", dict.fromkeys(days, 0.04))


@given(st.sets(st.integers(-30, 30), min_size=1), st.integers(0, 10))
def test_it_is_the_newest_that_is_neither_later_nor_too_old(
    offsets: set[int], max_age_days: int
) -> None:
    history = _history(*(DAY + timedelta(days=offset) for offset in offsets))
    found = history.on(DAY, max_age_days)
    good = [offset for offset in offsets if -max_age_days <= offset <= 0]
    if not good:
        assert found.curve is None
        assert found.reason
        assert "\n" not in found.reason
    else:
        assert found.curve is not None
        assert found.curve.as_of == DAY + timedelta(days=max(good))
        assert found.reason == ""


def test_a_file_of_another_year_says_so() -> None:
    old = _history(date(2024, 12, 31)).on(DAY, 7)
    assert old.curve is None
    assert old.reason == (
        "the newest rates of a file before the trade date 2025-09-04 are of 2024-12-31, "
        "247 days earlier; at most 7 are accepted (max_age_days)"
    )
    later = _history(date(2026, 1, 2)).on(DAY, 7)
    assert later.reason == "a file begins on 2026-01-02, after the trade date 2025-09-04"


class _Source:
    """Counts how often it is asked; fails while told to."""

    def __init__(self) -> None:
        self.asked: list[tuple[date, int]] = []
        self.fails = False

    def history(self, day: date, days_back: int) -> History:
        self.asked.append((day, days_back))
        if self.fails:
            raise FileFormatError("no such file")
        return _history(DAY)


def test_a_desk_remembers_for_a_while_and_never_raises() -> None:
    source, now = _Source(), [0.0]
    desk = ReferenceLookup(source, max_age_days=5, clock=lambda: now[0])
    source.fails = True
    assert (desk.on(DAY).curve, desk.on(DAY).reason) == (None, "no such file")
    assert source.asked == [(DAY, 5)]
    source.fails = False
    now[0] = LOOK_AGAIN_AFTER_SECS
    assert desk.on(DAY).curve is not None
    assert len(source.asked) == 2
    assert desk.on(DAY + timedelta(days=1)).curve is not None  # another day is another question
    assert len(source.asked) == 3


def test_what_was_found_is_asked_for_again_after_five_minutes() -> None:
    source, now = _Source(), [0.0]
    desk = ReferenceLookup(source, clock=lambda: now[0])
    for now[0], asked in ((0.0, 1), (299.9, 1), (300.0, 2), (599.9, 2), (600.0, 3)):
        desk.on(DAY)
        assert len(source.asked) == asked


class _Slow:
    """Answers when it is let."""

    def __init__(self) -> None:
        self.may_answer = threading.Event()
        self.asked = 0

    def history(self, day: date, days_back: int) -> History:
        self.asked += 1
        assert self.may_answer.wait(10)
        return _history(DAY) if days_back else History("none", str(day), {})


def test_a_slow_source_holds_nobody_up_who_does_not_wait() -> None:
    source, now = _Slow(), [0.0]
    desk = ReferenceLookup(source, clock=lambda: now[0])
    waiting = [desk.on(DAY, wait_secs=0) for _ in range(5)]
    assert {reference.reason for reference in waiting} == {"the reference rates are being fetched"}
    assert source.asked == 1
    source.may_answer.set()
    found = desk.on(DAY)
    assert found.curve is not None
    source.may_answer.clear()
    now[0] = LOOK_AGAIN_AFTER_SECS  # asked again behind the scenes; what is known stands meanwhile
    assert desk.on(DAY, wait_secs=5) == found
    source.may_answer.set()
    assert desk.on(DAY).curve is not None
    assert source.asked == 2


def test_a_mistake_of_ours_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    desk = ReferenceLookup(_Source())
    monkeypatch.setattr(desk._source, "history", None)
    for _ in range(2):
        with pytest.raises(TypeError):
            desk.on(DAY)


def test_yields_that_make_no_curve_are_a_reason(tmp_path: Path) -> None:
    file = tmp_path / "rates.csv"
    file.write_text("date,1y,30y\n2025-09-04,1,29\n", encoding="utf-8")
    found = ReferenceLookup(FileSource(file)).on(DAY)
    assert found.curve is None
    assert "no positive discount factors" in found.reason


def test_a_desk_reads_a_file(tmp_path: Path) -> None:
    file = tmp_path / "rates.csv"
    file.write_text("date,rate\n2025-09-04,4.4\n", encoding="utf-8")
    curve = ReferenceLookup(FileSource(file)).on(DAY + timedelta(days=1)).curve
    assert curve is not None
    assert curve.as_of == DAY
    assert curve.rate(DAY, DAY + timedelta(days=1)) == pytest.approx(0.0456, abs=2e-4)
