"""One listed option, and its two names: the OCC symbol and the DXLink streamer symbol.

OCC (Options Symbology Initiative, 2010): the root padded to six characters, the date as yymmdd, C
or P, and the strike times 1000 on eight digits. Streamer: a dot, then the same without padding
and with the strike as a plain number.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from math import isclose
from typing import TYPE_CHECKING, Literal, cast

from live_box_spreads.model.errors import ModelError

if TYPE_CHECKING:
    from re import Pattern

Right = Literal["C", "P"]

_ROOT = re.compile(r"[A-Z][A-Z0-9]{0,5}")
_OCC = re.compile(r"(?=.{21}$)([A-Z][A-Z0-9]{0,5}) *(\d{6})([CP])(\d{8})")
_STREAMER = re.compile(r"\.([A-Z][A-Z0-9]{0,5})(\d{6})([CP])(\d+(?:\.\d+)?)")
_CENTURY = 2000
_MAX_THOUSANDTHS = 99_999_999


@dataclass(frozen=True, slots=True)
class Contract:
    """One listed option.

    Attributes:
        root: option root of one to six characters, such as ``SPXW``.
        expiry: expiration date, in this century (the symbols hold two digits of the year).
        right: ``C`` for a call, ``P`` for a put.
        strike: index points; thousandths at the finest.
    """

    root: str
    expiry: date
    right: Right
    strike: float

    def __post_init__(self) -> None:
        """Refuse what no symbol can hold."""
        if not _ROOT.fullmatch(self.root):
            raise ModelError(f"option root {self.root!r} is not one to six capitals and digits")
        if self.expiry.year // 100 != _CENTURY // 100:
            raise ModelError(f"expiry {self.expiry} is not in the years 2000 to 2099")
        if self.right not in {"C", "P"}:
            raise ModelError(f"right {self.right!r} is neither 'C' (call) nor 'P' (put)")
        if not 0 < self.strike <= _MAX_THOUSANDTHS / 1000:
            raise ModelError(f"strike {self.strike} is not between 0.001 and 99999.999")
        if not isclose(self.strike * 1000, _thousandths(self), rel_tol=0, abs_tol=1e-6):
            raise ModelError(f"strike {self.strike} is finer than a thousandth")


def parse_occ(symbol: str) -> Contract:
    """Read an OCC symbol, such as ``SPXW  261218C06900000``.

    Raises:
        ModelError: it is not one.
    """
    root, day, right, strike = _groups(_OCC, symbol, "OCC symbol", "SPXW  261218C06900000")
    return Contract(root, _date(day, symbol), cast("Right", right), int(strike) / 1000)


def occ_symbol(contract: Contract) -> str:
    """Return the OCC symbol, 21 characters."""
    day = contract.expiry.strftime("%y%m%d")
    return f"{contract.root:<6}{day}{contract.right}{_thousandths(contract):08d}"


def parse_streamer(symbol: str) -> Contract:
    """Read a streamer symbol, such as ``.SPXW261218C6900``.

    Raises:
        ModelError: it is not one.
    """
    root, day, right, strike = _groups(_STREAMER, symbol, "streamer symbol", ".SPXW261218C6900")
    return Contract(root, _date(day, symbol), cast("Right", right), float(strike))


def streamer_symbol(contract: Contract) -> str:
    """Return the streamer symbol; its strike has no trailing zeros (``.XSP261218C690.5``)."""
    day = contract.expiry.strftime("%y%m%d")
    strike = f"{contract.strike:.3f}".rstrip("0").rstrip(".")
    return f".{contract.root}{day}{contract.right}{strike}"


def _groups(pattern: Pattern[str], symbol: str, kind: str, example: str) -> tuple[str, ...]:
    match = pattern.fullmatch(symbol)
    if match is None:
        raise ModelError(f"{symbol!r} is no {kind}; one looks like {example!r}")
    return match.groups()


def _date(day: str, symbol: str) -> date:
    try:
        return date(_CENTURY + int(day[:2]), int(day[2:4]), int(day[4:]))
    except ValueError:
        raise ModelError(f"{symbol!r} has no such date: {day} (yymmdd)") from None


def _thousandths(contract: Contract) -> int:
    return round(contract.strike * 1000)
