"""What a server says, on one short line without secrets."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from live_box_spreads.net.server_text import LONGEST_TEXT, Secrets, server_text


@given(st.text(max_size=1_000))
def test_any_text_is_one_short_printable_line(text: str) -> None:
    line = server_text(text)
    assert len(line) <= LONGEST_TEXT
    assert line.isprintable()
    assert line == " ".join(line.split())


@given(st.text(alphabet="abc def", max_size=100))
def test_plain_words_stay(text: str) -> None:
    assert server_text(text) == " ".join(text.split())


def test_what_moves_a_cursor_or_turns_a_line_is_removed() -> None:
    assert server_text("a\x1b[2Jb\r\n\tc\u202ed\x00\ud800") == "a [2Jb c d"


@given(st.integers(0, 600), st.text(alphabet="xyz ", max_size=50))
def test_secrets_are_masked_wherever_they_stand(before: int, after: str) -> None:
    secrets = Secrets()
    secrets.hide("s3cret", "", "s3cret-and-more")
    secrets.hide_token("t0ken")
    line = secrets.masked("a" * before + "s3cret-and-more t0ken s3cret" + after)
    assert not any(part in line for part in ("s3c", "t0k", "and-more"))


def test_a_long_text_says_that_it_goes_on() -> None:
    assert server_text("x" * 300) == "x" * 300
    assert server_text("x" * 10**7) == "x" * 299 + "…"


def test_secrets_show_in_no_repr() -> None:
    secrets = Secrets()
    secrets.hide("s3cret")
    secrets.hide_token("t0ken")
    assert repr(secrets) == "Secrets(2)"
