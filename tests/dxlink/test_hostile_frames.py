"""Whatever a server sends, the client lives and shows nothing that was not sent."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from live_box_spreads.dxlink.compact import READER
from live_box_spreads.simulator.dxlink.messages import GARBLED, NOISE
from tests.dxlink.listener import CONFIG, HANDSHAKE, SYMBOLS, check_frames, opened


@pytest.fixture(scope="module", autouse=True)
def _both_readers() -> None:
    READER.load()


@pytest.mark.parametrize("text", [*GARBLED, *NOISE])
def test_what_the_simulator_can_send(text: str) -> None:
    check_frames([text.encode()])


@settings(deadline=None)
@given(st.lists(st.binary(max_size=80), max_size=4))
def test_any_bytes(frames: list[bytes]) -> None:
    check_frames(frames)


FRAME = json.dumps(
    {"type": "FEED_DATA", "channel": 1, "data": ["Quote", [".690", 1.5, "NaN", 3, 4]]},
    separators=(",", ":"),
).encode()


@pytest.mark.parametrize("length", range(len(FRAME) + 1))
def test_a_frame_cut_anywhere(length: int) -> None:
    check_frames([FRAME[:length], FRAME])


VALUES = st.one_of(
    st.sampled_from([*SYMBOLS, "XSP", "NaN", "Infinity", "-Infinity", "", "1.5", "1e999", "0x10"]),
    st.integers(),
    st.floats(),
    st.none(),
    st.booleans(),
    st.lists(st.integers(), max_size=2),
)
ARRAYS = st.lists(
    st.one_of(st.sampled_from(["Quote", "Trade", "Summary", "Greeks"]), st.lists(VALUES)),
    max_size=6,
)
EVENTS = st.lists(
    st.dictionaries(
        st.sampled_from(["eventType", "eventSymbol", "bidPrice", "askPrice", "bidSize", "price"]),
        st.one_of(VALUES, st.just("Quote")),
    ),
    max_size=4,
)
CONFIGS = st.fixed_dictionaries(
    {
        "type": st.just("FEED_CONFIG"),
        "channel": st.just(1),
        "eventFields": st.dictionaries(
            st.sampled_from(["Quote", "Trade", "Summary", "Candle"]),
            st.lists(st.sampled_from(["eventSymbol", "bidPrice", "askPrice", "price", "x"])),
            max_size=3,
        ),
    }
)
DATA = st.fixed_dictionaries(
    {"type": st.just("FEED_DATA"), "channel": st.just(1), "data": st.one_of(ARRAYS, EVENTS)}
)
OTHERS = st.sampled_from([*HANDSHAKE, CONFIG, {"type": "CHANNEL_CLOSED", "channel": 1}])


@settings(deadline=None)
@given(st.lists(st.one_of(DATA, CONFIGS, OTHERS), max_size=5), st.booleans())
def test_hostile_json(messages: list[dict[str, Any]], spaced: bool) -> None:  # noqa: FBT001
    separators = (", ", ": ") if spaced else (",", ":")
    check_frames([json.dumps(each, separators=separators).encode() for each in messages])


@pytest.mark.parametrize(
    "data",
    [
        '["Quote",[".690",1,2,3]]',  # a value is missing
        '["Quote",[".690",true,2,3,4]]',
        '["Quote",[".690","1e400x",2,3,4]]',
        '["Quote",[null,1,2,3,4]]',
        '["Quote",[".000",1,2,3,4]]',
        '["Greeks",[".690",1,2,3,4]]',
        '["Quote",{"eventSymbol":".690","bidPrice":9}]',
        '["Quote"]',
        "[[],[]]",
        "[" * 500 + "]" * 500,
        '[{"eventType":"Quote","bidPrice":9}]',
        '["Quote",[".690",1e999,2,3,4]]',
    ],
)
def test_data_that_makes_no_sense_changes_no_price_and_is_counted(data: str) -> None:
    listener = opened(reads_slowly=False)
    before = listener.prices()
    listener.hear(f'{{"type":"FEED_DATA","channel":1,"data":{data}}}'.encode())
    np.testing.assert_array_equal(listener.prices(), before)
    decoder = listener.line.decoder
    counted = decoder.malformed + decoder.unknown + decoder.unreadable
    assert counted + decoder.unconfigured.total() > 0
