"""Cboe quote-table exports, as downloaded, into chains.

All layouts from 2005 to today, plain or gzip. Which spellings: ``cboe_symbols.py`` (contracts),
``cboe_table.py`` (columns), ``cboe_header.py`` and ``dates.py`` (download time).
"""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

import polars as pl

from live_box_spreads.feeds.importers.cboe_header import quote_time_of_download, read_header
from live_box_spreads.feeds.importers.cboe_symbols import with_contracts
from live_box_spreads.feeds.importers.cboe_table import read_table
from live_box_spreads.feeds.importers.rows import (
    because,
    count,
    count_by_reason,
    days,
    number,
    refuse_empty,
    unknown_root,
    unreadable,
    with_products,
)
from live_box_spreads.feeds.importers.text_files import read_text
from live_box_spreads.model.chain import KEY, TIME_TYPE, Chain, Timeliness
from live_box_spreads.model.errors import FileFormatError, ModelError

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from live_box_spreads.feeds.importers.cboe_header import CboeHeader

FEED_NAME = "cboe-file"

_PRICES = ["bid", "ask", "last"]
_COUNTS = ["volume", "open_interest"]
_STRIKE_TOLERANCE = 0.0005  # half of the finest strike step that a symbol can hold


def read_cboe(path: Path, *, quote_time: datetime | None = None) -> Chain:
    """Read a quote table downloaded from Cboe.

    A blank bid is a quoted zero (old layouts print zero bids so); a blank ask is NaN. Sizes are
    NaN, as the files have none. Expired rows that are still listed stay in the chain. Of
    several exchanges' rows of one contract the composite is kept.

    Args:
        path: the file, plain or gzip.
        quote_time: instant of the quotes, with a time zone, instead of the file's own: the
            last moment of regular trading at or before the download less 15 minutes.

    Returns:
        The chain, delayed; what was refused is counted by reason in ``rejected``, a contract
        each. The spot is the header's last price.

    Raises:
        FileFormatError: the file cannot be read, is no quote table, lacks a needed column or a
            download time that is understood, or holds no readable contract.
    """
    table = read_table(read_text(path), path)
    header = read_header(table.above)
    instant = _quote_time(header, quote_time, path)
    read = _read_rows(table.contracts)
    reasons = count_by_reason(read)
    reasons |= table.refused
    good = read.filter(pl.col("reason").is_null())
    refuse_empty(good, reasons, path)
    return Chain.build(
        good.with_columns(quote_time=pl.lit(instant).cast(TIME_TYPE)),
        snapshot_time=instant,
        feed=FEED_NAME,
        timeliness=Timeliness.DELAYED,
        spot=_spot(header, good),
        rejected=reasons,
    )


def _quote_time(header: CboeHeader, given: datetime | None, path: Path) -> datetime:
    if given is not None:
        return given.astimezone(UTC)
    if header.downloaded is None:
        raise FileFormatError(
            f"{path}: the download time {header.date_line!r} is not understood; give the time "
            "of the quotes with --quote-time (quote_time=)"
        )
    try:
        return quote_time_of_download(header.downloaded)
    except ModelError as error:
        raise FileFormatError(
            f"{path}: the download time {header.date_line!r} cannot be right: {error}; give the "
            "time of the quotes with --quote-time (quote_time=)"
        ) from None


def _read_rows(contracts: pl.DataFrame) -> pl.DataFrame:
    """Turn text into contracts and numbers; ``reason`` is null where a row is good."""
    listed = contracts.filter(pl.any_horizontal(pl.col("symbol", "bid", "ask", "last") != ""))
    read = with_products(with_contracts(listed))
    read = read.with_columns(days(read["day"])).with_columns(reason=_reason())
    values = read.with_columns(
        bid=pl.when(pl.col("bid") == "").then(0.0).otherwise(number("bid")),
        ask=number("ask"),
        last=number("last"),
        **{name: count(name) for name in _COUNTS},
    )
    return values.with_columns(reason=pl.coalesce("reason", _exchange_reason()))


def _reason() -> pl.Expr:
    """Return why a row is refused, by the first reason that applies; null where it is good."""
    row_strike = number("row_strike")
    far = (pl.coalesce(row_strike, "word_strike") - pl.col("strike")).abs() > _STRIKE_TOLERANCE
    return pl.coalesce(
        because("no readable option symbol", pl.col("root").is_null()),
        unknown_root(),
        because("no expiration date in the symbol", pl.col("expiry").is_null()),
        because("the expiration date is not the symbol's", _other_day()),
        because("the strike is not the symbol's", far),
        *(because(f"unreadable {name}", unreadable(name)) for name in _PRICES),
        *(because(f"unreadable {name}", unreadable(name, count)) for name in _COUNTS),
    )


def _other_day() -> pl.Expr:
    """Return where the date column, or the words before an old symbol, name another day."""
    expiry = pl.col("expiry")
    other_month = pl.col("word_month") != expiry.dt.month_start()
    other_day = pl.col("word_day") != expiry.dt.day()
    other_date = pl.col("day") != expiry
    return pl.any_horizontal(other_month, other_day, other_date)


def _exchange_reason() -> pl.Expr:
    """Refuse an exchange's own quote where the composite, or Cboe's own (E), is there too."""
    exchange = pl.col("exchange")
    rank = pl.when(exchange.is_null()).then(0).when(exchange == "E").then(1).otherwise(2)
    rank = pl.when(pl.col("reason").is_null()).then(rank)
    return because("quote of one exchange beside a better row", rank > rank.min().over(KEY))


def _spot(header: CboeHeader, good: pl.DataFrame) -> dict[str, float]:
    """Give the header's price to the one underlying of the file; none if there are several."""
    underlyings = good["underlying"].unique().to_list()
    if header.last is None or len(underlyings) != 1:
        return {}
    return {underlyings[0]: header.last}
