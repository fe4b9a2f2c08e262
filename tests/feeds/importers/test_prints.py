from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest

from live_box_spreads.books.prints import PRINT_SCHEMA
from live_box_spreads.feeds.importers.prints import read_prints
from live_box_spreads.model.errors import FileFormatError

if TYPE_CHECKING:
    from pathlib import Path

HEAD = "id,day,symbol,time,timestamp,price,volume"
ROW = "69,2024-09-20,SPX241220P05600000,2024-09-20T13:37:56,1726839476312,107.6,2"
READ = {
    "time": datetime(2024, 9, 20, 13, 37, 56, 312_000, tzinfo=UTC),
    "root": "SPX",
    "expiry": date(2024, 12, 20),
    "strike": 5600.0,
    "right": "P",
    "price": 107.6,
    "size": 2,
}


def written(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "prints.csv"
    path.write_text("\n".join(lines), "utf-8")
    return path


def test_reads_a_print(tmp_path: Path) -> None:
    read = read_prints(written(tmp_path, HEAD, ROW))
    assert read.frame.schema == PRINT_SCHEMA
    assert read.frame.to_dicts() == [READ]
    assert dict(read.rejected) == {}


@pytest.mark.parametrize(
    ("head", "row"),
    [
        ("Symbol,Timestamp,Price,Size", "SPX   241220P05600000,1726839476312,107.6,2"),
        ("price,quantity,time,symbol", "107.6,2,2024-09-20T13:37:56.312Z,.SPX241220P5600"),
        ("symbol,time,price,size", "SPX241220P05600000,2024-09-20T09:37:56.312-04:00,107.60,2"),
    ],
)
def test_other_names_symbols_and_times_say_the_same(tmp_path: Path, head: str, row: str) -> None:
    assert read_prints(written(tmp_path, head, row)).frame.to_dicts() == [READ]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (ROW.replace("SPX241220P05600000", "SPX"), "symbol names no option"),
        (ROW.replace("SPX241220P05600000", "SPX241320P05600000"), "symbol names no option"),
        (ROW.replace("1726839476312", "1726839476"), "unreadable time"),
        (ROW.replace("1726839476312", "noon"), "unreadable time"),
        (ROW.replace("1726839476312", ""), "unreadable time"),
        (ROW.replace("107.6", "x"), "unreadable price"),
        (ROW.replace("107.6", "0"), "price is not positive"),
        (ROW.replace("107.6", ""), "price is not positive"),
        (ROW[:-1] + "1.5", "unreadable size"),
        (ROW[:-1] + "0", "size is not positive"),
        (ROW, "print is there already"),
        (ROW[:-2], "row cut short"),
    ],
)
def test_a_bad_row_is_refused_with_its_reason(tmp_path: Path, row: str, reason: str) -> None:
    read = read_prints(written(tmp_path, HEAD, ROW, row))
    assert read.frame.to_dicts() == [READ]
    assert dict(read.rejected) == {reason: 1}


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (("symbol,price,volume", "x,1,1"), "no column timestamp or time; found symbol, price"),
        (("time,price,volume", "x,1,1"), "a print file has symbol, timestamp, price, size"),
        (("symbol,time,price", "x,1,1"), "no column size or volume or quantity"),
        ((HEAD,), "no readable option print"),
        ((HEAD, ROW.replace("107.6", "x")), "1 rows: unreadable price"),
    ],
)
def test_a_file_of_no_use_is_one_clear_line(
    tmp_path: Path, lines: tuple[str, ...], says: str
) -> None:
    with pytest.raises(FileFormatError) as raised:
        read_prints(written(tmp_path, *lines))
    assert says in str(raised.value)
    assert "\n" not in str(raised.value)
