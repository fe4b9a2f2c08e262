from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from live_box_spreads.dxlink.decoder import FeedDecoder
from tests.real_data import DATA, NO_DATA

NUMBERS = {"Quote": ("bidPrice", "askPrice", "bidSize"), "Trade": ("price",)}
ROWS = {"Quote": {"A": 0, "B": 1}, "Trade": {"SPX": 0}}
LAYOUT = {
    "Quote": ["eventSymbol", "bidPrice", "askPrice", "bidSize"],
    "Trade": ["eventType", "eventSymbol", "price"],
}
SAMPLES = DATA / "wire" / "dxlink" / "feed_data_samples.jsonl"


def decoder() -> FeedDecoder:
    made = FeedDecoder(ROWS, NUMBERS)
    made.configure(LAYOUT)
    return made


def test_several_types_in_one_compact_frame() -> None:
    quote, trade = decoder().decode_values(
        ["Quote", ["B", 1.5, "NaN", 7, "A", 0.0, 2, "Infinity"], "Trade", ["Trade", "SPX", 6900]]
    )
    assert quote.rows.tolist() == [1, 0]
    np.testing.assert_array_equal(quote.columns["bidPrice"], [1.5, 0.0])
    np.testing.assert_array_equal(quote.columns["askPrice"], [np.nan, 2.0])
    np.testing.assert_array_equal(quote.columns["bidSize"], [7.0, np.nan])  # infinite is none
    assert (trade.event_type, trade.columns["price"].tolist()) == ("Trade", [6900.0])


def test_fewer_fields_than_asked_and_another_order() -> None:
    made = decoder()
    made.configure({"Quote": ["askPrice", "eventSymbol"]})
    (quote,) = made.decode_values(["Quote", [9.5, "A"]])
    assert quote.columns["askPrice"].tolist() == [9.5]
    assert math.isnan(quote.columns["bidPrice"][0])
    made.configure({"Trade": ["eventSymbol", "price"]})  # Quote keeps its layout
    assert made.decode_values(["Quote", [8.5, "B"]])[0].rows.tolist() == [1]


def test_full_format_omits_empty_fields() -> None:
    (quote,) = decoder().decode_values([{"eventType": "Quote", "eventSymbol": "A", "bidPrice": 3}])
    assert quote.columns["bidPrice"].tolist() == [3.0]
    assert math.isnan(quote.columns["askPrice"][0])


def test_bad_rows_are_counted_and_harm_no_other() -> None:
    made = decoder()
    (quote,) = made.decode_values(
        ["Quote", ["A", 1, 2, 3, "B", "x", 2, 3, [], 1, 2, 3, "C", 1, 2, 3]]
    )
    assert quote.rows.tolist() == [0]
    assert (made.malformed, made.unknown) == (2, 1)


def test_true_is_no_price() -> None:
    made = decoder()
    (quote,) = made.decode_values(["Quote", ["A", True, 2, 3, "B", 1, 2, None]])
    assert quote.rows.tolist() == [1]
    assert math.isnan(quote.columns["bidSize"][0])
    assert made.malformed == 1


def test_array_with_a_missing_value_is_refused_whole() -> None:
    made = decoder()
    assert made.decode_values(["Quote", ["A", 1, 2, 3, "B", 1, 2]]) == []
    assert made.malformed == 2


def test_data_before_its_config_is_counted() -> None:
    made = FeedDecoder(ROWS, NUMBERS)
    assert made.decode_values(["Quote", ["A", 1, 2, 3]]) == []
    assert made.unconfigured == {"Quote": 1}
    made.configure(LAYOUT)
    assert len(made.decode_values(["Quote", ["A", 1, 2, 3]])) == 1
    made.forget_layout()
    assert made.decode_values(["Quote", ["A", 1, 2, 3]]) == []


@pytest.mark.parametrize("text", [b"", b"[", b"{}", b"[1e999]", b'["\xff"]', b"[" * 100_000])
def test_what_is_no_json_array_is_counted(text: bytes) -> None:
    made = decoder()
    assert made.decode(text) == []
    assert (made.unreadable, made.malformed) == (1, 0)


def test_a_server_cannot_fill_our_memory_with_names() -> None:
    made = decoder()
    for n in range(500):
        made.configure({f"Type{n}": ["eventSymbol"]})
        made.decode_values([f"Type{n}" * 100, []])
    assert len(made._layout) == 2
    assert len(made.unconfigured) <= 51
    assert made.unconfigured.total() == 500
    assert max(map(len, made.unconfigured)) <= 40


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.sampled_from(["A", "B", "NaN", "-Infinity", "x"]),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=2), st.integers(), max_size=2),
)


@given(st.lists(VALUES, max_size=24))
def test_whatever_comes_rows_are_known_and_columns_match(flat: list[Any]) -> None:
    for batch in decoder().decode_values(["Quote", flat, *flat]):
        assert set(batch.rows.tolist()) <= {0, 1}
        assert {len(values) for values in batch.columns.values()} == {len(batch.rows)}


GOOD = st.tuples(
    st.sampled_from(["A", "B"]), *[st.floats() | st.just("NaN") | st.integers(-9, 9)] * 3
)


@given(st.lists(GOOD, max_size=20))
def test_columns_are_what_reading_value_by_value_gives(rows: list[tuple[Any, ...]]) -> None:
    (batch,) = decoder().decode_values(["Quote", [value for row in rows for value in row]])
    assert batch.rows.tolist() == [ROWS["Quote"][row[0]] for row in rows]
    for at, name in enumerate(NUMBERS["Quote"], start=1):
        numbers = [float(row[at]) for row in rows]
        expected = [number if math.isfinite(number) else math.nan for number in numbers]
        np.testing.assert_array_equal(batch.columns[name], expected)


@pytest.mark.realdata
@pytest.mark.skipif(not SAMPLES.is_file(), reason=NO_DATA)
def test_captured_frames() -> None:
    frames = [json.loads(line)["data"] for line in SAMPLES.read_text().splitlines()]
    made = FeedDecoder(
        {"Trade": {"SPX": 0, "./ESU25P900:XCME": 1}, "Quote": {"PLTR": 0, "NVDA": 1}}, NUMBERS
    )
    made.configure(
        {
            "Trade": ["eventSymbol", "price", "size", "time"],
            "Quote": ["eventSymbol", "bidPrice", "askPrice", "bidSize", "askSize"],
        }
    )
    (trade,), (quote,), candles = [made.decode(json.dumps(frame).encode()) for frame in frames]
    np.testing.assert_array_equal(trade.columns["price"], [5931.91, np.nan])
    assert quote.rows.tolist() == [1, 0]
    assert quote.columns["askPrice"].tolist() == [131.67, 124.07]
    assert candles == []
    assert (made.unknown, made.malformed, made.unconfigured) == (3, 0, {"Candle": 1})
