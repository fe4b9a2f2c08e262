"""Reference rates, from files and from their publishers."""

from live_box_spreads.reference.history import History, Reference
from live_box_spreads.reference.sources import (
    FileSource,
    ReferenceLookup,
    ReferenceSource,
    read_reference,
)

__all__ = [
    "FileSource",
    "History",
    "Reference",
    "ReferenceLookup",
    "ReferenceSource",
    "read_reference",
]
