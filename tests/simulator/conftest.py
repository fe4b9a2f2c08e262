from __future__ import annotations

from datetime import UTC, datetime

import pytest

from live_box_spreads.simulator.market.market import Market
from tests.exchange_fixture import exchange_fixture

OPENING = datetime(2026, 11, 24, 16, 0, tzinfo=UTC)  # a Tuesday, 11:00 in New York


@pytest.fixture(scope="session")
def opening() -> datetime:
    return OPENING


@pytest.fixture(scope="session")
def full_market() -> Market:
    """All roots as they open; tests only look."""
    return Market(OPENING, seed=7)


@pytest.fixture
def small_market() -> Market:
    return Market(OPENING, seed=7, roots=("NDX",))


shared_exchange = exchange_fixture(
    "session", seed=7, roots=("SPX", "SPXW"), now=OPENING, tick_secs=0.05, password_logins=True
)
