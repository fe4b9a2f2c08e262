"""Reference rates from a file, and looking up those of a day in any source."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from live_box_spreads.feeds.importers.text_files import read_text
from live_box_spreads.model.errors import BoxSpreadsError
from live_box_spreads.reference import sofr, treasury
from live_box_spreads.reference.history import Reference
from live_box_spreads.reference.tables import csv_rows, par_yield_table, tenor_months

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date
    from pathlib import Path

    from live_box_spreads.reference.history import History

DEFAULT_MAX_AGE_DAYS = 7
LOOK_AGAIN_AFTER_SECS = 300.0

_BEING_ASKED = Reference(None, "the reference rates are being fetched")
_FEWEST_TENORS = 2


class ReferenceSource(Protocol):
    """Something that has reference rates."""

    def history(self, day: date, days_back: int) -> History:
        """Return rates by date; at least those of the ``days_back`` days up to a day it has."""
        ...


class ReferenceLookup:
    """Looks up the reference of a day, and remembers what it found. Safe for many threads.

    Rates that cannot be had raise nothing: a chain without a reference is still a chain.
    """

    def __init__(
        self,
        source: ReferenceSource,
        *,
        max_age_days: int = DEFAULT_MAX_AGE_DAYS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take a source; nothing is asked yet.

        Args:
            source: where the rates come from.
            max_age_days: how much older than the day they may be, in calendar days.
            clock: seconds that only grow.
        """
        self._source = source
        self._max_age_days = max_age_days
        self._clock = clock
        self._lock = threading.Lock()
        self._answers: dict[date, _Answer] = {}

    def on(self, day: date, wait_secs: float | None = None) -> Reference:
        """Return the reference for a trade date, or why there is none.

        What was found is asked for again after ``LOOK_AGAIN_AFTER_SECS``: the day's own rates may
        have come out, or the network be back.

        Args:
            day: the trade date.
            wait_secs: how long to wait for the source; afterwards what was known before is
                returned, or that it is being asked. None waits as long as it takes.
        """
        with self._lock:
            answer = self._answers.setdefault(day, _Answer())
            due = self._clock() - answer.asked_at >= LOOK_AGAIN_AFTER_SECS
            if answer.coming is None and due:
                answer.coming = self._ask(day, answer)
            coming, known = answer.coming, answer.known
        if coming is None:
            return known
        try:
            return coming.result(wait_secs if known is _BEING_ASKED or wait_secs is None else 0)
        except TimeoutError:
            return known

    def _ask(self, day: date, answer: _Answer) -> Future[Reference]:
        """Ask the source in a thread that no exit of the program waits for."""
        coming: Future[Reference] = Future()

        def ask() -> None:
            try:
                found = self._look_up(day)
            except BaseException as error:
                with self._lock:
                    answer.coming = None
                coming.set_exception(error)
                raise
            with self._lock:
                answer.known, answer.coming, answer.asked_at = found, None, self._clock()
            coming.set_result(found)

        threading.Thread(target=ask, name="reference rates", daemon=True).start()
        return coming

    def _look_up(self, day: date) -> Reference:
        try:
            return self._source.history(day, self._max_age_days).on(day, self._max_age_days)
        except BoxSpreadsError as error:
            return Reference(None, str(error))


@dataclass(slots=True)
class _Answer:
    """What is known of a day, and since when; the answer that is on its way, if one is."""

    known: Reference = _BEING_ASKED
    asked_at: float = float("-inf")
    coming: Future[Reference] | None = None


def read_reference(path: Path) -> History:
    """Read par yields or overnight fixings by date, plain or gzip; the content shows the format.

    The rates have the name of the file, because its publisher is not known.

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
