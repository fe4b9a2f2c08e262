"""A server's text, made fit for an error or a log: one short line without secrets."""

from __future__ import annotations

import unicodedata
from collections import deque
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

LONGEST_TEXT: Final = 300
"""Characters of a server's text that an error or a log repeats."""

_MOST_TOKENS: Final = 1_000
"""The last tokens that errors may not show: days of them, and no more memory in a year."""

_READ_AT_MOST: Final = 20_000
"""Characters that are looked at; a secret that begins within the shown ones ends within these."""


def server_text(text: str, secrets: Iterable[str] = ()) -> str:
    """Return a server's text on one line of at most ``LONGEST_TEXT`` characters.

    Args:
        text: the server's text, of any length.
        secrets: texts that may not show; they become ``***``.
    """
    text = text[:_READ_AT_MOST]
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "***")
    # Control and format characters, surrogates and the like: they could move a terminal's cursor
    # or turn the line around.
    visible = "".join(" " if unicodedata.category(char)[0] in "CZ" else char for char in text)
    line = " ".join(visible.split())
    return line if len(line) <= LONGEST_TEXT else line[: LONGEST_TEXT - 1] + "…"


class Secrets:
    """What no error may show, even if a server repeats it."""

    def __init__(self) -> None:
        """Start with none."""
        self._lasting: set[str] = set()
        self._tokens: deque[str] = deque(maxlen=_MOST_TOKENS)

    def __repr__(self) -> str:
        """Return their number, and none of them."""
        return f"Secrets({len(self._lasting) + len(self._tokens)})"

    def hide(self, *secrets: str) -> None:
        """Hide secrets for good."""
        self._lasting.update(filter(None, secrets))

    def hide_token(self, token: str) -> None:
        """Hide a token that will be replaced; the oldest of many are long void."""
        if token:
            self._tokens.append(token)

    def masked(self, text: str) -> str:
        """Return a server's text as :func:`server_text` does, without these secrets."""
        return server_text(text, self._lasting.union(self._tokens))
