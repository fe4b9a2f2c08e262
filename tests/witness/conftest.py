from __future__ import annotations

from datetime import UTC, datetime

from tests.exchange_fixture import exchange_fixture

OPENING = datetime(2026, 11, 24, 16, 0, tzinfo=UTC)  # a Tuesday, 11:00 in New York
NEVER_SECS = 1e6


# The whole SPX chain; its market stands still, so that its book is exact.
exchange = exchange_fixture(
    "module", seed=5, roots=("SPX", "SPXW"), now=OPENING, tick_secs=NEVER_SECS
)
