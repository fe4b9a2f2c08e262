"""``boxes import``: option files of others into snapshots."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from live_box_spreads.cli.options import examples
from live_box_spreads.cli.output import say, tell
from live_box_spreads.cli.progress import progress_bar
from live_box_spreads.feeds.importers import refuse_future
from live_box_spreads.feeds.importers.box_csv import read_chain_csv
from live_box_spreads.feeds.importers.cboe import read_cboe
from live_box_spreads.model.errors import BoxSpreadsError
from live_box_spreads.plain_text import error_lines
from live_box_spreads.stores.snapshots import SnapshotStore

if TYPE_CHECKING:
    from collections.abc import Callable

    from live_box_spreads.model.chain import Chain

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Turn option files into snapshots; prints their paths, one a line.",
    epilog=examples(
        "boxes import cboe spx_quotedata.csv --to data",
        "boxes import csv chain.csv --to data --quote-time 2025-09-04T14:15:00-04:00",
    ),
)

FilesArgument = Annotated[list[Path], typer.Argument(metavar="FILE…", help="Files to read.")]
FolderOption = Annotated[Path, typer.Option("--to", metavar="DIR", help="Snapshot folder.")]
QuoteTimeOption = Annotated[
    str | None,
    typer.Option(
        metavar="ISO",
        help="Instant of the quotes, with its offset from UTC; instead of what the file says.",
    ),
]


@app.command(epilog=examples("boxes import cboe spx_quotedata.csv ndx.csv.gz --to data"))
def cboe(files: FilesArgument, to: FolderOption, quote_time: QuoteTimeOption = None) -> None:
    """Import quote tables downloaded from Cboe, plain or gzipped, in any layout since 2010."""
    read = partial(read_cboe, quote_time=_instant(quote_time))
    _import_all(files, read, to, datetime.now(UTC))


@app.command(epilog=examples("boxes import csv chain.csv --to data"))
def csv(files: FilesArgument, to: FolderOption, quote_time: QuoteTimeOption = None) -> None:
    """Import option-chain CSVs with the columns ticker, expiry, type, strike, bid, ask."""
    read = partial(read_chain_csv, quote_time=_instant(quote_time))
    _import_all(files, read, to, datetime.now(UTC))


def _instant(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        instant = None
    if instant is None or instant.utcoffset() is None:
        raise typer.BadParameter(
            f"{text!r} is no instant; write it as 2025-09-04T14:15:00-04:00",
            param_hint="--quote-time",
        )
    return instant.astimezone(UTC)


def _import_all(
    files: list[Path], read: Callable[[Path], Chain], folder: Path, now: datetime
) -> None:
    """Import each file; a bad one is reported and does not stop the others.

    Args:
        files: what to import.
        read: makes a chain of one.
        folder: where the snapshots go.
        now: this machine's clock; quotes from after it are refused.
    """
    store = SnapshotStore(folder)
    failed = False
    for file in files:
        try:
            with progress_bar() as progress:
                progress(f"importing {file.name}", 0, 1)
                chain = read(file)
                refuse_future(chain, now, file)
                path = store.write(chain)
        except BoxSpreadsError as error:
            failed = True
            for line in error_lines(error):
                tell(f"boxes: {line}")
            continue
        say(str(path))
        tell(f"{file}: {len(chain.quotes):,} contracts")
        for reason, rows in chain.rejected.items():
            tell(f"{file}: {rows:,} rows rejected: {reason}")
    if failed:
        raise typer.Exit(1)
