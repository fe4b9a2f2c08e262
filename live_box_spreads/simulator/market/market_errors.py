"""How all quotes of a root err together: a kink across strikes, a tilt across expiries.

On real chains legs in the money are refreshed later than legs out of the money, so that their mids
lag. Seen through calls less puts, a whole root errs together, in two shapes:

- the *kink*: a V around the money, ``kappa * (2 delta - 1)**2``, with one ``kappa`` for all
  expiries of a root, but for a small part of each expiry's own;
- the *tilt*: an error of the discount factor, nearly the same for all short expiries of a root,
  that fades further out.

Both change over time as Ornstein-Uhlenbeck processes do. Each root has its own; those of two roots
on one index resemble each other, so that their agreement proves little. Whoever knows
the shapes may fit them, so they are not those of any fit: sizes vary, and the lag (``market.py``)
adds errors of a shape that follows from the path of the spot.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from live_box_spreads.simulator.market.conditions import INDEX_UNIT
from live_box_spreads.simulator.market.spots import INDICES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from live_box_spreads.simulator.market.conditions import Conditions
    from live_box_spreads.simulator.market.universe import Series

    Floats = NDArray[np.float64]

BP = 1e-4

_KINK_OWN_SHARE = 0.15
"""Standard deviation of the part of a kink that is one expiry's own, in those of the root's."""
_TILT_REACH = 0.35
"""Distance in square roots of years over which the correlation of the tilt falls to 1/e."""
_TILT_FADE_YEARS = 0.15
"""Where half of the tilt is left."""
_TILT_SPREAD = 0.8
"""Standard deviation of the logarithm of the tilt's size."""
_TILT_BOUNDS = (0.32, 4.8)
"""Least and most of that size, as multiples of the typical one: 0.8 and 12 bp for 2.5 bp."""
_HELD = 0.8
"""Most of a half-spread that a known lag may take: the maker quotes wide enough for the rest."""


@dataclass(frozen=True, slots=True)
class Amplitudes:
    """The errors of every series at an instant; arrays have one entry a series.

    Attributes:
        kink: points of the index for a leg all in the money.
        tilt: quoted discount factor less the true one, as a fraction.
    """

    kink: Floats
    tilt: Floats

    def of_legs(
        self,
        series: NDArray[np.intp],
        strike: Floats,
        forward: Floats,
        delta: Floats,
        is_call: NDArray[np.bool_],
    ) -> Floats:
        """Return how far the mids of some legs are off, in index points.

        A call less a put is off by ``kink * (2 delta - 1)**2 - tilt * (strike - forward)``, and
        the leg in the money carries all of it.

        Args:
            series: number of each leg's series.
            strike: index points.
            forward: index points.
            delta: to the forward; of a put below zero.
            is_call: True for calls.

        Returns:
            Index points, shapes alike; zero for legs at or out of the money.
        """
        call_delta = np.where(is_call, delta, delta + 1.0)
        bend = (2.0 * call_delta - 1.0) ** 2
        error = self.kink[series] * bend - self.tilt[series] * (strike - forward)
        carried = np.where(is_call, strike < forward, -1.0 * (strike > forward))
        legs: Floats = carried * error
        return legs


def holding(width: Floats, error: Floats) -> Floats:
    """Return half-spreads that keep the fair price between bid and ask, in index points.

    A maker who knows that he lags quotes wider: real quotes that are late offer no arbitrage.

    Args:
        width: half-spreads in index points.
        error: how far the mids are off, index points.
    """
    widths: Floats = np.maximum(width, np.abs(error) / _HELD)
    return widths


class MarketErrors:
    """The kinks and tilts of all roots, drawn afresh from moment to moment."""

    def __init__(
        self,
        series: Sequence[Series],
        years: Floats,
        one_maker: NDArray[np.bool_],
        conditions: Conditions,
        seed: int,
    ) -> None:
        """Draw the first errors.

        Args:
            series: what is listed.
            years: between premium and payment date of each series, at the opening.
            one_maker: whether one maker alone quotes each series.
            conditions: kind of day; where it has no such errors nothing is drawn.
            seed: of the market. These errors have a random source of their own, so that days
                without them do not depend on them.
        """
        self._conditions = conditions
        self._one_maker = one_maker
        products = [item.product for item in series]
        names, first, self._root_of = np.unique(
            [item.root for item in products], return_index=True, return_inverse=True
        )
        index_of_root = [products[number].underlying for number in first]
        alike = _alike(names, np.array(index_of_root), conditions.roots_share)
        of_series = alike[np.ix_(self._root_of, self._root_of)]
        levels = np.array([INDICES[item.underlying].level for item in products])
        self._per_kink_point = levels / INDEX_UNIT
        self.active = bool(
            conditions.kink_points or conditions.tilt_bps or conditions.one_maker_tilt_bps
        )
        self._random = np.random.default_rng([seed, 1])
        self._root_factor = _cholesky(alike)
        self._tilt_factor = _cholesky(of_series * _near(years))
        self._normals = self._draw() if self.active else np.zeros(self._count())

    def move(self, elapsed_secs: float) -> None:
        """Let some seconds pass."""
        if self.active:
            kept = float(np.exp(-elapsed_secs / self._conditions.correlation_secs))
            self._normals = kept * self._normals + np.sqrt(1.0 - kept**2) * self._draw()

    def at(self, years: Floats) -> Amplitudes:
        """Return the errors now.

        Args:
            years: between premium and payment date of each series, now.
        """
        day, series = self._conditions, len(self._root_of)
        of_root, of_series = np.split(self._normals, [2 * self._roots()])
        kink, size = of_root.reshape(2, -1)[:, self._root_of]
        kink_own, far, tilt = of_series.reshape(3, series)
        points = day.kink_points * (kink + _KINK_OWN_SHARE * kink_own)
        sizes = day.tilt_bps * BP * np.clip(np.exp(_TILT_SPREAD * size), *_TILT_BOUNDS)
        faded = sizes * tilt / (1.0 + years / _TILT_FADE_YEARS)
        of_one_maker = np.where(self._one_maker, day.one_maker_tilt_bps * BP * far, 0.0)
        return Amplitudes(points * self._per_kink_point, faded + of_one_maker)

    def _draw(self) -> Floats:
        """Return standard normals: two a root, then three a series of which the last hang together.

        They are the kink and the logarithm of the size of the tilt of each root; each series' own
        part of the kink, the error of its one maker, and its tilt in sizes.
        """
        normals = self._random.standard_normal(self._count())
        roots, series = self._roots(), len(self._root_of)
        for chosen in (slice(0, roots), slice(roots, 2 * roots)):
            normals[chosen] = self._root_factor @ normals[chosen]
        normals[-series:] = self._tilt_factor @ normals[-series:]
        return normals

    def _roots(self) -> int:
        return len(self._root_factor)

    def _count(self) -> int:
        return 2 * self._roots() + 3 * len(self._root_of)


def _alike(roots: NDArray[np.str_], index_of_root: NDArray[np.str_], share: float) -> Floats:
    """Return the correlation of the errors of roots: one with itself, ``share`` on one index."""
    same_index = index_of_root[:, None] == index_of_root[None, :]
    same_root = roots[:, None] == roots[None, :]
    return np.where(same_root, 1.0, np.where(same_index, share, 0.0))


def _near(years: Floats) -> Floats:
    """Return the correlation of tilts, which falls with the distance in square roots of years."""
    place = np.sqrt(np.maximum(years, 0.0))
    correlation: Floats = np.exp(-np.abs(place[:, None] - place[None, :]) / _TILT_REACH)
    return correlation


def _cholesky(correlation: Floats) -> Floats:
    """Return the factor that makes independent normals correlated."""
    # Two expiries that are paid on one day have one tilt; the factor needs a hair between them.
    hair = 1e-10 * np.eye(len(correlation))
    return np.linalg.cholesky(correlation + hair).astype(np.float64)
