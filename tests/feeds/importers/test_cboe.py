"""Each layout and quirk as a small file by hand; the numbers are invented."""

# ruff: noqa: E501 - rows of these files are long
from __future__ import annotations

import gzip
from datetime import UTC, date, datetime
from math import isnan
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from live_box_spreads.feeds.importers import read_cboe
from live_box_spreads.model.chain import Timeliness
from live_box_spreads.model.errors import FileFormatError

if TYPE_CHECKING:
    from pathlib import Path

    from live_box_spreads.model.chain import Chain

HEAD = (
    "Expiration Date,Calls,Last Sale,Net,Bid,Ask,Volume,IV,Delta,Gamma,Open Interest,Strike,"
    "Puts,Last Sale,Net,Bid,Ask,Volume,IV,Delta,Gamma,Open Interest"
)
NEWEST = f"""
S&P 500 INDEX,Last: 6485.6401,Change:  37.3801
Date: 4 de setembro de 2025 às 14:30 GMT-4,Bid: 6484.5,Ask: 6486.8501,Size: 1*1,Volume: 0
{HEAD}
Fri Dec 19 2025,SPX251219C06000000,601.5,0,600,602,5,0.2,0.9,0,3,6000.00,SPX251219P06000000,100,0,0,0.05,6,0,0,0,2
Fri Dec 19 2025,SPXW251219C06000500,0,0,0,0,7,0,1,0,0,6000.50,SPXW251219P06000500,0,0,118,120,8,0,0,0,4
"""
DAT = f"""^NDX (Nasdaq 100 Index),7000.5,-104.4701,
Mar 23 2020 @ 11:45 ET,Bid,2243.68,Ask,2677.6,Size,1x1,Vol,
{HEAD.replace("Volume", "Vol").replace("Open Interest", "Open Int")}
04/17/2020,NDX200417C07000000,1,0,400.5,410,1,0,0,0,9,7000.000,NDX200417P07000000,2,0,390,,3,0,0,0,8
"""
OLD = """SPX (S&P 500 INDEX),1290.59,+7.24,
Jan 24 2011 @ 14:03 ET,
Calls,Last Sale,Net,Bid,Ask,Vol,Open Int,Puts,Last Sale,Net,Bid,Ask,Vol,Open Int,
11 Jan 1075.00 (SPXW1128A1075-E),0.0,0.0,215.30,217.00,0,0,11 Jan 1075.00 (SPXW1128M1075-E),0.05,-0.10,,0.10,10,15535,
11 Mar 1300.00 (SPX1119C1300-E),22.00,pc,20.60,23.00,3,7,11 Mar 1300.00 (SPX1119O1300-E),36.00,-4.60,33.00,36.20,1,2,
"""


def _read(tmp_path: Path, text: str | bytes, **options: Any) -> Chain:
    file = tmp_path / "quotes.csv"
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_cboe(file, **options)


def _rows(chain: Chain) -> list[tuple[Any, ...]]:
    names = ["root", "expiry", "settlement", "strike", "right", "bid", "ask", "last"]
    return chain.quotes.select(*names, "volume", "open_interest").rows()


def test_newest_layout(tmp_path: Path) -> None:
    chain = _read(tmp_path, NEWEST)
    day = date(2025, 12, 19)
    assert _rows(chain) == [
        ("SPX", day, "AM", 6000.0, "C", 600.0, 602.0, 601.5, 5, 3),
        ("SPX", day, "AM", 6000.0, "P", 0.0, 0.05, 100.0, 6, 2),
        ("SPXW", day, "PM", 6000.5, "C", 0.0, 0.0, 0.0, 7, 0),
        ("SPXW", day, "PM", 6000.5, "P", 118.0, 120.0, 0.0, 8, 4),
    ]
    instant = datetime(2025, 9, 4, 18, 15, tzinfo=UTC)
    assert chain.snapshot_time == instant
    assert set(chain.quotes["quote_time"]) == {instant}
    assert set(chain.quotes["underlying"]) == {"SPX"}
    assert chain.quotes["bid_size"].is_nan().all()
    assert chain.quotes["ask_size"].is_nan().all()
    assert chain.spot == {"SPX": 6485.6401}
    assert (chain.feed, chain.timeliness) == ("cboe-file", Timeliness.DELAYED)
    assert chain.rejected == {}


def test_dat_layout_with_a_blank_ask(tmp_path: Path) -> None:
    chain = _read(tmp_path, DAT.replace("\n", "\r\n"))
    call, put = _rows(chain)
    assert call == ("NDX", date(2020, 4, 17), "AM", 7000.0, "C", 400.5, 410.0, 1.0, 1, 9)
    assert put[5] == 390.0
    assert isnan(put[6])
    assert chain.spot == {"NDX": 7000.5}
    assert chain.snapshot_time == datetime(2020, 3, 23, 15, 30, tzinfo=UTC)


def test_old_layout_with_blank_bid_and_saturday_monthly(tmp_path: Path) -> None:
    chain = _read(tmp_path, OLD)
    weekly, saturday = date(2011, 1, 28), date(2011, 3, 19)
    assert _rows(chain) == [
        ("SPX", saturday, "AM", 1300.0, "C", 20.6, 23.0, 22.0, 3, 7),
        ("SPX", saturday, "AM", 1300.0, "P", 33.0, 36.2, 36.0, 1, 2),
        ("SPXW", weekly, "PM", 1075.0, "C", 215.3, 217.0, 0.0, 0, 0),
        ("SPXW", weekly, "PM", 1075.0, "P", 0.0, 0.1, 0.05, 10, 15535),
    ]
    assert chain.rejected == {}
    assert chain.snapshot_time == datetime(2011, 1, 24, 18, 48, tzinfo=UTC)


def test_four_digit_years_and_days_in_words(tmp_path: Path) -> None:
    text = OLD.replace("11 Jan 1075", "2011 Jan 28 1075").replace("11 Mar 1300", "2011 Mar 19 1300")
    assert _rows(_read(tmp_path, text)) == _rows(_read(tmp_path, OLD))


def test_symbols_before_2010_expire_on_the_monthly_saturday(tmp_path: Path) -> None:
    text = """SPX (S&P 500 INDEX),1265.10,+1.2,
Feb 01 2006 @ 12:00 ET,
Calls,Last Sale,Net,Bid,Ask,Vol,Open Int,Puts,Last Sale,Net,Bid,Ask,Vol,Open Int,
06 Feb 1250.00 (SPX BJ-E),1,pc,20,22,1,2,06 Feb 1250.00 (SPX NJ-E),1,pc,5,6,1,2,
06 Mar 1250.00 (SXB CJ-E),1,pc,20,22,1,2,06 Mar 1250.00 (SPX NJ-E),1,pc,5,6,1,2,
"""
    chain = _read(tmp_path, text)
    assert [row[:5] for row in _rows(chain)] == [
        ("SPX", date(2006, 2, 18), "AM", 1250.0, "C"),
        ("SPX", date(2006, 2, 18), "AM", 1250.0, "P"),
    ]
    assert chain.rejected == {
        "unknown option root SXB": 1,
        "no expiration date in the symbol": 1,  # N is February, the words say March
    }


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text.encode("utf-8-sig"),
        lambda text: text.encode("utf-16"),
        lambda text: text.encode("cp1252"),
        lambda text: gzip.compress(text.encode()),
        lambda text: text.replace("\n", "\r\n").encode(),
        lambda text: text.replace("\n", "\r").encode(),
        lambda text: text.replace("37.3801\n", "37.3801,,,,,,\n").encode(),
        lambda text: text.replace(
            "Date: 4 de setembro de 2025 às 14:30 GMT-4", '"Date: September 4, 2025, 2:30 PM EDT"'
        ).encode(),
        lambda text: text.replace(
            "Date: 4 de setembro de 2025 às 14:30 GMT-4", "Date: September 4, 2025 at 2:30 PM EDT"
        ).encode(),
        lambda text: text.replace(",602,", ',"602.00",').replace(",600,", ", $600.0 ,").encode(),
        lambda text: (
            text.replace("Last: 6485.64", "Last: 6,485.64")
            .replace(",6000.00", ',"6,000.00"')
            .encode()
        ),
        lambda text: text.replace("Calls", "CALL").replace("Puts", " Put ").encode(),
        lambda text: text.replace("\n", "\n\n").encode(),
        lambda text: text.replace(",", ";").encode(),
        lambda text: text.replace(",", "\t").encode(),
        lambda text: _with_decimal_commas(text).replace("6000,00", "6.000,00").encode(),
    ],
    ids=[
        *(
            "bom",
            "utf16",
            "cp1252",
            "gzip",
            "crlf",
            "cr",
            "padded",
            "quoted",
            "unquoted",
            "dressed",
        ),
        *("thousands", "singular", "gaps", "semicolons", "tabs", "decimal-commas"),
    ],
)
def test_the_same_file_in_other_clothes(tmp_path: Path, spoil: Any) -> None:
    plain, spoilt = _read(tmp_path, NEWEST), _read(tmp_path, spoil(NEWEST))
    assert spoilt.rejected == {}
    assert spoilt.quotes.equals(plain.quotes)
    assert spoilt.snapshot_time == plain.snapshot_time
    assert spoilt.spot == plain.spot


def _with_decimal_commas(text: str) -> str:
    """Return the file as a spreadsheet saves it where the comma is the decimal mark."""
    above, table = text.split(HEAD)
    table = table.replace(",", ";").replace(".", ",")
    return above.replace(",", ";") + HEAD.replace(",", ";") + table


@pytest.mark.parametrize(
    ("title", "spot"),
    [
        ("S&P 500 INDEX,Last: 6485,6401,Change: 37", {}),  # six thousand, or six million?
        ("S&P 500 INDEX,Last: 0,Change: 0", {}),
        ("S&P 500 INDEX,Last: ,Change: 37", {}),
        ('S&P 500 INDEX,"Last: 6,485.64",Change: 37', {"SPX": 6485.64}),
    ],
)
def test_a_doubtful_last_price_is_none(tmp_path: Path, title: str, spot: dict[str, float]) -> None:
    text = NEWEST.replace("S&P 500 INDEX,Last: 6485.6401,Change:  37.3801", title)
    assert _read(tmp_path, text).spot == spot


def test_columns_go_by_name_and_the_strike_column_may_be_absent(tmp_path: Path) -> None:
    text = """S&P 500 INDEX,Last: 6485.64
Date: September 4, 2025 at 2:30 PM EDT,Bid: 1
Calls,Ask,Bid,Open Interest,Puts,Open Interest,Ask,Bid,Expiration Date
SPX251219C06000000,602,600,3,SPX251219P06000000,2,101,99,Fri Dec 19 2025
"""
    day = date(2025, 12, 19)
    chain = _read(tmp_path, text)
    frame = chain.quotes.select("root", "expiry", "strike", "right", "bid", "ask", "open_interest")
    assert frame.rows() == [
        ("SPX", day, 6000.0, "C", 600.0, 602.0, 3),
        ("SPX", day, 6000.0, "P", 99.0, 101.0, 2),
    ]
    assert chain.quotes["last"].is_nan().all()
    assert chain.quotes["volume"].is_null().all()


@pytest.mark.parametrize(
    ("old", "new", "rejected"),
    [
        ("SPX251219C", "ABC251219C", {"unknown option root ABC": 1}),
        ("SPX251219C06000000", "garbage", {"no readable option symbol": 1}),
        ("SPX251219C", "SPX251319C", {"no expiration date in the symbol": 1}),
        ("SPX251219C", "SPX251218C", {"the expiration date is not the symbol's": 1}),
        ("C06000000,", "C06010000,", {"the strike is not the symbol's": 1}),
        (",600,602,", ",6x0,602,", {"unreadable bid": 1}),
        (",600,602,", ",600,inf,", {"unreadable ask": 1}),
        (",600,602,", ",-600,602,", {"unreadable bid": 1}),
        (",602,5,", ",602,many,", {"unreadable volume": 1}),
        (",602,5,", ",602,1.5,", {"unreadable volume": 1}),
        (",600,602,", ',"600,5",602,', {"unreadable bid": 1}),
        (",6,0,0,0,2\n", ",6\n", {"row cut short": 1}),
    ],
)
def test_refused_rows_are_counted(
    tmp_path: Path, old: str, new: str, rejected: dict[str, int]
) -> None:
    assert old in NEWEST
    chain = _read(tmp_path, NEWEST.replace(old, new, 1))
    assert chain.rejected == rejected
    assert len(chain.quotes) == 3


def test_a_row_shifted_by_a_bare_thousands_comma_is_refused_whole(tmp_path: Path) -> None:
    chain = _read(tmp_path, NEWEST.replace(",600,602,", ",1,600,602,"))
    assert chain.rejected == {"row longer than the head, its cells may be shifted": 2}
    assert chain.roots == ["SPXW"]


def test_repeated_rows_are_counted(tmp_path: Path) -> None:
    last = NEWEST.splitlines()[-1]
    chain = _read(tmp_path, NEWEST + last + "\n")
    assert chain.rejected == {"duplicate contract (the last row is kept)": 2}
    assert len(chain.quotes) == 4


def test_the_composite_quote_wins_over_exchanges(tmp_path: Path) -> None:
    row = OLD.splitlines()[-1]
    composite = row.replace("-E)", ")").replace("20.60", "20.70")
    other = row.replace("-E)", "-X)").replace("20.60", "1.0")
    for rows, bid, refused in (([composite, other], 20.7, 4), ([other], 20.6, 2)):
        chain = _read(tmp_path, "\n".join([OLD.rstrip("\n"), *rows, ""]))
        assert len(chain.quotes) == 4
        assert chain.quotes["bid"][0] == bid
        assert chain.rejected == {"quote of one exchange beside a better row": refused}


def test_a_strike_with_only_a_call_is_no_refusal(tmp_path: Path) -> None:
    row = "Fri Dec 19 2025,SPX251219C06200000,1,0,2,3,4,0,0,0,5,6200.00,,,,,,,,,,\n"
    chain = _read(tmp_path, NEWEST + row)
    assert len(chain.quotes) == 5
    assert chain.rejected == {}


def test_given_quote_time_wins(tmp_path: Path) -> None:
    given = datetime(2025, 9, 4, 20, 0, tzinfo=UTC)
    unreadable = NEWEST.replace("4 de setembro de 2025 às 14:30", "sometime")
    for text in (NEWEST, unreadable):
        assert _read(tmp_path, text, quote_time=given).snapshot_time == given


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"", ["empty"]),
        (b"\x1f\x8b\x08broken", ["damaged gzip"]),
        (gzip.compress(NEWEST.encode())[:-20], ["damaged gzip"]),
        ("ticker,price\nSPX,1\n", ["Calls", "Puts"]),
        (NEWEST.replace(",Puts,", ",Sets,"), ["no column 'Puts'", "sets"]),
        (NEWEST.replace(",Net,Bid,", ",Net,Offer,", 1), ["no column 'Bid'", "Calls"]),
        (NEWEST.replace("4 de setembro de 2025 às 14:30", "sometime"), ["--quote-time"]),
        (NEWEST.replace("de 2025", "de 1890"), ["cannot be right", "--quote-time"]),
        (NEWEST.replace("GMT-4", "GMT-44"), ["not understood", "--quote-time"]),
        ("\n".join(NEWEST.splitlines()[:4]), ["no readable option contract", "no rows"]),
        (NEWEST.replace("SPX", "ABC"), ["no readable option contract", "ABC"]),
    ],
)
def test_unusable_files_say_why_in_one_line(
    tmp_path: Path, text: str | bytes, words: list[str]
) -> None:
    with pytest.raises(FileFormatError) as raised:
        _read(tmp_path, text)
    message = str(raised.value)
    assert str(tmp_path / "quotes.csv") in message
    assert "\n" not in message
    for word in words:
        assert word in message


def test_an_absent_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileFormatError, match=r"nowhere\.csv: cannot be read"):
        read_cboe(tmp_path / "nowhere.csv")


@pytest.fixture(scope="module")
def damaged_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("damaged") / "quotes.csv"


DAMAGE = st.tuples(
    st.integers(0, 3_000),
    st.integers(0, 20),
    st.binary(max_size=6) | st.sampled_from([b'"', b",", b";", b"\n", b"9" * 30, b"1e400", b"NaN"]),
)


@settings(deadline=None)
@given(text=st.sampled_from([NEWEST, DAT, OLD]), damages=st.lists(DAMAGE, max_size=5))
def test_any_damage_leaves_a_chain_or_a_format_error_of_one_line(
    damaged_file: Path, text: str, damages: list[tuple[int, int, bytes]]
) -> None:
    data = bytearray(text.encode())
    for place, length, inserted in damages:
        at = place % (len(data) + 1)
        data[at : at + length] = inserted
    damaged_file.write_bytes(data)
    try:
        chain = read_cboe(damaged_file)
    except FileFormatError as error:
        message = str(error)
    else:
        message = ""
        assert len(chain.quotes) > 0
    assert "\n" not in message
