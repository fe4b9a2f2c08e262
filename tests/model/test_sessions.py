from __future__ import annotations

import subprocess
import sys
import warnings
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

import exchange_calendars
import pytest
from hypothesis import given
from hypothesis import strategies as st

from live_box_spreads.model.closures import CLOSURES
from live_box_spreads.model.errors import ModelError
from live_box_spreads.model.sessions import (
    FIRST_DAY,
    LAST_DAY,
    NEW_YORK,
    close_time,
    is_session,
    is_settlement_day,
    session_after,
    session_on_or_after,
    session_on_or_before,
    settlement_day_after,
)
from tests.model.golden import golden_rows

if TYPE_CHECKING:
    from live_box_spreads.model.closures import Closure

DAYS = st.dates(FIRST_DAY, LAST_DAY - timedelta(days=10))


@pytest.mark.parametrize("row", golden_rows("closes.csv"), ids=lambda row: row["day"])
def test_sessions_and_closes_are_those_that_the_exchange_published(row: dict[str, str]) -> None:
    day = date.fromisoformat(row["day"])
    if not row["close"]:
        assert not is_session(day)
        with pytest.raises(ModelError, match=f"no close on {day}"):
            close_time(day)
        return
    assert is_session(day)
    expected = datetime.combine(day, time.fromisoformat(row["close"]), NEW_YORK)
    assert close_time(day) == expected
    assert close_time(day).tzinfo is NEW_YORK


def test_a_weekend_lies_between_two_sessions() -> None:
    saturday = date(2026, 11, 28)
    assert session_on_or_before(saturday) == date(2026, 11, 27)
    assert session_on_or_after(saturday) == date(2026, 11, 30)
    assert session_after(saturday) == date(2026, 11, 30)
    assert session_after(date(2026, 11, 30)) == date(2026, 12, 1)


@pytest.mark.parametrize(
    ("day", "settles"),
    [
        (date(2026, 10, 12), False),  # Columbus Day, second Monday of October
        (date(2026, 10, 5), True),
        (date(2026, 10, 19), True),
        (date(2018, 10, 8), False),  # the earliest that the second Monday can be
        (date(2019, 10, 14), False),  # the latest
        (date(2026, 11, 11), False),  # Veterans Day
        (date(2018, 11, 12), False),  # Veterans Day on a Sunday: Monday instead
        (date(2026, 11, 12), True),
        (date(2023, 11, 10), True),  # Veterans Day on a Saturday: not moved
        (date(2023, 11, 13), True),
        (date(2026, 11, 26), False),  # Thanksgiving
    ],
)
def test_banks_close_on_columbus_day_and_veterans_day(day: date, *, settles: bool) -> None:
    assert is_settlement_day(day) is settles


@pytest.mark.parametrize("closure", CLOSURES, ids=lambda closure: closure.day.isoformat())
def test_cash_moves_where_the_exchange_alone_is_closed(closure: Closure) -> None:
    assert not is_session(closure.day)
    assert is_settlement_day(closure.day)
    assert settlement_day_after(closure.day - timedelta(days=1)) == closure.day
    assert closure.source


def test_every_unscheduled_closure_of_the_calendar_is_accounted_for() -> None:
    # A newer calendar may bring another one: then find out whether cash moved on that day.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        known = exchange_calendars.get_calendar("XNYS", start=FIRST_DAY, end=LAST_DAY)
    days = {day.date() for day in known.adhoc_holidays if day.date() >= FIRST_DAY}
    assert days == {closure.day for closure in CLOSURES}


@given(DAYS)
def test_the_settlement_day_after_is_the_first_one_strictly_later(day: date) -> None:
    found = settlement_day_after(day)
    between = [day + timedelta(days=n) for n in range(1, (found - day).days)]
    assert found > day
    assert is_settlement_day(found)
    assert not any(is_settlement_day(other) for other in between)


@given(DAYS.filter(lambda day: day > FIRST_DAY))
def test_sessions_before_and_after_enclose_a_day(day: date) -> None:
    before, after = session_on_or_before(day), session_on_or_after(day)
    assert before <= day <= after
    assert (before == after == day) is is_session(day)


@pytest.mark.parametrize(
    ("day", "bound"), [(date(1997, 12, 31), "1998-01-02"), (date(2046, 1, 2), "2045-12-29")]
)
def test_a_day_outside_the_calendar_is_refused_with_its_bound(day: date, bound: str) -> None:
    with pytest.raises(ModelError, match=rf"{day}.*{bound}"):
        is_session(day)


def test_the_first_and_last_days_are_inside() -> None:
    assert is_session(FIRST_DAY)
    assert is_session(LAST_DAY)
    with pytest.raises(ModelError, match="2045-12-30"):
        session_after(LAST_DAY)


def test_importing_the_model_does_not_load_the_slow_calendar() -> None:
    code = (
        "import sys, live_box_spreads.boxspread, live_box_spreads.model.sessions\n"
        "print([m for m in ('exchange_calendars', 'pandas') if m in sys.modules])"
    )
    done = subprocess.run(  # noqa: S603 - our own interpreter and a literal program
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
