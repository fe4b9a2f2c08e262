from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from live_box_spreads.collector.live_book import LiveBook
from live_box_spreads.feeds.base import CONTRACT_SCHEMA, Activity, Contracts, Quotes, Update
from live_box_spreads.model.chain import Timeliness

NAN = float("nan")
START = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
COUNT = 4
CONTRACTS = Contracts(
    pl.DataFrame(
        {
            "root": ["SPX", "SPX", "SPXW", "SPXW"],
            "underlying": ["SPX"] * COUNT,
            "expiry": [date(2026, 12, 18)] * COUNT,
            "settlement": ["AM"] * COUNT,
            "strike": [6800.0, 6800.0, 6900.0, 6900.0],
            "right": ["C", "P", "C", "P"],
            "occ_symbol": [f"occ {n}" for n in range(COUNT)],
            "streamer_symbol": [f".{n}" for n in range(COUNT)],
        },
        schema=CONTRACT_SCHEMA,
    )
)
numbers = st.just(NAN) | st.integers(0, 500).map(float)
row_changes = st.tuples(st.integers(0, COUNT - 1), numbers, numbers, numbers, numbers)
messages = st.lists(st.tuples(st.sampled_from(["quotes", "activity"]), st.lists(row_changes)))


def quotes(changes: list[tuple[int, float, float, float, float]]) -> Quotes:
    columns = np.array(changes, dtype=float).reshape(-1, 5).T
    return Quotes(columns[0].astype(np.int32), *columns[1:])


def activity(changes: list[tuple[int, float, float, float, float]]) -> Activity:
    columns = np.array(changes, dtype=float).reshape(-1, 5).T
    return Activity(columns[0].astype(np.int32), *columns[1:4])


def slow_twin(sent: list[tuple[str, list[Any]]]) -> list[dict[str, Any]]:
    """Apply the messages row by row, with nothing but dictionaries."""
    book: list[dict[str, Any]] = [{} for _ in range(COUNT)]
    neighbours = ((0, 1), (0, 1), (2, 3), (2, 3))
    for second, (kind, changes) in enumerate(sent):
        for row, one, two, three, four in changes:
            if kind == "quotes":
                book[row]["bid"], book[row]["ask"] = one, two
                book[row]["bid_size"] = NAN if math.isnan(one) else three
                book[row]["ask_size"] = NAN if math.isnan(two) else four
                book[row]["quote_time"] = START + timedelta(seconds=second)
                for same_root in neighbours[row]:  # what is heard of one confirms the other
                    if "quote_time" in book[same_root]:
                        book[same_root]["quote_time"] = START + timedelta(seconds=second)
                continue
            for name, value in (("last", one), ("volume", two), ("open_interest", three)):
                if not math.isnan(value):
                    book[row][name] = value
    return book


@settings(deadline=None)  # a busy machine is no failure
@given(messages)
def test_the_book_agrees_with_its_slow_twin(sent: list[tuple[str, list[Any]]]) -> None:
    book = LiveBook(CONTRACTS)
    for second, (kind, changes) in enumerate(sent):
        at = START + timedelta(seconds=second)
        if kind == "quotes":
            book.apply(Update(at, quotes=quotes(changes)))
        else:
            book.apply(Update(at, activity=activity(changes)))
    expected = slow_twin(sent)
    rows = book.snapshot(START, "test", Timeliness.SIMULATED).quotes.rows(named=True)
    for row, twin in zip(rows, expected, strict=True):
        for name in ("bid", "ask", "bid_size", "ask_size", "last"):
            np.testing.assert_equal(row[name], twin.get(name, NAN))
        for name in ("volume", "open_interest", "quote_time"):
            assert row[name] == twin.get(name)
    assert book.quoted == sum("quote_time" in twin for twin in expected)
    assert len(book.never_quoted()) == COUNT - book.quoted


def test_a_snapshot_is_not_touched_by_what_comes_later() -> None:
    book = LiveBook(CONTRACTS)
    book.apply(Update(START, quotes=quotes([(0, 1.0, 2.0, 3.0, 4.0)]), spot={"SPX": 6900.0}))
    before = book.snapshot(START, "test", Timeliness.LIVE)
    book.apply(Update(START, quotes=quotes([(0, NAN, 9.0, 9.0, 9.0)]), spot={"SPX": 1.0}))
    assert before.quotes["bid"][0] == 1.0
    assert dict(before.spot) == {"SPX": 6900.0}


def quote_times(book: LiveBook) -> list[datetime | None]:
    return book.snapshot(START, "test", Timeliness.LIVE).quotes["quote_time"].to_list()


def test_a_quiet_quote_stands_while_its_own_root_is_heard() -> None:
    book = LiveBook(CONTRACTS)
    book.apply(Update(START, quotes=quotes([(row, 1.0, 2.0, 3.0, 4.0) for row in range(COUNT)])))
    later = START + timedelta(hours=1)
    book.apply(Update(later, quotes=quotes([(0, 1.1, 2.1, 3.0, 4.0)])))
    assert quote_times(book) == [later, later, START, START]


def test_after_a_lost_link_a_quote_counts_only_when_it_comes_again() -> None:
    book = LiveBook(CONTRACTS)
    book.apply(Update(START, quotes=quotes([(row, 1.0, 2.0, 3.0, 4.0) for row in range(COUNT)])))
    book.apply(Update(START + timedelta(minutes=5), link_down=True))
    back = START + timedelta(minutes=6)
    book.apply(Update(back, quotes=quotes([(0, 1.1, 2.1, 3.0, 4.0)])))
    assert quote_times(book) == [back, START, START, START]


def test_a_lost_link_keeps_prices_and_their_times() -> None:
    book = LiveBook(CONTRACTS)
    book.apply(Update(START, quotes=quotes([(0, 1.0, 2.0, 3.0, 4.0)])))
    lost = START + timedelta(minutes=10)
    book.apply(Update(lost, link_down=True))
    assert book.link_down_since == lost
    kept = book.snapshot(lost, "test", Timeliness.LIVE).quotes
    assert (kept["bid"][0], kept["quote_time"][0]) == (1.0, START)
    book.apply(Update(lost, quotes=quotes([(0, 5.0, 6.0, 3.0, 4.0)])))
    assert book.link_down_since is None
