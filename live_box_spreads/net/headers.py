"""Headers that mean the same with every server: dates, Retry-After, validators, redirects."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final, Self

import httpx2

from live_box_spreads.net.server_text import server_text

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST_RETRY_AFTER_SECS: Final = 3600.0
"""A server that asks for more is asked again after this: its header may be a mistake."""

_LONGEST_VALIDATOR: Final = 1_000


@dataclass(frozen=True, slots=True)
class Validators:
    """By what a server tells whether it has something newer (RFC 9110, 13.1).

    Attributes:
        etag: ``ETag`` of the last answer; empty if it had none.
        last_modified: ``Last-Modified`` of the last answer; empty if it had none.
    """

    etag: str = ""
    last_modified: str = ""

    @classmethod
    def of(cls, headers: Mapping[str, str]) -> Self:
        """Return those of an answer, as far as they can be sent back."""
        etag, last_modified = (headers.get(name, "") for name in ("etag", "last-modified"))
        return cls(_sendable(etag), _sendable(last_modified))

    def asking(self) -> dict[str, str]:
        """Return the headers that ask only for something newer; the answer may be a 304."""
        headers = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {name: value for name, value in headers.items() if value}


def http_date(text: str) -> datetime | None:
    """Return the UTC instant of a header such as ``Date``; None if it is none."""
    try:
        instant = parsedate_to_datetime(text)
        return instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)
    except (TypeError, ValueError, OverflowError):
        return None


def retry_after_secs(headers: Mapping[str, str]) -> float | None:
    """Return the wait that an answer asks for, in seconds; None if it asks for none.

    It may be a number of seconds, or an instant on the server's own clock, which its ``Date``
    tells (RFC 9110, 10.2.3). At most ``LONGEST_RETRY_AFTER_SECS``.
    """
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdecimal():
        return min(float(text), LONGEST_RETRY_AFTER_SECS)
    until, now = http_date(text), http_date(headers.get("date", ""))
    if until is None or now is None:
        return None
    return min(max(0.0, (until - now).total_seconds()), LONGEST_RETRY_AFTER_SECS)


def moved_to(headers: Mapping[str, str]) -> str:
    """Return where a redirect points, without its query; empty if it names nothing."""
    target = headers.get("location", "")
    try:
        url = httpx2.URL(target)
        shown = str(url.copy_with(query=None, fragment=None, username=None, password=None))
    except (httpx2.InvalidURL, ValueError):
        shown = target.partition("?")[0]
    return server_text(shown)


def _sendable(value: str) -> str:
    fits = value.isascii() and value.isprintable() and len(value) <= _LONGEST_VALIDATOR
    return value if fits else ""
