"""Lines of expiries drawn at random, from the model of the joint fit or around a known curve."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from live_box_spreads.books.curves.joint_model import (
    CENTRE,
    JointModel,
    Lines,
    Scales,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

YEARS: Final = np.array([4, 6, 11, 18, 25, 39, 60, 88, 130, 180, 270, 370, 550, 740]) / 365


def lines_of(draw: np.random.Generator, years: Floats, roots: tuple[int, ...] = ()) -> Lines:
    """Return lines without any message: their covariances are drawn, their values are nothing.

    Args:
        draw: source of the covariances.
        years: (n,) times of the expiries.
        roots: how many expiries each root has; all are of one if not given.
    """
    count = years.size
    deviation = np.stack(
        [draw.uniform(0.2, 2.0, count) * 1e-4, draw.uniform(0.03, 0.3, count)], axis=1
    )
    alike = draw.uniform(-0.9, 0.9, count)
    covariance = deviation[:, :, None] * deviation[:, None, :]
    covariance[:, 0, 1] *= alike
    covariance[:, 1, 0] *= alike
    sizes = roots or (count,)
    return Lines(
        years=years,
        log_growth=0.03 * years,
        kink=np.zeros(count),
        covariance=covariance,
        relative_spread=draw.uniform(0.0005, 0.002, count),
        root=np.repeat(np.arange(len(sizes)), sizes),
        inflation=np.ones(count),
    )


def quoted(
    draw: np.random.Generator, growth: Floats, lines: Lines, scales: Scales = CENTRE
) -> Lines:
    """Return the lines with values: the growth of a known curve, and all errors of the model."""
    model = JointModel.of(lines)
    count = growth.size
    # Everything but the curve itself, whose place the known growth takes.
    errors = model.covariance(scales)
    errors[:count, :count] -= model.prior + scales.bend**2 * model.bend
    drawn = np.linalg.cholesky(errors) @ draw.standard_normal(2 * count)
    return lines._replace(log_growth=growth + drawn[:count], kink=drawn[count:])
