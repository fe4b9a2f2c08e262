"""The judge of the fault campaign finds what it is there to find."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from benchmarks.campaign.judge import Judge
from live_box_spreads.model.chain import CHAIN_SCHEMA, Chain, Timeliness
from live_box_spreads.model.contracts import parse_occ
from live_box_spreads.model.quality import QualityRules
from live_box_spreads.simulator.market.history import QuoteHistory
from live_box_spreads.simulator.market.market import Market

if TYPE_CHECKING:
    from numpy.typing import NDArray

OPENING = datetime(2026, 11, 24, 16, 0, tzinfo=UTC)
RULES = QualityRules(stale_after_secs=20.0)


class Exhibition:
    """A market that requotes everything every half a minute, and chains that show it."""

    def __init__(self) -> None:
        self.market = Market(OPENING, seed=4, roots=("NDXP",))
        self.history = QuoteHistory(self.market, 1_000.0)
        self.symbols = self.market.listing.occ_symbols
        self.judge = Judge(self.symbols, RULES, latency_secs=1.0)

    def pass_secs(self, secs: float) -> None:
        self.market.advance(self.market.now + timedelta(seconds=secs))
        self.history.note()

    def quotes(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        count = len(self.symbols)
        return self.market.book.bid[:count].copy(), self.market.book.ask[:count].copy()

    def chain(
        self, sides: tuple[NDArray[np.float64], NDArray[np.float64]], quote_time: datetime
    ) -> Chain:
        contracts = [parse_occ(symbol) for symbol in self.symbols]
        columns = {
            "root": [each.root for each in contracts],
            "underlying": ["NDX"] * len(contracts),
            "expiry": [each.expiry for each in contracts],
            "settlement": ["PM"] * len(contracts),
            "strike": [each.strike for each in contracts],
            "right": [each.right for each in contracts],
            "bid": sides[0],
            "ask": sides[1],
            "quote_time": [quote_time] * len(contracts),
        }
        rows = pl.DataFrame(columns).cast({"quote_time": CHAIN_SCHEMA["quote_time"]})
        return Chain.build(
            rows,
            snapshot_time=self.market.now,
            feed="test",
            timeliness=Timeliness.SIMULATED,
            spot={},
        )


@pytest.fixture
def shown() -> Exhibition:
    return Exhibition()


def test_what_is_quoted_now_is_true(shown: Exhibition) -> None:
    shown.pass_secs(40)
    finding = shown.judge.compare(
        shown.chain(shown.quotes(), shown.market.now), shown.history.window()
    )
    assert finding.is_true()
    assert (finding.false_fresh, finding.false_times, finding.blank, finding.stale) == (0, 0, 0, 0)
    assert finding.fresh > 0.9 * finding.contracts
    assert finding.worst_lag_secs == 0.0


def test_an_old_price_that_claims_to_stand_is_false(shown: Exhibition) -> None:
    before = shown.quotes()
    shown.pass_secs(40)
    shown.pass_secs(15)
    chain = shown.chain(before, shown.market.now)
    finding = shown.judge.compare(chain, shown.history.window())
    assert finding.false_times > 0.5 * finding.contracts
    assert finding.false_fresh == 0  # it was gone for 15 seconds, and 20 are allowed
    assert not finding.is_true(0.02)
    assert finding.worst_lag_secs == 15.0
    shown.pass_secs(15)
    finding = shown.judge.compare(shown.chain(before, shown.market.now), shown.history.window())
    assert finding.false_fresh > 0.5 * finding.contracts


def test_an_old_price_with_its_true_time_is_stale_and_not_false(shown: Exhibition) -> None:
    before, time_before = shown.quotes(), shown.market.now
    shown.pass_secs(40)
    chain = shown.chain(before, time_before)
    finding = shown.judge.compare(chain, shown.history.window())
    assert (finding.false_fresh, finding.false_times) == (0, 0)
    assert finding.stale > 0.9 * finding.contracts
    assert not finding.is_true(0.02)


def test_a_price_that_was_never_quoted_is_false_whatever_its_time(shown: Exhibition) -> None:
    shown.pass_secs(5)
    bid, ask = shown.quotes()
    bid[7] = 0.123
    finding = shown.judge.compare(shown.chain((bid, ask), shown.market.now), shown.history.window())
    assert (finding.false_fresh, finding.lagging) == (1, 1)
    assert finding.worst_lag_secs == float("inf")


def test_no_price_is_no_lie_and_no_truth(shown: Exhibition) -> None:
    shown.pass_secs(5)
    bid, ask = shown.quotes()
    quoted = np.flatnonzero(np.isfinite(bid))[:3]
    bid[quoted] = ask[quoted] = np.nan
    finding = shown.judge.compare(shown.chain((bid, ask), shown.market.now), shown.history.window())
    assert (finding.blank, finding.false_fresh, finding.lagging) == (3, 0, 3)
    assert not finding.is_true()
