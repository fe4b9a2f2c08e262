"""The Treasury's par yields as the Federal Reserve Bank of St. Louis repeats them (FRED).

CSV: https://fred.stlouisfed.org/graph/fredgraph.csv?id=DGS1MO,DGS3MO,DGS6MO,DGS1,DGS2,…,DGS30
Series: https://fred.stlouisfed.org/series/DGS10 and its neighbours, of the Board's H.15 release.

``observation_date,DGS1MO,…`` (``DATE`` before 2025), per cent, ``.`` or nothing on holidays. A
day's yields are there on the next business day. ``DGS1`` is one year, ``DGS1MO`` one month.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from live_box_spreads.reference.tables import par_yield_table

if TYPE_CHECKING:
    from datetime import date

    from live_box_spreads.reference.download import Downloads
    from live_box_spreads.reference.history import History

NAME = "Treasury par curve (FRED)"
BASE_URL = "https://fred.stlouisfed.org"
SERIES = (
    *("DGS1MO", "DGS3MO", "DGS6MO", "DGS1", "DGS2", "DGS3"),
    *("DGS5", "DGS7", "DGS10", "DGS20", "DGS30"),
)
_PATH = "/graph/fredgraph.csv?id={series}&cosd={first}&coed={last}"


def parse_csv(text: str, *, name: str = NAME, origin: str) -> History:
    """Read ``observation_date,DGS1MO,DGS3MO,…``.

    Raises:
        FileFormatError: it is no such table.
    """
    return par_yield_table(text, name=name, origin=origin)


class FredSource:
    """Fetches the par yields from FRED, of a few days."""

    def __init__(self, downloads: Downloads, base_url: str = BASE_URL) -> None:
        """Remember where to ask; nothing is fetched yet."""
        self._downloads = downloads
        self._base_url = base_url

    def history(self, day: date, days_back: int) -> History:
        """Return the rates of a day and of those before it; FRED may send more.

        Raises:
            FeedError: FRED did not answer.
            FileFormatError: the answer is not what it should be.
        """
        path = _PATH.format(
            series=",".join(SERIES), first=day - timedelta(days=days_back), last=day
        )
        return self._downloads.read(self._base_url + path, parse_csv, NAME)
