"""The message for an unforeseen error: where it happened, without the error's own text."""

from __future__ import annotations

import os
import traceback

from live_box_spreads.model.errors import BoxSpreadsError
from live_box_spreads.plain_text import place_of

TRACEBACK_VARIABLE = "BOX_TRACEBACK"
"""Set to 1, the whole traceback is printed."""


def mistake_lines(error: Exception) -> list[str]:
    """Return one line that says where it happened, and the traceback if it is asked for.

    Local variables are never printed. In a traceback the values of all ``TT_…`` variables, which
    are credentials, are masked.
    """
    if os.environ.get(TRACEBACK_VARIABLE, "").strip() in {"", "0"}:
        advice = f"please report it, with the traceback that {TRACEBACK_VARIABLE}=1 shows"
        return [f"{place_of(error)}: a mistake of this program; {advice}"]
    text = "".join(traceback.format_exception(error))
    for secret in _secrets():
        text = text.replace(secret, "****")
    return text.splitlines()


def _secrets() -> list[str]:
    """Return the credentials that the environment and ``.env`` hold, the longest first."""
    from live_box_spreads.settings import environment  # noqa: PLC0415 # only where it is needed

    try:
        known = environment()
    except BoxSpreadsError:
        known = dict(os.environ)
    found = (value for name, value in known.items() if name.startswith("TT_") and value)
    return sorted(found, key=len, reverse=True)
