"""How much is traded and held: near dates and round strikes take most of it, as on Cboe."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

import numpy as np

from live_box_spreads.model.sessions import (
    NEW_YORK,
    close_time,
    is_session,
    session_on_or_before,
)
from live_box_spreads.simulator.market.spots import INDICES
from live_box_spreads.simulator.market.universe import SPACINGS

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    from live_box_spreads.simulator.market.universe import Listing

_SHARE_OF_SPX = {"SPX": 1.0, "XSP": 0.03, "NDX": 0.025}
_SESSION_SECS = 6.5 * 3600.0
_TRADE_SIZE = 6.0
_SHARE_HELD = 0.8
_OPENING = time(9, 30)


@dataclass(frozen=True, slots=True)
class Activity:
    """Expected activity; arrays have one entry a contract.

    Attributes:
        daily_volume: contracts traded on a typical day.
        open_interest: contracts held, whole.
    """

    daily_volume: NDArray[np.float64]
    open_interest: NDArray[np.float64]

    def traded_so_far(self, share_of_day: float, random: Generator) -> NDArray[np.float64]:
        """Return whole contracts traded once this share (0 to 1) of the session is over."""
        return random.poisson(self.daily_volume * share_of_day).astype(np.float64)

    def trades(
        self, elapsed_secs: float, random: Generator
    ) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """Return the contracts that trade in some seconds, sorted and unique, and how much."""
        expected = self.daily_volume.sum() * elapsed_secs / _SESSION_SECS / _TRADE_SIZE
        count = int(random.poisson(min(expected, 10_000.0)))
        cumulative = np.cumsum(self.daily_volume)
        drawn = np.searchsorted(cumulative, random.random(count) * cumulative[-1], side="right")
        sizes = random.geometric(1.0 / _TRADE_SIZE, count)
        rows, where = np.unique(np.minimum(drawn, len(cumulative) - 1), return_inverse=True)
        return rows, np.bincount(where, weights=sizes, minlength=len(rows)).astype(np.float64)


def expected_activity(listing: Listing, now: datetime, random: Generator) -> Activity:
    """Spread a typical day's volume and the open interest over a listing."""
    series = listing.series
    underlying = [item.product.underlying for item in series]
    days = np.array([(item.expires_at - now) / timedelta(days=1) for item in series])
    spot = np.array([INDICES[symbol].level for symbol in underlying])
    share = np.array([_SHARE_OF_SPX[symbol] for symbol in underlying])
    standard = np.array([3.0 if item.standard else 1.0 for item in series])
    of = listing.series_of
    spread = (0.006 + 0.012 * np.sqrt(days / 7.0))[of]
    distance = np.log(listing.strike / spot[of]) / spread
    out_of_money = np.where(listing.is_call, distance >= 0, distance <= 0)
    near = np.exp(-np.abs(distance) / 1.5) * np.where(out_of_money, 1.0, 0.12) + 0.002
    liked = _roundness(listing)
    uneven = np.exp(1.3 * random.standard_normal((2, len(listing))))
    volume = 2_600.0 / (1.0 + days) ** 1.15
    held = random.poisson(900.0 * (share * standard)[of] * (near + 0.05) * liked**1.5 * uneven[1])
    held *= random.random(len(listing)) < _SHARE_HELD
    return Activity((share * volume)[of] * near * liked * uneven[0], held.astype(np.float64))


def _roundness(listing: Listing) -> NDArray[np.float64]:
    """Return how many times more a strike is liked for being round; 1 for an odd one."""
    spacings = [SPACINGS[item.product.underlying] for item in listing.series]
    liked = np.ones(len(listing))
    for grade, times in ((2, 1.5), (3, 2.0), (4, 4.0)):
        spacing = np.array([ladder[grade] for ladder in spacings])[listing.series_of]
        liked = np.where(listing.strike % spacing == 0, times, liked)
    return liked


def trading_day(now: datetime) -> date:
    """Return the session that the volume shown belongs to: from its opening to the next one's."""
    local = now.astimezone(NEW_YORK)
    opened = local.time() >= _OPENING
    return session_on_or_before(local.date() if opened else local.date() - timedelta(days=1))


def share_of_session(now: datetime) -> float:
    """Return the share, 0 to 1, of the trading session that is over.

    While the exchange is closed it is one: the volume shown is the last session's.
    """
    local = now.astimezone(NEW_YORK)
    if not is_session(local.date()):
        return 1.0
    opened = datetime.combine(local.date(), _OPENING, NEW_YORK)
    closed = close_time(local.date())
    return (local - opened) / (closed - opened) if opened < local < closed else 1.0
