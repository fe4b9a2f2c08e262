"""What could not be drawn: one line for the page, one entry a kind for the log."""

from __future__ import annotations

import logging
import traceback
from threading import Lock

import polars as pl

from live_box_spreads.model.errors import BoxSpreadsError
from live_box_spreads.plain_text import place_of, plain

DRAWING_ERRORS = (Exception, pl.exceptions.PanicException)
"""What drawing may raise. A panic inside polars is no ``Exception``, and ends one part only."""

_LONGEST_LINE = 200
_FRAMES = 6
_KINDS = 100

_log = logging.getLogger(__name__)


class Failures:
    """Logs each kind of failure once, so that a page that polls for weeks fills no disk.

    A kind is a part of the page, the type of the error and the line of code that raised it.
    """

    def __init__(self) -> None:
        """Begin without any."""
        self._known: set[tuple[str, str]] = set()
        self._lock = Lock()

    def note(self, part: str, error: BaseException) -> None:
        """Log an error if it is the first of its kind.

        Args:
            part: what failed.
            error: why.
        """
        kind = (part, place_of(error))
        with self._lock:
            is_new = kind not in self._known and len(self._known) < _KINDS
            if is_new:
                self._known.add(kind)
        if not is_new:
            return
        line = f"{part} failed: {type(error).__name__}: {plain(error, _LONGEST_LINE)}"
        if isinstance(error, BoxSpreadsError):  # says itself what is wrong
            _log.error("%s (logged once; more of the kind are not)", line)
            return
        # Frames without their local variables, which may hold anything.
        frames = "".join(traceback.format_tb(error.__traceback__)[-_FRAMES:])
        _log.error("%s\n%s(logged once; more of the kind are not)", line, frames)

    def line(self, part: str, error: BaseException) -> str:
        """Log an error if it is the first of its kind, and return what the page says of it."""
        self.note(part, error)
        if isinstance(error, BoxSpreadsError):
            return f"This cannot be drawn: {plain(error, _LONGEST_LINE)}"
        return (
            f"This cannot be drawn: {place_of(error)}, a mistake of this "
            "program; its terminal says more. Other choices or the next snapshot may work."
        )
