"""The option chain: what feeds give and snapshots keep, one row a contract.

Everything else (boxes, bands, curves) is derived from a :class:`Chain`, never stored.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

import polars as pl

from live_box_spreads.model.chain_values import (
    checked_instant,
    clear_values,
    count,
    known_spots,
    refuse_rows,
)
from live_box_spreads.model.errors import ChainError

if TYPE_CHECKING:
    from collections.abc import Mapping

SCHEMA_VERSION = 1

UNCHECKED = "unchecked"
"""The topic of ``Chain.notes`` that says why damage to the stored chain would go unnoticed."""

SETTLEMENT_TYPE = pl.Enum(["AM", "PM"])
RIGHT_TYPE = pl.Enum(["C", "P"])
TIME_TYPE = pl.Datetime("ms", "UTC")

CHAIN_SCHEMA = pl.Schema(
    {
        "root": pl.String(),
        "underlying": pl.String(),
        "expiry": pl.Date(),
        "settlement": SETTLEMENT_TYPE,
        "strike": pl.Float64(),
        "right": RIGHT_TYPE,
        "bid": pl.Float64(),
        "ask": pl.Float64(),
        "bid_size": pl.Float64(),
        "ask_size": pl.Float64(),
        "last": pl.Float64(),
        "volume": pl.Int64(),
        "open_interest": pl.Int64(),
        "quote_time": TIME_TYPE,
    }
)
"""Prices in index points, sizes in contracts; NaN is a side without a quote (never null), and no
other value is below 0 or infinite. ``volume``, ``open_interest`` and ``quote_time`` are null where
unknown."""

KEY = ["root", "expiry", "strike", "right"]
DUPLICATE = "duplicate contract (the last row is kept)"
QUOTE_COLUMNS = ["bid", "ask", "bid_size", "ask_size", "last"]


class Timeliness(StrEnum):
    """How old the quotes of a feed are by nature; every face shows it."""

    LIVE = "live"
    DELAYED = "delayed"
    SIMULATED = "simulated"
    REPLAY = "replay"


@dataclass(frozen=True, slots=True)
class Chain:
    """Quotes of any number of roots and expiries at one instant.

    Attributes:
        quotes: one row a contract, columns of ``CHAIN_SCHEMA``, sorted by ``KEY``, no duplicates.
        snapshot_time: the instant of the quotes (UTC); settlement counts from it.
        feed: name of the feed, such as ``tastytrade``.
        timeliness: live, delayed, simulated or replay.
        spot: last price of each underlying, in index points; an unknown one is absent.
        rejected: rows refused and values cleared on the way in, by reason.
        notes: what else a reader should know, by topic, such as ``stream``: that it was down.
    """

    quotes: pl.DataFrame
    snapshot_time: datetime
    feed: str
    timeliness: Timeliness
    spot: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    rejected: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    notes: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def __post_init__(self) -> None:
        """Refuse a frame of another schema or an instant without UTC."""
        if self.quotes.schema != CHAIN_SCHEMA:
            raise ChainError(
                f"chain columns are {dict(self.quotes.schema)}, expected {dict(CHAIN_SCHEMA)}; "
                "build chains with Chain.build"
            )
        if self.snapshot_time.utcoffset() != timedelta(0):
            raise ChainError(f"snapshot_time {self.snapshot_time!r} is not in UTC")

    @classmethod
    def build(  # one argument an attribute, all by keyword
        cls,
        rows: pl.DataFrame,
        *,
        snapshot_time: datetime,
        feed: str,
        timeliness: Timeliness,
        spot: Mapping[str, float] | None = None,
        rejected: Mapping[str, int] | None = None,
        notes: Mapping[str, str] | None = None,
    ) -> Chain:
        """Make a chain from rows that may be incomplete, unsorted, repeated or impossible.

        A row with an impossible key is refused; an impossible value becomes unknown, and so does
        the quote of a row whose ``quote_time`` is after the snapshot. Each is counted by reason in
        ``rejected``; ``model/chain_values.py`` has the bounds.

        Args:
            rows: columns of ``CHAIN_SCHEMA``; the quote columns, ``volume``, ``open_interest``
                and ``quote_time`` may be absent (unknown).
            snapshot_time: the instant of the quotes, with a time zone.
            feed: name of the feed.
            timeliness: live, delayed, simulated or replay.
            spot: last price by underlying, in index points.
            rejected: rows already refused by the caller, by reason.
            notes: what else a reader should know, by topic.

        Raises:
            ChainError: a key column is missing, a column cannot take its type, or
                ``snapshot_time`` has no time zone or is outside the years of the calendar.
        """
        instant = checked_instant(snapshot_time)
        refused = dict(rejected or {})
        frame = _conform(rows)
        good = refuse_rows(frame, refused)
        unique = good.unique(KEY, keep="last", maintain_order=True)
        count(refused, DUPLICATE, len(good) - len(unique))
        return cls(
            quotes=clear_values(unique.sort(KEY), instant, refused),
            snapshot_time=instant,
            feed=feed,
            timeliness=timeliness,
            spot=MappingProxyType(known_spots(spot or {}, refused)),
            rejected=MappingProxyType(refused),
            notes=MappingProxyType(dict(notes or {})),
        )

    @property
    def origin(self) -> str:
        """How timely the quotes are and from which feed: ``delayed cboe``; each word once."""
        return " ".join(dict.fromkeys((self.timeliness.value, self.feed)))

    @property
    def caveat(self) -> str:
        """What a person should know before trusting the quotes, in one line; empty if nothing."""
        return "; ".join(filter(None, (self._lost_stream(), self._no_digest())))

    def _lost_stream(self) -> str:
        lost_since = self.notes.get("stream_lost_since")
        if lost_since is None:
            return ""
        polled = self.notes.get("polled_quotes")
        by_rest = f"; {polled} quotes are by REST, each with its own time" if polled else ""
        since = lost_since.replace("T", " ").replace("+00:00", " UTC")
        return f"the stream has lacked quotes since {since}{by_rest}"

    def _no_digest(self) -> str:
        why = self.notes.get(UNCHECKED)
        return f"damage would go unnoticed: {why}" if why else ""

    @property
    def roots(self) -> list[str]:
        """Option roots present, sorted."""
        return sorted(self.quotes["root"].unique().to_list())

    def expiries(self, root: str) -> list[date]:
        """Return the expiries of a root, soonest first; empty if the root is absent."""
        found = self.quotes.filter(pl.col("root") == root)["expiry"].unique()
        return sorted(found.to_list())

    def keys(self) -> list[tuple[str, date]]:
        """Return every (root, expiry) present, sorted."""
        found = self.quotes.select("root", "expiry").unique().sort("root", "expiry")
        return [(root, expiry) for root, expiry in found.iter_rows()]


def _conform(rows: pl.DataFrame) -> pl.DataFrame:
    """Give the rows exactly the columns and types of ``CHAIN_SCHEMA``, unknown prices as NaN."""
    optional = {*QUOTE_COLUMNS, "volume", "open_interest", "quote_time"}
    missing = [name for name in CHAIN_SCHEMA if name not in rows.columns and name not in optional]
    if missing:
        raise ChainError(f"chain rows lack {', '.join(missing)}; they have {rows.columns}")
    columns = [
        (pl.col(name) if name in rows.columns else pl.lit(None).alias(name)).cast(dtype)
        for name, dtype in CHAIN_SCHEMA.items()
    ]
    try:
        frame = rows.select(columns)
    except pl.exceptions.PolarsError as error:
        first_line = str(error).splitlines()[0]
        raise ChainError(f"chain rows do not fit the schema: {first_line}") from error
    return frame.with_columns(pl.col(QUOTE_COLUMNS).fill_null(float("nan")))
