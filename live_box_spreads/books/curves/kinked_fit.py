"""The kinked line of every expiry, and which of them can take part in a joint fit.

``kinked_line.py`` (numpy and LAPACK) and the kernel ``kernels/kinked.py`` give the same numbers,
but for the last digits.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import log
from typing import TYPE_CHECKING

import numpy as np

from live_box_spreads.books.curves.kinked_line import (
    FEWEST_STRIKES,
    KinkedLine,
    Quotes,
    fit_kinked_line,
)
from live_box_spreads.books.curves.parity_fit import LARGEST_ERROR
from live_box_spreads.books.curves.parity_line import NARROWEST
from live_box_spreads.books.kernels import KINKED

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from live_box_spreads.books.strikes.blocks import StrikeBlocks

    Floats = NDArray[np.float64]
    Indices = NDArray[np.intp]

_LARGEST_DISCOUNT = 1.1
_LEAST_RATE, _LARGEST_RATE, _LARGEST_SHIFT = -0.1, 0.5, 0.03
"""Of the growth over T years: no loan has less than -10 or more than 50 % a year and 3 % beside."""
_CARRY, _NEAR = 0.15, 0.03
"""A forward is within 3 %, and 15 % a year, of the others of its root and of the spot."""
_STEP_ERRORS, _STEP_SPREADS = 3.0, 0.5
"""Halves of the strikes contradict each other where the step between them is beyond so many
standard errors, and beyond so many half-spreads. Steps of real chains reach 7 standard errors, and
a fifth of the half-spread. A step raises its own standard error: the line is fitted without it, so
large ones have no more than 3 to 11."""
_SCATTER, _SCATTER_OF_ALL, _LEAST_SCATTER = 0.7, 0.4, 0.1
"""Quotes contradict each other where the mids of an expiry scatter by more half-spreads than the
first, or the median expiry of a root by more than the second, and by so many points. Real expiries
have 0.06, one in a thousand 0.54; a chain of which half is an hour old has about one. Rounding to
ticks of five cents alone scatters by 0.04 points, whatever the half-spread."""

_NO_LOAN = "which no loan has"


@dataclass(frozen=True, slots=True, eq=False)
class KinkedFits:
    """The kinked line of each of n blocks.

    Attributes:
        lines: (n, 13) the fields of ``KinkedLine``; NaN where there is no line.
        used: (n,) strikes that the line rests on.
        off_line: (n,) strikes left out because their mid is far off it.
    """

    lines: Floats
    used: Indices
    off_line: Indices

    def __getattr__(self, name: str) -> Floats:
        """Return a field of ``KinkedLine`` for all blocks, (n,)."""
        if name in KinkedLine._fields:
            return self.lines[:, KinkedLine._fields.index(name)]
        raise AttributeError(f"KinkedFits has no attribute {name!r}")

    def forward(self, discount: Floats, kink: Floats) -> Floats:
        """Return the forward of each block, given its discount factor and kink; index points."""
        above: Floats = (self.mean_mid - kink * self.mean_bend) / discount
        return above + self.mean_strike


def kinked_fits(blocks: StrikeBlocks, years: Floats) -> KinkedFits:
    """Fit the kinked line of each block.

    Args:
        blocks: strikes; the quality rules have already closed sides there.
        years: (n,) to each expiry.
    """
    usable = blocks.usable
    starts = blocks.places(usable)
    quotes = Quotes(
        blocks.strike[usable],
        0.5 * (blocks.syn_bid + blocks.syn_ask)[usable],
        0.5 * (blocks.syn_ask - blocks.syn_bid)[usable],
        blocks.call_mid[usable],
        blocks.put_mid[usable],
        *_lags(starts, blocks.call_age_secs[usable], blocks.put_age_secs[usable]),
    )
    count = len(blocks)
    lines = np.full((count, len(KinkedLine._fields)), np.nan)
    used, off_line = counts = np.zeros((2, count), dtype=np.intp)
    if (kernel := KINKED.code) is not None:
        kernel.fill(starts, tuple(quotes), np.nan_to_num(years), lines, counts)
        return KinkedFits(lines, used, off_line)
    for block, (a, b) in enumerate(pairwise(starts)):
        found = fit_kinked_line(quotes.of(slice(a, b)), float(np.nan_to_num(years[block])))
        lines[block], used[block], off_line[block] = found
    return KinkedFits(lines, used, off_line)


def _lags(starts: Indices, call_age_secs: Floats, put_age_secs: Floats) -> tuple[Floats, Floats]:
    """Return how much older each leg is than the newest of its block, in seconds; 0 unknown."""
    ages = np.stack([call_age_secs, put_age_secs])
    known = np.where(np.isnan(ages), np.inf, ages)
    newest = np.zeros(ages.shape[1])
    for a, b in pairwise(starts):
        newest[a:b] = np.nan_to_num(known[:, a:b].min(initial=np.inf), posinf=0.0)
    call, put = np.nan_to_num(known - newest, posinf=0.0)
    return call, put


def why_not(fits: KinkedFits, years: Floats, spot: float) -> list[str]:
    """Return why each line of one root can take no part in a joint fit; empty where it can.

    Args:
        fits: the lines of one root.
        years: (n,) from payment to payment; NaN where nothing is left.
        spot: last price of the index, points; NaN, or what is not positive, is unknown.
    """
    reasons = [_why_no_line(fits, block, float(years[block])) for block in range(len(fits.used))]
    forward = fits.forward(fits.discount, fits.kink)
    absurd = np.array([reason.endswith(_NO_LOAN) for reason in reasons], dtype=np.bool_)
    good = np.array([not reason for reason in reasons], dtype=np.bool_) & np.isfinite(years)
    lines = good | absurd
    scatter = fits.scatter / np.maximum(fits.half_spread, NARROWEST)
    everywhere = bool(np.any(good)) and float(np.median(scatter[good])) > _SCATTER_OF_ALL
    for block in np.flatnonzero(good):
        here, time = float(forward[block]), float(years[block])
        reasons[block] = (
            _why_no_step(fits, int(block))
            or _why_scattered(fits, int(block), everywhere=everywhere)
            or _why_far(here, spot, time, "the spot is")
        )
    good &= [not reason for reason in reasons]
    usual = float(np.median(forward[good])) if np.any(good) else np.nan
    middle = float(np.median(years[good])) if np.any(good) else np.nan
    for block in np.flatnonzero(good):
        here, away = float(forward[block]), abs(float(years[block]) - middle)
        reasons[block] = _why_far(here, usual, away, "the root's other expiries have")
    good &= [not reason for reason in reasons]
    # What half of a root's lines show, the others have too, if less clearly.
    if 2 * np.count_nonzero(lines & ~good) >= np.count_nonzero(lines):
        for block in np.flatnonzero(good):
            reasons[block] = "at least half of the root's expiries have quotes that cannot be"
    return reasons


def _why_no_line(fits: KinkedFits, block: int, years: float) -> str:
    discount, used = float(fits.discount[block]), int(fits.used[block])
    if np.isnan(discount):
        off_line = int(fits.off_line[block])
        if used >= FEWEST_STRIKES:
            return f"{used} two-sided strikes, which lie on no kinked line"
        near = f"; {off_line} more are off it" if off_line else ""
        return f"{used} two-sided strikes; a kinked line needs {FEWEST_STRIKES}{near}"
    error = float(np.sqrt(fits.discount_variance[block])) / abs(discount)
    if not error <= LARGEST_ERROR:
        return f"the discount factor is known only to ±{100 * error:.1f} %"
    if not 0.0 < discount < _LARGEST_DISCOUNT:
        return f"the parity line has discount factor {discount:.4f}, {_NO_LOAN}"
    least, largest = _LEAST_RATE * years - _LARGEST_SHIFT, _LARGEST_RATE * years + _LARGEST_SHIFT
    if not (np.isnan(years) or least <= -log(discount) <= largest):
        return f"discount factor {discount:.4f} for {round(365 * years)} days, {_NO_LOAN}"
    return ""


def _why_no_step(fits: KinkedFits, block: int) -> str:
    step = abs(float(fits.step[block]))
    beyond = max(
        _STEP_ERRORS * float(fits.step_error[block]), _STEP_SPREADS * float(fits.half_spread[block])
    )
    if step > beyond:
        return f"strikes below and above the forward contradict each other by {step:.2f} points"
    return ""


def _why_scattered(fits: KinkedFits, block: int, *, everywhere: bool) -> str:
    scatter, half_spread = float(fits.scatter[block]), float(fits.half_spread[block])
    allowed = max(_LEAST_SCATTER, 0.0 if everywhere else _SCATTER * half_spread)
    if scatter <= allowed:
        return ""
    where = "of most expiries, and of this one by" if everywhere else "by"
    return (
        f"quotes contradict each other: mids scatter around any line, {where} {scatter:.2f} points "
        f"at a half-spread of {half_spread:.2f}"
    )


def _why_far(forward: float, other: float, years: float, whose: str) -> str:
    """Return why a forward cannot be right beside another level of the index."""
    if not (forward > 0.0):
        return f"the forward would be {forward:,.2f}, which no index has"
    if not other > 0.0 or abs(log(forward / other)) <= _NEAR + _CARRY * years:
        return ""
    return f"the forward would be {forward:,.2f} where {whose} {other:,.2f}"
