"""In which order snapshots go: as they came, whatever the clock said.

A name tells when its writer believed to be. A clock that ran ahead, or was set back, or begins
years ago at each start, makes the newest snapshot look like an old one; so a store remembers what
it has seen come. Pure: no file is touched, no clock read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class Arrivals:
    """The order in which the snapshots of a folder came, as far as one writer has seen it."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._written = 0
        self._place: dict[str, int] = {}

    def wrote(self, name: str) -> None:
        """Note that a snapshot has just been written: it came after all that is known."""
        self._written += 1
        self._place[name] = 2 * self._written

    def saw(self, found: Iterable[str]) -> None:
        """Note what the folder has now, and forget what it no longer has.

        What nobody has noted yet came from elsewhere, before the last one that was written.
        """
        before = 2 * self._written - 1
        self._place = {name: self._place.get(name, before) for name in found}

    def in_order(self, found: Iterable[str]) -> list[str]:
        """Return snapshots that were seen as they came; those that came at once stay in order."""
        return sorted(found, key=self._place.__getitem__)
