"""The option symbols of Cboe exports, whole columns at once.

Three spellings:

- from 2019 on the OCC's, unpadded: ``SPXW220712C01000000``;
- 2010 to 2019: ``18 Oct 2750.00 (SPXW1815J2750-E)``, that is root, year, day, month letter (A to
  L calls, M to X puts), strike, and the exchange whose quote it is;
- before: ``06 Feb 1250.00 (SPX BJ-E)``, root, month letter, strike letter; the words before it
  tell year and strike, and monthly options expire on the Saturday after the third Friday.
"""

from __future__ import annotations

import polars as pl

_OCC = r"^\.?(?<root>[A-Z][A-Z0-9]{0,5}?) *(?<date>\d{6})(?<right>[CP])(?<thousandths>\d{8})$"
_DATED = (
    r"\(\^?(?<root>[A-Z]+)(?<year>\d{2})(?<day>\d{2})(?<letter>[A-X])(?<strike>\d+(?:\.\d+)?)"
    r"(?:-(?<exchange>\w+))?\)$"
)
_LETTERS = r"\(\^?(?<root>[A-Z]+) (?<letter>[A-X])[A-Z](?:-(?<exchange>\w+))?\)$"
_WORDS = (
    r"^(?:20)?(?<year>\d{2}) (?<month>[A-Z][a-z]{2}) (?:(?<day>\d{1,2}) )?(?<strike>\d+(?:\.\d+)?) "
)

_CALL_MONTHS = "ABCDEFGHIJKL"
_PUT_MONTHS = "MNOPQRSTUVWX"
_MONTH_OF_LETTER = {
    letter: f"{month:02d}"
    for letters in (_CALL_MONTHS, _PUT_MONTHS)
    for month, letter in enumerate(letters, 1)
}
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_MONTH_OF_NAME = {name: f"{month:02d}" for month, name in enumerate(_MONTHS, 1)}
_FRIDAY = 5
_THIRD_SATURDAY_FROM_FIRST_FRIDAY = 15

MONTHLY_ROOTS = ("SPX", "NDX", "RUT", "DJX")
"""Roots whose every series, when symbols had no day, expired on the monthly Saturday."""


def with_contracts(rows: pl.DataFrame) -> pl.DataFrame:
    """Add the fields of the column ``symbol``.

    Args:
        rows: a column ``symbol``, without spaces around.

    Returns:
        The rows with ``root, expiry, right, strike`` (null where the symbol is unreadable),
        ``exchange`` (null for the composite quote), and from the words before an old symbol
        ``word_month`` (first of the month), ``word_day`` and ``word_strike`` (null without).
    """
    symbol = pl.col("symbol")
    parts = rows.with_columns(
        occ=symbol.str.extract_groups(_OCC),
        dated=symbol.str.extract_groups(_DATED),
        letters=symbol.str.extract_groups(_LETTERS),
        words=symbol.str.extract_groups(_WORDS),
    )
    read = parts.with_columns(
        root=_first("root", "occ", "dated", "letters"),
        right=pl.coalesce(_field("occ", "right"), _right(_first("letter", "dated", "letters"))),
        exchange=_first("exchange", "dated", "letters"),
        word_month=_month_start(),
        word_day=_field("words", "day").cast(pl.Int8),
        word_strike=_field("words", "strike").cast(pl.Float64),
    )
    return read.with_columns(expiry=_expiry(), strike=_strike()).drop(
        "occ", "dated", "letters", "words"
    )


def _field(group: str, name: str) -> pl.Expr:
    return pl.col(group).struct.field(name)


def _first(name: str, *groups: str) -> pl.Expr:
    return pl.coalesce(_field(group, name) for group in groups)


def _right(letter: pl.Expr) -> pl.Expr:
    return (
        pl.when(letter.is_in(list(_CALL_MONTHS)))
        .then(pl.lit("C"))
        .when(letter.is_not_null())
        .then(pl.lit("P"))
    )


def _month_start() -> pl.Expr:
    month = _field("words", "month").replace_strict(_MONTH_OF_NAME, default=None)
    return _date(_field("words", "year"), month, pl.lit("01"))


def _expiry() -> pl.Expr:
    occ = ("20" + _field("occ", "date")).str.to_date("%Y%m%d", strict=False)
    month = _field("dated", "letter").replace_strict(_MONTH_OF_LETTER, default=None)
    dated = _date(_field("dated", "year"), month, _field("dated", "day"))
    first = pl.col("word_month")
    to_friday = (_FRIDAY - first.dt.weekday().cast(pl.Int32)) % 7
    saturday = first + pl.duration(days=to_friday + _THIRD_SATURDAY_FROM_FIRST_FRIDAY)
    letter = _field("letters", "letter").replace_strict(_MONTH_OF_LETTER, default=None)
    monthly = _field("letters", "root").is_in(MONTHLY_ROOTS)
    agrees = letter.cast(pl.Int8) == first.dt.month()
    return pl.coalesce(occ, dated, pl.when(monthly & agrees).then(saturday))


def _strike() -> pl.Expr:
    thousandths = _field("occ", "thousandths").cast(pl.Float64) / 1000
    lettered = pl.when(_field("letters", "root").is_not_null()).then(pl.col("word_strike"))
    return pl.coalesce(thousandths, _field("dated", "strike").cast(pl.Float64), lettered)


def _date(year: pl.Expr, month: pl.Expr, day: pl.Expr) -> pl.Expr:
    """Put a date of this century together from digits; null where there is no such date."""
    return ("20" + year + month + day).str.to_date("%Y%m%d", strict=False)
