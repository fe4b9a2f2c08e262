"""Bodies that no sane server sends."""

from __future__ import annotations

import asyncio
import zlib
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


async def trickle() -> AsyncIterator[bytes]:
    """Give a space every tenth of a second, which JSON may begin with, until nobody listens."""
    while True:
        yield b" "
        await asyncio.sleep(0.1)


@cache
def gzip_bomb(megabytes: int = 1_000) -> bytes:
    """Return gzip that unpacks to so many megabytes of spaces, and is a thousandth of that.

    After a full flush a block stands alone, so that one can be repeated without packing it again.
    """
    packer = zlib.compressobj(9, wbits=zlib.MAX_WBITS | 16)
    block = b" " * 2**20
    first = packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH)
    again = packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH)
    return first + again * (megabytes - 1)
