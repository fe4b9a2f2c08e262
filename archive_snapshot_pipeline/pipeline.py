"""Option-chain CSVs into one box CSV: every ticker, every expiry, every file."""

from __future__ import annotations

import os
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from live_box_spreads.books.boxes.filters import BoxFilters
from live_box_spreads.books.boxes.table import quality_in_words
from live_box_spreads.books.conventions import Conventions
from live_box_spreads.books.desk import Desk
from live_box_spreads.cli.output import encode
from live_box_spreads.feeds.importers.box_csv import read_chain_csv
from live_box_spreads.model.errors import BoxSpreadsError, NotALoanError
from live_box_spreads.model.products import loan_product
from live_box_spreads.model.rates import Compounding
from live_box_spreads.model.settlement import TimeBasis

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date, datetime
    from pathlib import Path
    from typing import IO

    from live_box_spreads.model.chain import Chain


@dataclass(slots=True)
class BoxCsvReport:
    """What became of the rows.

    Attributes:
        boxes: boxes written.
        rejected: chain rows refused, by file and reason.
        removed: boxes left out, by reason.
        skipped: one line for each American-style ticker, on which a box is no loan.
    """

    boxes: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    removed: Counter[str] = field(default_factory=Counter)
    skipped: list[str] = field(default_factory=list)


def write_box_csv(  # each is a choice of the command
    chains: Sequence[Path],
    out: Path,
    *,
    quote_time: datetime | None = None,
    basis: TimeBasis = TimeBasis.SETTLEMENT,
    compounding: Compounding = Compounding.EFFECTIVE,
    filters: BoxFilters = BoxFilters(),  # noqa: B008 # frozen
) -> BoxCsvReport:
    """Write every box of every ticker and expiry of some chain CSVs.

    The file has ``BOX_COLUMNS`` (``books/boxes/frame.py``): dates ISO, rates as fractions, an
    empty field for NaN. It appears whole or not at all; one that stood there is replaced.

    Args:
        chains: option-chain CSVs (``feeds/importers/box_csv.py`` says which columns).
        out: the box CSV to write.
        quote_time: instant of the quotes, with a time zone, instead of what the files say.
        basis: how years are counted.
        compounding: how rates are said.
        filters: which boxes to keep.

    Raises:
        FileFormatError: a chain CSV cannot be read.
        BoxSpreadsError: the box CSV cannot be written.
        NotALoanError: no ticker is one on which a box is a loan.
    """
    report = BoxCsvReport()
    conventions = Conventions(basis, compounding, filters)
    header_written = False
    with _replacing(out) as file:
        for path in chains:
            chain = read_chain_csv(path, quote_time=quote_time)
            for reason, rows in chain.rejected.items():
                report.rejected[f"{path}: {reason}"] += rows
            desk = Desk(chain, conventions)
            for root, expiry in _loans(chain, path, report):
                table = desk.boxes(root, expiry)
                report.boxes += len(table.frame)
                report.removed.update(table.removed)
                header, _, boxes = encode(quality_in_words(table.frame), "csv").partition(b"\n")
                file.write(boxes if header_written else header + b"\n" + boxes)
                header_written = True
        if not header_written:
            raise NotALoanError("; ".join(report.skipped))
    return report


def _loans(chain: Chain, path: Path, report: BoxCsvReport) -> Iterator[tuple[str, date]]:
    """Yield every root and expiry on which a box is a loan; report the other roots once."""
    for root in chain.roots:
        try:
            loan_product(root)
        except NotALoanError as error:
            report.skipped.append(f"{path}: {error}")
            continue
        for expiry in chain.expiries(root):
            yield root, expiry


@contextmanager
def _replacing(out: Path) -> Iterator[IO[bytes]]:
    """Open a file beside ``out`` that takes its name, synced, when all went well."""
    temporary = out.with_name(f".{out.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(out)
    except OSError as error:
        raise BoxSpreadsError(f"cannot write {out}: {error.strerror}") from error
    finally:
        temporary.unlink(missing_ok=True)
