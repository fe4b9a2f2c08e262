from __future__ import annotations

from datetime import UTC, date, datetime
from math import isnan
from typing import TYPE_CHECKING, Any

import pytest

from live_box_spreads.feeds.importers import IMPORTERS, read_cboe, read_chain_csv
from live_box_spreads.model.errors import FileFormatError

if TYPE_CHECKING:
    from pathlib import Path

    from live_box_spreads.model.chain import Chain

GIVEN = datetime(2025, 9, 4, 18, 15, tzinfo=UTC)
CHAIN = """ticker,expiry,type,strike,bid,ask,mid
SPX,2025-12-19,C,6000,600,602,1
SPX,2025-12-19,put,6000,,101,1
"""
DAY = date(2025, 12, 19)


def _read(tmp_path: Path, text: str, *, name: str = "chain.csv", **options: Any) -> Chain:
    file = tmp_path / name
    file.write_text(text, encoding="utf-8")
    return read_chain_csv(file, **options)


def test_a_missing_quote_is_nan_and_mid_never_fills_it(tmp_path: Path) -> None:
    chain = _read(tmp_path, CHAIN, quote_time=GIVEN)
    call, put = chain.quotes.select("root", "expiry", "settlement", "strike", "right").rows()
    assert call == ("SPX", DAY, "AM", 6000.0, "C")
    assert put == ("SPX", DAY, "AM", 6000.0, "P")
    assert chain.quotes["bid"][0] == 600.0
    assert isnan(chain.quotes["bid"][1])
    assert chain.quotes["ask"].to_list() == [602.0, 101.0]
    assert chain.quotes["volume"].is_null().all()
    assert set(chain.quotes["quote_time"]) == {GIVEN}
    assert chain.snapshot_time == GIVEN
    assert chain.feed == "csv-file"


def test_all_columns_in_any_order_and_case(tmp_path: Path) -> None:
    text = (
        "ASK,Bid,Strike,Type,Expiry,Ticker,Volume,Open_Interest,Last,Spot_Price,Quote_Time,"
        "bid_size,ask_size,note\n"
        "5,4,450.5,Call,12/19/2025,xsp,7,8,4.5,448.25,2025-09-04T14:15:00-04:00,11,12,x\n"
        "6,5,450.5,Put,12/19/2025,xsp,9,10,5.5,448.5,2025-09-04T18:14:00,13,14,x\n"
    )
    chain = _read(tmp_path, text)
    early = datetime(2025, 9, 4, 18, 14, tzinfo=UTC)
    assert chain.quotes.rows() == [
        ("XSP", "XSP", DAY, "PM", 450.5, "C", 4.0, 5.0, 11.0, 12.0, 4.5, 7, 8, GIVEN),
        ("XSP", "XSP", DAY, "PM", 450.5, "P", 5.0, 6.0, 13.0, 14.0, 5.5, 9, 10, early),
    ]
    assert chain.snapshot_time == GIVEN
    assert chain.spot == {"XSP": 448.5}


def test_time_from_the_name(tmp_path: Path) -> None:
    chain = _read(tmp_path, CHAIN, name="snapshot_20250904_181500.csv")
    assert chain.snapshot_time == GIVEN


def test_given_time_wins_over_the_name(tmp_path: Path) -> None:
    chain = _read(tmp_path, CHAIN, name="snapshot_20200101_000000.csv", quote_time=GIVEN)
    assert chain.snapshot_time == GIVEN


def test_refused_rows_are_counted(tmp_path: Path) -> None:
    bad = (
        "ABC,2025-12-19,C,1,1,2,1\nSPX,someday,C,1,1,2,1\nSPX,2025-12-19,X,1,1,2,1\n"
        "SPX,2025-12-19,C,abc,1,2,1\nSPX,2025-12-19,C,5,x,2,1\nSPX,2025-12-19,C,5,1\n"
        "SPX,2025-12-19,C,-5,1,2,1\n"
    )
    chain = _read(tmp_path, CHAIN + bad, quote_time=GIVEN)
    assert len(chain.quotes) == 2
    assert chain.rejected == {
        "unknown option root ABC": 1,
        "unreadable expiry": 1,
        "type is neither C nor P": 1,
        "unreadable strike": 1,
        "unreadable bid": 1,
        "row cut short": 1,
        "no root, expiry, right or positive strike": 1,
    }


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (CHAIN, ["--quote-time"]),
        ("symbol,price\nSPX,1\n", ["ticker, expiry, type, strike, bid, ask", "symbol, price"]),
        (CHAIN.replace("ask,", "offer,"), ["no column ask;", "offer"]),
        ("", ["empty"]),
        (
            """ticker,expiry,type,strike,bid,ask,snapshot_time
SPX,2025-12-19,C,1,1,2,2025-09-04T18:15:00
SPX,2025-12-19,C,1,1,2,2025-09-05T18:15:00
""",
            ["2 snapshots"],
        ),
    ],
)
def test_unusable_files_say_why_in_one_line(tmp_path: Path, text: str, words: list[str]) -> None:
    with pytest.raises(FileFormatError) as raised:
        _read(tmp_path, text)
    assert "chain.csv" in str(raised.value)
    assert "\n" not in str(raised.value)
    for word in words:
        assert word in str(raised.value)


def test_no_readable_contract(tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match="1 rows: unknown option root ABC"):
        _read(tmp_path, "ticker,expiry,type,strike,bid,ask\nABC,x,y,z,,\n", quote_time=GIVEN)


def test_registry() -> None:
    assert dict(IMPORTERS) == {"cboe": read_cboe, "csv": read_chain_csv}
