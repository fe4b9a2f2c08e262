"""Shapes of the REST answers that this project reads; names as in the API, dashes for underscores.

Decimals are strings on the wire and floats here. An absent or null number is None.
"""

from __future__ import annotations

from datetime import date, datetime  # noqa: TC003  msgspec reads annotations at run time
from typing import Final, TypeVar

import msgspec

from live_box_spreads.model.errors import ApiError

UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What decoding raises for bytes that are not the JSON wanted; the last for absurd nesting."""


class Strike(msgspec.Struct, frozen=True, rename="kebab"):
    """One strike of an expiration. A side that is not listed is None."""

    strike_price: float
    call: str | None = None
    call_streamer_symbol: str | None = None
    put: str | None = None
    put_streamer_symbol: str | None = None


class Expiration(msgspec.Struct, frozen=True, rename="kebab"):
    """One expiration of a root; ``settlement_type`` is ``AM`` or ``PM``."""

    expiration_date: date
    strikes: list[Strike]
    settlement_type: str = ""
    expiration_type: str = ""


class RootListing(msgspec.Struct, frozen=True, rename="kebab"):
    """One root of an underlying's option chain, such as SPXW of SPX."""

    underlying_symbol: str
    root_symbol: str
    expirations: list[Expiration]
    option_chain_type: str = "Standard"
    shares_per_contract: int = 100


class MarketData(msgspec.Struct, frozen=True, rename="kebab"):
    """Quote of one symbol by REST, in the instrument's own unit (index points)."""

    symbol: str
    bid: float | None = None
    ask: float | None = None
    bid_size: float | None = None
    ask_size: float | None = None
    mark: float | None = None
    last: float | None = None
    close: float | None = None
    prev_close: float | None = None
    volume: float | None = None
    open_interest: float | None = None
    updated_at: datetime | None = None


class MarketSession(msgspec.Struct, frozen=True, rename="kebab"):
    """The exchange's day: ``state`` such as ``Open``, ``Pre-market``, ``Closed``."""

    state: str
    open_at: datetime | None = None
    close_at: datetime | None = None


class QuoteTokenBody(msgspec.Struct, frozen=True, rename="kebab"):
    """Where and how to get streamed quotes."""

    token: str
    dxlink_url: str
    level: str = ""


class OAuthToken(msgspec.Struct, frozen=True):
    """Answer of the OAuth2 refresh grant; ``expires_in`` in seconds."""

    access_token: str
    expires_in: float


class PasswordSession(msgspec.Struct, frozen=True, rename="kebab"):
    """Answer of a password login."""

    session_token: str
    session_expiration: datetime | None = None


class Items(msgspec.Struct, frozen=True):
    """A list answer; each item is decoded by itself so that one bad item harms no other."""

    items: list[msgspec.Raw]


class _Envelope(msgspec.Struct, frozen=True):
    data: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


T = TypeVar("T")


def decode(content: bytes, shape: type[T], what: str) -> T:
    """Decode an answer, inside its ``data`` envelope or bare.

    Args:
        content: JSON.
        shape: type of the answer.
        what: the request, for the error.

    Raises:
        ApiError: the answer has another shape.
    """
    try:
        data = msgspec.json.decode(content, type=_Envelope).data
        inner: bytes | msgspec.Raw = content if data is msgspec.UNSET else data
        return msgspec.json.decode(inner, type=shape, strict=False)
    except UNREADABLE as error:
        raise ApiError(
            f"{what} answered something unexpected ({_reason(error)}); the API may have changed: "
            "look for a newer version of this program",
            status=200,
        ) from error


def decode_items(content: bytes, shape: type[T], what: str) -> tuple[list[T], int]:
    """Decode a list answer item by item.

    Returns:
        The good items, and the number of items of another shape.

    Raises:
        ApiError: the answer is not a list at all.
    """
    good: list[T] = []
    items = decode(content, Items, what).items
    for item in items:
        try:
            good.append(msgspec.json.decode(item, type=shape, strict=False))
        except UNREADABLE:
            continue
    return good, len(items) - len(good)


def _reason(error: Exception) -> str:
    # A validation message names the place and the types, never the value; a decode error a byte.
    return "not UTF-8" if isinstance(error, UnicodeDecodeError) else str(error)
