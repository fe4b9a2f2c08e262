from __future__ import annotations

from datetime import UTC, datetime

import pytest

from live_box_spreads.collector.current_source import ContractListing
from tests.collector.scripted import START, contracts_of

# 2026-11-24 is a Tuesday; New York is five hours behind UTC. SPXW expires on it at 16:00 there.
CLOSE = datetime(2026, 11, 24, 21, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "outdated"),
    [
        (START, False),
        (datetime(2026, 11, 24, 20, 59, 59, tzinfo=UTC), False),
        (CLOSE, True),
        (datetime(2026, 11, 25, 15, 0, tzinfo=UTC), True),
    ],
)
def test_a_listing_ends_with_its_first_expiry(now: datetime, outdated: bool) -> None:  # noqa: FBT001
    listing = ContractListing.of(contracts_of("SPX", "SPXW"), START)
    assert listing.next_expiry == CLOSE
    assert listing.is_outdated(now) is outdated


@pytest.mark.parametrize(
    ("now", "outdated"),
    [
        (CLOSE, False),
        (datetime(2026, 11, 24, 21, 59, 59, tzinfo=UTC), False),
        (datetime(2026, 11, 24, 22, 0, tzinfo=UTC), True),  # 17:00: the next trade date
    ],
)
def test_a_listing_ends_with_its_trading_day(now: datetime, outdated: bool) -> None:  # noqa: FBT001
    listing = ContractListing.of(contracts_of("SPX"), START)
    assert listing.next_expiry == datetime(2026, 12, 18, 14, 30, tzinfo=UTC)
    assert listing.is_outdated(now) is outdated


def test_an_expiry_already_passed_does_not_outdate_again() -> None:
    listing = ContractListing.of(contracts_of("SPXW"), CLOSE)
    assert listing.next_expiry is None
    assert not listing.is_outdated(datetime(2026, 11, 24, 21, 30, tzinfo=UTC))
