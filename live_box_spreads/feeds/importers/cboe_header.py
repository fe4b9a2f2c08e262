"""The lines above a Cboe quote table: last price, time of download, time of the quotes."""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from live_box_spreads.feeds.importers.dates import parse_moment
from live_box_spreads.model.sessions import NEW_YORK, close_time, session_on_or_before

QUOTE_DELAY = timedelta(minutes=15)
"""Cboe shows quotes this old."""

_OPEN = time(9, 30)
_INDEX_OPTIONS_AFTER_CLOSE = timedelta(minutes=15)
_ONE_DAY = timedelta(days=1)

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


def quote_time_of_download(downloaded: datetime) -> datetime:
    """Return the instant (UTC) of the quotes on a page downloaded at an instant.

    That is the last moment, at or before the download less the delay, at which index options
    traded in the regular session: 09:30 to 16:15 New York, or 15 minutes past an early close.
    Downloads at night, at weekends and on holidays fall back to the session before.

    Args:
        downloaded: when the page was downloaded, with a time zone.

    Raises:
        ModelError: the day is outside the session calendar.
    """
    shown = (downloaded.astimezone(UTC) - QUOTE_DELAY).astimezone(NEW_YORK)
    day = shown.date() if shown.time() >= _OPEN else shown.date() - _ONE_DAY
    last = close_time(session_on_or_before(day)) + _INDEX_OPTIONS_AFTER_CLOSE
    return min(shown, last).astimezone(UTC)


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
