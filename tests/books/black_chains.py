"""Made-up quotes whose truth is known: Black's prices on a curve, with kink, tilt and old legs."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import polars as pl
from scipy.special import ndtr

from live_box_spreads.books.curves.kinked_line import Quotes
from live_box_spreads.model.chain import Chain, Timeliness
from live_box_spreads.model.settlement import payment_date, premium_date

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

RATE, CARRY, VOLATILITY, SPOT = 0.04, 0.015, 0.2, 5000.0
"""Continuous zero rate of all lengths, growth of the forward, and the index."""
STRIKES: Final = np.arange(3500.0, 6501.0, 25.0)
NOON: Final = datetime(2025, 9, 4, 18, 15, tzinfo=UTC)
LENGTHS: Final = (4, 8, 13, 20, 29, 43, 64, 92, 134, 190, 281, 372)
"""Days from the day of the quotes to the expiry."""
FADE_YEARS = 0.15


def black(strike: Floats, forward: float, discount: float, years: float) -> tuple[Floats, Floats]:
    """Return prices of calls and puts (Black, Journal of Financial Economics 3, 1976)."""
    above = probability(strike, forward, years)
    total = VOLATILITY * np.sqrt(years)
    share = ndtr(np.log(forward / strike) / total + 0.5 * total)
    call: Floats = discount * (forward * share - strike * above)
    return call, call - discount * (forward - strike)


def probability(strike: Floats, forward: float, years: float) -> Floats:
    """Return the probability of ending above each strike."""
    total = VOLATILITY * np.sqrt(years)
    above: Floats = ndtr(np.log(forward / strike) / total - 0.5 * total)
    return above


def quotes_of(
    discount: float,
    years: float,
    *,
    forward: float = SPOT,
    kink: float = 0.0,
    off: Floats | float = 0.0,
    strike: Floats = STRIKES,
) -> Quotes:
    """Return quotes of one expiry, its in-the-money legs bent by a kink.

    Args:
        discount: discount factor.
        years: to the expiry.
        forward: index points.
        kink: amplitude, points.
        off: what each synthetic mid is off beside, points.
        strike: points.
    """
    call, put = black(strike, forward, discount, years)
    bent = kink * (2 * probability(strike, forward, years) - 1) ** 2
    nothing = np.zeros_like(strike)
    half_spread = 0.4 + 3.0 * np.abs(strike / forward - 1.0)
    return Quotes(
        strike=strike,
        mid=call - put + bent + off,
        half_spread=half_spread,
        call_mid=call + np.where(strike < forward, bent, 0.0),
        put_mid=put - np.where(strike < forward, 0.0, bent),
        call_lag_secs=nothing,
        put_lag_secs=nothing,
    )


class Errors(NamedTuple):
    """What is wrong with the quotes of a root.

    Attributes:
        kink: points of an index at 5,000.
        tilt_bps: share of the discount factor at time zero; it fades.
        noise: standard deviation of each synthetic mid, in half-spreads.
        seed: of the noise.
    """

    kink: float = 0.0
    tilt_bps: float = 0.0
    noise: float = 0.03
    seed: int = 1


def expiries(lengths: Sequence[int] = LENGTHS) -> list[date]:
    """Return the days of expiry, weekends moved to the Friday before."""
    days = [NOON.date() + timedelta(days=length) for length in lengths]
    return [day - timedelta(days=max(day.weekday() - 4, 0)) for day in days]


def rows_of(
    root: str = "SPXW",
    lengths: Sequence[int] = LENGTHS,
    errors: Errors | None = None,
    *,
    unit: float = 1.0,
    rate: float = RATE,
) -> pl.DataFrame:
    """Return the quotes of a root.

    Args:
        root: SPX, SPXW or XSP.
        lengths: days to its expiries.
        errors: what is wrong with them; None for a little noise.
        unit: what a point of the index is counted as, strikes and prices alike.
        rate: continuous, of all lengths.
    """
    wrong = errors or Errors()
    draw = np.random.default_rng(wrong.seed)
    frames = []
    for expiry in expiries(lengths):
        years = (payment_date(expiry) - premium_date(NOON)).days / 365
        tilt = wrong.tilt_bps * 1e-4 / (1 + max(years, 0.0) / FADE_YEARS)
        life = max((expiry - NOON.date()).days, 0.4) / 365
        one = quotes_of(
            np.exp(-rate * years - tilt), life, forward=SPOT * np.exp(CARRY * life), kink=wrong.kink
        )
        moved = 0.5 * wrong.noise * one.half_spread * draw.standard_normal((2, one.strike.size))
        for right, mid, off in zip("CP", (one.call_mid, one.put_mid), moved, strict=True):
            half = np.minimum(0.5 * one.half_spread, 0.9 * np.maximum(mid + off, 0.01))
            frames.append(
                pl.DataFrame(
                    {
                        "expiry": pl.Series([expiry] * one.strike.size, dtype=pl.Date),
                        "strike": one.strike * unit,
                        "right": [right] * one.strike.size,
                        "bid": np.maximum(mid + off - half, 0.0) * unit,
                        "ask": (np.maximum(mid + off, 0.01) + half) * unit,
                    }
                )
            )
    return pl.concat(frames).with_columns(
        root=pl.lit(root),
        underlying=pl.lit("XSP" if root == "XSP" else "SPX"),
        settlement=pl.lit("AM" if root == "SPX" else "PM"),
    )


def chain_of(*rows: pl.DataFrame, spot: float | None = SPOT) -> Chain:
    """Return a chain of the quotes of some roots; None for no spot."""
    return Chain.build(
        pl.concat(rows, how="diagonal"),
        snapshot_time=NOON,
        feed="test",
        timeliness=Timeliness.REPLAY,
        spot={} if spot is None else {"SPX": spot, "XSP": spot / 10},
    )
