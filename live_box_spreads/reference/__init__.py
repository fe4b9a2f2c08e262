"""Reference rates: what money costs elsewhere, from files and from those who publish them."""

from live_box_spreads.reference.history import History, Reference
from live_box_spreads.reference.sources import (
    FileSource,
    ReferenceDesk,
    ReferenceSource,
    read_reference,
)

__all__ = [
    "FileSource",
    "History",
    "Reference",
    "ReferenceDesk",
    "ReferenceSource",
    "read_reference",
]
