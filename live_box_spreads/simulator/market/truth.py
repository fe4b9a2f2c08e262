"""The true discount factors and forwards of the simulated market, which its quotes approximate."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from live_box_spreads.model.errors import ModelError
from live_box_spreads.model.settlement import premium_date
from live_box_spreads.simulator.market.curve import DAYS_A_YEAR, NelsonSiegel
from live_box_spreads.simulator.market.spots import INDICES, SECS_A_YEAR

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

    from numpy.typing import NDArray

    from live_box_spreads.simulator.market.universe import Listing


@dataclass(frozen=True, slots=True)
class SeriesTruth:
    """The truth about one (root, expiry).

    Attributes:
        premium_date: when a premium agreed now is paid.
        payment_date: when the exercise amount is paid.
        years: between the two, ACT/365.
        discount: value on the premium date of 1 paid on the payment date.
        rate: continuous, ACT/365, as a fraction; NaN when both dates are the same.
        forward: index points.
    """

    premium_date: date
    payment_date: date
    years: float
    discount: float
    rate: float
    forward: float


@dataclass(frozen=True, slots=True)
class Truth:
    """The market's true state at one instant.

    Attributes:
        instant: when it holds.
        spots: index points by index, unrounded.
        series: by (root, expiry).
    """

    instant: datetime
    spots: Mapping[str, float]
    series: Mapping[tuple[str, date], SeriesTruth]

    def discount(self, root: str, expiry: date) -> float:
        """Return the discount factor between premium date and payment date."""
        return self._of(root, expiry).discount

    def rate(self, root: str, expiry: date) -> float:
        """Return the continuous ACT/365 rate; NaN when premium and payment fall together."""
        return self._of(root, expiry).rate

    def forward(self, root: str, expiry: date) -> float:
        """Return the forward in index points."""
        return self._of(root, expiry).forward

    def spot(self, underlying: str) -> float:
        """Return the level of an index in points."""
        return self.spots[underlying]

    def as_json(self) -> dict[str, Any]:
        """Return the truth as plain values: ISO dates, fractions, None where there is no rate."""
        rows = [
            {
                "root": root,
                "expiry": expiry.isoformat(),
                "premium_date": truth.premium_date.isoformat(),
                "payment_date": truth.payment_date.isoformat(),
                "years": truth.years,
                "discount": truth.discount,
                "rate": None if math.isnan(truth.rate) else truth.rate,
                "forward": truth.forward,
            }
            for (root, expiry), truth in self.series.items()
        ]
        return {"instant": self.instant.isoformat(), "spot": dict(self.spots), "series": rows}

    def _of(self, root: str, expiry: date) -> SeriesTruth:
        try:
            return self.series[root, expiry]
        except KeyError:
            raise ModelError(f"the simulator lists no {root} expiring {expiry}") from None


@dataclass(frozen=True, slots=True)
class SeriesState:
    """Carry of every series at one instant; arrays have one entry a series.

    Attributes:
        premium_date: when a premium agreed now is paid.
        years: between premium and payment date, ACT/365.
        years_to_expiry: from the instant to the settlement value, not below zero.
        discount: between premium and payment date.
        forward: index points.
    """

    premium_date: date
    years: NDArray[np.float64]
    years_to_expiry: NDArray[np.float64]
    discount: NDArray[np.float64]
    forward: NDArray[np.float64]


class SeriesClock:
    """Carries the curve and the dividends forward to each series of a listing."""

    def __init__(self, listing: Listing, curve: NelsonSiegel) -> None:
        """Gather the dates of every series once."""
        self._listing = listing
        self._curve = curve
        series = listing.series
        self._expires_at = np.array([item.expires_at.timestamp() for item in series])
        self._paid_on = np.array([item.payment_date.toordinal() for item in series])
        self._underlying = [item.product.underlying for item in series]
        self._yield = np.array([INDICES[symbol].dividend_yield for symbol in self._underlying])

    def shift_curve(self, bps: float) -> None:
        """Let the true curve jump by so many basis points, everywhere, for good."""
        self._curve = self._curve.shifted(bps)

    def at(self, now: datetime, spots: Mapping[str, float]) -> SeriesState:
        """Return the carry of every series at an instant, for these index levels."""
        paid = premium_date(now)
        days = np.maximum(self._paid_on - paid.toordinal(), 0)
        years = days / DAYS_A_YEAR
        to_expiry = np.maximum(self._expires_at - now.timestamp(), 0.0) / SECS_A_YEAR
        discount = self._curve.discount(years)
        spot = np.array([spots[symbol] for symbol in self._underlying])
        forward = spot * np.exp(-self._yield * to_expiry) / discount
        return SeriesState(paid, years, to_expiry, discount, forward)

    def truth(self, now: datetime, spots: Mapping[str, float]) -> Truth:
        """Return what the market knows at an instant."""
        state = self.at(now, spots)
        rates = np.where(state.years > 0, self._curve.zero_rate(state.years), np.nan)
        series = {
            (item.product.root, item.expiry): SeriesTruth(
                premium_date=state.premium_date,
                payment_date=item.payment_date,
                years=float(state.years[number]),
                discount=float(state.discount[number]),
                rate=float(rates[number]),
                forward=float(state.forward[number]),
            )
            for number, item in enumerate(self._listing.series)
        }
        return Truth(now, dict(spots), series)
