"""Waiting that ends when a stop is asked for."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable

Result = TypeVar("Result")


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
