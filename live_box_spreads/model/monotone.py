"""Monotone cubic interpolation: smooth between points, and never beyond them.

Fritsch and Butland's slopes (Brodlie's weights), as in "A method for constructing local monotone
piecewise cubic interpolants", SIAM J. Sci. Stat. Comput. 5 (1984), with the one-sided three-point
slope at the ends, cut where it would overshoot.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from live_box_spreads.model.errors import ModelError

if TYPE_CHECKING:
    from numpy.typing import NDArray

_FEWEST = 2


@dataclass(frozen=True, slots=True, eq=False)
class MonotoneCubic:
    """A curve through points: where they rise it rises, where they fall it falls.

    Attributes:
        x: (n,) positions, strictly ascending; at least two.
        y: (n,) values there, finite.
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    _slopes: NDArray[np.float64] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Refuse points that make no curve; find the slope at each.

        Raises:
            ModelError: fewer than two points, positions that do not ascend, or a value that is
                not finite.
        """
        if len(self.x) != len(self.y) or len(self.x) < _FEWEST:
            raise ModelError(
                f"{len(self.x)} positions and {len(self.y)} values make no curve; give as many of "
                f"each, at least {_FEWEST}"
            )
        if not (np.isfinite(self.y).all() and (np.diff(self.x) > 0).all()):
            raise ModelError(
                "points of a curve should have ascending positions and finite values, they are "
                f"{list(zip(self.x.tolist(), self.y.tolist(), strict=True))}"
            )
        object.__setattr__(self, "_slopes", _slopes(self.x, self.y))

    def __call__(self, at: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the values at these positions, any shape; NaN outside the points."""
        left = np.clip(np.searchsorted(self.x, at, side="right") - 1, 0, len(self.x) - 2)
        step = self.x[left + 1] - self.x[left]
        t = (at - self.x[left]) / step
        value = (
            self.y[left] * (1 + 2 * t) * (1 - t) ** 2
            + self.y[left + 1] * t**2 * (3 - 2 * t)
            + step
            * (self._slopes[left] * t * (1 - t) ** 2 - self._slopes[left + 1] * t**2 * (1 - t))
        )
        return np.where((at >= self.x[0]) & (at <= self.x[-1]), value, np.nan)


def _slopes(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    step = np.diff(x)
    secant = np.diff(y) / step
    if len(x) == _FEWEST:
        return np.repeat(secant, 2)
    slopes = np.zeros(len(x))
    before, after = secant[:-1], secant[1:]
    same_way = before * after > 0  # elsewhere a peak, a trough or a plateau: level
    near_left, near_right = 2 * step[1:] + step[:-1], step[1:] + 2 * step[:-1]
    slopes[1:-1][same_way] = (near_left + near_right)[same_way] / (
        near_left[same_way] / before[same_way] + near_right[same_way] / after[same_way]
    )
    slopes[0] = _end_slope(step[0], step[1], secant[0], secant[1])
    slopes[-1] = _end_slope(step[-1], step[-2], secant[-1], secant[-2])
    return slopes


def _end_slope(step: float, next_step: float, secant: float, next_secant: float) -> float:
    slope = ((2 * step + next_step) * secant - step * next_secant) / (step + next_step)
    if slope * secant <= 0:
        return 0.0
    if secant * next_secant <= 0 and abs(slope) > 3 * abs(secant):
        return 3 * secant
    return slope
