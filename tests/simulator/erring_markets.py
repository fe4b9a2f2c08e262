"""Markets whose errors are known, and what a reader of their quotes measures of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from live_box_spreads.simulator.market.conditions import (
    Conditions,
)
from live_box_spreads.simulator.market.market import Market

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from live_box_spreads.simulator.market.universe import Series

    Floats = NDArray[np.float64]

OPENING = datetime(2026, 11, 24, 16, 0, tzinfo=UTC)
S_AND_P = ("SPX", "SPXW")
EXACT = Conditions(width=0.5, mid_noise=0.0)
"""Mids that have no errors but those of rounding and those put on them."""
KINK = replace(EXACT, kink_points=1.0)
TILT = replace(EXACT, tilt_bps=2.5)


@dataclass(frozen=True, slots=True)
class Strikes:
    """One expiry as quoted: strikes with both sides of both legs, and how calls less puts err."""

    series: Series
    years: float
    discount: float
    forward: float
    strike: Floats
    error: Floats
    half_spread: Floats
    bend: Floats
    """``(2 delta - 1)**2``, by the slope of the true prices, not by the simulator's own delta."""

    @property
    def root(self) -> str:
        return self.series.product.root

    @property
    def kink_and_tilt(self) -> tuple[float, float]:
        """Regression of the errors on 1, the bend and the distance from the forward.

        Points per 5000 of the index, and bp of the discount factor.
        """
        columns = [np.ones_like(self.strike), self.bend, self.strike - self.forward]
        weight = 1.0 / np.sqrt(self.half_spread)
        scaled = np.column_stack(columns) * weight[:, None]
        _, kink, slope = np.linalg.lstsq(scaled, self.error * weight, rcond=None)[0]
        return float(kink) * 5_000 / self.forward, float(slope) * -1e4


def quoted(market: Market, fewest: int = 40) -> Iterator[Strikes]:
    truth, fair, book = market.truth(), market.fair_prices(), market.book
    for series in market.listing.series:
        of = truth.series[series.product.root, series.expiry]
        calls = np.arange(series.start, series.stop, 2)
        puts = calls + 1
        mid = (book.bid[calls] + book.ask[calls] - book.bid[puts] - book.ask[puts]) / 2
        half = (book.ask[calls] - book.bid[calls] + book.ask[puts] - book.bid[puts]) / 2
        slope = np.gradient(fair[calls], series.strikes) / of.discount  # minus the call's delta
        good = (book.bid[calls] > 0) & (book.bid[puts] > 0) & ~np.isnan(mid)
        if good.sum() >= fewest:
            error = mid - of.discount * (of.forward - series.strikes)
            yield Strikes(
                series,
                of.years,
                of.discount,
                of.forward,
                series.strikes[good],
                error[good],
                half[good],
                (2 * slope[good] + 1) ** 2,
            )


def open_market(conditions: Conditions, seed: int = 1, roots: tuple[str, ...] = S_AND_P) -> Market:
    return Market(OPENING, seed=seed, roots=roots, conditions=conditions)


def pass_secs(market: Market, secs: float, step_secs: float = 1.0) -> None:
    end = market.now + timedelta(seconds=secs)
    while market.now < end:
        market.advance(min(market.now + timedelta(seconds=step_secs), end))


def measured(market: Market) -> dict[tuple[str, float], tuple[float, float]]:
    """Return kink (points per 5000) and tilt (bp of the discount factor) by root and years."""
    return {(each.root, each.years): each.kink_and_tilt for each in quoted(market)}


def of_root(found: dict[tuple[str, float], tuple[float, float]], root: str, which: int) -> Floats:
    """Return kinks (0) or tilts (1) of a root, by expiry from ten days to a year."""
    return np.array([f[which] for (r, y), f in found.items() if r == root and 0.03 < y < 1.0])
