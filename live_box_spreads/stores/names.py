"""Names of snapshots: ``snapshot_20261124_150000.parquet``, the second of a second ``…_2``.

The instant is in UTC, so that names of one second apart sort as text; most questions to a folder
are answered without making a date of each name.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from live_box_spreads.model.errors import SnapshotError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_NAME = re.compile(
    r"snapshot_(\d{8})_((?:[01]\d|2[0-3])[0-5]\d[0-5]\d)(?:_(\d{1,6}))?\.(?:parquet|csv)", re.ASCII
)


class SnapshotName(NamedTuple):
    """The name of a snapshot; sorts oldest first.

    Attributes:
        stamp: the instant as text, ``YYYYmmdd_HHMMSS`` in UTC.
        number: which one of that second, from 1.
        name: the whole name.
    """

    stamp: str
    number: int
    name: str

    @property
    def time(self) -> datetime:
        """The instant (UTC, whole seconds)."""
        parts = [self.stamp[:4], *(self.stamp[at : at + 2] for at in (4, 6, 9, 11, 13))]
        year, month, day, hour, minute, second = map(int, parts)
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC)


def parse(name: str) -> SnapshotName | None:
    """Return what a snapshot's name tells, or None for any other name."""
    match = _NAME.fullmatch(name)
    if match is None or not _is_day(match[1]):
        return None
    return SnapshotName(f"{match[1]}_{match[2]}", int(match[3] or 1), name)


def oldest_first(names: Iterable[str]) -> list[SnapshotName]:
    """Return the names that are those of snapshots, oldest first."""
    return sorted(parsed for name in names if (parsed := parse(name)) is not None)


def stamp_of(instant: datetime) -> str:
    """Return an instant as names have it: UTC, without what is less than a second."""
    text = instant.astimezone(UTC).isoformat(timespec="seconds")
    return text[:19].replace("-", "").replace(":", "").replace("T", "_")


def snapshot_time_of(path: Path) -> datetime:
    """Return the instant (UTC, whole seconds) in a snapshot's name, without opening it.

    Raises:
        SnapshotError: the name is not that of a snapshot.
    """
    parsed = parse(path.name)
    if parsed is None:
        raise SnapshotError(
            f"{path} is not named as a snapshot (snapshot_YYYYmmdd_HHMMSS.parquet or .csv)"
        )
    return parsed.time


@lru_cache(maxsize=4096)  # a folder has many snapshots of each of few days
def _is_day(digits: str) -> bool:
    try:
        date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return False
    return True
