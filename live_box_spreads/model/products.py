"""The option roots of this project: style, settlement, multiplier, ticks, fees.

Sources: Cboe and Nasdaq contract specifications for style, settlement and ticks; fees per
contract as in the broker's schedule dated 2026-07-30 (re-check with a dry run before an order).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from live_box_spreads.model.errors import NotALoanError, UnknownRootError, did_you_mean

Settlement = Literal["AM", "PM"]


class Style(StrEnum):
    """Exercise style."""

    EUROPEAN = "European"
    AMERICAN = "American"


@dataclass(frozen=True, slots=True)
class TickSchedule:
    """Smallest price steps of an option, in index points.

    Attributes:
        below: step of prices under the threshold.
        above: step of prices from the threshold on.
        threshold: the price at which the step changes.
    """

    below: float
    above: float
    threshold: float = 3.0

    def at(self, price: float) -> float:
        """Return the price step, in index points, that applies at this price."""
        return self.below if price < self.threshold else self.above


@dataclass(frozen=True, slots=True)
class IndexFee:
    """The exchange's fee on an index option, in dollars a contract.

    Attributes:
        small: fee for legs of fewer contracts than ``large_from``.
        large: fee from ``large_from`` contracts on.
        large_from: number of contracts a leg from which ``large`` applies.
    """

    small: float = 0.0
    large: float = 0.0
    large_from: int = 10

    def per_contract(self, contracts: int) -> float:
        """Return the fee in dollars a contract, for a leg of this many contracts."""
        return self.large if contracts >= self.large_from else self.small


@dataclass(frozen=True, slots=True)
class UsualBox:
    """What most boxes look like, and what finds the other side soonest; index points.

    Of the 236 SPX boxes printed on 2024-09-20, 92 % have both strikes on round hundreds, and 73 % a
    width of whole thousands too. Smaller indexes in proportion.

    Attributes:
        strike: both strikes are multiples of this.
        width: so is the width of this.
    """

    strike: float = 100.0
    width: float = 1000.0


@dataclass(frozen=True, slots=True)
class Product:
    """One option root.

    Attributes:
        root: option root, such as ``SPXW``. (root, expiry) is the key of everything.
        underlying: symbol of the index or share, such as ``SPX``.
        name: what a person calls it.
        style: European makes a box a loan; American does not.
        settlement: ``AM`` (opening prices) or ``PM`` (closing prices).
        multiplier: dollars for one index point.
        ticks: price steps.
        index_fee: the exchange's own fee.
        usual: what most boxes on it look like.
    """

    root: str
    underlying: str
    name: str
    style: Style
    settlement: Settlement
    multiplier: int = 100
    ticks: TickSchedule = TickSchedule(0.05, 0.10)
    index_fee: IndexFee = IndexFee()
    usual: UsualBox = UsualBox()


_NICKEL_DIME = TickSchedule(0.05, 0.10)
_PENNY = TickSchedule(0.01, 0.01)
_PENNY_NICKEL = TickSchedule(0.01, 0.05)

_SPX_FEE = IndexFee(0.60, 0.60)
_XSP_FEE = IndexFee(0.00, 0.07)
_NDX_FEE = IndexFee(0.25, 0.25)
_RUT_FEE = IndexFee(0.18, 0.18)
_VIX_FEE = IndexFee(0.35, 0.35)

_TENTH = UsualBox(10.0, 100.0)
_VIX_USUAL = UsualBox(5.0, 10.0)


def _european(
    root: str,
    underlying: str,
    name: str,
    settlement: Settlement,
    ticks: TickSchedule,
    fee: IndexFee,
    usual: UsualBox = UsualBox(),
) -> Product:
    return Product(root, underlying, name, Style.EUROPEAN, settlement, 100, ticks, fee, usual)


def _american(root: str, name: str) -> Product:
    return Product(root, root, name, Style.AMERICAN, "PM", 100, _PENNY)


_S_AND_P = "S&P 500"
_ALL = (
    _european("SPX", "SPX", f"{_S_AND_P}, AM-settled", "AM", _NICKEL_DIME, _SPX_FEE),
    _european("SPXW", "SPX", f"{_S_AND_P}, PM-settled", "PM", _NICKEL_DIME, _SPX_FEE),
    _european("SPXPM", "SPX", f"{_S_AND_P}, PM-settled (until 2017)", "PM", _NICKEL_DIME, _SPX_FEE),
    _european("SPXQ", "SPX", f"{_S_AND_P} quarterly (until 2017)", "PM", _NICKEL_DIME, _SPX_FEE),
    _european("XSP", "XSP", f"Mini-{_S_AND_P}", "PM", _PENNY, _XSP_FEE, _TENTH),
    _european("NDX", "NDX", "Nasdaq-100, AM-settled", "AM", _NICKEL_DIME, _NDX_FEE),
    _european("NDXP", "NDX", "Nasdaq-100, PM-settled", "PM", _NICKEL_DIME, _NDX_FEE),
    _european("RUT", "RUT", "Russell 2000, AM-settled", "AM", _NICKEL_DIME, _RUT_FEE),
    _european("RUTW", "RUT", "Russell 2000, PM-settled", "PM", _NICKEL_DIME, _RUT_FEE),
    _european("MRUT", "MRUT", "Mini-Russell 2000", "PM", _PENNY, IndexFee(), _TENTH),
    _european("DJX", "DJX", "Dow Jones / 100", "AM", _PENNY_NICKEL, IndexFee(), _TENTH),
    _european(
        "VIX", "VIX", "Cboe Volatility Index, monthly", "AM", _PENNY_NICKEL, _VIX_FEE, _VIX_USUAL
    ),
    _european(
        "VIXW", "VIX", "Cboe Volatility Index, weekly", "AM", _PENNY_NICKEL, _VIX_FEE, _VIX_USUAL
    ),
    _american("SPY", "SPDR S&P 500 ETF"),
    _american("QQQ", "Invesco QQQ ETF"),
    _american("IWM", "iShares Russell 2000 ETF"),
    _american("DIA", "SPDR Dow Jones ETF"),
    _american("OEX", "S&P 100"),
)
PRODUCTS: dict[str, Product] = {item.root: item for item in _ALL}


def product(root: str) -> Product:
    """Return the product of an option root.

    Args:
        root: option root in capitals, such as ``"SPXW"``.

    Raises:
        UnknownRootError: the registry has no such root.
    """
    try:
        return PRODUCTS[root]
    except KeyError:
        hint = did_you_mean(root, PRODUCTS)
        known = ", ".join(r for r, p in PRODUCTS.items() if p.style is Style.EUROPEAN)
        raise UnknownRootError(f"unknown option root {root!r}; known: {known}.{hint}") from None


def is_loan(root: str) -> bool:
    """Return whether a box on this option root is a loan: the root is known and European."""
    return root in PRODUCTS and PRODUCTS[root].style is Style.EUROPEAN


def loan_product(root: str) -> Product:
    """Return the product of a root on which a box is a loan.

    Raises:
        UnknownRootError: the registry has no such root.
        NotALoanError: the root is American style.
    """
    found = product(root)
    if found.style is Style.AMERICAN:
        raise NotALoanError(
            f"{root} options are American style: a box there can be assigned early and is no "
            "loan; choose a European index root such as SPX or XSP"
        )
    return found
