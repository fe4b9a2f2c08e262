from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from live_box_spreads.model.contracts import (
    Contract,
    Right,
    occ_symbol,
    parse_occ,
    parse_streamer,
    streamer_symbol,
)
from live_box_spreads.model.errors import ModelError

SPXW = Contract("SPXW", date(2026, 12, 18), "C", 6900.0)
XSP = Contract("XSP", date(2026, 12, 18), "P", 690.5)


@pytest.mark.parametrize(
    ("contract", "occ", "streamer"),
    [
        (SPXW, "SPXW  261218C06900000", ".SPXW261218C6900"),
        (XSP, "XSP   261218P00690500", ".XSP261218P690.5"),
        (Contract("SPX1", date(2030, 1, 2), "C", 0.001), "SPX1  300102C00000001", None),
    ],
)
def test_both_symbols_are_written_and_read(
    contract: Contract, occ: str, streamer: str | None
) -> None:
    assert occ_symbol(contract) == occ
    assert parse_occ(occ) == contract
    if streamer is not None:
        assert streamer_symbol(contract) == streamer
        assert parse_streamer(streamer) == contract


@given(
    st.from_regex(r"[A-Z][A-Z0-9]{0,5}", fullmatch=True),
    st.dates(date(2000, 1, 1), date(2099, 12, 31)),
    st.sampled_from(["C", "P"]),
    st.integers(1, 99_999_999),
)
def test_every_contract_survives_both_symbols(
    root: str, expiry: date, right: Right, thousandths: int
) -> None:
    contract = Contract(root, expiry, right, thousandths / 1000)
    assert parse_occ(occ_symbol(contract)) == contract
    assert parse_streamer(streamer_symbol(contract)) == contract
    assert len(occ_symbol(contract)) == 21


@pytest.mark.parametrize(
    "symbol",
    [
        "",
        "SPXW261218C06900000",
        "SPXW  261218X06900000",
        "spxw  261218C06900000",
        ".SPXW261218C6900",
    ],
)
def test_what_is_no_occ_symbol_is_refused(symbol: str) -> None:
    with pytest.raises(ModelError, match="is no OCC symbol; one looks like"):
        parse_occ(symbol)


@pytest.mark.parametrize("symbol", ["SPXW261218C6900", ".SPXW261218C", ".SPXW1218C6900", ""])
def test_what_is_no_streamer_symbol_is_refused(symbol: str) -> None:
    with pytest.raises(ModelError, match="is no streamer symbol"):
        parse_streamer(symbol)


def test_a_date_that_is_not_in_the_calendar_is_refused() -> None:
    with pytest.raises(ModelError, match="no such date: 260231"):
        parse_occ("SPXW  260231C06900000")


@pytest.mark.parametrize("strike", [0.0, -5.0, float("nan"), 100_000.0, 1.0005])
def test_a_strike_that_no_symbol_can_hold_is_refused(strike: float) -> None:
    with pytest.raises(ModelError, match="strike"):
        Contract("SPX", date(2026, 12, 18), "C", strike)
