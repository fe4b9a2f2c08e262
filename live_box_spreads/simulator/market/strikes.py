"""Which strikes an exchange lists for an expiry: dense near the spot, sparse far from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


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

SPACINGS: dict[str, tuple[float, ...]] = {
    "SPX": (5, 10, 25, 50, 100, 200),
    "XSP": (1, 2, 5, 10, 20, 40),
    "NDX": (25, 50, 200, 500, 1000, 2000),
}
"""Spacings of strikes by underlying, in index points, finest first."""

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
    """Return the strikes listed for an expiry, ascending, in index points.

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
