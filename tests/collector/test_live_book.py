from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from live_box_spreads.collector.live_book import LiveBook
from live_box_spreads.feeds.base import (
    CONTRACT_SCHEMA,
    Activity,
    Contracts,
    Quotes,
    StreamProgress,
    Update,
)
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
ALL = np.arange(COUNT, dtype=np.int32)
numbers = st.just(NAN) | st.integers(0, 500).map(float)
some_rows = st.integers(0, COUNT - 1)
row_changes = st.tuples(some_rows, numbers, numbers, numbers, numbers)
messages = st.lists(
    st.tuples(
        st.sampled_from(["quotes", "other quotes", "polled", "activity"]),
        st.lists(row_changes, max_size=6),
    )
    | st.tuples(st.just("lost"), st.lists(some_rows))
)


def quotes(changes: list[tuple[int, float, float, float, float]]) -> Quotes:
    columns = np.array(changes, dtype=float).reshape(-1, 5).T
    return Quotes(columns[0].astype(np.int32), *columns[1:])


def polled(changes: list[tuple[int, float, float, float, float]], at: datetime) -> Quotes:
    """Return quotes that are a minute old when they come."""
    time = np.datetime64((at - timedelta(minutes=1)).replace(tzinfo=None), "ms")
    return replace(quotes(changes), times=np.full(len(changes), time), stop_gap=True)


def activity(changes: list[tuple[int, float, float, float, float]]) -> Activity:
    columns = np.array(changes, dtype=float).reshape(-1, 5).T
    return Activity(columns[0].astype(np.int32), *columns[1:4])


def update_of(kind: str, changes: list[Any], at: datetime) -> Update:
    match kind:
        case "quotes":
            return Update(at, quotes=quotes(changes))
        case "other quotes":  # the same by another connection
            return Update(at, quotes=quotes(changes), connection=1)
        case "polled":
            return Update(at, quotes=polled(changes, at))
        case "activity":
            return Update(at, activity=activity(changes))
    return Update(at, lost=np.array(changes, np.int32))


class SlowTwin:
    """Applies the messages row by row, with nothing but dictionaries."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = [{} for _ in range(COUNT)]
        self.lost: set[int] = set()
        self.lost_since: datetime | None = None

    def apply(self, kind: str, changes: list[Any], at: datetime) -> None:
        if kind == "lost":
            self._mark_lost(changes, at)
        elif kind == "activity":
            for row, *values in changes:
                named = zip(("last", "volume", "open_interest"), values, strict=False)
                self.rows[row] |= {name: value for name, value in named if not math.isnan(value)}
        else:
            own = at - timedelta(minutes=kind == "polled")
            held = [row.get("quote_time", own) for row in self.rows]
            for row, bid, ask, bid_size, ask_size in changes:
                if kind == "polled" and own < held[row]:
                    continue  # what is held is younger
                self.rows[row] |= {
                    "bid": bid,
                    "ask": ask,
                    "bid_size": NAN if math.isnan(bid) else bid_size,
                    "ask_size": NAN if math.isnan(ask) else ask_size,
                    "streaming": kind != "polled" and kind,
                    "polled": kind == "polled",
                    "quote_time": own,
                }
            if kind != "polled":
                self._hear(kind, {row for row, *_ in changes}, at)

    def _mark_lost(self, rows: list[int], at: datetime) -> None:
        for row in rows:
            self.rows[row]["streaming"] = False
        self.lost |= set(rows)
        if rows and self.lost_since is None:
            self.lost_since = at

    def _hear(self, connection: str, rows: set[int], at: datetime) -> None:
        if rows & self.lost:
            self.lost -= rows
            self.lost_since = None
        for row, mine in enumerate(self.rows):  # an update of a root confirms the rest of it
            if (
                row // 2 in {updated // 2 for updated in rows}
                and mine.get("streaming") == connection
            ):
                mine["quote_time"] = at


@settings(deadline=None)  # a busy machine is no failure
@given(messages)
def test_the_book_agrees_with_its_slow_twin(sent: list[tuple[str, list[Any]]]) -> None:
    book, twin = LiveBook(CONTRACTS), SlowTwin()
    for second, (kind, changes) in enumerate(sent):
        at = START + timedelta(seconds=second)
        book.apply(update_of(kind, changes, at))
        twin.apply(kind, changes, at)
    now = START + timedelta(hours=1)
    rows = book.snapshot(now, "test", Timeliness.SIMULATED).quotes.rows(named=True)
    ages_secs = book.ages_secs(now)
    for row, expected, age_secs in zip(rows, twin.rows, ages_secs, strict=True):
        for name in ("bid", "ask", "bid_size", "ask_size", "last"):
            np.testing.assert_equal(row[name], expected.get(name, NAN))
        for name in ("volume", "open_interest", "quote_time"):
            assert row[name] == expected.get(name)
        time = expected.get("quote_time")
        np.testing.assert_equal(age_secs, NAN if time is None else (now - time).total_seconds())
    assert book.lost_since == twin.lost_since
    known = ["quote_time" in expected for expected in twin.rows]
    assert book.quoted == sum(known)
    assert book.never_quoted()["occ_symbol"].to_list() == [
        f"occ {row}" for row in range(COUNT) if not known[row]
    ]
    for number, (root, health) in enumerate(book.health(now).items()):
        mine = twin.rows[2 * number : 2 * number + 2]
        assert root == ("SPX", "SPXW")[number]
        assert (health.contracts, health.quoted) == (2, sum("bid" in each for each in mine))
        assert health.polled == sum(each.get("polled", False) for each in mine)
        assert health.streaming == sum(bool(each.get("streaming")) for each in mine)
        both = [each["bid"] + each["ask"] for each in mine if "bid" in each]
        assert health.two_sided == sum(not math.isnan(each) for each in both)
        ages = [(now - each["quote_time"]).total_seconds() for each in mine if "bid" in each]
        np.testing.assert_equal(health.oldest_secs, max(ages, default=NAN))


def times_of(book: LiveBook, now: datetime) -> list[datetime | None]:
    return book.snapshot(now, "test", Timeliness.LIVE).quotes["quote_time"].to_list()


def test_a_polled_quote_replaces_only_what_is_older() -> None:
    book = LiveBook(CONTRACTS)
    book.apply(Update(START, quotes=quotes([(0, 1.0, 2.0, 3.0, 4.0)])))
    book.apply(Update(START, lost=np.array([0], np.int32)))
    late = START + timedelta(seconds=30)
    book.apply(Update(late, quotes=polled([(0, 5.0, 6.0, 3.0, 4.0)], late)))  # a minute old
    assert book.snapshot(late, "test", Timeliness.LIVE).quotes["bid"][0] == 1.0
    assert book.polled == 0
    late += timedelta(seconds=60)
    book.apply(Update(late, quotes=polled([(0, 5.0, 6.0, 3.0, 4.0)], late)))
    assert book.snapshot(late, "test", Timeliness.LIVE).quotes["bid"][0] == 5.0
    assert times_of(book, late)[0] == late - timedelta(minutes=1)


def test_a_doubted_quote_stands_only_since_it_was_quoted_itself() -> None:
    book = LiveBook(CONTRACTS)
    book.apply(Update(START, quotes=quotes([(0, 1.0, 2.0, 3.0, 4.0), (1, 1.0, 2.0, 3.0, 4.0)])))
    later = START + timedelta(minutes=3)
    book.apply(Update(later, quotes=quotes([(1, 1.1, 2.1, 3.0, 4.0)])))
    assert times_of(book, later)[:2] == [later, later]
    both = polled([(0, 7.0, 8.0, 3.0, 4.0)], later)  # a minute old, younger than what is held
    book.apply(Update(later, doubted=np.array([0], np.int32), quotes=both))
    assert times_of(book, later)[:2] == [later - timedelta(minutes=1), later]
    assert book.snapshot(later, "test", Timeliness.LIVE).quotes["bid"][0] == 7.0
    assert book.lost_since is None
    book.apply(Update(later, quotes=quotes([(0, 1.2, 2.2, 3.0, 4.0)])))
    assert times_of(book, later)[0] == later


def test_a_snapshot_says_since_when_the_stream_is_lost_and_how_much_was_polled() -> None:
    book = LiveBook(CONTRACTS)
    book.apply(Update(START, quotes=quotes([(0, 1.0, 2.0, 3.0, 4.0)])))
    assert dict(book.snapshot(START, "test", Timeliness.LIVE).notes) == {}
    lost_at = START + timedelta(seconds=5)
    book.apply(Update(lost_at, lost=np.arange(COUNT, dtype=np.int32)))
    late = START + timedelta(minutes=5)
    book.apply(Update(late, quotes=polled([(0, 1, 2, 3, 4), (1, 1, 2, 3, 4)], late)))
    assert dict(book.snapshot(late, "test", Timeliness.LIVE).notes) == {
        "stream_lost_since": "2026-11-24T15:00:05+00:00",
        "polled_quotes": "2",
    }


def test_a_clock_that_is_set_back_makes_no_quote_younger() -> None:
    book = LiveBook(CONTRACTS)
    book.apply(Update(START, quotes=quotes([(0, 1.0, 2.0, 3.0, 4.0)])))
    now = START + timedelta(seconds=100)
    book.apply(Update(now, lost=np.array([0], np.int32)))
    assert book.ages_secs(now)[0] == 100.0
    back = now - timedelta(hours=1)
    assert times_of(book, back)[0] == back  # a reader between the step and the next update
    book.apply(Update(back, quotes=quotes([(2, 1.0, 2.0, 3.0, 4.0)])))
    assert book.ages_secs(back)[0] == 100.0
    assert book.ages_secs(back)[2] == 0.0


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["quotes", "polled"]), row_changes, st.integers(-7200, 7200)),
        min_size=1,
    ),
    st.integers(-7200, 7200),
)
def test_no_quote_is_ever_from_the_future(sent: list[tuple[str, Any, int]], now_secs: int) -> None:
    book = LiveBook(CONTRACTS)
    for kind, change, secs in sent:
        book.apply(update_of(kind, [change], START + timedelta(seconds=secs)))
    now = START + timedelta(seconds=now_secs)
    assert all(time is None or time <= now for time in times_of(book, now))
    ages_secs = book.ages_secs(now)
    assert (ages_secs[~np.isnan(ages_secs)] >= 0).all()


def test_a_root_is_heard_by_its_stream_and_not_by_polling() -> None:
    book = LiveBook(CONTRACTS)
    book.apply(Update(START, quotes=polled([(0, 1.0, 2.0, 3.0, 4.0)], START)))
    assert book.health(START)["SPX"].updated_at is None
    later = START + timedelta(seconds=5)
    book.apply(Update(later, quotes=quotes([(1, 1.0, 2.0, 3.0, 4.0)])))
    health = book.health(later + timedelta(seconds=1))
    assert (health["SPX"].updated_at, health["SPXW"].updated_at) == (later, None)
    assert health["SPX"].oldest_secs == 66.0  # what was polled did not get younger


def test_a_snapshot_is_not_touched_by_what_comes_later() -> None:
    book = LiveBook(CONTRACTS)
    book.apply(Update(START, quotes=quotes([(0, 1.0, 2.0, 3.0, 4.0)]), spot={"SPX": 6900.0}))
    before = book.snapshot(START, "test", Timeliness.LIVE)
    book.apply(Update(START, quotes=quotes([(0, NAN, 9.0, 9.0, 9.0)]), spot={"SPX": 1.0}))
    assert before.quotes["bid"][0] == 1.0
    assert dict(before.spot) == {"SPX": 6900.0}


def test_a_quiet_quote_stands_while_its_own_root_is_heard() -> None:
    book = LiveBook(CONTRACTS)
    book.apply(Update(START, quotes=quotes([(row, 1.0, 2.0, 3.0, 4.0) for row in range(COUNT)])))
    later = START + timedelta(hours=1)
    book.apply(Update(later, quotes=quotes([(0, 1.1, 2.1, 3.0, 4.0)])))
    assert times_of(book, later) == [later, later, START, START]


def test_a_connection_that_freezes_is_not_vouched_for_by_another() -> None:
    book = LiveBook(CONTRACTS)
    book.apply(Update(START, quotes=quotes([(0, 1.0, 2.0, 3.0, 4.0)])))
    book.apply(Update(START, quotes=quotes([(1, 1.0, 2.0, 3.0, 4.0)]), connection=1))
    later = START + timedelta(seconds=50)
    book.apply(Update(later, quotes=quotes([(1, 1.5, 2.5, 3.0, 4.0)]), connection=1))
    assert times_of(book, later)[:2] == [START, later]
    assert book.health(later)["SPX"].updated_at == later
    book.apply(Update(later, lost=np.array([0], np.int32)))
    assert times_of(book, later)[:2] == [START, later]


def test_after_a_lost_link_a_quote_counts_only_when_it_comes_again() -> None:
    book = LiveBook(CONTRACTS)
    book.apply(Update(START, quotes=quotes([(row, 1.0, 2.0, 3.0, 4.0) for row in range(COUNT)])))
    book.apply(Update(START + timedelta(minutes=5), lost=ALL))
    back = START + timedelta(minutes=6)
    book.apply(Update(back, quotes=quotes([(0, 1.1, 2.1, 3.0, 4.0)])))
    assert times_of(book, back) == [back, START, START, START]


def test_a_lost_link_keeps_prices_and_their_times() -> None:
    book = LiveBook(CONTRACTS)
    book.apply(Update(START, quotes=quotes([(0, 1.0, 2.0, 3.0, 4.0)])))
    lost = START + timedelta(minutes=10)
    book.apply(Update(lost, lost=ALL))
    assert book.lost_since == lost
    kept = book.snapshot(lost, "test", Timeliness.LIVE).quotes
    assert (kept["bid"][0], kept["quote_time"][0]) == (1.0, START)
    book.apply(Update(lost, quotes=quotes([(0, 5.0, 6.0, 3.0, 4.0)])))
    assert book.lost_since is None


def test_a_loss_lasts_until_every_connection_stands_again() -> None:
    book = LiveBook(CONTRACTS)
    book.apply(Update(START, quotes=quotes([(row, 1.0, 2.0, 3.0, 4.0) for row in range(COUNT)])))
    book.apply(Update(START, lost=ALL, progress=StreamProgress(0, 4, 0, 4, 0, 0, 2)))
    book.apply(Update(START, progress=StreamProgress(2, 4, 2, 4, 0, 1, 2)))
    book.apply(Update(START, quotes=quotes([(0, 5.0, 6.0, 3.0, 4.0)])))
    assert book.lost_since == START
    book.apply(Update(START, progress=StreamProgress(4, 4, 4, 4, 0, 2, 2)))
    book.apply(Update(START, quotes=quotes([(2, 5.0, 6.0, 3.0, 4.0)])))
    assert book.lost_since is None
