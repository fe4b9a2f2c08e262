"""Reference rates: what money costs elsewhere, from files and from those who publish them."""

from live_box_spreads.reference.files import FileSource, read_reference
from live_box_spreads.reference.history import History, Reference
from live_box_spreads.reference.sources import ReferenceDesk, ReferenceSource

__all__ = [
    "FileSource",
    "History",
    "Reference",
    "ReferenceDesk",
    "ReferenceSource",
    "read_reference",
]
