"""SOFR, the secured overnight financing rate, from the Federal Reserve Bank of New York.

JSON: https://markets.newyorkfed.org/api/rates/secured/sofr/search.json?startDate=2025-08-28&endDate=2025-09-04
CSV: the same with search.csv. About the API: https://markets.newyorkfed.org/static/docs/markets-api.html

A fixing is in per cent, ACT/360, of the overnight loans of its date; it comes out at about 08:00
New York on the next business day. It is no forecast of the rate.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from live_box_spreads.model.errors import FileFormatError
from live_box_spreads.reference.tables import csv_rows, overnight_history

if TYPE_CHECKING:
    from datetime import date

    from live_box_spreads.reference.download import Downloads
    from live_box_spreads.reference.history import History

NAME = "SOFR overnight, held flat"
BASE_URL = "https://markets.newyorkfed.org"
_PATH = "/api/rates/secured/sofr/search.json?startDate={first}&endDate={last}"
_TYPE = "SOFR"


class _Fixing(msgspec.Struct, rename="camel"):
    effective_date: str
    type: str = _TYPE
    percent_rate: float | None = None


class _Answer(msgspec.Struct, rename="camel"):
    ref_rates: list[_Fixing]


def parse_json(text: str, *, name: str = NAME, origin: str) -> History:
    """Read ``{"refRates": [{"effectiveDate": …, "type": "SOFR", "percentRate": …}, …]}``.

    Rates of other types, such as EFFR, are passed over.

    Raises:
        FileFormatError: it is no such answer, or has no fixing of SOFR.
    """
    try:
        answer = msgspec.json.decode(text, type=_Answer)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise FileFormatError(f"{origin}: not the New York Fed's JSON ({error})") from None
    rows = (
        (fixing.effective_date, "" if fixing.percent_rate is None else str(fixing.percent_rate))
        for fixing in answer.ref_rates
        if fixing.type == _TYPE
    )
    return overnight_history(rows, name=name, origin=origin)


def parse_csv(text: str, *, name: str = NAME, origin: str) -> History:
    """Read the New York Fed's CSV, FRED's ``observation_date,SOFR``, or ``date,rate``.

    Raises:
        FileFormatError: it is none of them, or has no fixing of SOFR.
    """
    head, rows = csv_rows(text, origin)
    columns = [cell.lower() for cell in head]
    rate = next(
        (columns.index(cell) for cell in ("rate (%)", "sofr", "rate") if cell in columns), 0
    )
    if not rate:
        raise FileFormatError(
            f"{origin}: columns {', '.join(head)} hold no overnight rate; expected Rate (%), SOFR "
            "or rate after a date"
        )
    kind = columns.index("rate type") if "rate type" in columns else None
    width = max(rate, kind or 0)
    cells = (
        (row[0], row[rate])
        for row in rows
        if width < len(row) and (kind is None or row[kind] == _TYPE)
    )
    return overnight_history(cells, name=name, origin=origin)


class SofrSource:
    """Fetches SOFR from the New York Fed, of a few days."""

    def __init__(self, downloads: Downloads, base_url: str = BASE_URL) -> None:
        """Remember where to ask; nothing is fetched yet."""
        self._downloads = downloads
        self._base_url = base_url

    def history(self, day: date, days_back: int) -> History:
        """Return the fixings of a day and of those before it.

        Raises:
            FeedError: the New York Fed did not answer.
            FileFormatError: the answer is not what it should be, or has no fixing.
        """
        path = _PATH.format(first=day - timedelta(days=days_back), last=day)
        return self._downloads.read(self._base_url + path, parse_json, NAME)
