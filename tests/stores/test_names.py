from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from live_box_spreads.stores.listing import Listing
from live_box_spreads.stores.names import is_snapshot, oldest_first, snapshot_time_of, stamp_of

START = datetime(2026, 11, 24, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    "name",
    [
        "snapshot_20260230_000000.parquet",
        "snapshot_20261324_000000.parquet",
        "snapshot_20261124_240000.csv",
        "snapshot_20261124_236000.csv",
        "snapshot_00001124_000000.csv",
        "snapshot_\uff12\uff10\uff12\uff161124_000000.csv",
        "snapshot_20261124_150000.parquet\n",
        ".snapshot_20261124_150000.parquet",
        "snapshot_20261124_150000_.parquet",
        "snapshot_20261124_150000_1234567.parquet",
    ],
)
def test_no_name_of_a_snapshot(name: str) -> None:
    assert not is_snapshot(name)
    assert oldest_first([name]) == []


def test_the_second_of_a_second_follows_the_first_in_either_format() -> None:
    expected = [
        "snapshot_20261124_145959_9.csv",
        "snapshot_20261124_150000.csv",
        "snapshot_20261124_150000_2.parquet",
        "snapshot_20261124_150000_9.csv",
        "snapshot_20261124_150000_10.parquet",
        "snapshot_20261124_150001.parquet",
    ]
    mixed = random.Random(1).sample([*expected, "notes.txt"], 7)  # noqa: S311 # an order
    assert oldest_first(mixed) == expected


@pytest.mark.parametrize(
    "instant",
    [
        datetime(1, 1, 1, tzinfo=UTC),
        datetime(1970, 1, 1, 0, 0, 5, 999_999, tzinfo=UTC),
        datetime(2026, 11, 24, 10, tzinfo=timezone(timedelta(hours=-5))),
        datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC),
    ],
)
def test_a_stamp_is_the_second_in_utc(instant: datetime) -> None:
    path = Path(f"snapshot_{stamp_of(instant)}.parquet")
    assert snapshot_time_of(path) == instant.replace(microsecond=0)


def test_sixty_five_thousand_names_are_judged_as_the_slow_way_does() -> None:
    instants = [START + timedelta(seconds=61 * number) for number in range(65_000)]
    names = [f"snapshot_{instant:%Y%m%d_%H%M%S}.parquet" for instant in instants]
    mixed = random.Random(2).sample(names, len(names))  # noqa: S311 # an order
    found = oldest_first(mixed)
    assert found == names
    now = instants[40_000] - timedelta(seconds=50)  # less than the tolerance ahead
    listing = Listing.of(Path("folder"), found, now)
    assert len(listing.current) == 40_001
    assert listing.newest == Path("folder") / names[40_000]
    assert listing.ahead_secs == (instants[-1] - now).total_seconds()
    slow = [
        Path("folder") / name
        for name, instant in zip(names, instants, strict=True)
        if instants[7] <= instant <= instants[500]
    ]
    assert listing.between(instants[7] + timedelta(milliseconds=1), instants[500]) == slow


def test_where_all_are_ahead_the_newest_is_still_told() -> None:
    found = oldest_first(["snapshot_20261124_150000.csv", "snapshot_20261124_160000.csv"])
    listing = Listing.of(Path(), found, datetime(1970, 1, 1, tzinfo=UTC))
    assert (listing.current, len(listing.ahead)) == ([], 2)
    assert [path.name[-10:] for path in listing.newest_first()] == ["160000.csv", "150000.csv"]
    assert listing.newest is not None
    assert listing.is_ahead(listing.newest)
    assert Listing.of(Path(), [], START).newest is None
    assert Listing.of(Path(), found, START).ahead_secs == 3600.0
