"""Bounds of a chain's values: the impossible is refused or cleared, and counted by reason.

A row whose key is impossible is refused. A value that is impossible in a row that is not becomes
unknown: a price NaN, with its size; a count null. So everything behind a chain may rely on the
bounds here, and every expiry and instant is one for which the session calendar has an answer.
"""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from live_box_spreads.model.errors import ChainError
from live_box_spreads.model.settlement import FIRST_SERVED_DAY, LAST_SERVED_DAY

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MIN_STRIKE: Final = 0.001
"""The finest strike that an option symbol can hold, in index points."""

MAX_PRICE: Final = 1e6
MAX_STRIKE: Final = MAX_PRICE
"""No option and no index costs more, in index points, and none will for a long time."""

MAX_CONTRACTS: Final = 10**12
"""No size, volume or open interest is larger; four of them still add up to a whole number."""

MOST_AHEAD: Final = timedelta(minutes=1)
"""Clocks differ: a quote may be this much later than the snapshot, and a snapshot this much later
than this machine's clock, and is still believed."""

FIRST_INSTANT: Final = datetime.combine(FIRST_SERVED_DAY, time(12), UTC)
LAST_INSTANT: Final = datetime.combine(LAST_SERVED_DAY, time(12), UTC)

_LONGEST_NAME: Final = 32
_BEGINS_FORMULA: Final = ("=", "+", "-", "@")

NO_KEY: Final = "no root, expiry, right or positive strike"
NO_PRODUCT: Final = "no underlying or settlement"
ODD_NAME: Final = f"root or underlying is no symbol of at most {_LONGEST_NAME} characters"
HIGH_STRIKE: Final = f"strike below {MIN_STRIKE:g} or above {MAX_STRIKE:,.0f}, or no number"
ODD_EXPIRY: Final = f"expiry before {FIRST_SERVED_DAY} or after {LAST_SERVED_DAY}"
REFUSALS: Final = (NO_KEY, NO_PRODUCT, ODD_NAME, HIGH_STRIKE, ODD_EXPIRY)
"""Why a row is refused, the first reason that applies; each row counts once."""

_KEPT: Final = "(the row is kept without it)"
AHEAD: Final = "quote time over a minute ahead of the snapshot (the row is kept without its quote)"
LONG_AGO: Final = f"quote time before {FIRST_SERVED_DAY} (the row is kept without its quote)"
ODD_SPOT: Final = f"spot that is no price of at most {MAX_PRICE:,.0f} {_KEPT}"

_QUOTE: Final = ("bid", "ask", "bid_size", "ask_size", "quote_time")
_CLEARED_WITH: Final[Mapping[str, tuple[str, ...]]] = {
    "bid": ("bid", "bid_size"),
    "ask": ("ask", "ask_size"),
    "last": ("last",),
    "bid_size": ("bid_size",),
    "ask_size": ("ask_size",),
    "volume": ("volume",),
    "open_interest": ("open_interest",),
}
"""What becomes unknown where the value of a column is impossible."""

_PRICES: Final = ("bid", "ask", "last")


def odd_value(column: str) -> str:
    """Return the reason for which values of a column become unknown."""
    bound, kind = (MAX_PRICE, "price") if column in _PRICES else (MAX_CONTRACTS, "count")
    words = column.replace("_", " ")
    return f"{words} that is no {kind} from 0 to {bound:,.0f} {_KEPT}"


def checked_instant(snapshot_time: datetime) -> datetime:
    """Return the instant of a chain in UTC.

    Raises:
        ChainError: it has no time zone, or is outside the years that the calendar serves.
    """
    if snapshot_time.utcoffset() is None:
        raise ChainError(f"snapshot_time {snapshot_time.isoformat()} has no time zone; give it one")
    if not FIRST_INSTANT <= snapshot_time <= LAST_INSTANT:
        raise ChainError(
            f"snapshot_time {snapshot_time.isoformat()} is outside the session calendar, "
            f"{FIRST_SERVED_DAY} to {LAST_SERVED_DAY}; set the clock, or the time of the quotes"
        )
    return snapshot_time.astimezone(UTC)


def refuse_rows(frame: pl.DataFrame, refused: dict[str, int]) -> pl.DataFrame:
    """Return the rows whose key is possible; count the others by the first reason that applies.

    Args:
        frame: rows of the chain's schema.
        refused: rows refused so far, by reason; is added to.
    """
    faults = _row_faults(frame)
    bad = frame.select(pl.any_horizontal(faults.values())).to_series()
    if not bad.any():
        return frame
    reason = pl.coalesce(pl.when(fault).then(pl.lit(word)) for word, fault in faults.items())
    for word, rows in frame.filter(bad).select(reason=reason).group_by("reason").len().iter_rows():
        count(refused, word, rows)
    return frame.filter(~bad)


def clear_values(
    frame: pl.DataFrame, snapshot_time: datetime, refused: dict[str, int]
) -> pl.DataFrame:
    """Return the rows with impossible values unknown; count each by its reason.

    Args:
        frame: rows of the chain's schema, NaN where a price or size is unknown.
        snapshot_time: the instant of the quotes (UTC).
        refused: values refused so far, by reason; is added to.
    """
    quoted = pl.col("quote_time")
    faults: dict[str, tuple[pl.Expr, Iterable[str]]] = {
        AHEAD: (quoted > pl.lit(snapshot_time + MOST_AHEAD), _QUOTE),
        LONG_AGO: (quoted < pl.lit(FIRST_INSTANT), _QUOTE),
    }
    for name, columns in _CLEARED_WITH.items():
        faults[odd_value(name)] = (_is_odd(name), columns)
    found = frame.select(**{word: fault.sum() for word, (fault, _) in faults.items()})
    for word, rows in found.row(0, named=True).items():
        if rows:
            count(refused, word, rows)
            fault, cleared = faults[word]
            frame = frame.with_columns(
                pl.when(~fault.fill_null(value=False)).then(column).otherwise(unknown)
                for column, unknown in _unknown(cleared)
            )
    return frame


def known_spots(spot: Mapping[str, Any], refused: dict[str, int]) -> dict[str, float]:
    """Return the prices of the underlyings that are prices; count the others."""
    known = {
        name: float(price)
        for name, price in spot.items()
        if isinstance(price, int | float) and 0 < price <= MAX_PRICE
    }
    count(refused, ODD_SPOT, len(spot) - len(known))
    return known


def count(refused: dict[str, int], reason: str, rows: int) -> None:
    """Add to what was refused for a reason; none is no entry."""
    if rows:
        refused[reason] = refused.get(reason, 0) + rows


def _row_faults(frame: pl.DataFrame) -> dict[str, pl.Expr]:
    """Return where each of ``REFUSALS`` applies, never null."""
    strike, expiry = pl.col("strike"), pl.col("expiry")
    key = pl.col("root", "expiry", "right", "strike")
    possible = {
        HIGH_STRIKE: strike.is_between(MIN_STRIKE, MAX_STRIKE),
        ODD_EXPIRY: expiry.is_between(FIRST_SERVED_DAY, LAST_SERVED_DAY),
    }
    faults = {
        NO_KEY: pl.any_horizontal(key.is_null(), (strike <= 0).fill_null(value=True)),
        NO_PRODUCT: pl.any_horizontal(pl.col("underlying", "settlement").is_null()),
        ODD_NAME: pl.any_horizontal(_is_no_symbol(frame[name]) for name in ("root", "underlying")),
    }
    return faults | {word: ~test.fill_null(value=False) for word, test in possible.items()}


def _is_no_symbol(names: pl.Series) -> pl.Expr:
    """Tell where a name is empty, long, not printable (an escape code), or a spreadsheet's formula.

    Names go to terminals and into CSV files, and have to come back from these as they were.
    """
    odd = [name for name in names.unique() if name is not None and not _is_symbol(name)]
    return pl.col(names.name).is_in(odd).fill_null(value=False) if odd else pl.lit(value=False)


def _is_symbol(name: str) -> bool:
    return (
        0 < len(name) <= _LONGEST_NAME
        and name.isprintable()
        and not name.startswith(_BEGINS_FORMULA)
    )


def _is_odd(column: str) -> pl.Expr:
    """Tell where a value is neither unknown nor within its bounds; null where it is null."""
    value = pl.col(column)
    bound = MAX_PRICE if column in _PRICES else MAX_CONTRACTS
    outside = (value < 0) | (value > bound)
    return outside if column in {"volume", "open_interest"} else outside & value.is_not_nan()


def _unknown(columns: Iterable[str]) -> list[tuple[pl.Expr, pl.Expr]]:
    """Return each column and its value for unknown."""
    null_where_unknown = {"volume", "open_interest", "quote_time"}
    return [
        (pl.col(name), pl.lit(None if name in null_where_unknown else float("nan")))
        for name in columns
    ]
