"""Option-chain CSVs of the legacy kind into chains: ``ticker, expiry, type, strike, bid, ask``."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import polars as pl

from live_box_spreads.feeds.importers.rows import (
    because,
    count,
    count_by_reason,
    days,
    number,
    read_columns,
    refuse_empty,
    unknown_root,
    unreadable,
    with_products,
)
from live_box_spreads.model.chain import TIME_TYPE, Chain, Timeliness
from live_box_spreads.model.errors import FileFormatError

if TYPE_CHECKING:
    from pathlib import Path

FEED_NAME = "csv-file"

_NEEDED = ["ticker", "expiry", "type", "strike", "bid", "ask"]
_PRICES = ["bid", "ask", "bid_size", "ask_size", "last"]
_COUNTS = ["volume", "open_interest"]
_SPOTS = ["underlying_price", "spot_price"]
_TIMES = ["snapshot_time", "quote_time"]
_USED = [*_NEEDED, "bid_size", "ask_size", "last", *_COUNTS, *_SPOTS, *_TIMES]
_RIGHTS = {"c": "C", "call": "C", "calls": "C", "p": "P", "put": "P", "puts": "P"}
_NAME_STAMP = re.compile(r"snapshot_(\d{8}_\d{6})")


def read_chain_csv(path: Path, *, quote_time: datetime | None = None) -> Chain:
    """Read an option-chain CSV, one row a contract, plain or gzip.

    Needed columns, in any order and case: ``ticker`` (the option root), ``expiry``, ``type``
    (C, P, call or put), ``strike``, ``bid``, ``ask``. Used where they are there: ``bid_size,
    ask_size, last, volume, open_interest``, ``underlying_price`` or ``spot_price``, and
    ``snapshot_time`` or ``quote_time`` (ISO; without an offset: UTC). A blank price is NaN.
    Other columns are ignored; a ``mid`` never stands in for a quote.

    Args:
        path: the file.
        quote_time: instant of the quotes, with a time zone, instead of the file's own:
            its ``snapshot_time`` column, else the latest of its ``quote_time`` column, else
            the ``snapshot_YYYYmmdd_HHMMSS`` (UTC) in its name.

    Returns:
        The chain, delayed; refused rows are counted by reason in ``rejected``.

    Raises:
        FileFormatError: the file cannot be read, lacks a needed column or a time, holds
            several snapshots, or no readable contract.
    """
    columns = {name: (name,) for name in _USED}
    rows, cut_short = read_columns(path, columns, _NEEDED, "an option-chain CSV")
    instant = _instant(rows, quote_time, path)
    read = _contracts(rows, quote_time or instant)
    reasons = count_by_reason(read)
    if cut_short:
        reasons["row cut short"] = cut_short
    good = read.filter(pl.col("reason").is_null())
    refuse_empty(good, reasons, path)
    return Chain.build(
        good,
        snapshot_time=instant,
        feed=FEED_NAME,
        timeliness=Timeliness.DELAYED,
        spot=_spot(good),
        rejected=reasons,
    )


def _contracts(rows: pl.DataFrame, instant: datetime) -> pl.DataFrame:
    """Turn text into contracts and numbers; ``reason`` is null where a row is good."""
    read = rows.with_columns(
        days(rows["expiry"]),
        _times(rows["quote_time"]).fill_null(pl.Series([instant], dtype=TIME_TYPE)[0]),
        root=pl.col("ticker").str.strip_prefix("^").str.to_uppercase(),
        right=pl.col("type").str.to_lowercase().replace_strict(_RIGHTS, default=None),
    )
    read = with_products(read).with_columns(reason=_reason())
    return read.with_columns(
        number("strike"),
        *(number(name) for name in [*_PRICES, *_SPOTS]),
        *(count(name) for name in _COUNTS),
    )


def _reason() -> pl.Expr:
    """Return why a row is refused, by the first reason that applies; null where it is good."""
    return pl.coalesce(
        unknown_root(),
        because("unreadable expiry", pl.col("expiry").is_null()),
        because("type is neither C nor P", pl.col("right").is_null()),
        because("unreadable strike", number("strike").is_null()),
        *(because(f"unreadable {name}", unreadable(name)) for name in _PRICES),
        *(because(f"unreadable {name}", unreadable(name, count)) for name in _COUNTS),
    )


def _instant(rows: pl.DataFrame, given: datetime | None, path: Path) -> datetime:
    """Find the instant of the quotes; what is given wins over the file's own."""
    if given is not None:
        return given.astimezone(UTC)
    snapshots = _times(rows["snapshot_time"]).drop_nulls().unique()
    if len(snapshots) > 1:
        raise FileFormatError(
            f"{path}: holds {len(snapshots)} snapshots; split it by snapshot_time"
        )
    for column in (snapshots, _times(rows["quote_time"])):
        latest = column.max()
        if isinstance(latest, datetime):
            return latest
    stamp = _NAME_STAMP.search(path.name)
    if stamp is not None and (found := _parse(stamp[1], "%Y%m%d_%H%M%S")) is not None:
        return found
    raise FileFormatError(
        f"{path}: neither a column snapshot_time or quote_time nor the name tells the time of the "
        "quotes; give it with --quote-time (quote_time=)"
    )


def _times(column: pl.Series) -> pl.Series:
    """Return a text column as instants; null where there is none."""
    known = {text: _parse(text) for text in column.drop_nulls().unique()}
    instants = [None if text is None else known[text] for text in column]
    return pl.Series(column.name, instants, TIME_TYPE)


def _parse(text: str, pattern: str = "") -> datetime | None:
    try:
        found = datetime.strptime(text, pattern) if pattern else datetime.fromisoformat(text)  # noqa: DTZ007 - UTC below
    except ValueError:
        return None
    return found.replace(tzinfo=UTC) if found.utcoffset() is None else found.astimezone(UTC)


def _spot(good: pl.DataFrame) -> dict[str, float]:
    """Return the last known price of each underlying."""
    priced = good.with_columns(spot=pl.coalesce(_SPOTS)).filter(pl.col("spot") > 0)
    latest = priced.group_by("underlying").agg(pl.col("spot").last())
    return dict(latest.iter_rows())
