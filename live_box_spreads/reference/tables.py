"""What the tables of all sources have in common: tenors, days, per cent, rows that are no use."""

from __future__ import annotations

import csv
import re
from collections import Counter
from datetime import date, datetime
from math import inf, nan
from typing import TYPE_CHECKING

from live_box_spreads.model.errors import FileFormatError
from live_box_spreads.model.reference_curve import LONGEST_MONTHS
from live_box_spreads.reference.history import History

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from live_box_spreads.reference.history import ParYields

_TENOR = re.compile(r"(?:dgs)?\s*(\d+(?:\.\d+)?)\s*(m|mo|months?|y|yrs?|years?|)", re.IGNORECASE)
_DAY_FORMATS = ("%Y-%m-%d", "%m/%d/%Y", "%m/%d/%y", "%Y-%m-%dT%H:%M:%S")
_MISSING = {"", ".", "n/a", "na", "nd", "null", "none"}
_PLAUSIBLE = (-0.05, 0.30)
_FEWEST_TENORS = 2
_LONG_MONTHS = 120
_LOWEST_LONG_YIELD = 0.004
"""Ten years have never paid less than 0.5 %; below this, a file holds fractions, not per cent."""

YieldRow = tuple[str, "Mapping[float, str]"]
"""A day as text, and the yields as text in per cent by tenor in months."""


def tenor_months(name: str) -> float | None:
    """Return the tenor that a column is named by; None if it names none.

    Treasury writes ``1 Mo``, ``1.5 Month``, ``10 Yr``; FRED ``DGS3MO`` and ``DGS10`` (years);
    others ``3m`` and ``10y``.
    """
    found = _TENOR.fullmatch(name.strip())
    if found is None:
        return None
    number, unit = float(found[1]), found[2].lower()
    named_years = bool(unit) or name.strip().lower().startswith("dgs")
    if not named_years:
        return None
    months = number if unit.startswith("m") else number * 12
    return months if 0 < months <= LONGEST_MONTHS else None


def parse_day(text: str) -> date | None:
    """Return a day written as 2025-09-04, 09/04/2025, 09/04/25 or 2025-09-04T00:00:00."""
    for pattern in _DAY_FORMATS:
        try:
            return datetime.strptime(text.strip(), pattern).date()  # noqa: DTZ007, a day has no zone
        except ValueError:
            continue
    return None


def fraction(text: str, rejected: Counter[str]) -> float:
    """Return a cell in per cent as a fraction; NaN where it is missing or cannot be a rate.

    Args:
        text: the cell.
        rejected: counts what cannot be a rate, by reason.
    """
    if text.strip().lower() in _MISSING:
        return nan
    try:
        rate = float(text) / 100
    except ValueError:
        rate = inf
    if _PLAUSIBLE[0] <= rate <= _PLAUSIBLE[1]:
        return rate
    rejected["a rate that is no number from -5 to 30 per cent"] += 1
    return nan


def csv_rows(text: str, origin: str) -> tuple[list[str], list[list[str]]]:
    """Return the head and the rows of a CSV, cells stripped, rows without any text left out.

    Raises:
        FileFormatError: there is no head, or the text is no CSV.
    """
    try:
        lines = [[cell.strip() for cell in row] for row in csv.reader(text.splitlines())]
    except csv.Error as error:
        raise FileFormatError(f"{origin}: not a readable CSV ({error})") from None
    lines = [line for line in lines if any(line)]
    if not lines:
        raise FileFormatError(f"{origin}: is empty; download it again")
    return lines[0], lines[1:]


def par_yield_table(text: str, *, name: str, origin: str) -> History:
    """Read a CSV with a day in the first column and a par yield in per cent in each tenor's.

    Columns that name no tenor are ignored.

    Raises:
        FileFormatError: it is no such table; see :func:`par_yield_history`.
    """
    head, rows = csv_rows(text, origin)
    tenors = {at: months for at, cell in enumerate(head) if at and (months := tenor_months(cell))}
    if len(tenors) < _FEWEST_TENORS:
        raise FileFormatError(
            f"{origin}: columns {', '.join(head)} name fewer than two tenors; expected a date and "
            "columns such as 3 Mo, 10 Yr, DGS10 or 10y"
        )
    cells = (
        (row[0], {months: row[at] for at, months in tenors.items() if at < len(row)})
        for row in rows
    )
    return par_yield_history(cells, name=name, origin=origin)


def par_yield_history(rows: Iterable[YieldRow], *, name: str, origin: str) -> History:
    """Collect par yields by day.

    Days without two yields (holidays, as FRED lists them) and days that cannot be read are left
    out and counted; of a day that comes twice the last row counts.

    Raises:
        FileFormatError: no day is left, or the yields cannot be in per cent.
    """
    rejected: Counter[str] = Counter()
    found: dict[date, ParYields] = {}
    for text, cells in rows:
        day = parse_day(text)
        yields = {
            tenor: fraction(cell, rejected)
            for tenor, cell in cells.items()
            if 0 < tenor <= LONGEST_MONTHS
        }
        known = {tenor: rate for tenor, rate in yields.items() if rate == rate}  # noqa: PLR0124, NaN is missing
        if day is None:
            rejected["unreadable date"] += 1
        elif len(known) < _FEWEST_TENORS:
            rejected["a day with fewer than two yields"] += 1
        else:
            rejected["a day that is there twice"] += day in found
            found[day] = known
    _refuse_fractions(found, origin)
    return _history(found, rejected, name=name, origin=origin)


def overnight_history(rows: Iterable[tuple[str, str]], *, name: str, origin: str) -> History:
    """Collect overnight fixings in per cent by day, as :func:`par_yield_history` does.

    Raises:
        FileFormatError: no day is left.
    """
    rejected: Counter[str] = Counter()
    found: dict[date, float] = {}
    for text, cell in rows:
        day, rate = parse_day(text), fraction(cell, rejected)
        if day is None:
            rejected["unreadable date"] += 1
        elif rate != rate:  # noqa: PLR0124, NaN is missing
            rejected["a day without a fixing"] += 1
        else:
            rejected["a day that is there twice"] += day in found
            found[day] = rate
    return _history(found, rejected, name=name, origin=origin)


def _history(
    rows: Mapping[date, ParYields] | Mapping[date, float],
    rejected: Counter[str],
    *,
    name: str,
    origin: str,
) -> History:
    if not rows:
        why = ", ".join(f"{reason}: {count:,}" for reason, count in rejected.items() if count)
        raise FileFormatError(f"{origin}: no day with rates ({why or 'it has no rows'})")
    return History(name, origin, dict(rows), rejected=dict(+rejected))


def _refuse_fractions(rows: Mapping[date, ParYields], origin: str) -> None:
    long = [rate for row in rows.values() for tenor, rate in row.items() if tenor >= _LONG_MONTHS]
    if long and max(long) < _LOWEST_LONG_YIELD:
        raise FileFormatError(
            f"{origin}: yields of ten years and more are at most {max(long):.3%}; the file seems "
            "to hold fractions, expected per cent (4.31, not 0.0431)"
        )
