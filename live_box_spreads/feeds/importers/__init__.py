"""Importers: chains from files of others."""

from __future__ import annotations

from datetime import timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

from live_box_spreads.feeds.importers.box_csv import read_chain_csv
from live_box_spreads.feeds.importers.cboe import read_cboe
from live_box_spreads.model.chain_values import MOST_AHEAD
from live_box_spreads.model.errors import FileFormatError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

    from live_box_spreads.model.chain import Chain


class Importer(Protocol):
    """Reads one file into a chain."""

    def __call__(self, path: Path, *, quote_time: datetime | None = None) -> Chain:
        """Read a file; ``quote_time`` replaces the time that the file tells."""
        ...


IMPORTERS: Mapping[str, Importer] = MappingProxyType({"cboe": read_cboe, "csv": read_chain_csv})
"""The importers by the word that commands use."""

__all__ = ["IMPORTERS", "Importer", "read_cboe", "read_chain_csv", "refuse_future"]


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
