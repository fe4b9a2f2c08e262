"""A fresh quote token ahead of the end of the one in use, fetched beside the stream."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import structlog

from live_box_spreads.model.errors import FeedError
from live_box_spreads.net.verdicts import Verdict, error_ruling

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

log = structlog.get_logger(__name__)

_TRY_AGAIN_SECS: Final = 60.0


class TokenRenewal:
    """Fetches one token after another, each due so long after the last."""

    def __init__(
        self, fetch: Callable[[], Awaitable[str]], every_secs: float, now_secs: float
    ) -> None:
        """Start with a token that was fetched just now.

        Args:
            fetch: gets a fresh token.
            every_secs: when a token is to be replaced, in seconds from when it was fetched.
            now_secs: seconds on a clock that never goes back.
        """
        self._fetch = fetch
        self._every_secs = every_secs
        self._due_secs = now_secs + every_secs
        self._fetching: asyncio.Task[str] | None = None

    def fresh_token(self, now_secs: float) -> str:
        """Return a token that has just come; empty if none has. Begins to fetch when it is due.

        Raises:
            FeedError: the login was refused; any other failure is tried again in a while.
        """
        if self._fetching is None:
            if now_secs >= self._due_secs:
                self._fetching = asyncio.ensure_future(self._fetch())
            return ""
        if not self._fetching.done():
            return ""
        fetched, self._fetching = self._fetching, None
        try:
            token = fetched.result()
        except FeedError as error:
            ruling = error_ruling(error)
            if ruling.verdict is Verdict.STOP:
                raise
            log.warning("quote_token_not_renewed", error=str(error), reason=ruling.reason)
            self._due_secs = now_secs + _TRY_AGAIN_SECS
            return ""
        self._due_secs = now_secs + self._every_secs
        return token

    async def close(self) -> None:
        """Give up a fetch that is under way."""
        if self._fetching is not None:
            self._fetching.cancel()
            await asyncio.gather(self._fetching, return_exceptions=True)
