"""The tables of ``boxes curve`` for people: of expiries, of dates, of the quality of quotes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from live_box_spreads.cli.output import people_table

if TYPE_CHECKING:
    from rich.console import Group
    from rich.table import Table

_EXPIRIES = {
    "root": ("root", "{}"),
    "expiry": ("expiry", "{}"),
    "days": ("days", "{:,}"),
    "fair_rate": ("fair_rate", "{:.3%}"),
    "std_error_bps": ("± bp", "{:.2f}"),
    "filtered_rate": ("filtered", "{:.3%}"),
    "filtered_std_error_bps": ("± bp ", "{:.2f}"),
    "lend_rate": ("lend_rate", "{:.3%}"),
    "borrow_rate": ("borrow_rate", "{:.3%}"),
    "reference_rate": ("reference_rate", "{:.3%}"),
    "spread_bps": ("spread_bps", "{:+.1f}"),
    "discount": ("discount", "{:.6f}"),
    "forward": ("forward", "{:,.2f}"),
    "strikes_used": ("strikes_used", "{:,}"),
    "note": ("note", "{}"),
}
"""Columns that a table shows where they are there, and how."""
_DATES = {
    "root": ("root", "{}"),
    "days": ("days", "{:,}"),
    "payment_date": ("payment_date", "{}"),
    "rate": ("rate", "{:.3%}"),
    "std_error_bps": ("± bp", "{:.2f}"),
    "filtered_rate": ("filtered", "{:.3%}"),
    "filtered_std_error_bps": ("± bp ", "{:.2f}"),
    "forward_rate": ("forward_rate", "{:.3%}"),
    "forward_std_error_bps": ("± bp  ", "{:.2f}"),
    "reference_rate": ("reference_rate", "{:.3%}"),
    "spread_bps": ("spread_bps", "{:+.1f}"),
    "note": ("note", "{}"),
}
_ROOTS = {
    "root": ("root", "{}"),
    "expiries_used": ("expiries", "{:,}"),
    "expiries": ("of", "{:,}"),
    "kink_points": ("kink", "{:+z.2f}"),
    "kink_error_points": ("± s.e.", "{:.2f}"),
    "tilt_bps": ("tilt bp", "{:+z.1f}"),
    "tilt_error_bps": ("± s.e. ", "{:.1f}"),
    "at_days": ("at days", "{:,}"),
    "strikes_used": ("strikes", "{:,}"),
    "strikes_doubted": ("left out", "{:,}"),
    "doubted_expiries": ("doubted expiries", "{}"),
    "reason": ("note", "{}"),
}
"""Columns of the quality: their heading, and the format of their values."""
_DOUBTED = {
    "root": ("root", "{}"),
    "expiry": ("expiry", "{}"),
    "days": ("days", "{:,}"),
    "off_std_errors": ("s.e. off", "{:.1f}"),
    "kink_points": ("kink", "{:+z.2f}"),
    "tilt_bps": ("tilt bp", "{:+z.1f}"),
    "strikes_used": ("strikes", "{:,}"),
    "strikes_doubted": ("left out", "{:,}"),
    "reason": ("why it takes no part", "{}"),
}

_ERRORS = "± bp: one standard error of the rate before it; filtered: from all snapshots so far"


def expiries_table(frame: pl.DataFrame, title: str, compared: str) -> Table:
    """Return the curve for people; ``note`` is why there is no rate, and what is wrong with it."""
    notes = pl.concat_list(pl.col("reason", "band_note").replace("", None)).list.drop_nulls()
    noted = frame.with_columns(note=notes.list.unique(maintain_order=True).list.join("; "))
    shown = {name: head for name, head in _EXPIRIES.items() if name in noted.columns}
    return _renamed(noted, shown, title, "; ".join(filter(None, (_ERRORS, compared))))


def dates_table(frame: pl.DataFrame, title: str, compared: str) -> Table:
    """Return the rates at some dates for people."""
    shown = {name: head for name, head in _DATES.items() if name in frame.columns}
    caption = "forward_rate: of the loan from the row before, the first from the premium date"
    return _renamed(frame, shown, title, "; ".join(filter(None, (_ERRORS, caption, compared))))


def quality_tables(roots: pl.DataFrame, expiries: pl.DataFrame, title: str) -> Table | Group:
    """Return the quality of the quotes for people, and the expiries that are doubted or left out.

    Args:
        roots: ``QUALITY_SCHEMA``.
        expiries: ``EXPIRY_QUALITY_SCHEMA`` of the same roots.
        title: what stands above.
    """
    from rich.console import Group  # noqa: PLC0415, a help page does without

    caption = (
        "kink: points by which synthetic forwards far from the money lie above those at it; "
        "tilt: bp by which the quotes' discount factor lies above the curve's; both taken away, "
        "told at the expiry nearest to 30 days"
    )
    whole = _renamed(roots, _ROOTS, title, caption)
    some = expiries.filter(pl.col("is_doubted") | (pl.col("reason") != ""))
    if some.is_empty():
        return whole
    caption = "s.e. off: standard errors from what the other expiries foretell"
    return Group(whole, _renamed(some, _DOUBTED, "expiries doubted or left out", caption))


def _renamed(
    frame: pl.DataFrame, columns: dict[str, tuple[str, str]], title: str, caption: str
) -> Table:
    rows = frame.select(list(columns)).rename({name: word for name, (word, _) in columns.items()})
    return people_table(rows, dict(columns.values()), title, caption)
