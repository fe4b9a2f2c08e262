from __future__ import annotations

from tests.exchange_fixture import exchange_fixture

shared_exchange = exchange_fixture("session", seed=7, roots=("SPX", "SPXW", "XSP"))
