"""The fair discount factor and forward of every expiry by itself, from all its strikes at once.

``parity_line.py`` (numpy and LAPACK) and the kernel ``kernels/parity.py``, some ten times as fast,
give the same numbers, but for the last digits.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from itertools import chain, pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from live_box_spreads.books.curves.error_models import PROXIES, TABLE
from live_box_spreads.books.curves.parity_line import FEWEST_STRIKES, fit_line
from live_box_spreads.books.kernels import PARITY

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from numpy.typing import NDArray

    from live_box_spreads.books.strikes.blocks import StrikeBlocks

    Floats = NDArray[np.float64]
    Indices = NDArray[np.intp]

LARGEST_ERROR = 0.01
"""A discount factor whose standard error is beyond 1 % is none."""


@dataclass(frozen=True, slots=True)
class ParityFits:
    """The discount factor and forward of each (root, expiry); (n,) arrays.

    Attributes:
        keys: (root, expiry) of each of the n blocks.
        discount: discount factor; NaN where ``reasons`` says why.
        forward: index points; NaN likewise.
        std_error: standard error of the discount factor; NaN likewise.
        strikes_used: strikes that the line rests on.
        one_sided: strikes left out because a synthetic forward cannot be bought and sold there:
            a side of a leg is missing, or the quality rules exclude a leg.
        crossed: strikes left out because the synthetic forward is bid above its ask.
        off_line: strikes left out because their mid is far off the line.
        reasons: why there is no number; empty where there is one.
    """

    keys: tuple[tuple[str, date], ...]
    discount: Floats
    forward: Floats
    std_error: Floats
    strikes_used: Indices
    one_sided: Indices
    crossed: Indices
    off_line: Indices
    reasons: tuple[str, ...]

    def rejected(self, block: int) -> Mapping[str, int]:
        """Return the strikes of a block that were left out, by reason; absent ones are not there.

        Those that the quality rules excluded are among the one-sided.
        """
        counts = {
            "synthetic forward has one side or none": int(self.one_sided[block]),
            "synthetic forward is crossed": int(self.crossed[block]),
            "mid is off the parity line": int(self.off_line[block]),
        }
        return {reason: strikes for reason, strikes in counts.items() if strikes}


def joined_fits(parts: Sequence[ParityFits]) -> ParityFits:
    """Return the fits of several roots, one after another."""
    joined: dict[str, Any] = {}
    for field in fields(ParityFits):
        columns = [getattr(part, field.name) for part in parts]
        if field.name in {"keys", "reasons"}:
            joined[field.name] = tuple(chain(*columns))
        else:
            joined[field.name] = np.concatenate([np.empty(0, dtype=np.intp), *columns])
    return ParityFits(**joined)


def parity_fits(blocks: StrikeBlocks) -> ParityFits:
    """Fit ``syn(K) = D·(F - K)`` to the mids of each block.

    The fit is weighted by the half-spreads, resists bad quotes, and knows that neighbouring strikes
    err together; the standard error takes it into account. See ``error_models.py``.

    Args:
        blocks: strikes; the quality rules have already closed sides there.
    """
    usable = blocks.usable
    lines, used, off_line = _lines(
        blocks.places(usable),
        blocks.strike[usable],
        0.5 * (blocks.syn_bid + blocks.syn_ask)[usable],
        0.5 * (blocks.syn_ask - blocks.syn_bid)[usable],
    )
    discount, level, std_error = lines.T
    reasons = tuple(map(_why_none, discount, std_error, used, off_line))
    known = np.array([not reason for reason in reasons], dtype=np.bool_)
    return ParityFits(
        keys=blocks.keys,
        discount=np.where(known, discount, np.nan),
        forward=np.divide(level, discount, where=known, out=np.full(known.size, np.nan)),
        std_error=np.where(known, std_error, np.nan),
        strikes_used=used,
        one_sided=blocks.counts(blocks.one_sided),
        crossed=blocks.counts(blocks.crossed),
        off_line=off_line,
        reasons=reasons,
    )


def _lines(
    starts: Indices, strike: Floats, mid: Floats, half_spread: Floats
) -> tuple[Floats, Indices, Indices]:
    """Return (n, 3) discount, level and standard error, and strikes used and off line, (n,)."""
    blocks = starts.size - 1
    lines = np.full((blocks, 3), np.nan)
    used, off_line = np.zeros((2, blocks), dtype=np.intp)
    if (kernel := PARITY.code) is not None:
        quotes = strike, mid, half_spread
        kernel.fill(starts, quotes, (TABLE, PROXIES), lines, used, off_line)
        return lines, used, off_line
    for block, (a, b) in enumerate(pairwise(starts)):
        line = fit_line(strike[a:b], mid[a:b], half_spread[a:b])
        lines[block] = line.discount, line.level, line.std_error
        used[block], off_line[block] = line.used, line.off_line
    return lines, used, off_line


def _why_none(discount: float, std_error: float, used: int, off_line: int) -> str:
    """Return why a line gives no number; empty if it does."""
    if np.isnan(discount):
        near = f"; {off_line} more are off it" if off_line else ""
        return f"{used} two-sided strikes; a parity line needs {FEWEST_STRIKES}{near}"
    if not discount > 0.0:
        return f"the parity line has discount factor {discount:.4f}, which no loan has"
    if not std_error <= LARGEST_ERROR * discount:
        return f"the discount factor is known only to ±{100 * std_error / discount:.1f} %"
    return ""
