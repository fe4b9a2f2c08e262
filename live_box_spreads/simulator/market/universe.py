"""The contracts that the simulated exchange lists, as columns."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING

import numpy as np

from live_box_spreads.model.contracts import Contract, Right, occ_symbol, streamer_symbol
from live_box_spreads.model.errors import UnknownRootError
from live_box_spreads.model.products import Product, product
from live_box_spreads.model.sessions import NEW_YORK
from live_box_spreads.model.settlement import expiry_instant, payment_date
from live_box_spreads.simulator.market.curve import DAYS_A_YEAR
from live_box_spreads.simulator.market.expiries import PATTERNS, is_standard, listed_expiries

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

    from numpy.typing import NDArray

SPACINGS: dict[str, tuple[float, ...]] = {
    "SPX": (5, 10, 25, 50, 100, 200),
    "XSP": (1, 2, 5, 10, 20, 40),
    "NDX": (25, 50, 200, 500, 1000, 2000),
}
"""Spacings of strikes by underlying, in index points, finest first."""

ALL_ROOTS = tuple(PATTERNS)
_THIN_STRIKES = 12
_THIN_REACH = 0.3
"""How far the strikes of a thin expiry are from the spot, as a fraction of it."""
_RIGHTS: tuple[Right, Right] = ("C", "P")


@dataclass(frozen=True, slots=True)
class Band:
    """Strikes at one spacing within a range around the spot.

    Attributes:
        grade: which of the product's spacings, 0 the finest.
        below: reach under the spot, as a fraction of it.
        above: reach over the spot, as a fraction of it.
    """

    grade: int
    below: float
    above: float


Ladder = tuple[Band, ...]


_WEEKLY: tuple[tuple[int, Ladder], ...] = (
    (10, (Band(0, 0.03, 0.025), Band(1, 0.05, 0.04), Band(2, 0.10, 0.07), Band(4, 0.30, 0.15))),
    (21, (Band(1, 0.04, 0.03), Band(2, 0.12, 0.08), Band(4, 0.35, 0.18))),
    (70, (Band(2, 0.12, 0.09), Band(3, 0.18, 0.12), Band(4, 0.45, 0.22))),
    (10_000, (Band(2, 0.10, 0.09), Band(3, 0.22, 0.16), Band(4, 0.60, 0.35))),
)
_STANDARD: tuple[tuple[int, Ladder], ...] = (
    (50, (Band(0, 0.05, 0.04), Band(1, 0.09, 0.06), Band(2, 0.20, 0.10), Band(4, 0.55, 0.30))),
    (120, (Band(1, 0.07, 0.06), Band(2, 0.20, 0.14), Band(3, 0.35, 0.22), Band(4, 0.70, 0.40))),
    (400, (Band(2, 0.14, 0.12), Band(3, 0.30, 0.22), Band(4, 0.80, 0.55))),
    (900, (Band(3, 0.15, 0.15), Band(4, 0.85, 0.60))),
    (10_000, (Band(4, 0.35, 0.35), Band(5, 0.85, 0.60))),
)
"""Ladders by the most days to expiry they serve; weekly expiries and third Fridays."""


def listed_strikes(
    underlying: str, spot: float, days: int, *, standard: bool
) -> NDArray[np.float64]:
    """Return the strikes listed for an expiry, ascending, in index points: denser near the spot.

    Args:
        underlying: ``SPX``, ``XSP`` or ``NDX``.
        spot: level of the underlying on the day of listing.
        days: days to expiry.
        standard: whether the expiry is a third Friday; those reach further and finer.
    """
    ladders = _STANDARD if standard else _WEEKLY
    ladder = next(bands for most_days, bands in ladders if days <= most_days)
    rungs = [_rungs(SPACINGS[underlying][band.grade], spot, band) for band in ladder]
    return np.unique(np.concatenate(rungs))


def _rungs(spacing: float, spot: float, band: Band) -> NDArray[np.float64]:
    first = np.ceil(spot * (1.0 - band.below) / spacing)
    last = np.floor(spot * (1.0 + band.above) / spacing)
    return np.arange(max(first, 1.0), last + 1.0) * spacing


@dataclass(frozen=True, slots=True)
class Series:
    """All contracts of one (root, expiry).

    Attributes:
        product: the root's product.
        expiry: expiration date.
        expires_at: instant from which the settlement value is known (UTC).
        payment_date: day on which the exercise amount is paid.
        standard: whether it is the month's third Friday.
        thin: whether it has a dozen strikes, quoted by hardly anybody.
        strikes: ascending, index points.
        start: number of the first contract; they go strike by strike, call before put.
    """

    product: Product
    expiry: date
    expires_at: datetime
    payment_date: date
    standard: bool
    thin: bool
    strikes: NDArray[np.float64]
    start: int

    @property
    def stop(self) -> int:
        """Number after the last contract's."""
        return self.start + 2 * len(self.strikes)


@dataclass(frozen=True, slots=True)
class Listing:
    """Every listed contract; the arrays have one entry a contract.

    Attributes:
        series: by root, then expiry.
        series_of: number of each contract's series.
        strike: index points.
        is_call: True for calls, False for puts.
        occ_symbols: OCC symbols.
        streamer_symbols: the same contracts' DXLink symbols.
    """

    series: tuple[Series, ...]
    series_of: NDArray[np.intp]
    strike: NDArray[np.float64]
    is_call: NDArray[np.bool_]
    occ_symbols: tuple[str, ...]
    streamer_symbols: tuple[str, ...]

    def __len__(self) -> int:
        """Return the number of contracts."""
        return len(self.strike)

    @property
    def underlyings(self) -> tuple[str, ...]:
        """Symbols of the indices that options are listed on, in order of listing."""
        return tuple(dict.fromkeys(series.product.underlying for series in self.series))


def thinned(strikes: NDArray[np.float64], spot: float) -> NDArray[np.float64]:
    """Return a dozen of an expiry's strikes, ascending, spread over the middle of its ladder."""
    inner = strikes[np.abs(strikes / spot - 1.0) <= _THIN_REACH]
    chosen = np.linspace(0, len(inner) - 1, min(_THIN_STRIKES, len(inner)))
    return inner[np.round(chosen).astype(np.intp)]


def build_listing(
    roots: tuple[str, ...],
    now: datetime,
    spot: Mapping[str, float],
    *,
    thin_from_years: float = inf,
) -> Listing:
    """List the contracts of these roots that have not expired.

    Args:
        roots: option roots out of ``ALL_ROOTS``.
        now: instant of the listing, with a time zone.
        spot: level of each underlying, around which strikes are listed.
        thin_from_years: expiries from this on have a dozen strikes.

    Raises:
        UnknownRootError: the simulator lists no such root.
    """
    series: list[Series] = []
    for root in roots:
        if root not in PATTERNS:
            known = ", ".join(ALL_ROOTS)
            raise UnknownRootError(f"the simulator lists no root {root!r}; choose from {known}")
        start = series[-1].stop if series else 0
        level = spot[product(root).underlying]
        series += _series_of_root(product(root), now, level, start, thin_from_years)
    return _columns(tuple(series))


def _series_of_root(
    item: Product, now: datetime, spot: float, start: int, thin_from_years: float
) -> list[Series]:
    today = now.astimezone(NEW_YORK).date()
    found: list[Series] = []
    for expiry in listed_expiries(PATTERNS[item.root], today):
        expires_at = expiry_instant(expiry, item.settlement)
        if expires_at <= now:
            continue
        standard = is_standard(expiry)
        days = (expiry - today).days
        strikes = listed_strikes(item.underlying, spot, days, standard=standard)
        thin = days >= thin_from_years * DAYS_A_YEAR
        if thin:
            strikes = thinned(strikes, spot)
        first = found[-1].stop if found else start
        paid = payment_date(expiry)
        found.append(Series(item, expiry, expires_at, paid, standard, thin, strikes, first))
    return found


def _columns(series: tuple[Series, ...]) -> Listing:
    sizes = [2 * len(item.strikes) for item in series]
    contracts = [
        Contract(item.product.root, item.expiry, right, float(strike))
        for item in series
        for strike in item.strikes
        for right in _RIGHTS
    ]
    return Listing(
        series=series,
        series_of=np.repeat(np.arange(len(series)), sizes),
        strike=np.array([contract.strike for contract in contracts]),
        is_call=np.array([contract.right == "C" for contract in contracts]),
        occ_symbols=tuple(occ_symbol(contract) for contract in contracts),
        streamer_symbols=tuple(streamer_symbol(contract) for contract in contracts),
    )
