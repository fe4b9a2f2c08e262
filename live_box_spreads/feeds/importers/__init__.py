"""Chains from files, by the word that names the kind of file."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

from live_box_spreads.feeds.importers.box_csv import read_chain_csv
from live_box_spreads.feeds.importers.cboe import read_cboe

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

__all__ = ["IMPORTERS", "Importer", "read_cboe", "read_chain_csv"]
