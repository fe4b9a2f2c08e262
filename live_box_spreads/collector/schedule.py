"""When the next snapshot is due, and waits that end when a stop is requested."""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Schedule:
    """Instants ``start``, ``start + interval``, ``start + 2 * interval``, ….

    Attributes:
        start: the first instant, with a time zone.
        interval_secs: seconds from one instant to the next; positive.
    """

    start: datetime
    interval_secs: float

    def next_after(self, now: datetime) -> datetime:
        """Return the first instant of the grid that is later than ``now``.

        What was missed meanwhile stays missed: one long round is followed by one round, not by
        all those that it delayed.
        """
        passed = math.floor((now - self.start).total_seconds() / self.interval_secs)
        due = self._instant(passed + 1)
        return due if due > now else self._instant(passed + 2)  # a float quotient rounds

    def overrun_secs(self, due: datetime, finished: datetime) -> float:
        """Return by how many seconds a round ran past the instant after its own; 0.0 if not."""
        over = (finished - due).total_seconds() - self.interval_secs
        return max(0.0, over)

    def _instant(self, number: int) -> datetime:
        return self.start + timedelta(seconds=number * self.interval_secs)


async def unless_stopped(work: Awaitable[Result], stop: asyncio.Event) -> Result | None:
    """Return what the work returns, or cancel it and return None once ``stop`` is set.

    Raises:
        Exception: whatever the work raises.
    """
    working = asyncio.ensure_future(work)
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        return working.result() if working.done() else None
    finally:
        working.cancel()
        stopping.cancel()
        await asyncio.gather(working, stopping, return_exceptions=True)
