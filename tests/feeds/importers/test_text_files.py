"""What stands in the place of a file: every face that reads one says so in one line."""

from __future__ import annotations

import gzip
import os
from typing import TYPE_CHECKING

import pytest

from live_box_spreads.feeds.importers import read_cboe, read_chain_csv, text_files
from live_box_spreads.feeds.importers.prints import read_prints
from live_box_spreads.model.errors import FileFormatError
from live_box_spreads.reference import read_reference

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

READERS: list[Callable[[Path], object]] = [read_cboe, read_chain_csv, read_prints, read_reference]


@pytest.mark.skipif(os.name != "posix", reason="no FIFOs among files here")
@pytest.mark.parametrize("read", READERS)
def test_a_fifo_is_one_line_and_nobody_waits(
    tmp_path: Path, read: Callable[[Path], object]
) -> None:
    fifo = tmp_path / "chain.csv"
    os.mkfifo(fifo)
    with pytest.raises(FileFormatError, match=r"chain\.csv: cannot be read \(it is a pipe"):
        read(fifo)


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("packed", [False, True])
def test_a_text_without_end_is_one_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    read: Callable[[Path], object],
    *,
    packed: bool,
) -> None:
    monkeypatch.setattr(text_files, "MOST_BYTES", 1_000_000)
    text = b"date,1m,2m\n" * 200_000
    file = tmp_path / "chain.csv.gz"
    file.write_bytes(gzip.compress(text) if packed else text)
    with pytest.raises(FileFormatError, match=r"cannot be read \(it .* more than|larger than 1 MB"):
        read(file)


def test_json_that_nests_without_end_is_one_line(tmp_path: Path) -> None:
    file = tmp_path / "rates.json"
    file.write_text('{"refRates":' + "[" * 200_000)
    with pytest.raises(FileFormatError):
        read_reference(file)


def test_xml_that_nests_deeply_is_one_line(tmp_path: Path) -> None:
    file = tmp_path / "rates.xml"
    file.write_text("<a>" * 100_000)
    with pytest.raises(FileFormatError):
        read_reference(file)
