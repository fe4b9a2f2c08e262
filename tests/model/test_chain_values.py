"""Whatever rows come in: a chain holds only values that everything behind it can rely on."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from math import inf, isnan, nan
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from live_box_spreads.model import chain_values as values
from live_box_spreads.model.chain import CHAIN_SCHEMA, DUPLICATE, KEY, TIME_TYPE, Chain, Timeliness
from live_box_spreads.model.errors import ChainError
from live_box_spreads.model.settlement import (
    FIRST_SERVED_DAY,
    LAST_SERVED_DAY,
    TimeBasis,
    expiry_instant,
    payment_date,
    premium_date,
    years_to_payment,
)

NOW = datetime(2026, 11, 24, 20, tzinfo=UTC)
ROW: dict[str, Any] = {
    "root": "SPX",
    "underlying": "SPX",
    "expiry": date(2027, 12, 17),
    "settlement": "AM",
    "strike": 7000.0,
    "right": "P",
    "bid": 1.0,
    "ask": 2.0,
    "bid_size": 3.0,
    "ask_size": 4.0,
    "last": 1.5,
    "volume": 5,
    "open_interest": 6,
    "quote_time": NOW,
}


def build(
    rows: list[dict[str, Any]], spot: dict[str, Any] | None = None, now: datetime = NOW
) -> Chain:
    frame = pl.DataFrame(rows, schema=dict(CHAIN_SCHEMA))
    return Chain.build(frame, snapshot_time=now, feed="test", timeliness=Timeliness.LIVE, spot=spot)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"strike": nan}, values.HIGH_STRIKE),
        ({"strike": inf}, values.HIGH_STRIKE),
        ({"strike": 1e300}, values.HIGH_STRIKE),
        ({"strike": 1_000_001.0}, values.HIGH_STRIKE),
        ({"strike": 1e-9}, values.HIGH_STRIKE),
        ({"strike": -inf}, values.NO_KEY),
        ({"strike": None}, values.NO_KEY),
        ({"right": None}, values.NO_KEY),
        ({"settlement": None}, values.NO_PRODUCT),
        ({"underlying": None}, values.NO_PRODUCT),
        ({"root": "SPX\x1b[31m"}, values.ODD_NAME),
        ({"root": ""}, values.ODD_NAME),
        ({"root": "=1+1"}, values.ODD_NAME),
        ({"underlying": "@SUM(A1)"}, values.ODD_NAME),
        ({"underlying": "X" * 33}, values.ODD_NAME),
        ({"expiry": date(1, 1, 1)}, values.ODD_EXPIRY),
        ({"expiry": date(9999, 12, 31)}, values.ODD_EXPIRY),
        ({"expiry": FIRST_SERVED_DAY - timedelta(days=1)}, values.ODD_EXPIRY),
        ({"expiry": LAST_SERVED_DAY + timedelta(days=1)}, values.ODD_EXPIRY),
    ],
)
def test_a_row_with_an_impossible_key_is_refused(change: dict[str, Any], reason: str) -> None:
    chain = build([ROW | {"right": "C"}, ROW | change])
    assert len(chain.quotes) == 1
    assert chain.rejected == {reason: 1}


@pytest.mark.parametrize(
    ("change", "cleared"),
    [
        ({"bid": -0.01}, {"bid", "bid_size"}),
        ({"bid": inf}, {"bid", "bid_size"}),
        ({"ask": inf}, {"ask", "ask_size"}),
        ({"ask": -inf}, {"ask", "ask_size"}),
        ({"ask": 1e300}, {"ask", "ask_size"}),
        ({"last": -1.0}, {"last"}),
        ({"bid_size": -1.0}, {"bid_size"}),
        ({"ask_size": inf}, {"ask_size"}),
        ({"volume": -1}, {"volume"}),
        ({"open_interest": 2**62}, {"open_interest"}),
    ],
)
def test_an_impossible_value_becomes_unknown_and_is_counted(
    change: dict[str, Any], cleared: set[str]
) -> None:
    chain = build([ROW | change])
    row = chain.quotes.row(0, named=True)
    unknown = {name for name, value in row.items() if value is None or value != value}  # noqa: PLR0124 # NaN
    assert unknown == cleared
    assert {name: row[name] for name in set(ROW) - cleared} == {
        name: ROW[name] for name in set(ROW) - cleared
    }
    assert chain.rejected == {values.odd_value(next(iter(change))): 1}


@pytest.mark.parametrize(
    ("at", "reason"),
    [
        (NOW + values.MOST_AHEAD + timedelta(milliseconds=1), values.AHEAD),
        (datetime(9999, 12, 31, tzinfo=UTC), values.AHEAD),
        (datetime(1, 1, 1, tzinfo=UTC), values.LONG_AGO),
    ],
)
def test_a_quote_of_an_impossible_time_is_not_believed(at: datetime, reason: str) -> None:
    chain = build([ROW | {"quote_time": at}])
    row = chain.quotes.row(0, named=True)
    assert row["quote_time"] is None
    assert all(isnan(row[name]) for name in ("bid", "ask", "bid_size", "ask_size"))
    assert (row["last"], row["volume"], row["open_interest"]) == (1.5, 5, 6)
    assert chain.rejected == {reason: 1}


def test_clocks_may_differ_by_a_minute() -> None:
    ahead = timedelta(seconds=60)
    assert build([ROW | {"quote_time": NOW + ahead}]).rejected == {}
    just_over = ahead + timedelta(milliseconds=1)
    assert build([ROW | {"quote_time": NOW + just_over}]).rejected == {values.AHEAD: 1}


def test_a_quote_a_little_ahead_is_believed() -> None:
    rows = [ROW | {"quote_time": NOW + values.MOST_AHEAD}, ROW | {"right": "C", "quote_time": None}]
    chain = build(rows)
    assert chain.quotes["quote_time"].to_list() == [None, NOW + values.MOST_AHEAD]
    assert chain.quotes["bid"].to_list() == [1.0, 1.0]
    assert chain.rejected == {}


def test_a_spot_that_is_no_price_is_absent_and_counted() -> None:
    spot = {"SPX": 6500.0, "A": nan, "B": inf, "C": 0.0, "D": -1.0, "E": None, "F": "7", "G": 1e9}
    chain = build([ROW], spot)
    assert chain.spot == {"SPX": 6500.0}
    assert chain.rejected == {values.ODD_SPOT: 7}


def test_what_was_cleared_once_is_not_counted_again() -> None:
    first = build(
        [ROW | {"bid": -1.0, "volume": -1, "quote_time": datetime.max.replace(tzinfo=UTC)}]
    )
    again = build(first.quotes.rows(named=True))
    assert again.rejected == {}
    assert again.quotes.equals(first.quotes)


@pytest.mark.parametrize(
    "instant",
    [
        datetime.min.replace(tzinfo=timezone(timedelta(hours=14))),
        datetime.max.replace(tzinfo=timezone(timedelta(hours=-12))),
        datetime(1970, 1, 1, tzinfo=UTC),
        datetime(2046, 1, 1, tzinfo=UTC),
        datetime(2026, 11, 24),  # noqa: DTZ001 # no zone is the point
    ],
)
def test_an_impossible_snapshot_time_is_one_line(instant: datetime) -> None:
    with pytest.raises(ChainError, match="snapshot_time") as caught:
        build([ROW], now=instant)
    assert "\n" not in str(caught.value)


FLOATS = st.floats(width=64) | st.none() | st.sampled_from([0.0, 5.0, 7000.0])
INTEGERS = st.none() | st.integers(-(2**63), 2**63 - 1)
ANY_ROW = st.fixed_dictionaries(
    {
        "root": st.none() | st.sampled_from(["SPX", "XSP"]) | st.text(max_size=40),
        "underlying": st.none() | st.sampled_from(["SPX", "XSP"]) | st.text(max_size=40),
        "expiry": st.none() | st.sampled_from([date(2026, 12, 18)]) | st.dates(),
        "settlement": st.none() | st.sampled_from(["AM", "PM"]),
        "strike": FLOATS,
        "right": st.none() | st.sampled_from(["C", "P"]),
        **dict.fromkeys(("bid", "ask", "bid_size", "ask_size", "last"), FLOATS),
        **dict.fromkeys(("volume", "open_interest"), INTEGERS),
        "quote_time": st.none() | st.datetimes(timezones=st.just(UTC)),
    }
)


@settings(deadline=None)  # a busy machine is no failure
@given(
    st.lists(ANY_ROW, max_size=8),
    st.dictionaries(st.text(max_size=3), FLOATS, max_size=3),
    st.datetimes(
        values.FIRST_INSTANT.replace(tzinfo=None), values.LAST_INSTANT.replace(tzinfo=None)
    ),
)
def test_any_rows_give_a_chain_within_the_bounds_and_add_up(
    rows: list[dict[str, Any]], spot: dict[str, float], now: datetime
) -> None:
    chain = build(rows, spot, now.replace(tzinfo=UTC))
    quotes = chain.quotes
    refused = sum(chain.rejected.get(reason, 0) for reason in (*values.REFUSALS, DUPLICATE))
    assert len(quotes) + refused == len(rows)
    assert quotes.equals(quotes.unique(KEY).sort(KEY))
    assert quotes.select(pl.exclude("volume", "open_interest", "quote_time")).null_count().row(
        0
    ) == ((0,) * 11)
    assert quotes["strike"].is_between(values.MIN_STRIKE, values.MAX_STRIKE).all()
    assert quotes["expiry"].is_between(FIRST_SERVED_DAY, LAST_SERVED_DAY).all()
    for name in ("bid", "ask", "last", "bid_size", "ask_size", "volume", "open_interest"):
        known = quotes[name].cast(pl.Float64).fill_nan(None).drop_nulls()
        limit = values.MAX_PRICE if name in {"bid", "ask", "last"} else values.MAX_CONTRACTS
        assert known.is_between(0, limit).all(), name
    latest = pl.Series([chain.snapshot_time + values.MOST_AHEAD]).cast(TIME_TYPE)
    assert (quotes["quote_time"].drop_nulls() <= latest).all()
    assert all(0 < price <= values.MAX_PRICE for price in chain.spot.values())
    assert all(count > 0 for count in chain.rejected.values())
    for root, expiry in chain.keys():  # noqa: SIM118 # no mapping
        assert root.isprintable()
        for basis in TimeBasis:
            years_to_payment(chain.snapshot_time, expiry, "AM", basis)


@pytest.mark.parametrize("day", [FIRST_SERVED_DAY, LAST_SERVED_DAY])
def test_the_calendar_answers_at_both_ends_of_what_is_served(day: date) -> None:
    assert payment_date(day) > day
    for settlement in ("AM", "PM"):
        assert expiry_instant(day, settlement).date() <= day
    instant = {FIRST_SERVED_DAY: values.FIRST_INSTANT, LAST_SERVED_DAY: values.LAST_INSTANT}[day]
    assert premium_date(instant) > day
