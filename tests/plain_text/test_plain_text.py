from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from live_box_spreads.model.errors import ConfigError
from live_box_spreads.plain_text import MOST_LINES, error_lines, place_of, plain


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("SPX 2025-12-19 · 5 %", "SPX 2025-12-19 · 5 %"),
        ("a\x1b[31mb", "a\\x1b[31mb"),
        ("a\r\nb\tc\x00", "a\\r\\nb\\tc\\x00"),
        ("price\u202e0001", "price\\u202e0001"),  # turns what follows around
        ("name\udcff.csv", "name\\udcff.csv"),  # a file name in another encoding
        (7, "7"),
    ],
)
def test_what_a_terminal_would_obey_is_written_as_an_escape(text: object, told: str) -> None:
    assert plain(text) == told


def test_a_long_text_is_cut_and_says_its_length() -> None:
    assert plain("x" * 1_234_567, 10) == "xxxxxxxxxx… (1,234,567 characters)"
    assert plain("x" * 10, 10) == "x" * 10


@given(st.text(st.characters()), st.integers(1, 50))
def test_any_text_is_printable_bounded_and_the_same_again(text: str, most: int) -> None:
    told = plain(text, most)
    assert told.isprintable()
    assert len(told) <= most + 30
    assert plain(told) == told


def test_an_error_has_lines_and_not_too_many() -> None:
    assert error_lines(ConfigError("one\ntwo\x1b")) == ["one", "two\\x1b"]
    assert error_lines(ConfigError()) == ["ConfigError"]
    many = error_lines(ConfigError("\n".join(map(str, range(1_000)))))
    assert len(many) == MOST_LINES + 1
    assert many[-1] == "… and 980 more lines"


def test_the_place_of_an_error_has_none_of_its_words() -> None:
    try:
        int("topsecret")
    except ValueError as error:
        place = place_of(error)
    assert place.startswith("ValueError in test_plain_text.py, line ")
    assert place_of(KeyError("topsecret")) == "KeyError"
