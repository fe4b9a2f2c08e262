from __future__ import annotations

import pytest

from live_box_spreads.model.errors import NotALoanError, UnknownRootError
from live_box_spreads.model.products import PRODUCTS, Style, loan_product, product


@pytest.mark.parametrize(
    ("root", "underlying", "settlement"),
    [
        ("SPX", "SPX", "AM"),
        ("SPXW", "SPX", "PM"),
        ("XSP", "XSP", "PM"),
        ("NDX", "NDX", "AM"),
        ("NDXP", "NDX", "PM"),
        ("RUT", "RUT", "AM"),
        ("RUTW", "RUT", "PM"),
        ("MRUT", "MRUT", "PM"),
        ("VIX", "VIX", "AM"),
        ("VIXW", "VIX", "AM"),
    ],
)
def test_loan_products(root: str, underlying: str, settlement: str) -> None:
    found = loan_product(root)
    assert (found.underlying, found.settlement, found.multiplier) == (underlying, settlement, 100)
    assert found.style is Style.EUROPEAN


@pytest.mark.parametrize("root", ["SPY", "QQQ", "IWM", "DIA", "OEX"])
def test_american_roots_are_known_and_refused(root: str) -> None:
    assert product(root).style is Style.AMERICAN
    with pytest.raises(NotALoanError, match=f"{root} options are American style"):
        loan_product(root)


def test_an_unknown_root_names_the_nearest() -> None:
    with pytest.raises(UnknownRootError, match="Did you mean 'SPXW'"):
        product("SPXWW")


def test_ticks_and_fees_step_at_their_thresholds() -> None:
    spx, xsp = PRODUCTS["SPX"], PRODUCTS["XSP"]
    assert (spx.ticks.at(2.95), spx.ticks.at(3.0)) == (0.05, 0.10)
    assert (xsp.index_fee.per_contract(9), xsp.index_fee.per_contract(10)) == (0.0, 0.07)
    assert spx.index_fee.per_contract(1) == 0.60
