"""The page against the excerpt of a real one, by hand, and what may be wrong with it."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from math import isnan
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from live_box_spreads.feeds.parity_spot import spot_by_parity
from live_box_spreads.model.chain import Timeliness
from live_box_spreads.model.errors import FeedError
from live_box_spreads.model.sessions import NEW_YORK
from live_box_spreads.vendors.cboe.page import quoted_at, read_page
from tests.feeds.made_market import FIRST, made_chains
from tests.real_data import DATA, NO_DATA

EXCERPT = DATA / "wire" / "cboe" / "spx_delayed_quotes_excerpt.json"


@pytest.mark.realdata
@pytest.mark.skipif(not EXCERPT.is_file(), reason=NO_DATA)
def test_the_excerpt_of_a_real_page() -> None:
    chain = read_page(EXCERPT.read_bytes(), "SPX")
    assert chain.rejected == {}
    assert (chain.feed, chain.timeliness, chain.spot) == ("cboe", Timeliness.DELAYED, {})
    # 03:56:30 UTC is 23:56:30 in New York: the night session shows quotes of 23:41:30
    assert chain.snapshot_time == datetime(2026, 7, 15, 3, 41, 30, tzinfo=UTC)
    rows = {row[:5]: row[5:] for row in chain.quotes.drop("underlying", "quote_time").iter_rows()}
    assert len(rows) == 6
    key = ("SPXW", date(2026, 7, 28), "PM", 7525.0, "P")
    assert rows[key] == (48.3, 49.1, 10.0, 10.0, 56.1, 361, 145)
    key = ("SPX", date(2028, 12, 15), "AM", 8350.0, "P")
    assert rows[key] == (867.0, 879.4, 14.0, 14.0, 893.19, 0, 29)
    never_traded = rows["SPX", date(2026, 8, 21), "AM", 8700.0, "P"]
    assert never_traded[:4] == (1096.2, 1120.2, 1.0, 1.0)
    assert isnan(never_traded[4])


def _page(*options: Any, **data: Any) -> bytes:
    body = {"timestamp": "2026-11-24 15:15:00", "data": {"options": list(options), **data}}
    return json.dumps(body).encode()


GOOD = {"option": "SPX261218C06900000", "bid": 1.0, "ask": 2.0, "volume": 3.0}


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ({"option": "SPX261218X06900000", "bid": 1.0}, "no readable option symbol"),
        ({"option": "ABC261218C06900000"}, "unknown option root ABC"),
        ({"option": "XSP261218C00690000"}, "option on another index"),
        ({"option": "SPX261318C06900000"}, "no expiration date in the symbol"),
        ({"option": "SPX261218P06900000", "bid": -1.0}, "number out of bounds"),
        ({"option": "SPX261218P06900000", "volume": 1e300}, "number out of bounds"),
        ({"option": "SPX261218P06900000", "bid": "one"}, "not an option with numbers"),
        ({"bid": 1.0}, "not an option with numbers"),
        ("SPX261218P06900000", "not an option with numbers"),
        (GOOD, "duplicate contract (the last row is kept)"),
    ],
)
def test_a_bad_option_is_counted_and_spoils_no_other(bad: Any, reason: str) -> None:
    chain = read_page(_page(bad, GOOD), "SPX")
    assert chain.rejected == {reason: 1}
    assert len(chain.quotes) == 1


def test_sides_that_nobody_quotes_are_nan_and_zero_bids_stay() -> None:
    page = _page(
        {"option": "SPX261218C06900000", "bid": None, "ask": 2.0, "last_trade_price": 0.0},
        {"option": "SPX261218P06900000", "bid": 0.0, "bid_size": 0.0},
    )
    call, put = read_page(page, "SPX").quotes.iter_rows(named=True)
    assert isnan(call["bid"])
    assert isnan(call["last"])
    assert call["volume"] is None
    assert (put["bid"], put["bid_size"]) == (0.0, 0.0)
    assert isnan(put["ask"])


def test_the_spot_is_the_page_s_else_by_parity() -> None:
    assert read_page(_page(GOOD, current_price=6901.5), "SPX").spot == {"SPX": 6901.5}
    assert read_page(_page(GOOD, current_price=0.0), "SPX").spot == {}
    put = {"option": "SPX261218P06900000", "bid": 4.0, "ask": 6.0}
    assert read_page(_page(GOOD, put), "SPX").spot == {"SPX": 6900 + 1.5 - 5.0}


@pytest.mark.parametrize(("root", "tolerance"), [("SPX", 4e-3), ("XSP", 5e-4)])  # weeks, days
def test_parity_finds_the_index_of_a_made_market(root: str, tolerance: float) -> None:
    chain = made_chains()[0]
    found = spot_by_parity(chain.quotes.filter(chain.quotes["root"] == root), FIRST)
    assert found == pytest.approx(chain.spot[root], rel=tolerance)


@pytest.mark.parametrize(
    ("told_at", "underlying", "expected"),
    [
        ((24, 11, 0), "SPX", (24, 10, 45)),  # Tuesday, regular session
        ((24, 9, 40), "SPX", (24, 9, 25)),  # the night session ends at 09:25
        ((24, 9, 43), "SPX", (24, 9, 25)),
        ((24, 9, 40), "NDX", (23, 16, 15)),  # no night session: Monday's last quotes
        ((24, 3, 0), "SPX", (24, 2, 45)),  # the night session
        ((24, 3, 0), "NDX", (23, 16, 15)),
        ((24, 19, 0), "SPX", (24, 16, 15)),  # between the sessions
        ((24, 20, 35), "XSP", (24, 20, 20)),  # the night of Wednesday has begun
        ((25, 20, 35), "SPX", (25, 16, 15)),  # Thursday is Thanksgiving: none that night
        ((27, 20, 0), "SPX", (27, 13, 15)),  # Friday closes early
        ((28, 12, 0), "SPX", (27, 13, 15)),  # Saturday
        ((29, 20, 29), "SPX", (27, 13, 15)),  # Sunday, before the night session
        ((29, 20, 30), "SPX", (29, 20, 15)),  # that of Monday
    ],
)
def test_the_instant_that_quotes_stand_for(
    told_at: tuple[int, int, int], underlying: str, expected: tuple[int, int, int]
) -> None:
    told = datetime(2026, 11, *told_at, tzinfo=NEW_YORK)
    found = quoted_at(told, underlying)
    assert found.astimezone(NEW_YORK) == datetime(2026, 11, *expected, tzinfo=NEW_YORK)
    assert found.tzinfo is UTC


DEEP = b"[" * 100_000 + b"]" * 100_000


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b'{"x": ' + DEEP + b', "timestamp": "2026-11-24 15:15:00", "data": {"options": []}}',
        b'{"timestamp": "2026-11-24 15:15:00", "data": {"options": [' + DEEP + b"]}}",
        b'{"timestamp": "9999-01-01", "data": {"options": []}}',
        b'{"timestamp": "0001-01-01", "data": {"options": []}}',
        b'{"timestamp": "2026-11-24 15:15:00+99:00", "data": {"options": []}}',
    ],
    ids=["empty", "null", "deep", "deep-option", "far", "long-ago", "offset"],
)
def test_a_hostile_body_is_refused_in_one_line(body: bytes) -> None:
    with pytest.raises(FeedError) as raised:
        read_page(body, "SPX")
    assert "\n" not in str(raised.value)


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 10_000), st.integers(0, 20), st.binary(max_size=8)), max_size=6
    )
)
def test_any_damage_leaves_a_chain_or_a_feed_error(
    damages: list[tuple[int, int, bytes]],
) -> None:
    put = {"option": "SPX261218P06900000", "bid": 4.0, "ask": 6.0, "last_trade_price": 5.0}
    body = bytearray(_page(GOOD, put, current_price=6900.0))
    for place, length, inserted in damages:
        at = place % (len(body) + 1)
        body[at : at + length] = inserted
    try:
        chain = read_page(bytes(body), "SPX")
    except FeedError:
        return
    assert len(chain.quotes) + sum(chain.rejected.values()) <= 2 + len(damages)
