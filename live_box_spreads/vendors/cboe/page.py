"""One page of delayed quotes, the JSON of all options on one index, into a chain."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Final

import msgspec
import polars as pl

from live_box_spreads.feeds.importers.cboe_header import QUOTE_DELAY, quote_time_of_download
from live_box_spreads.feeds.importers.cboe_symbols import with_contracts
from live_box_spreads.feeds.importers.rows import (
    because,
    count_by_reason,
    unknown_root,
    with_products,
)
from live_box_spreads.feeds.parity_spot import spot_by_parity
from live_box_spreads.model.chain import TIME_TYPE, Chain, Timeliness
from live_box_spreads.model.errors import FeedError
from live_box_spreads.model.sessions import NEW_YORK, is_session

if TYPE_CHECKING:
    from collections.abc import Sequence

FEED_NAME: Final = "cboe"

_NUMBERS: Final = ("bid", "ask", "bid_size", "ask_size", "volume", "open_interest")

_LARGEST_NUMBER: Final = 1e12

_TRADED_AT_NIGHT: Final = frozenset({"SPX", "XSP", "VIX"})
"""Indices whose options Cboe trades in its global trading hours (cboe.com, hours and holidays)."""

_NIGHT_FROM: Final = time(20, 15)
_NIGHT_UNTIL: Final = time(9, 25)
_REGULAR_FROM: Final = time(9, 30)
_ONE_DAY: Final = timedelta(days=1)


class _Option(msgspec.Struct):
    """The fields of an option that are used; null is unknown."""

    option: str
    bid: float | None = None
    ask: float | None = None
    bid_size: float | None = None
    ask_size: float | None = None
    volume: float | None = None
    open_interest: float | None = None
    last_trade_price: float | None = None


class _Data(msgspec.Struct):
    options: list[msgspec.Raw]  # read one by one, so that a bad one spoils no other
    current_price: float | None = None


class _Body(msgspec.Struct):
    timestamp: str
    data: _Data


_UNREADABLE = (msgspec.MsgspecError, ValueError, OverflowError, RecursionError)
"""Errors that invalid bytes may raise; ``ValueError`` for a date outside the calendar, too."""

_body_decoder = msgspec.json.Decoder(_Body)
_option_decoder = msgspec.json.Decoder(_Option)


def read_page(body: bytes, underlying: str) -> Chain:
    """Read the options of one index.

    A bid of zero stays zero: there is no buyer. A last price of zero means that there was no trade.

    Args:
        body: the JSON as it was sent.
        underlying: symbol of the index, as products name it.

    Returns:
        The chain, delayed; its instant is that of the quotes, not that of the page. What was
        refused is counted by reason in ``rejected``. The spot is the page's, else by parity.

    Raises:
        FeedError: the body is not such a page.
    """
    try:
        page = _body_decoder.decode(body)
        instant = quoted_at(_instant(page.timestamp), underlying)
    except _UNREADABLE as error:
        raise FeedError(
            f"what Cboe sent for {underlying} is not the JSON of its delayed quotes ({error})"
        ) from None
    rows = _rows(_options(page.data.options), underlying)
    reasons = count_by_reason(rows)
    if malformed := len(page.data.options) - len(rows):
        reasons["not an option with numbers"] = malformed
    good = rows.filter(pl.col("reason").is_null())
    price = page.data.current_price or spot_by_parity(good, instant)
    return Chain.build(
        good.with_columns(quote_time=pl.lit(instant).cast(TIME_TYPE)),
        snapshot_time=instant,
        feed=FEED_NAME,
        timeliness=Timeliness.DELAYED,
        spot={underlying: price} if price and price > 0 else {},
        rejected=reasons,
    )


def _instant(timestamp: str) -> datetime:
    """Read the time of a page; UTC if it has no time zone."""
    told_at = datetime.fromisoformat(timestamp)
    return told_at.replace(tzinfo=UTC) if told_at.tzinfo is None else told_at


def _options(raw: Sequence[msgspec.Raw]) -> list[_Option]:
    """Return the options that can be read."""
    options = []
    for item in raw:
        try:
            options.append(_option_decoder.decode(item))
        except _UNREADABLE:  # the caller counts it: fewer came back
            continue
    return options


def _rows(options: Sequence[_Option], underlying: str) -> pl.DataFrame:
    """Return the columns of a chain, and a ``reason`` that is null where a row is good."""
    columns = {name: [getattr(item, name) for item in options] for name in _NUMBERS}
    last = [item.last_trade_price or None for item in options]
    schema = dict.fromkeys((*_NUMBERS, "last"), pl.Float64())
    symbols = pl.Series("symbol", [item.option for item in options], pl.String())
    read = pl.DataFrame({**columns, "last": last}, schema=schema).with_columns(symbols)
    read = with_products(with_contracts(read))
    out_of_bounds = ~pl.col(*_NUMBERS, "last").is_between(0, _LARGEST_NUMBER)
    return read.with_columns(
        pl.col("volume", "open_interest").round().cast(pl.Int64, strict=False),
        reason=pl.coalesce(
            because("no readable option symbol", pl.col("root").is_null()),
            unknown_root(),
            because("option on another index", pl.col("underlying") != underlying),
            because("no expiration date in the symbol", pl.col("expiry").is_null()),
            because("number out of bounds", pl.any_horizontal(out_of_bounds)),
        ),
    )


def quoted_at(told_at: datetime, underlying: str) -> datetime:
    """Return the instant (UTC) of the quotes on a page made at an instant.

    That is the last moment, at or before 15 minutes earlier, at which the options traded: in the
    regular session (09:30 to 16:15 New York), or at night (20:15 to 09:25) where Cboe has one.

    Args:
        told_at: when the page was made, with a time zone.
        underlying: symbol of the index.

    Raises:
        ModelError: the day is outside the session calendar.
    """
    shown = (told_at.astimezone(UTC) - QUOTE_DELAY).astimezone(NEW_YORK)
    if underlying in _TRADED_AT_NIGHT:
        if shown.time() >= _NIGHT_FROM and is_session(shown.date() + _ONE_DAY):
            return shown.astimezone(UTC)
        if shown.time() < _REGULAR_FROM and is_session(shown.date()):
            end = datetime.combine(shown.date(), _NIGHT_UNTIL, NEW_YORK)
            return min(shown, end).astimezone(UTC)
    return quote_time_of_download(told_at)
