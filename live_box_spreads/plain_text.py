r"""Text of others (file names, notes, servers' words) made fit for a terminal, a log or a page.

A control character can move a cursor, hide what stands before it or change the colour of all that
follows, and a server's answer can be a megabyte on one line. ``plain`` writes such characters as
escapes (``\x1b``) and cuts what is too long.
"""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Final

MOST_CHARACTERS: Final = 1000
"""The most of one line; a path with a name of full length still fits."""

MOST_LINES: Final = 20
"""The most lines of one error; a configuration may have several mistakes."""


def plain(text: object, most_characters: int = MOST_CHARACTERS) -> str:
    r"""Return a text on one line, without control characters and of bounded length.

    Args:
        text: anything; its ``str`` is taken.
        most_characters: how much of it is kept; of a longer one the beginning, with its length.

    Returns:
        Printable characters only. A line end is ``\n``, an escape code ``\x1b``, half of a
        surrogate pair (from a file name in another encoding) ``\udcff``.
    """
    shown = str(text)
    length = len(shown)
    cut = shown[:most_characters]
    if not cut.isprintable():
        cut = "".join(c if c.isprintable() else _escaped(c) for c in cut)[:most_characters]
    return cut if length <= most_characters else f"{cut}… ({length:,} characters)"


def error_lines(error: BaseException) -> list[str]:
    """Return the text of an error, each line plain, no more than ``MOST_LINES`` of them."""
    lines = str(error).splitlines() or [type(error).__name__]
    shown = [plain(line) for line in lines[:MOST_LINES]]
    if len(lines) > MOST_LINES:
        shown.append(f"… and {len(lines) - MOST_LINES:,} more lines")
    return shown


def place_of(error: BaseException) -> str:
    """Return the kind of an error and the line that raised it, without its words.

    The text of a foreign library may quote what it was given, and that may be a secret.
    """
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return type(error).__name__
    return f"{type(error).__name__} in {Path(frames[-1].filename).name}, line {frames[-1].lineno}"


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def duration(secs: float) -> str:
    """Write a time span, to the unit that matters."""
    for unit, length_secs in (("days", 86400), ("h", 3600), ("min", 60)):
        if secs >= 2 * length_secs:
            return f"{secs / length_secs:,.0f} {unit}"
    return f"{secs:.0f} s"
