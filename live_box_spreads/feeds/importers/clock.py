"""Files whose quotes lie ahead of this machine's clock."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from live_box_spreads.model.chain_values import MOST_AHEAD
from live_box_spreads.model.errors import FileFormatError

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from live_box_spreads.model.chain import Chain


def refuse_future(chain: Chain, now: datetime, path: Path) -> None:
    """Refuse a chain that no machine with a right clock can have yet.

    It would be shown as the newest snapshot until its time comes.

    Args:
        chain: what was read.
        now: this machine's clock, with a time zone.
        path: where it was read from, for the error.

    Raises:
        FileFormatError: its instant is more than ``MOST_AHEAD`` later than ``now``.
    """
    ahead = chain.snapshot_time - now
    if ahead > MOST_AHEAD:
        raise FileFormatError(
            f"{path}: its quotes are of {chain.snapshot_time:%Y-%m-%d %H:%M} UTC, "
            f"{_in_words(ahead)} ahead of this machine's clock; set the clock, or give the time of "
            "the quotes with --quote-time"
        )


def _in_words(span: timedelta) -> str:
    for unit, length in (("days", timedelta(days=1)), ("hours", timedelta(hours=1))):
        if span >= 2 * length:
            return f"{span / length:,.0f} {unit}"
    return f"{span / timedelta(minutes=1):.0f} minutes"
