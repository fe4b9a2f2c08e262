"""The dates of loans on the command line: so many days after the premium's, or the dates."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from collections.abc import Sequence

LONGEST_DAYS = 36_500


def read_days(text: str) -> list[int]:
    """Return the days of ``--days``, such as ``30,91,182``.

    Raises:
        BadParameter: one is not a whole number from 1 to ``LONGEST_DAYS``.
    """
    return [_days(item) for item in _items(text, "--days")]


def read_dates(text: str) -> list[date]:
    """Return the dates of ``--dates``, such as ``2026-12-18,2027-06-18``.

    Raises:
        BadParameter: one is not a date.
    """
    return [_date(item) for item in _items(text, "--dates")]


def dates_of(days: Sequence[int], dates: Sequence[date], premium_date: date) -> list[date]:
    """Return when the loans are paid back: exactly so many days after the premium, or as given."""
    return [*dates, *(premium_date + timedelta(days=count) for count in days)]


def _items(text: str, option: str) -> list[str]:
    items = [item.strip() for item in text.split(",")]
    if not all(items):
        raise typer.BadParameter(
            f"{text!r} should be a list with commas and nothing empty", param_hint=option
        )
    return items


def _days(item: str) -> int:
    days = int(item) if item.isascii() and item.isdecimal() and len(item) <= len("36500") else 0
    if not 1 <= days <= LONGEST_DAYS:
        raise typer.BadParameter(
            f"{item!r} should be a whole number of days from 1 to {LONGEST_DAYS:,}",
            param_hint="--days",
        )
    return days


def _date(item: str) -> date:
    try:
        # Not fromisoformat alone, which also reads 20261218 and 2026-W51-5.
        if re.fullmatch(r"\d{4}-\d\d-\d\d", item, re.ASCII):
            return date.fromisoformat(item)
    except ValueError:
        pass
    raise typer.BadParameter(f"{item!r} should be a date, such as 2026-12-18", param_hint="--dates")
