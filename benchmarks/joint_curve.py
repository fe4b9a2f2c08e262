"""How fast a full chain has its joint curve: 60 expiries of 400 strikes, with kink and tilt.

Run by ``python -m benchmarks.joint_curve``; the rows are explained in ``benchmarks/README.md``.
"""

from __future__ import annotations

from dataclasses import replace
from statistics import median
from time import perf_counter, process_time
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtr

from benchmarks.curve import EXPIRIES, STRIKES, quoted_blocks
from benchmarks.timing import json_file, timed, write_json
from live_box_spreads.books.curves.joint_curve import RootLines
from live_box_spreads.books.curves.joint_fit import JointFit, joint_fit
from live_box_spreads.books.curves.kinked_fit import KinkedFits, kinked_fits, why_not
from live_box_spreads.books.curves.parity_fit import parity_fits
from live_box_spreads.books.kernels import KINKED, PARITY

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from live_box_spreads.books.curves.joint_model import Lines
    from live_box_spreads.books.strikes.blocks import StrikeBlocks

    Floats = NDArray[np.float64]

ROUNDS = 15
TARGET_WARM_SECS, TARGET_COLD_SECS = 30e-3, 300e-3
KINK_POINTS, TILT = 1.5, 8e-4
SPOT, VOLATILITY, RATE, CARRY = 6800.0, 0.18, 0.042, 0.028
YEARS = np.linspace(0.01, 5.0, EXPIRIES) ** 2 / 5.0 + 0.008
"""Denser in front, as a root's expiries are."""


def bent_blocks(moved: float = 0.0) -> tuple[StrikeBlocks, Floats]:
    """Quote the strikes of ``benchmarks/curve.py`` with Black's prices, kink and tilt.

    Args:
        moved: by how much the kink has grown since, points: the next snapshot.

    Returns:
        The strikes, and the true zero rates.
    """
    blocks, _ = quoted_blocks()
    strike = blocks.strike
    years, discount, forward = (
        np.repeat(each, STRIKES)
        for each in (YEARS, np.exp(-RATE * YEARS - _tilt()), SPOT * np.exp(CARRY * YEARS))
    )
    total = VOLATILITY * np.sqrt(years)
    above = ndtr(np.log(forward / strike) / total - 0.5 * total)
    call = discount * (forward * ndtr(np.log(forward / strike) / total + 0.5 * total))
    call -= discount * strike * above
    mid = discount * (forward - strike) + (KINK_POINTS + moved) * (2 * above - 1) ** 2
    # The noise, spreads and gaps of the other benchmark, around this mid.
    half_spread = 0.5 * (blocks.syn_ask - blocks.syn_bid)
    noise = 0.06 * half_spread * np.random.default_rng(1).standard_normal(strike.size)
    in_the_money = np.where(strike < forward, 1.0, 0.0) * (mid - discount * (forward - strike))
    bent = replace(
        blocks,
        syn_bid=mid + noise - half_spread,
        syn_ask=mid + noise + half_spread,
        call_mid=call + in_the_money,
        put_mid=call + in_the_money - mid,
    )
    return bent, np.full(EXPIRIES, RATE)


def _tilt() -> Floats:
    fading: Floats = TILT / (1.0 + YEARS / 0.15)
    return fading


def seen(blocks: StrikeBlocks, fits: KinkedFits) -> Lines:
    """Return the lines as the joint fit sees them."""
    reasons = tuple(why_not(fits, YEARS, SPOT))
    # Only the strikes' own dates are asked of ``strikes``, and here they are not.
    lines = RootLines(None, YEARS, fits, reasons, SPOT / 5000.0)  # type: ignore[arg-type]
    assert len(lines.part) == len(blocks)
    return lines.seen(0)


def main() -> None:
    """Check the fit against the truth, time each part many times, print medians."""
    file = json_file()
    before, _ = bent_blocks()
    blocks, true = bent_blocks(moved=0.2)
    earlier = joint_fit(seen(before, kinked_fits(before, YEARS)))
    last = [peak.scales for peak in earlier.peaks]
    plain = kinked_fits(blocks, YEARS)
    lines = seen(blocks, plain)
    check(joint_fit(lines, last), joint_fit(lines), true)
    seconds = {
        "lines, numpy and LAPACK": timed(lambda: kinked_fits(blocks, YEARS), 3, process_time)
    }
    began = perf_counter()
    KINKED.load()
    PARITY.load()
    print(f"loading the kernels: {perf_counter() - began:.1f} s")
    compiled = kinked_fits(blocks, YEARS)
    np.testing.assert_allclose(compiled.discount, plain.discount, rtol=1e-8)
    ways = {
        "lines, kernel": lambda: kinked_fits(blocks, YEARS),
        "joint fit, cold": lambda: joint_fit(lines),
        "joint fit, warm": lambda: joint_fit(lines, last),
        "lines and fit, cold": lambda: joint_fit(seen(blocks, kinked_fits(blocks, YEARS))),
        "lines and fit, warm": lambda: joint_fit(seen(blocks, kinked_fits(blocks, YEARS)), last),
        "each expiry by itself, kernel": lambda: parity_fits(blocks),
    }
    seconds |= {name: timed(way, ROUNDS, process_time) for name, way in ways.items()}
    report(seconds)
    write_json(file, "joint_curve", seconds)


def check(warm: JointFit, cold: JointFit, true: Floats) -> None:
    """Compare the rates with the truth and with each other."""
    rates, covariance = cold.at(YEARS)
    assert np.all(np.abs(rates - true) < 3 * np.sqrt(np.diag(covariance)))
    apart = np.max(np.abs(warm.at(YEARS)[0] - rates))
    print(f"warm start: rates within {apart * 1e4:.3f} bp of those of a cold one")


def report(seconds: dict[str, list[float]]) -> None:
    """Print milliseconds of CPU time, and whether the targets are met."""
    print(f"\n{EXPIRIES} expiries x {STRIKES} strikes, kink and tilt; CPU time")
    print(f"{'part':<32}{'ms, median':>12}{'least':>10}")
    for name, taken in seconds.items():
        print(f"{name:<32}{median(taken) * 1e3:>12,.1f}{min(taken) * 1e3:>10,.1f}")
    for name, target in (("warm", TARGET_WARM_SECS), ("cold", TARGET_COLD_SECS)):
        typical = median(seconds[f"lines and fit, {name}"])
        met = "met" if typical <= target else "not met"
        print(f"target {target * 1e3:g} ms {name}: {met} ({typical * 1e3:.1f} ms)")


if __name__ == "__main__":
    main()
