from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import polars as pl
import pytest

from live_box_spreads.model.chain import CHAIN_SCHEMA, Chain, Timeliness
from live_box_spreads.model.errors import ChainError

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
}


def build(rows: list[dict[str, Any]]) -> Chain:
    frame = pl.DataFrame(rows, infer_schema_length=None)
    return Chain.build(frame, snapshot_time=NOW, feed="test", timeliness=Timeliness.REPLAY)


def test_rows_are_sorted_and_take_the_schema() -> None:
    chain = build([ROW, ROW | {"right": "C"}, ROW | {"strike": 6000.0}])
    assert chain.quotes.schema == CHAIN_SCHEMA
    assert chain.quotes.select("strike", "right").rows() == [
        (6000.0, "P"),
        (7000.0, "C"),
        (7000.0, "P"),
    ]
    assert chain.quotes["bid_size"].is_nan().all()
    assert chain.quotes["volume"].is_null().all()
    assert chain.keys() == [("SPX", date(2027, 12, 17))]
    assert chain.expiries("XSP") == []


def test_refused_rows_are_counted_by_reason() -> None:
    chain = build([ROW, ROW | {"bid": 1.5}, ROW | {"strike": 0.0}, ROW | {"right": None}])
    assert chain.quotes["bid"].to_list() == [1.5]
    assert sorted(chain.rejected.values()) == [1, 2]


def test_a_missing_price_is_nan_and_never_null() -> None:
    chain = build([ROW | {"bid": None}])
    assert chain.quotes["bid"].is_nan().all()


def test_rows_that_make_no_chain_are_refused() -> None:
    with pytest.raises(ChainError, match="lack strike"):
        build([{name: value for name, value in ROW.items() if name != "strike"}])
    with pytest.raises(ChainError, match="do not fit the schema"):
        build([ROW | {"right": "X"}])


def test_origin_tells_timeliness_and_feed_each_word_once() -> None:
    chain = build([ROW])
    assert replace(chain, feed="cboe", timeliness=Timeliness.DELAYED).origin == "delayed cboe"
    assert replace(chain, feed="replay").origin == "replay"


def test_a_chain_says_what_a_stream_lacked() -> None:
    chain = build([ROW])
    assert chain.caveat == ""
    assert replace(chain, notes={"polled_quotes": "7"}).caveat == ""  # nothing was lost
    notes = {"stream_lost_since": "2026-11-24T19:58:00+00:00"}
    assert replace(chain, notes=notes).caveat == (
        "the stream has lacked quotes since 2026-11-24 19:58:00 UTC"
    )
    both = replace(chain, notes=notes | {"polled_quotes": "7"}).caveat
    assert both.endswith("; 7 quotes are by REST, each with its own time")
