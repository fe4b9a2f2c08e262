"""The lines above a Cboe quote table: the underlying's last price and the download time."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from live_box_spreads.feeds.importers.dates import parse_moment

if TYPE_CHECKING:
    from datetime import datetime

_LABELLED_LAST = re.compile(
    r"\bLast:\s*(\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d*\.?\d+)(?!\d|,\d)", re.IGNORECASE
)
_NUMBER = re.compile(r"\s*\$?(\d+(?:\.\d+)?)\s*")
_DATE_LABEL = re.compile(r"^\s*\"?\s*Date:\s*", re.IGNORECASE)
_AFTER_DATE = re.compile(r"\"?\s*,\s*Bid\b.*|\(.*?\)|\"", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class CboeHeader:
    """What stands above the table.

    Attributes:
        last: last price of the underlying, index points; None where it is absent or zero.
        downloaded: download time with a time zone; None where none is understood.
        date_line: the line that the download time should be on, for messages.
    """

    last: float | None
    downloaded: datetime | None
    date_line: str


def read_header(lines: list[str]) -> CboeHeader:
    """Read the lines above the table: a title with the last price, then the download time."""
    filled = [line for line in lines if line.strip(" ,\t")]
    title = filled[0] if filled else ""
    for line in filled:
        moment = parse_moment(_date_text(line))
        if moment is not None:
            return CboeHeader(_last_price(title), moment, line)
    return CboeHeader(_last_price(title), None, filled[-1].strip(" ,") if filled else "")


def _date_text(line: str) -> str:
    return _AFTER_DATE.sub(" ", _DATE_LABEL.sub("", line)).strip(" ,")


def _last_price(title: str) -> float | None:
    """Return the labelled price, or the first number in a cell of its own."""
    if "last:" in title.lower():
        found = _LABELLED_LAST.search(title)
    else:
        cells = next(csv.reader([title]), [])[1:]
        found = next((match for cell in cells if (match := _NUMBER.fullmatch(cell))), None)
    return None if found is None else float(found[1].replace(",", "")) or None
