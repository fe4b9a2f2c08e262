from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from live_box_spreads.collector.live_book import LiveBook
from live_box_spreads.feeds.base import Contracts, Universe
from live_box_spreads.feeds.chain_listing import contracts_of_quotes
from live_box_spreads.feeds.differences import Differences
from live_box_spreads.model.chain import KEY, Chain, Timeliness
from live_box_spreads.model.contracts import Contract, occ_symbol, streamer_symbol
from live_box_spreads.model.errors import FeedError
from tests.feeds.made_market import FIRST, made_chains

NOW = datetime(2025, 9, 4, 14, 0, tzinfo=UTC)
NAN = float("nan")


def _chain(values: list[tuple[float, int | None, datetime | None]]) -> Chain:
    """Return one contract a value: its bid, its volume, its time."""
    rows = [
        {
            "root": "SPX",
            "underlying": "SPX",
            "settlement": "AM",
            "right": "C",
            "expiry": date(2025, 12, 19),
            "strike": 100.0 * (1 + at),
            "bid": bid,
            "ask": bid + 1,
            "volume": volume,
            "quote_time": quoted,
        }
        for at, (bid, volume, quoted) in enumerate(values)
    ]
    schema: dict[str, Any] = {"volume": pl.Int64, "quote_time": pl.Datetime("ms", "UTC")}
    return Chain.build(
        pl.DataFrame(rows, schema_overrides=schema),
        snapshot_time=NOW,
        feed="test",
        timeliness=Timeliness.REPLAY,
    )


def _contracts(chain: Chain) -> Contracts:
    return contracts_of_quotes(chain.quotes, {}, Universe(("SPX",)), NOW, source="the test")


def test_only_what_differs_is_told_and_nan_is_no_difference() -> None:
    first = _chain([(1.0, 5, NOW), (NAN, None, None), (3.0, 7, NOW), (4.0, 8, NOW)])
    later = NOW + timedelta(seconds=1)
    second = _chain([(1.0, 6, NOW), (NAN, None, None), (NAN, 7, NOW), (4.0, 8, later)])
    differences = Differences(_contracts(first))
    told = differences.update(first.quotes, NOW, {"SPX": 100.0})
    assert told.quotes is not None
    assert told.activity is not None
    assert list(told.quotes.rows) == list(told.activity.rows) == [0, 1, 2, 3]
    told = differences.update(second.quotes, NOW, {})
    assert told.quotes is not None
    assert told.activity is not None
    assert list(told.quotes.rows) == [2, 3]
    assert np.isnan(told.quotes.bid[0])
    assert told.quotes.times is not None
    assert told.quotes.times[1] == np.datetime64(later.replace(tzinfo=None), "ms")
    assert list(told.activity.rows) == [0]
    told = differences.update(second.quotes, NOW, {})
    assert told.quotes is None
    assert told.activity is None


def test_a_contract_that_is_no_longer_listed_is_cleared() -> None:
    whole = _chain([(1.0, 5, NOW), (2.0, 6, NOW)])
    differences = Differences(_contracts(whole))
    differences.update(whole.quotes, NOW, {})
    told = differences.update(whole.quotes.head(1), NOW, {})
    assert told.quotes is not None
    assert list(told.quotes.rows) == [1]
    assert np.isnan(told.quotes.bid[0])
    assert np.isnan(told.quotes.ask[0])


def test_quotes_of_one_underlying_leave_the_others_alone() -> None:
    chain = made_chains()[0]
    contracts = contracts_of_quotes(
        chain.quotes,
        chain.spot,
        Universe(("SPX", "XSP"), 2, "nearest", (0.99, 1.01)),
        FIRST,
        source="the test",
    )
    differences = Differences(contracts)
    told = differences.update(chain.quotes, NOW, {}, underlying="XSP")
    mine = contracts.table.with_row_index("row").filter(pl.col("root") == "XSP")["row"]
    assert told.quotes is not None
    assert list(told.quotes.rows) == list(mine)
    told = differences.update(chain.quotes, NOW, {})
    assert told.quotes is not None
    assert len(told.quotes.rows) == len(contracts) - len(mine)


PRICES = st.sampled_from([NAN, 0.0, 1.0, 2.0])
TIMES = st.sampled_from([None, NOW, NOW + timedelta(seconds=1)])
VOLUMES = st.sampled_from([0, 1, 2])


@settings(deadline=None)
@given(
    st.lists(
        st.lists(st.tuples(PRICES, VOLUMES, TIMES), min_size=3, max_size=3),
        min_size=1,
        max_size=5,
    )
)
def test_a_book_that_is_told_the_differences_is_the_last_chain(
    states: list[list[tuple[float, int | None, datetime | None]]],
) -> None:
    chains = [_chain(state) for state in states]
    contracts = _contracts(chains[0])
    book, differences = LiveBook(contracts), Differences(contracts)
    for chain in chains:
        book.apply(differences.update(chain.quotes, NOW, {}))
        held = book.snapshot(NOW + timedelta(seconds=1), "test", Timeliness.REPLAY)
        assert held.quotes.equals(chain.quotes)


def test_contracts_of_quotes_have_the_symbols_of_the_model() -> None:
    chain = made_chains()[0]
    contracts = contracts_of_quotes(
        chain.quotes, chain.spot, Universe(("SPX", "XSP")), FIRST, source="the test"
    )
    assert contracts.table.select(KEY).equals(chain.quotes.select(KEY))
    sample = contracts.table[:: max(1, len(contracts) // 300)]
    assert (sample["strike"] % 1 != 0).any() or (sample["root"] == "XSP").any()
    for row in sample.iter_rows(named=True):
        contract = Contract(row["root"], row["expiry"], row["right"], row["strike"])
        assert row["occ_symbol"] == occ_symbol(contract)
        assert row["streamer_symbol"] == streamer_symbol(contract)


@pytest.mark.parametrize(
    ("universe", "spot", "says"),
    [
        (Universe(("NDX",)), {}, "the test has no NDX; it has SPX"),
        (Universe(("SPX",), moneyness=(0.9, 1.1)), {}, "no price of SPX"),
        (Universe(("SPX",), moneyness=(0.9, 1.1)), {"SPX": 9e9}, "widen the window"),
        (Universe(()), {}, "names no root"),
        (Universe(("OEX",)), {}, "American"),
    ],
)
def test_what_cannot_be_listed_says_why(
    universe: Universe, spot: dict[str, float], says: str
) -> None:
    chain = _chain([(1.0, 5, NOW)])
    with pytest.raises(FeedError, match=says) as raised:
        contracts_of_quotes(chain.quotes, spot, universe, NOW, source="the test")
    assert "\n" not in str(raised.value)


def test_expired_contracts_are_not_listed() -> None:
    chain = _chain([(1.0, 5, NOW)])
    with pytest.raises(FeedError, match="expires after 2026"):
        contracts_of_quotes(
            chain.quotes, {}, Universe(("SPX",)), NOW.replace(year=2026), source="the test"
        )
