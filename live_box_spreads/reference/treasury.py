"""The Treasury's daily par yield curve, as the Treasury publishes it.

CSV, one year: https://home.treasury.gov/resource-center/data-chart-center/interest-rates/daily-treasury-rates.csv/2025/all?type=daily_treasury_yield_curve&field_tdr_date_value=2025&page&_format=csv
XML, one year: https://home.treasury.gov/resource-center/data-chart-center/interest-rates/pages/xml?data=daily_treasury_yield_curve&field_tdr_date_value=2025
About the feed: https://home.treasury.gov/treasury-daily-interest-rate-xml-feed

Yields are in per cent, bond equivalent, of the market at about 15:30 New York; a day's are there
in the evening. ``1.5 Month`` came in February 2025; ``BC_30YEARDISPLAY`` is a filler and no yield.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from live_box_spreads.model.errors import BoxSpreadsError, FileFormatError
from live_box_spreads.reference.tables import par_yield_history, par_yield_table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from live_box_spreads.reference.download import Downloads
    from live_box_spreads.reference.history import History
    from live_box_spreads.reference.tables import YieldRow

NAME = "Treasury par curve"
BASE_URL = "https://home.treasury.gov"
_RATES = "/resource-center/data-chart-center/interest-rates"
_CSV = (
    "/daily-treasury-rates.csv/{year}/all?type=daily_treasury_yield_curve"
    "&field_tdr_date_value={year}&page&_format=csv"
)
_XML = "/pages/xml?data=daily_treasury_yield_curve&field_tdr_date_value={year}"
_FIELD = re.compile(r"BC_(\d+(?:_\d+)?)(MONTH|YEAR)")
_JANUARY = 1


def parse_csv(text: str, *, name: str = NAME, origin: str) -> History:
    """Read ``Date,"1 Mo","1.5 Month",…,"30 Yr"``, days as 09/04/2025.

    Raises:
        FileFormatError: it is no such table.
    """
    return par_yield_table(text, name=name, origin=origin)


def parse_xml(text: str, *, name: str = NAME, origin: str) -> History:
    """Read the Atom feed: one entry a day, ``NEW_DATE`` and ``BC_1MONTH`` to ``BC_30YEAR``.

    Raises:
        FileFormatError: it is no such feed.
    """
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise FileFormatError(f"{origin}: an XML feed has no document type; this is something else")
    try:
        feed = ET.fromstring(text)  # noqa: S314, entities cannot be defined without a document type
    except ET.ParseError as error:
        raise FileFormatError(f"{origin}: not readable as XML ({error})") from None
    return par_yield_history(_entries(feed), name=name, origin=origin)


def _entries(feed: ET.Element) -> Iterator[YieldRow]:
    for properties in feed.iterfind(".//{*}properties"):
        texts = {field.tag.rpartition("}")[2]: field.text or "" for field in properties}
        if "NEW_DATE" in texts:
            fields = ((_FIELD.fullmatch(tag), text) for tag, text in texts.items())
            yield texts["NEW_DATE"], {_months(found): text for found, text in fields if found}


def _months(field: re.Match[str]) -> float:
    return float(field[1].replace("_", ".")) * (12 if field[2] == "YEAR" else 1)


class TreasurySource:
    """Fetches the curve from the Treasury: the year's CSV, or its XML where that one fails."""

    def __init__(self, downloads: Downloads, base_url: str = BASE_URL) -> None:
        """Remember where to ask; nothing is fetched yet."""
        self._downloads = downloads
        self._base_url = base_url

    def history(self, day: date, days_back: int) -> History:
        """Return the rates of the day's year; of the year before too, early in January.

        Raises:
            FeedError: the Treasury did not answer.
            FileFormatError: the answer is not what it should be.
        """
        years = {day.year}
        if day.month == _JANUARY and day.day <= days_back:
            years.add(day.year - 1)
        found: list[History] = []
        errors: list[BoxSpreadsError] = []
        for year in sorted(years):
            try:
                found.append(self._year(year))
            except BoxSpreadsError as error:  # a new year begins without a row
                errors.append(error)
        if not found:
            raise errors[-1]
        rows = {on: row for history in found for on, row in history.rows.items()}
        return replace(found[-1], rows=rows)

    def _year(self, year: int) -> History:
        url = self._base_url + _RATES
        try:
            return self._downloads.read(url + _CSV.format(year=year), parse_csv, NAME)
        except BoxSpreadsError as csv_error:
            try:
                return self._downloads.read(url + _XML.format(year=year), parse_xml, NAME)
            except BoxSpreadsError:
                raise csv_error from None
