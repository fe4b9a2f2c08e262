"""Fetching small public files politely: kept copies, conditional requests, one try.

A failure is told, not tried again: whoever asks comes back, a dashboard every few minutes.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

import httpx2
import msgspec

from live_box_spreads import __version__
from live_box_spreads.bounded_files import read_bounded
from live_box_spreads.model.errors import (
    ApiError,
    ConfigError,
    FeedError,
    FeedUnavailableError,
    FileFormatError,
)
from live_box_spreads.tastytrade.addresses import is_loopback

if TYPE_CHECKING:
    from collections.abc import Callable

    from live_box_spreads.reference.history import History

TIMEOUT_SECS: Final = httpx2.Timeout(15.0, connect=5.0)
REFRESH_AFTER: Final = timedelta(hours=1)
_MOST_KEPT_BYTES: Final = 64_000_000


class Parser(Protocol):
    """Reads the text of a download."""

    def __call__(self, text: str, *, name: str, origin: str) -> History:
        """Return the rates, or raise ``FileFormatError``."""
        ...


class _Copy(msgspec.Struct):
    """A download as it is kept."""

    url: str
    fetched_at: datetime
    text: str
    etag: str = ""
    last_modified: str = ""


def default_cache_folder() -> Path:
    """Return where copies are kept if nobody says otherwise, as the XDG base directories do."""
    root = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(root) if root else Path.home() / ".cache") / "live_box_spreads" / "reference"


class Downloads:
    """Downloads with a copy of each in a folder, which may be emptied at any time.

    A copy younger than ``refresh_after`` is used without asking; an older one is asked for again
    with its ``ETag`` or date. If nobody answers, the copy stands, and a notice says so: what it
    holds carries its own dates.
    """

    def __init__(
        self,
        folder: Path | None = None,
        *,
        refresh_after: timedelta = REFRESH_AFTER,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        """Prepare; nothing is fetched or written yet.

        Args:
            folder: where copies are kept; None for ``default_cache_folder()``.
            refresh_after: how long a copy is used without asking.
            now: the time.
            transport: what carries the requests; None for the network.
        """
        self._folder = default_cache_folder() if folder is None else folder
        self._refresh_after = refresh_after
        self._now = now
        self._transport = transport

    def read(self, url: str, parse: Parser, name: str) -> History:
        """Fetch and parse; only an answer that can be parsed is kept.

        Args:
            url: https, or plain http on this machine.
            parse: reads the answer.
            name: what the rates are, for a person.

        Raises:
            ConfigError: the URL is neither.
            FeedError: nobody answered, or refused, and there is no copy.
            FileFormatError: the answer cannot be parsed.
        """
        host = _checked_host(url)
        kept = self._kept(url, parse, name)
        if kept and self._now() - kept[0].fetched_at < self._refresh_after:
            return kept[1]
        try:
            answer = self._fetch(url, kept[0] if kept else None)
        except FeedError as error:
            if kept is None:
                raise
            copy, history = kept
            notice = f"{error}; the copy of {copy.fetched_at:%Y-%m-%d %H:%M} UTC is used"
            return replace(history, notice=notice)
        history = parse(answer.text, name=name, origin=host)
        self._keep(msgspec.structs.replace(answer, fetched_at=self._now()))
        return history

    def _fetch(self, url: str, copy: _Copy | None) -> _Copy:
        """Return the answer; the copy itself if it still stands."""
        headers = {"User-Agent": f"live-box-spreads/{__version__}", "Accept": "*/*"}
        if copy and copy.etag:
            headers["If-None-Match"] = copy.etag
        if copy and copy.last_modified:
            headers["If-Modified-Since"] = copy.last_modified
        client = httpx2.Client(
            transport=self._transport,
            timeout=TIMEOUT_SECS,
            headers=headers,
            follow_redirects=False,  # an address that has moved is corrected, not followed blindly
            trust_env=not is_loopback(url),
        )
        with client:
            response = _get(client, url)
        if copy and response.status_code == HTTPStatus.NOT_MODIFIED:
            return copy
        return _Copy(
            url=url,
            fetched_at=self._now(),
            text=response.content.decode("utf-8-sig", errors="replace"),
            etag=response.headers.get("etag", ""),
            last_modified=response.headers.get("last-modified", ""),
        )

    def _file(self, url: str) -> Path:
        return self._folder / f"{hashlib.sha256(url.encode()).hexdigest()[:24]}.json"

    def _kept(self, url: str, parse: Parser, name: str) -> tuple[_Copy, History] | None:
        """Return the kept copy and what it holds; None if there is none, or it is damaged."""
        try:
            copy = msgspec.json.decode(read_bounded(self._file(url), _MOST_KEPT_BYTES), type=_Copy)
            history = parse(copy.text, name=name, origin=_checked_host(url))
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError, FileFormatError):
            return None
        return (copy, history) if copy.url == url else None

    def _keep(self, copy: _Copy) -> None:
        """Write a copy beside and rename; a folder that cannot be written costs only the copy."""
        with contextlib.suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=self._folder, delete=False) as file:
                file.write(msgspec.json.encode(copy))
            Path(file.name).replace(self._file(copy.url))


def _get(client: httpx2.Client, url: str) -> httpx2.Response:
    host = httpx2.URL(url).host
    try:
        response = client.get(url)
    except httpx2.RequestError as error:
        raise FeedUnavailableError(
            f"no rates from {host}: {str(error) or type(error).__name__}; check the "
            "network and reference.address"
        ) from error
    status = response.status_code
    if status not in {HTTPStatus.OK, HTTPStatus.NOT_MODIFIED}:
        moved = response.headers.get("location", "")
        advice = f"it points to {moved}; correct reference.address" if moved else "try again later"
        raise ApiError(f"no rates from {host}: it answered {status}; {advice}", status=status)
    return response


def _checked_host(url: str) -> str:
    try:
        parsed = httpx2.URL(url)
    except httpx2.InvalidURL as error:
        raise ConfigError(f"reference address {url!r} is no URL: {error}") from error
    if parsed.scheme == "https" or (parsed.scheme == "http" and is_loopback(url)):
        return parsed.host
    raise ConfigError(f"reference address {url!r} should be https; plain http is for loopback only")
