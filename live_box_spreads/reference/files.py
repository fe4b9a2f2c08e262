"""Reference rates from a file: any of the formats that the sources write, told by what is in it.

``date,3m,2y,10y`` (tenors in months and years, per cent) is read as well: the form to write by
hand. The rates are called what the file is called, because nobody else vouches for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from live_box_spreads.feeds.importers.text_files import read_text
from live_box_spreads.reference import sofr, treasury
from live_box_spreads.reference.tables import csv_rows, par_yield_table, tenor_months

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    from live_box_spreads.reference.history import History

_FEWEST_TENORS = 2


def read_reference(path: Path) -> History:
    """Read par yields or overnight fixings by date, plain or gzip.

    Args:
        path: a CSV of the Treasury, of FRED or of the New York Fed, the Treasury's XML, the New
            York Fed's JSON, or a CSV with ``date`` and tenors such as ``3m`` and ``10y`` or
            ``rate`` (overnight), in per cent.

    Raises:
        FileFormatError: the file cannot be read, or is none of these.
    """
    text = read_text(path)
    name, origin = path.name.partition(".")[0].replace("_", " "), str(path)
    start = text.lstrip()[:1]
    if start == "<":
        return treasury.parse_xml(text, name=name, origin=origin)
    if start == "{":
        return sofr.parse_json(text, name=f"{name}, overnight held flat", origin=origin)
    head, _ = csv_rows(text, origin)
    tenors = [cell for cell in head[1:] if tenor_months(cell) is not None]
    if len(tenors) < _FEWEST_TENORS and {"rate (%)", "sofr", "rate"} & {c.lower() for c in head}:
        return sofr.parse_csv(text, name=f"{name}, overnight held flat", origin=origin)
    return par_yield_table(text, name=name, origin=origin)


class FileSource:
    """Reference rates of one file, read when they are first asked for."""

    def __init__(self, path: Path) -> None:
        """Remember the file; it is not read yet."""
        self._path = path

    def history(self, day: date, days_back: int) -> History:  # noqa: ARG002, the whole file is there
        """Return all rates of the file.

        Raises:
            FileFormatError: it cannot be read, or is of no known format.
        """
        return read_reference(self._path)
