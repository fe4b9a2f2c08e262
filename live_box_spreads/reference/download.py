"""Fetching small public files politely: kept copies, conditional requests, one try.

A failure is reported, not retried: callers ask again, a dashboard every few minutes.
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

import msgspec

from live_box_spreads.bounded_files import read_bounded
from live_box_spreads.model.errors import ApiError, FeedError, FileFormatError
from live_box_spreads.net.addresses import QUOTES_COME_FROM_THERE, checked_url, host_of
from live_box_spreads.net.client import Limits, ask_now
from live_box_spreads.net.headers import Validators, moved_to

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx2

    from live_box_spreads.net.client import Answer
    from live_box_spreads.reference.history import History

LIMITS: Final = Limits(connect_secs=5.0, silence_secs=15.0, answer_secs=30.0, body_bytes=8_000_000)
"""The largest file, a year of par yields as XML, has some 400 kB."""

_LARGEST_COPY_BYTES: Final = 4 * LIMITS.body_bytes
"""A copy is JSON, where an odd character takes several."""

_NAME: Final = "reference.address"
REFRESH_AFTER: Final = timedelta(hours=1)


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
    """Return where copies are kept by default, by the XDG base directory rules."""
    root = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(root) if root else Path.home() / ".cache") / "live_box_spreads" / "reference"


class Downloads:
    """Downloads with a copy of each in a folder, which may be emptied at any time.

    A copy younger than ``refresh_after`` is used without asking; an older one is asked for again
    with its ``ETag`` or date. Without an answer the copy is used, with a notice: its
    rates carry their own dates.
    """

    def __init__(
        self,
        folder: Path | None = None,
        *,
        refresh_after: timedelta = REFRESH_AFTER,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        transport: httpx2.AsyncBaseTransport | None = None,
        limits: Limits = LIMITS,
    ) -> None:
        """Prepare; nothing is fetched or written yet.

        Args:
            folder: where copies are kept; None for ``default_cache_folder()``.
            refresh_after: how long a copy is used without asking.
            now: the time.
            transport: what carries the requests; None for the network.
            limits: how long an answer may take and how large it may be.
        """
        self._folder = default_cache_folder() if folder is None else folder
        self._refresh_after = refresh_after
        self._now = now
        self._transport = transport
        self._limits = limits

    def read(self, url: str, parse: Parser, name: str) -> History:
        """Fetch and parse; only an answer that can be parsed is kept.

        Args:
            url: https, or plain http on this machine.
            parse: reads the answer.
            name: what the rates are, for a person.

        Raises:
            ConfigError: the URL is neither.
            FeedError: no answer, or a refusal, and there is no copy.
            FileFormatError: the answer cannot be parsed.
        """
        host = host_of(checked_url(url, _NAME, QUOTES_COME_FROM_THERE))
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
        """Return the answer; the copy itself if it is still valid."""
        validators = Validators(copy.etag, copy.last_modified) if copy else Validators()
        answer = ask_now(
            url,
            name=_NAME,
            why_encrypted=QUOTES_COME_FROM_THERE,
            what=f"no rates from {host_of(url)}",
            headers={"Accept": "*/*", **validators.asking()},
            limits=self._limits,
            transport=self._transport,
        )
        if copy and answer.status == HTTPStatus.NOT_MODIFIED:
            return copy
        if answer.status != HTTPStatus.OK:
            raise _refusal(answer)
        validators = Validators.of(answer.headers)
        return _Copy(
            url=url,
            fetched_at=self._now(),
            text=answer.body.decode("utf-8-sig", errors="replace"),
            etag=validators.etag,
            last_modified=validators.last_modified,
        )

    def _file(self, url: str) -> Path:
        return self._folder / f"{hashlib.sha256(url.encode()).hexdigest()[:24]}.json"

    def _kept(self, url: str, parse: Parser, name: str) -> tuple[_Copy, History] | None:
        """Return the kept copy and what it holds; None if there is none, or it is damaged."""
        try:
            copy = msgspec.json.decode(
                read_bounded(self._file(url), _LARGEST_COPY_BYTES), type=_Copy
            )
            history = parse(copy.text, name=name, origin=host_of(url))
        except (OSError, msgspec.MsgspecError, RecursionError, UnicodeDecodeError, FileFormatError):
            return None
        return (copy, history) if copy.url == url else None

    def _keep(self, copy: _Copy) -> None:
        """Write a copy beside and rename; a folder that cannot be written costs only the copy."""
        with contextlib.suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=self._folder, delete=False) as file:
                partial = Path(file.name)
                try:
                    file.write(msgspec.json.encode(copy))
                    file.flush()
                    partial.replace(self._file(copy.url))
                finally:
                    partial.unlink(missing_ok=True)


def _refusal(answer: Answer) -> ApiError:
    target = moved_to(answer.headers)
    advice = f"it points to {target}; correct {_NAME}" if target else "try again later"
    message = f"{answer.what}: it answered {answer.status}; {advice}"
    return ApiError(message, status=answer.status)
