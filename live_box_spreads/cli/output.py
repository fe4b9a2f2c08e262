"""Tables for programs (CSV, JSON, Parquet) and for people, to standard output or to a file.

Lines are written by :func:`say` and :func:`tell`, tables by :func:`give`, so that no text of others
(file names, servers' words) reaches a terminal with control characters or as markup.
"""

from __future__ import annotations

import io
import sys
from typing import TYPE_CHECKING, Any, Literal

import typer

from live_box_spreads.model.errors import BoxSpreadsError
from live_box_spreads.plain_text import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import polars as pl
    from rich.console import Group
    from rich.table import Table

    from live_box_spreads.model.chain import Chain

FormatName = Literal["table", "csv", "json", "parquet"]

_WIDTH = 160  # in characters, where no terminal has a width
_BEGINS_FORMULA = "^[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]"
_CONTROL = r"\p{C}"  # what Unicode calls other: control and format characters


def say(text: str) -> None:
    """Print a line to standard output; on a terminal without control characters."""
    typer.echo(plain(text) if sys.stdout.isatty() else text)


def tell(text: str) -> None:
    """Print a line to standard error, without control characters and of bounded length."""
    typer.echo(plain(text), err=True)


def refuse_binary_terminal(format_: FormatName, out: Path | None) -> None:
    """Refuse Parquet on a terminal, before anything is computed.

    Raises:
        BadParameter: the format is Parquet and would go to a terminal.
    """
    if format_ == "parquet" and out is None and sys.stdout.isatty():
        raise typer.BadParameter(
            "parquet is not for a terminal; add --out F", param_hint="--format"
        )


def give(
    frame: pl.DataFrame, format_: FormatName, out: Path | None, table: Callable[[], Table | Group]
) -> None:
    """Write a table in the wanted format to a file, or to standard output.

    Args:
        frame: what programs get: rates as fractions.
        format_: what it is written as.
        out: where; None is standard output.
        table: makes what people get; called for the format ``table`` only.

    Raises:
        BoxSpreadsError: the file cannot be written.
    """
    if format_ == "table" and out is None:
        _print(table())
        return
    data = _text(table()).encode() if format_ == "table" else encode(frame, format_)
    if out is None:
        typer.echo(data, nl=False)
        return
    try:
        out.write_bytes(data)
    except OSError as error:
        raise BoxSpreadsError(f"cannot write {out}: {error.strerror}") from error


def quoted(chain: Chain) -> str:
    """Say how timely the quotes behind a table are, from which feed and of when, for its title."""
    return f"{chain.origin} quotes of {chain.snapshot_time:%Y-%m-%d %H:%M} UTC"


def tell_caveat(chain: Chain) -> None:
    """Say on standard error what a person should know before trusting the quotes, if anything."""
    if chain.caveat:
        tell(f"beware: {chain.caveat}")


def encode(frame: pl.DataFrame, format_: Literal["csv", "json", "parquet"]) -> bytes:
    """Return a table for programs. What is no finite number is null, an empty field in CSV.

    CSV has a header, JSON is a list of records; both have ISO dates and instants in UTC with a Z.
    Parquet keeps the types. In a text cell of CSV or JSON each control character becomes U+FFFD; in
    CSV one that a spreadsheet would run has an apostrophe before it. Numbers stay numbers.
    """
    import polars as pl  # noqa: PLC0415, a help page does without

    known = null_for_nan(frame)
    if format_ == "parquet":
        buffer = io.BytesIO()
        known.write_parquet(buffer)
        return buffer.getvalue()
    instants = pl.selectors.datetime().dt.strftime("%Y-%m-%dT%H:%M:%S%.3fZ")
    words = pl.selectors.string()
    text = known.with_columns(instants)
    if format_ == "json":
        text = text.with_columns(words.str.replace_all(_CONTROL, "\ufffd"))
        return text.write_json().encode() + b"\n"
    text = text.with_columns(
        words.str.replace(_BEGINS_FORMULA, "'${0}").str.replace_all(_CONTROL, "\ufffd")
    )
    return text.write_csv().encode()


def null_for_nan(frame: pl.DataFrame) -> pl.DataFrame:
    """Return a table with null for each number that is not finite."""
    import polars as pl  # noqa: PLC0415, a help page does without

    floats = pl.selectors.float()
    return frame.with_columns(pl.when(floats.is_finite()).then(floats))


def people_table(rows: pl.DataFrame, columns: Mapping[str, str], title: str, caption: str) -> Table:
    """Return rows as people read them: words to the left, numbers to the right, a dash for NaN.

    Text of others is shown as it is: neither its control characters nor its brackets do anything.

    Args:
        rows: what to show.
        columns: which columns, in order, and the format of their values, such as ``{:.3%}``.
        title: what stands above.
        caption: what stands below.
    """
    import polars as pl  # noqa: PLC0415, a help page does without
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    # As Text, not as str: rich takes words in brackets, such as a file's name, for markup.
    table = Table(title=Text(plain(title)), caption=Text(plain(caption)))
    for name in columns:
        words = rows.schema[name] == pl.String
        table.add_column(name, justify="left" if words else "right", no_wrap=not words)
    for row in null_for_nan(rows.select(columns.keys())).iter_rows():
        table.add_row(*(Text(plain(cell)) for cell in map(_cell, columns.values(), row)))
    return table


def _cell(form: str, value: Any) -> str:
    """Write a cell in its form, a dash for what is not known."""
    return "-" if value is None else form.format(value)


def _print(table: Table | Group) -> None:
    from rich.console import Console  # noqa: PLC0415

    console = Console()
    if not console.is_terminal:
        console.width = _WIDTH
    console.print(table)


def _text(table: Table | Group) -> str:
    from rich.console import Console  # noqa: PLC0415

    console = Console(file=io.StringIO(), width=_WIDTH, record=True)
    console.print(table)
    return console.export_text()
