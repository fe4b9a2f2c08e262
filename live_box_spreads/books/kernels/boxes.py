"""The box kernel in machine code. Importing this module imports numba, which takes seconds.

The twin of ``boxes/prices.numpy_prices``. Logarithm and exponential are written out as straight
arithmetic on float64 bits, so that the compiler turns each loop into vector instructions; a call
into the C library for each box would cost ten times as much.

Formulas: ``ln(p/w) = 2·artanh((p - w)/(p + w))`` (Abramowitz & Stegun 4.6.22), which is exact to
the last bits near par, where ``ln`` of a rounded quotient is not; range reduction by powers of two
and the Taylor series of artanh and of exp - 1, both cut where the next term is below 5e-16.
"""

from __future__ import annotations

from math import factorial, log
from typing import TYPE_CHECKING

import numpy as np

from live_box_spreads.books.kernels.jit import jit
from live_box_spreads.model.legs import LEAST_COST

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

PERIODIC, CONTINUOUS, SIMPLE = 0, 1, 2

# A float64 is sign (1 bit), exponent biased by 1023 (11), fraction (52); bits go by uint64.
_FRACTION_BITS = np.uint64(52)
_HALF_EXPONENT_BIAS = np.uint64(1022)  # one less than the bias: half of a power of two
# Added to a difference of bits: makes it positive, and the shift that follows round to nearest.
_SHIFT_BIAS = 1024
_ROUND_EXPONENT = np.uint64((_SHIFT_BIAS << 52) + (1 << 51))
_SHIFT_BIAS_BITS = np.uint64(_SHIFT_BIAS << 52)
# The bits of 2^52: put a small integer in its fraction, and it is that integer plus 2^52.
_TWO_52_BITS = np.uint64(0x4330000000000000)
_TWO_52_BIASED = 2.0**52 + _SHIFT_BIAS
# Adding this rounds to an integer and leaves it in the low bits (AVX2 has no such conversion).
_ROUND = 3.0 * 2.0**51
_LN2 = log(2.0)
_LOG2_E = 1.0 / _LN2
# ln 2 in two parts, the first with trailing zeros: k·_LN2_HIGH is exact (fdlibm, e_exp.c).
_LN2_HIGH = 6.93147180369123816490e-01
_LN2_LOW = 1.90821492927058770002e-10
# Beyond the first, exp - 1 in float64 is infinite; from far above the second on, it is -1.
_LARGEST, _SMALLEST = 709.8, -700.0

_A1, _A2, _A3, _A4, _A5, _A6, _A7, _A8, _A9 = (1.0 / (2 * n + 1) for n in range(1, 10))
_E2, _E3, _E4, _E5, _E6, _E7, _E8, _E9, _E10, _E11, _E12 = (
    1.0 / factorial(n) for n in range(2, 13)
)


@jit
def _log_ratio(price: float, width: float) -> float:
    """Return ln(price / width) for positive arguments."""
    price_bits = np.float64(price).view(np.uint64)
    width_bits = np.float64(width).view(np.uint64)
    # The difference of the bits is log2 of the ratio to within 0.09; its nearest integer is k.
    k_biased = (price_bits - width_bits + _ROUND_EXPONENT) >> _FRACTION_BITS
    k = np.uint64(k_biased | _TWO_52_BITS).view(np.float64) - _TWO_52_BIASED
    scaled = np.uint64(price_bits - (k_biased << _FRACTION_BITS) + _SHIFT_BIAS_BITS).view(
        np.float64
    )
    s = (scaled - width) / (scaled + width)  # |s| ≤ 0.2
    z = s * s
    zz = z * z
    # Estrin's order: short chains of dependent operations.
    series = (_A1 + z * _A2 + zz * (_A3 + z * _A4)) + (zz * zz) * (
        (_A5 + z * _A6) + zz * (_A7 + z * (_A8 + z * _A9))
    )
    return k * _LN2 + 2.0 * (s + s * z * series)


@jit
def _exp_minus_one(y: float) -> float:
    """Return exp(y) - 1; infinite from 709.8 on; NaN for NaN."""
    y = max(min(y, _LARGEST), _SMALLEST)
    rounded = y * _LOG2_E + _ROUND
    k = rounded - _ROUND
    r = (y - k * _LN2_HIGH) - k * _LN2_LOW  # |r| ≤ ln 2 / 2
    rr = r * r
    series = ((_E2 + r * _E3) + rr * (_E4 + r * _E5)) + (rr * rr) * (
        ((_E6 + r * _E7) + rr * (_E8 + r * _E9)) + (rr * rr) * ((_E10 + r * _E11) + rr * _E12)
    )
    k_bits = np.float64(rounded).view(np.uint64)
    # 2^(k-1), as 2^1024 would be infinite where the result is not yet; doubling is exact.
    half = np.uint64((k_bits + _HALF_EXPONENT_BIAS) << _FRACTION_BITS).view(np.float64)
    # exp(y) - 1 = 2^k (exp(r) - 1) + (2^k - 1): near zero nothing cancels.
    return 2.0 * (half * (r + rr * series) + (half - 0.5))


@jit
def _fill_rates(
    cost: Floats, width: Floats, convention: int, exponent: float, gain: float, out: Floats
) -> None:
    """Write the rates of some boxes; NaN where the cost is NaN or not positive."""
    if convention == PERIODIC:
        for j in range(cost.size):
            growth = _exp_minus_one(_log_ratio(cost[j], width[j]) * exponent)
            out[j] = gain * growth if cost[j] > 0.0 else np.nan
    elif convention == CONTINUOUS:
        for j in range(cost.size):
            out[j] = _log_ratio(cost[j], width[j]) * exponent if cost[j] > 0.0 else np.nan
    else:
        for j in range(cost.size):
            out[j] = gain * (width[j] - cost[j]) / cost[j] if cost[j] > 0.0 else np.nan


@jit
def _cost(cost: float) -> float:
    """Return the cost, or zero where it is only what binary fractions leave of zero."""
    return 0.0 if abs(cost) < LEAST_COST else cost


@jit
def _fill_costs(
    low: tuple[float, float, float],
    high: tuple[Floats, Floats, Floats],
    out: tuple[Floats, Floats, Floats, Floats],
) -> None:
    """Write width, bid, mid and ask cost of one low strike with each of its high strikes."""
    strike_low, syn_bid_low, syn_ask_low = low
    strike, syn_bid, syn_ask = high
    width, bid_cost, mid_cost, ask_cost = out
    for j in range(strike.size):
        width[j] = strike[j] - strike_low
        bid = syn_bid_low - syn_ask[j]
        ask = syn_ask_low - syn_bid[j]
        bid_cost[j] = _cost(bid)
        mid_cost[j] = _cost(0.5 * (bid + ask))
        ask_cost[j] = _cost(ask)


@jit
def fill(
    synthetic: tuple[Floats, Floats, Floats],
    window: tuple[NDArray[np.intp], NDArray[np.intp]],
    convention: int,
    exponent: float,
    gain: float,
    costs: tuple[Floats, Floats, Floats],
    rates: tuple[Floats, Floats, Floats],
) -> None:
    """Write costs and rates of all pairs of strikes in a window, low strike by low strike.

    Args:
        synthetic: (m,) arrays strike (ascending), syn_bid, syn_ask, in index points.
        window: (m,) arrays: the first high strike of each low strike, and one past the last.
        convention: ``PERIODIC``: ``gain · (exp(exponent · ln D) - 1)``; ``CONTINUOUS``:
            ``exponent · ln D``; ``SIMPLE``: ``gain · (1/D - 1)``, with ``D = cost / width``.
        exponent: see ``convention``; NaN makes the rates NaN.
        gain: see ``convention``.
        costs: arrays to fill: bid, mid, ask cost, one entry a pair, index points.
        rates: arrays to fill: bid, mid, ask rate, as fractions.
    """
    strike, syn_bid, syn_ask = synthetic
    first, stop = window
    width = np.empty(strike.size)
    begin = 0
    for i in range(strike.size):
        a, b = first[i], stop[i]
        row = slice(begin, begin + b - a)
        row_width = width[: b - a]
        bid_cost, mid_cost, ask_cost = costs[0][row], costs[1][row], costs[2][row]
        _fill_costs(
            (strike[i], syn_bid[i], syn_ask[i]),
            (strike[a:b], syn_bid[a:b], syn_ask[a:b]),
            (row_width, bid_cost, mid_cost, ask_cost),
        )
        _fill_rates(bid_cost, row_width, convention, exponent, gain, rates[0][row])
        _fill_rates(mid_cost, row_width, convention, exponent, gain, rates[1][row])
        _fill_rates(ask_cost, row_width, convention, exponent, gain, rates[2][row])
        begin += b - a


def warm_up() -> None:
    """Compile ``fill`` by calling it on one pair of strikes."""
    example = np.array([0.0, 1.0])
    window = (np.array([1, 2]), np.array([2, 2]))
    out = (np.empty(1), np.empty(1), np.empty(1))
    fill((example, example, example), window, PERIODIC, -1.0, 1.0, out, out)
