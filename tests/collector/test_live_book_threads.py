"""A reader in another thread sees the book between two updates, never in the middle of one."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from live_box_spreads.collector import live_book
from live_box_spreads.collector.live_book import LiveBook
from live_box_spreads.feeds.base import CONTRACT_SCHEMA, Activity, Contracts, Quotes, Update
from live_box_spreads.model.chain import Timeliness

if TYPE_CHECKING:
    import pytest

START = datetime(2026, 11, 24, 15, 0, tzinfo=UTC)
COUNT = 20_000
READS = 60
CONTRACTS = Contracts(
    pl.DataFrame(
        {
            "root": ["SPX"] * COUNT,
            "underlying": ["SPX"] * COUNT,
            "expiry": [date(2026, 12, 18)] * COUNT,
            "settlement": ["AM"] * COUNT,
            "strike": [float(n) for n in range(COUNT)],
            "right": ["C"] * COUNT,
            "occ_symbol": [f"occ {n}" for n in range(COUNT)],
            "streamer_symbol": [f".{n}" for n in range(COUNT)],
        },
        schema=CONTRACT_SCHEMA,
    )
)
ROWS = np.arange(COUNT, dtype=np.int32)


def same_everywhere(number: int) -> Update:
    """Say the same number in every field of every contract."""
    values = np.full(COUNT, float(number))
    return Update(
        START + timedelta(seconds=number),
        quotes=Quotes(ROWS, values, values, values, values),
        activity=Activity(ROWS, values, values, values),
        spot={"SPX": float(number)},
    )


def assert_one_update(book: LiveBook) -> float:
    chain = book.snapshot(START + timedelta(days=99), "test", Timeliness.SIMULATED)
    values = chain.quotes.select("bid", "ask", "bid_size", "ask_size", "last", "volume")
    number = chain.spot["SPX"]
    assert (values.cast(pl.Float64).to_numpy() == number).all()
    assert chain.quotes["quote_time"].unique().to_list() == [START + timedelta(seconds=number)]
    return number


def test_snapshots_beside_a_writer_that_never_rests() -> None:
    book = LiveBook(CONTRACTS)
    book.apply(same_everywhere(1))
    updates = [same_everywhere(number) for number in range(1, 51)]
    done = threading.Event()
    written = 0

    def write() -> None:
        nonlocal written
        while not done.is_set():
            book.apply(updates[written % len(updates)])
            written += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        seen = {assert_one_update(book) for _ in range(READS)}
    finally:
        done.set()
        writer.join()
    assert len(seen) > 1
    assert written > READS / 2  # the writer was not stopped


def test_a_reader_that_loses_a_race_starts_over(monkeypatch: pytest.MonkeyPatch) -> None:
    book = LiveBook(CONTRACTS)
    book.apply(same_everywhere(1))
    copy = live_book._State.copy
    races = 0

    def interrupted(state: live_book._State) -> live_book._State:
        nonlocal races
        races += 1
        torn = copy(state)
        if races <= 3:  # an update comes in while the copy is made
            torn.numbers[0] = -1.0
            book.apply(same_everywhere(races))
        return torn

    monkeypatch.setattr(live_book._State, "copy", interrupted)
    assert assert_one_update(book) == 3.0
    assert races == 4


def test_a_reader_that_loses_every_race_holds_the_writer_up_for_one_copy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    book = LiveBook(CONTRACTS)
    book.apply(same_everywhere(1))
    copy = live_book._State.copy
    held: list[bool] = []

    def interrupted(state: live_book._State) -> live_book._State:
        held.append(book._writing.locked())
        if not held[-1]:
            book.apply(same_everywhere(len(held)))
        return copy(state)

    monkeypatch.setattr(live_book._State, "copy", interrupted)
    assert assert_one_update(book) == 5.0
    assert held == [False] * 5 + [True]


def test_an_update_that_is_refused_leaves_the_book_readable() -> None:
    book = LiveBook(CONTRACTS)
    book.apply(same_everywhere(1))
    beyond = np.array([COUNT], np.int32)
    one = np.ones(1)
    try:
        book.apply(Update(START + timedelta(hours=1), quotes=Quotes(beyond, one, one, one, one)))
    except IndexError:
        pass
    else:
        raise AssertionError("a row beyond the book was taken")
    assert assert_one_update(book) == 1.0
