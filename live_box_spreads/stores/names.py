"""Names of snapshots: ``snapshot_20261124_150000.parquet``, the second of a second ``…_2``.

The instant is in UTC, so that names sort as text, oldest first. Questions to a folder are answered
on the text: a date is made only of the names that are shown.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from live_box_spreads.model.errors import SnapshotError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_NAME = re.compile(
    r"snapshot_\d{8}_(?:[01]\d|2[0-3])[0-5]\d[0-5]\d(?:_(\d{1,6}))?\.(?:parquet|csv)", re.ASCII
)
_DAY = slice(9, 17)
_STAMP = slice(9, 24)


def is_snapshot(name: str) -> bool:
    """Return whether a file's name is that of a snapshot."""
    return _NAME.fullmatch(name) is not None and _is_day(name[_DAY])


def oldest_first(names: Iterable[str]) -> list[str]:
    """Return the names that are those of snapshots, oldest first."""
    found = sorted(filter(_NAME.fullmatch, names))
    wrong = {day for day in {name[_DAY] for name in found} if not _is_day(day)}
    if wrong:
        found = [name for name in found if name[_DAY] not in wrong]
    if any(name[_STAMP.stop] == "_" for name in found):
        found.sort(key=_in_order)  # the tenth of a second follows the ninth
    return found


def stamp(name: str) -> str:
    """Return the instant in a snapshot's name as text, ``YYYYmmdd_HHMMSS`` in UTC."""
    return name[_STAMP]


def stamp_of(instant: datetime) -> str:
    """Return an instant as names have it: UTC, without what is less than a second."""
    text = instant.astimezone(UTC).isoformat(timespec="seconds")
    return text[:19].replace("-", "").replace(":", "").replace("T", "_")


def time_of(name: str) -> datetime:
    """Return the instant (UTC, whole seconds) in a snapshot's name."""
    text = name[_STAMP]
    year, month, day = int(text[:4]), int(text[4:6]), int(text[6:8])
    return datetime(year, month, day, int(text[9:11]), int(text[11:13]), int(text[13:]), tzinfo=UTC)


def snapshot_time_of(path: Path) -> datetime:
    """Return the instant (UTC, whole seconds) in a snapshot's name, without opening it.

    Raises:
        SnapshotError: the name is not that of a snapshot.
    """
    if not is_snapshot(path.name):
        raise SnapshotError(
            f"{path} is not named as a snapshot (snapshot_YYYYmmdd_HHMMSS.parquet or .csv)"
        )
    return time_of(path.name)


def _in_order(name: str) -> tuple[str, int, str]:
    match = _NAME.fullmatch(name)
    return name[_STAMP], int(match[1] or 1) if match else 1, name


def _is_day(digits: str) -> bool:
    try:
        date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return False
    return True
