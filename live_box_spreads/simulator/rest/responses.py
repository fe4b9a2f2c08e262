"""Answers in the vendor's form: envelope, dasherised keys, error codes; and hostile answers."""

from __future__ import annotations

import asyncio
import zlib
from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.responses import HTMLResponse, Response

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class RefusedError(Exception):
    """A request that is answered with an error; raised by handlers, never seen outside."""

    def __init__(
        self,
        status: int,
        code: str | int,
        message: str,
        errors: list[Any] | None = None,
    ) -> None:
        """Keep the body of the error answer."""
        super().__init__(message)
        self.status = status
        self.body: dict[str, Any] = {"code": code, "message": message}
        if errors is not None:
            self.body["errors"] = errors


def encoded(body: object, status: int = 200) -> Response:
    """Return a JSON answer."""
    return Response(msgspec.json.encode(body), status, media_type="application/json")


def data(body: object, context: str, status: int = 200) -> Response:
    """Return a JSON answer in the vendor's envelope."""
    return encoded({"data": body, "context": context}, status)


def items(rows: list[Any], context: str) -> Response:
    """Return a list in the vendor's envelope."""
    return encoded({"data": {"items": rows}, "pagination": None, "context": context})


def refused(error: RefusedError) -> Response:
    """Return the JSON answer of a refused request."""
    return encoded({"error": error.body}, error.status)


def html(status: int, title: str) -> Response:
    """Return the page that the vendor's gateway answers with, in place of JSON."""
    page = f"<html>\n<head><title>{status} {title}</title></head>\n<body>{title}</body>\n</html>\n"
    return HTMLResponse(page, status)


def decimal(value: float) -> str:
    """Return a decimal as the vendor writes it: a string with a fraction digit."""
    return str(round(float(value), 6))


async def trickle() -> AsyncIterator[bytes]:
    """Give a space every tenth of a second, which JSON may begin with, until the client leaves."""
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
