"""What was quoted until when, against the slow way to tell; and the clock of the exchange."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from live_box_spreads.simulator.market.history import NEVER, STILL, QuoteHistory
from live_box_spreads.simulator.market.market import Market
from live_box_spreads.simulator.serving import ExchangeClock

if TYPE_CHECKING:
    from numpy.typing import NDArray

Sides = tuple["NDArray[np.float64]", "NDArray[np.float64]"]


def slow_held_until(quoted: list[tuple[float, Sides]], row: int, bid: float, ask: float) -> float:
    """Walk over whole books, one contract at a time: until when was it quoted like this?"""
    until = NEVER
    for at, (_, (bids, asks)) in enumerate(quoted):
        if np.array_equal([bids[row], asks[row]], [bid, ask], equal_nan=True):
            until = quoted[at + 1][0] if at + 1 < len(quoted) else STILL
    return until


def test_it_agrees_with_a_walk_over_whole_books(opening: datetime) -> None:
    market = Market(opening, seed=3, roots=("NDXP",), pace=5.0)
    history, count = QuoteHistory(market, 1e6), len(market.listing)

    def books() -> tuple[float, Sides]:
        sides = (market.book.bid[:count].copy(), market.book.ask[:count].copy())
        return market.now.timestamp(), sides

    quoted = [books()]
    for _ in range(12):
        market.advance(market.now + timedelta(seconds=0.5))
        history.note()
        quoted.append(books())
    window, rows = history.window(), np.arange(0, count, 7)
    for _, (bids, asks) in quoted[::3]:
        found = window.held_until_secs(rows, bids[rows], asks[rows], quoted[-1][0])
        expected = [slow_held_until(quoted, r, bids[r], asks[r]) for r in rows.tolist()]
        np.testing.assert_array_equal(found, expected)
    nowhere = np.full(len(rows), 0.123)
    assert (window.held_until_secs(rows, nowhere, nowhere, quoted[-1][0]) == NEVER).all()


def test_what_came_later_does_not_count(small_market: Market, opening: datetime) -> None:
    history, count = QuoteHistory(small_market, 1e6), len(small_market.listing)
    small_market.advance(opening + timedelta(seconds=40))
    history.note()
    rows = np.arange(count)
    bid, ask = small_market.book.bid[:count], small_market.book.ask[:count]
    until = history.window().held_until_secs(rows, bid, ask, opening.timestamp() + 39)
    assert (until == NEVER).mean() > 0.5  # some quote as they did before
    until = history.window().held_until_secs(rows, bid, ask, opening.timestamp() + 40)
    assert (until == STILL).all()


def test_it_forgets_what_is_older_than_asked_for(small_market: Market, opening: datetime) -> None:
    history, count = QuoteHistory(small_market, 10.0), len(small_market.listing)
    bid, ask = small_market.book.bid[:count].copy(), small_market.book.ask[:count].copy()
    rows = np.flatnonzero(bid > 0)
    for second in range(1, 61):
        small_market.advance(opening + timedelta(seconds=second))
        history.note()
    window = history.window()
    assert len(window.steps) == 11
    until = window.held_until_secs(rows, bid[rows], ask[rows], opening.timestamp() + 60)
    assert not np.any((until > NEVER) & (until < opening.timestamp() + 50))


def test_a_fast_clock_runs_fast_and_skips_nights() -> None:
    evening = datetime(2026, 11, 24, 21, 15, tzinfo=UTC)
    clock = ExchangeClock(evening, speed=1e6)
    before = clock()
    while clock() < evening + timedelta(seconds=10):
        pass
    assert before >= evening
    morning = evening + timedelta(days=30)
    clock.skip_to(morning)
    assert clock() >= morning
    clock.skip_to(evening)  # never back
    assert clock() >= morning


def test_a_clock_without_a_start_is_the_computers() -> None:
    assert abs(ExchangeClock()() - datetime.now(UTC)) < timedelta(seconds=5)
