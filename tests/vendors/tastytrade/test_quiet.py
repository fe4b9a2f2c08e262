"""Contracts about which the stream falls silent: found by REST, and by REST alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from live_box_spreads.feeds.base import Quotes
from live_box_spreads.vendors.tastytrade.feed import FeedTimes
from live_box_spreads.vendors.tastytrade.quiet import QuietContracts
from live_box_spreads.vendors.tastytrade.rest_pass import RestTimes
from tests.vendors.tastytrade.stream_helpers import streaming

if TYPE_CHECKING:
    from live_box_spreads.simulator.exchange import SimulatedExchange

NAN = float("nan")
NOON = np.datetime64("2026-11-24T16:00", "ms")


def quotes(rows: list[int], bid: float, ask: float = 9.0, age_secs: float | None = None) -> Quotes:
    """Return the same quote of these rows: streamed, or polled if it has an age at noon."""
    count = len(rows)
    column = np.full(count, 1.0)
    times = None
    if age_secs is not None:
        times = np.full(count, NOON - np.timedelta64(int(age_secs * 1e3), "ms"))
    return Quotes(np.array(rows, np.int32), column * bid, column * ask, column, column, times)


def test_the_longest_quiet_are_asked_for_first_and_not_again_at_once() -> None:
    quiet = QuietContracts(4)
    quiet.note(quotes([0, 1], 1.0), 10.0)
    quiet.note(quotes([2], 1.0), 0.0)
    assert quiet.quietest(90.0, 90.0, 10).tolist() == [2]
    assert quiet.quietest(101.0, 90.0, 10).tolist() == [2, 0, 1]  # 3 was never heard of
    assert quiet.quietest(101.0, 90.0, 2).tolist() == [2, 0]
    quiet.contradicted(quotes([2, 0], 1.0, age_secs=0), NOON, 101.0)
    assert quiet.quietest(101.0, 90.0, 10).tolist() == [1]
    quiet.forget(np.array([1], np.int32))
    assert quiet.quietest(101.0, 90.0, 10).tolist() == []


@pytest.mark.parametrize(
    ("bid", "ask", "age_secs", "contradicted"),
    [
        (1.0, 9.0, 0.0, False),  # the same quote stands
        (2.0, 9.0, 0.0, True),
        (1.0, 8.0, 50.0, True),
        (1.0, NAN, 0.0, True),  # a side that is gone
        (2.0, 9.0, 150.0, False),  # REST is behind the stream
    ],
)
def test_only_a_newer_and_other_quote_contradicts(
    bid: float,
    ask: float,
    age_secs: float,
    contradicted: bool,  # noqa: FBT001 # a parameter of the test
) -> None:
    quiet = QuietContracts(2)
    quiet.note(quotes([1], 1.0), 0.0)
    found = quiet.contradicted(quotes([1], bid, ask, age_secs), NOON, 100.0)
    assert found.tolist() == [contradicted]


def test_nothing_on_both_sides_is_no_contradiction() -> None:
    quiet = QuietContracts(1)
    quiet.note(quotes([0], 0.0, NAN), 0.0)
    assert quiet.contradicted(quotes([0], 0.0, NAN, 0.0), NOON, 100.0).tolist() == [False]


def test_a_stream_that_was_lost_meanwhile_contradicts_nothing() -> None:
    quiet = QuietContracts(1)
    quiet.note(quotes([0], 1.0), 0.0)
    quiet.forget(np.array([0], np.int32))
    assert quiet.contradicted(quotes([0], 2.0, age_secs=0), NOON, 100.0).tolist() == [False]


def test_what_the_stream_says_in_time_clears_it() -> None:
    quiet = QuietContracts(2)
    quiet.note(quotes([0, 1], 1.0), 0.0)
    quiet.note(quotes([1], 1.0), 101.0)
    assert quiet.still_quiet(np.array([0, 1], np.int32), 100.0).tolist() == [True, False]


async def test_a_contract_that_falls_silent_is_quoted_by_rest(exchange: SimulatedExchange) -> None:
    times = FeedTimes(rest=RestTimes(quiet=0.5, check_every=0.2, check_grace=1.0))
    async with streaming(exchange, times) as stream:
        seen = await stream.until(lambda seen: seen.all_asked and seen.streamed.mean() > 0.95)
        row = int(np.flatnonzero(seen.streamed & np.isfinite(seen.ask) & (seen.bid > 0))[7])
        exchange.faults.silent_symbols = {stream.contracts.table["streamer_symbol"][row]}
        exchange.withdraw_ask(stream.contracts.table["occ_symbol"][row])
        await stream.until(lambda seen: np.isnan(seen.ask[row]))  # which only REST can tell
        assert np.flatnonzero(seen.doubted).tolist() == [row]
        assert seen.connections_lost == 0
