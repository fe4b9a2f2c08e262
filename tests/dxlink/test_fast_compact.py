"""The compiled reader and the decoder say the same of any text: numbers, rows and counts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from live_box_spreads.dxlink.compact import READER, PlainReader
from live_box_spreads.dxlink.decoder import EventBatch, FeedDecoder
from live_box_spreads.dxlink.messages import UNREADABLE

if TYPE_CHECKING:
    from types import ModuleType

NUMBERS = {"Quote": ("bidPrice", "askPrice", "bidSize"), "Trade": ("price",)}
ROWS = {
    "Quote": {".SPXW261218C6900": 4, ".SPXW261218P6900": 2, "A": 0, "é": 1, "A\0B": 3},
    "Trade": {"SPX": 0},
}
LAYOUTS: list[dict[str, list[str]]] = [
    {
        "Quote": ["eventSymbol", "bidPrice", "askPrice", "bidSize"],
        "Trade": ["eventSymbol", "price"],
    },
    {"Quote": ["askPrice", "eventType", "eventSymbol"], "Trade": ["price", "eventSymbol", "time"]},
    {"Quote": ["eventSymbol", "bidPrice", "eventSymbol", "bidPrice"], "Trade": ["price"]},
    {"Quote": ["eventSymbol"]},
]


@pytest.fixture(scope="module", autouse=True)
def kernel() -> ModuleType:
    return READER.load()


def decoder(layout: int = 0) -> FeedDecoder:
    made = FeedDecoder(ROWS, NUMBERS)
    made.configure(LAYOUTS[layout])
    return made


def slowly(made: FeedDecoder, text: bytes) -> list[EventBatch]:
    """Decode as if nothing were compiled."""
    try:
        data = msgspec.json.decode(text, type=list[Any])
    except UNREADABLE:
        made.unreadable += 1
        return []
    return made.decode_values(data)


def assert_twins_agree(text: bytes, layout: int = 0) -> FeedDecoder:
    fast, slow = decoder(layout), decoder(layout)
    for mine, expected in zip(fast.decode(text), slowly(slow, text), strict=True):
        assert mine.event_type == expected.event_type
        assert mine.rows.dtype == expected.rows.dtype == np.int32
        assert mine.rows.tolist() == expected.rows.tolist()
        assert list(mine.columns) == list(expected.columns)
        for name, values in expected.columns.items():
            assert mine.columns[name].dtype == values.dtype == np.float64
            # Bit by bit: the sign of a zero and the last digit count; there is one NaN only.
            np.testing.assert_array_equal(
                mine.columns[name].view(np.uint64), values.view(np.uint64)
            )
    counts = [
        (each.unreadable, each.malformed, each.unknown, each.unconfigured) for each in (fast, slow)
    ]
    assert counts[0] == counts[1]
    return fast


SYMBOLS = st.sampled_from([*ROWS["Quote"], "SPX", "A\\", '"', ".SPXW261218C690", "unknown", ""])
PLAIN_NUMBERS = (
    st.decimals(min_value=0, max_value=10**8, places=4, allow_nan=False)
    | st.integers(0, 2**53)
    | st.floats(0.001, 1e6).map("{:.3f}".format)
).map(str) | st.sampled_from(['"NaN"', '"Infinity"', '"-Infinity"'])
ODD_NUMBERS = st.sampled_from(
    [
        "-0", "-0.0", "0.0", "00", "01", "1.", ".5", "-", "+1", "-.5", "1e3", "1E-7", "2.5e+2",
        "9007199254740993", "9007199254740992.0", "123456789012345678", "1234567890123456789",
        "99999999999999999999", "0.1234567890123456789", "1e400", "null", "true", "false", "[]",
        "{}", '"1.5"', '" 1_0 "', '"nan"', '"x"', '"NaN', "NaN", "Infinity", '"\\u004eaN"',
        "0.30000000000000004", "4503599627370497.5", "-12.25",
    ]
)  # fmt: skip
VALUES = PLAIN_NUMBERS | ODD_NUMBERS | st.floats().map(repr) | SYMBOLS.map(json.dumps)
TYPES = st.sampled_from(['"Quote"', '"Trade"', '"Candle"', '"Quote', "null", "7", '"Qu\\u006fte"'])
SEPARATORS = st.sampled_from([",", ", ", " ,", ",,", ""])


@st.composite
def plain_texts(draw: st.DrawFn) -> bytes:
    """What a good server sends in the first layout."""
    arrays = []
    for kind in draw(st.lists(st.sampled_from(["Quote", "Trade"]), min_size=1, max_size=3)):
        row = st.tuples(
            st.sampled_from([name for name in ROWS[kind] if name.isprintable() and name.isascii()]),
            *[PLAIN_NUMBERS] * len(NUMBERS[kind]),
        )
        rows = draw(st.lists(row, min_size=1, max_size=5))
        values = [text for name, *numbers in rows for text in (json.dumps(name), *numbers)]
        arrays.append(f'"{kind}",[{",".join(values)}]')
    return f"[{','.join(arrays)}]".encode()


@st.composite
def odd_texts(draw: st.DrawFn) -> bytes:
    arrays = []
    for kind in draw(st.lists(TYPES, max_size=3)):
        values = draw(st.lists(VALUES, max_size=9))
        arrays.append(f"{kind},[{draw(SEPARATORS).join(values)}]")
    return f"[{draw(SEPARATORS).join(arrays)}]".encode()


@st.composite
def damaged_texts(draw: st.DrawFn) -> bytes:
    """A good text with some bytes gone, changed or put in."""
    text = bytearray(draw(plain_texts()))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(text)))
        until = min(len(text), at + draw(st.integers(0, 4)))
        text[at:until] = draw(st.binary(max_size=3) | st.sampled_from([b",", b'"', b"]", b"0"]))
    return bytes(text)


@settings(deadline=None)
@given(plain_texts())
@example(b'["Quote",[".SPXW261218C6900",0.07,9007199254740992,"NaN"],"Trade",["SPX",6900.5]]')
def test_plain_texts_are_read_by_the_compiled_reader_and_alike(text: bytes) -> None:
    assert assert_twins_agree(text).read_slowly == 0


@settings(deadline=None, max_examples=300)
@given(odd_texts() | damaged_texts() | st.binary(max_size=60), st.integers(0, len(LAYOUTS) - 1))
@example(b'["Quote",["A",1,2,9007199254740993]]', 0)
@example(b'["Quote",["A",-0,-0.0,0]]', 0)
@example(b'["Quote",["A\\u0000B",1,2,3,"A",1,2,3]]', 0)
@example(b'["Quote",["A",1,2,3,]]', 0)
@example(b'["Quote",["A",1,2,3]]]', 0)
@example(b'["Quote",[]]', 0)
@example(b"[]", 0)
@example(b'["Quote",["A",1,2,3],"Quote"]', 0)
@example(b'["Quote",[1.5,"Quote","A"]]', 1)
@example(b'["Quote",["B",1,"A",2]]', 2)
def test_any_text_is_read_alike(text: bytes, layout: int) -> None:
    assert_twins_agree(text, layout)


def test_every_prefix_of_a_plain_text_is_read_alike() -> None:
    text = b'["Quote",["A",1.25,2,"NaN","unknown",3,4,5],"Trade",["SPX","-Infinity"]]'
    for length in range(len(text) + 1):
        assert_twins_agree(text[:length])


def test_what_is_odd_is_left_to_the_decoder() -> None:
    for text in (
        b'["Quote",["A",1e3,2,3]]',
        b'["Quote",["A",null,2,3]]',
        b'["Quote", ["A",1,2,3]]',
        b'["Quote",["\\u0041",1,2,3]]',
    ):
        assert assert_twins_agree(text).read_slowly == 1


def test_symbols_that_share_a_slot_are_told_apart(kernel: ModuleType) -> None:
    names = [f".SPXW261218C{strike}" for strike in range(3_000)]
    reader = PlainReader(kernel, {"Trade": {name: at for at, name in enumerate(names)}}, {})
    reader.configure("Trade", ["eventSymbol"])
    wanted = [*names, *(name + "0" for name in names), *(name[:-1] for name in names)]
    index = {name: at for at, name in enumerate(names)}
    (found,) = reader.read(json.dumps(["Trade", wanted], separators=(",", ":")).encode()) or []
    assert found.rows.tolist() == [index.get(name, -1) for name in wanted]
    assert found.numbers.shape == (0, len(wanted))


def test_a_new_layout_is_taken_over() -> None:
    made = decoder()
    (before,) = made.decode(b'["Trade",["SPX",1.5]]')
    made.configure({"Trade": ["price", "eventSymbol"]})
    (after,) = made.decode(b'["Trade",[2.5,"SPX"]]')
    assert (before.columns["price"][0], after.columns["price"][0]) == (1.5, 2.5)
    made.forget_layout()
    assert made.decode(b'["Trade",[2.5,"SPX"]]') == []
    assert (made.unconfigured, made.read_slowly) == ({"Trade": 1}, 0)
