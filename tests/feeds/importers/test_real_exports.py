"""Every real Cboe export: counts by a plain scan for symbols, times from the data's own notes."""

from __future__ import annotations

import csv
import gzip
import re
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from live_box_spreads.feeds.importers import read_cboe
from tests.real_data import DATA, NO_DATA

CHAINS = DATA / "chains"
pytestmark = [
    pytest.mark.realdata,
    pytest.mark.skipif(not CHAINS.is_dir(), reason=NO_DATA),
]
NEW_YORK = ZoneInfo("America/New_York")
SYMBOL = re.compile(r"\b(SPX|SPXW|SPXPM|XSP|NDX|NDXP)(\d{4,6})[A-X]\d+")

FILES = [  # name, contracts, expiration dates, quotes of (New York), spot
    ("spx_20110124_1403_cboe.csv.gz", 1920, 16, (2011, 1, 24, 13, 48), {"SPX": 1290.59}),
    ("spx_20181015_2000_cboe.csv.gz", 14342, 35, (2018, 10, 15, 16, 15), {"SPX": 2750.79}),
    (
        "spx_20200320_dl20200322_1824_cboe.dat.gz",
        19000,
        37,
        (2020, 3, 20, 16, 15),
        {"SPX": 2304.92},
    ),
    ("spx_20220712_1155_cboe.csv.gz", 19378, 47, (2022, 7, 12, 11, 40), {"SPX": 3856.28}),
    ("spx_20230914_1631_cboe.csv.gz", 19920, 53, (2023, 9, 14, 16, 15), {"SPX": 4505.1001}),
    ("xsp_20230914_1630_cboe.csv.gz", 10882, 51, (2023, 9, 14, 16, 15), {"XSP": 450.51}),
    ("ndx_20240322_2140_cboe.csv.gz", 21004, 45, (2024, 3, 22, 16, 15), {"NDX": 18339.4434}),
    (
        "spx_20250829_dl20250831_2233GTH_cboe.csv.gz",
        23254,
        52,
        (2025, 8, 29, 16, 15),
        {"SPX": 6460.2598},
    ),
    ("spx_20250904_1430intraday_cboe.csv.gz", 24040, 54, (2025, 9, 4, 14, 15), {"SPX": 6485.6401}),
    (
        "spx_20260731_dl20260803_0522_cboe.csv.gz",
        28912,
        55,
        (2026, 7, 31, 16, 15),
        {"SPX": 7489.7202},
    ),
]


@pytest.mark.parametrize(("name", "contracts", "days", "quoted", "spot"), FILES)
def test_real_export(
    name: str,
    contracts: int,
    days: int,
    quoted: tuple[int, int, int, int, int],
    spot: dict[str, float],
) -> None:
    chain = read_cboe(CHAINS / name)
    scanned = SYMBOL.findall(gzip.decompress((CHAINS / name).read_bytes()).decode())
    assert len(chain.quotes) == contracts == len(scanned)
    assert chain.quotes["expiry"].n_unique() == days
    assert chain.rejected == {}
    assert chain.snapshot_time == datetime(*quoted, tzinfo=NEW_YORK).astimezone(UTC)
    assert chain.spot == spot
    assert set(chain.roots) == {root for root, _ in scanned}


def test_every_quote_of_the_newest_file_is_where_it_belongs() -> None:
    path = CHAINS / "spx_20250904_1430intraday_cboe.csv.gz"
    expected = {}
    for row in csv.reader(gzip.decompress(path.read_bytes()).decode().splitlines()[4:]):
        day = datetime.strptime(row[0], "%a %b %d %Y").date()  # noqa: DTZ007 - a day, no instant
        for symbol, last, _, bid, ask, volume, *_, interest in (row[1:11], row[12:22]):
            key = (symbol[:-15], day, float(row[11]), symbol[-9])
            expected[key] = (*map(float, (bid, ask, last)), int(volume), int(interest))
    names = ["root", "expiry", "strike", "right"]
    quotes = read_cboe(path).quotes.select(*names, "bid", "ask", "last", "volume", "open_interest")
    assert {row[:4]: row[4:] for row in quotes.iter_rows()} == expected


def test_blank_bids_of_2018_are_quoted_zeros() -> None:
    path = CHAINS / "spx_20181015_2000_cboe.csv.gz"
    blanks = gzip.decompress(path.read_bytes()).decode().count(", ,")
    assert blanks > 0
    assert (read_cboe(path).quotes["bid"] == 0.0).sum() == blanks


def test_monthlies_of_2011_keep_their_saturday() -> None:
    chain = read_cboe(CHAINS / "spx_20110124_1403_cboe.csv.gz")
    assert date(2011, 3, 19) in chain.expiries("SPX")
    assert date(2011, 3, 18) not in chain.expiries("SPX")
