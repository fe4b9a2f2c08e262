"""The simulated market: a book of quotes that follows a known truth, tick by tick."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from live_box_spreads.simulator.market.activity import (
    expected_activity,
    share_of_session,
    trading_day,
)
from live_box_spreads.simulator.market.book import Book
from live_box_spreads.simulator.market.conditions import NORMAL, Conditions
from live_box_spreads.simulator.market.curve import BOX_CURVE, NelsonSiegel
from live_box_spreads.simulator.market.market_errors import MarketErrors, holding
from live_box_spreads.simulator.market.quoting import (
    half_spread,
    in_the_money,
    quote,
    quoting_terms,
)
from live_box_spreads.simulator.market.spots import INDICES, Spots
from live_box_spreads.simulator.market.truth import SeriesClock, SeriesState, Truth
from live_box_spreads.simulator.market.universe import ALL_ROOTS, build_listing
from live_box_spreads.simulator.market.volatility import Smile, call_price_and_delta

if TYPE_CHECKING:
    from datetime import datetime

    from numpy.typing import NDArray

SMILE = Smile(skew=-0.72, curvature=1.1)
LONGEST_QUOTE_SECS = 30.0
"""Every contract requotes at least this often, but for its lag."""

_SHARE_OPENING = 0.3
"""Of a day's trades, those that leave more contracts open than before."""

_PATIENCE = 0.05
"""Half-spreads that a fair price may move before its maker requotes."""


class Market:
    """All contracts and indices of a listing, quoted and traded.

    Pure and seeded: the same seed, roots and sequence of instants give the same market.
    Instruments are numbered: the contracts of the listing, then its indices. That numbering holds
    for the market's life, and with it the listing: past the day of its opening, expired contracts
    stay listed, as stale ones do in real chains, and new expiries need a new market.

    Attributes:
        listing: the contracts.
        symbols: DXLink symbol of each instrument.
        book: quotes, trades and open interest of each instrument.
        now: instant of the last step.
    """

    def __init__(
        self,
        now: datetime,
        *,
        seed: int = 1,
        roots: tuple[str, ...] = ALL_ROOTS,
        curve: NelsonSiegel = BOX_CURVE,
        pace: float = 1.0,
        conditions: Conditions = NORMAL,
    ) -> None:
        """Open the market with every contract quoted.

        Args:
            now: instant of the first quotes, with a time zone.
            seed: seed of everything that happens by chance.
            roots: option roots to list.
            curve: the true discount curve.
            pace: times the usual number of requotes by chance.
            conditions: kind of day, such as ``CONDITIONS["night"]``.
        """
        self._conditions = conditions
        self._random = np.random.default_rng(seed)
        self._spots = Spots()
        self.now = now
        self.listing = build_listing(
            roots, now, self._spots.levels, thin_from_years=conditions.thin_from_years
        )
        self.symbols = (*self.listing.streamer_symbols, *self.listing.underlyings)
        self._clock = SeriesClock(self.listing, curve)
        self._state = self._clock.at(now, self._spots.levels)
        series, years = self.listing.series, self._state.years
        one_maker = years >= conditions.one_maker_from_years
        self._errors = MarketErrors(series, years, one_maker, conditions, seed)
        self._terms = quoting_terms(
            series, self.listing.series_of, self._random, one_maker, conditions
        )
        self._activity = expected_activity(self.listing, now, self._random)
        self._trading_day = trading_day(now)
        self._requotes_per_sec = pace * self._random.uniform(1 / 25, 1 / 8, len(self.listing))
        self.book = Book.empty(len(self.listing), len(self.listing.underlyings))
        self._fair_forward = np.zeros(len(self.listing))
        self._delta = np.zeros(len(self.listing))
        self._width = np.zeros(len(self.listing))
        self._lag_secs = np.zeros(len(self.listing))
        self._moved_at_secs = np.full(len(self.listing), np.inf)
        self._open()

    def advance(self, now: datetime) -> None:
        """Move to an instant: spots move, some contracts requote, some trade.

        An instant that is not after the last one changes nothing. With the opening of a session
        volume starts from zero, and what was last quoted becomes the previous close.
        """
        elapsed_secs = (now - self.now).total_seconds()
        if elapsed_secs <= 0:
            return
        self.now = now
        self.book.step += 1
        if (day := trading_day(now)) != self._trading_day:
            self._trading_day = day
            self._start_day()
        self._spots.move(elapsed_secs, self._random)
        self._errors.move(elapsed_secs)
        self._state = self._clock.at(now, self._spots.levels)
        self._requote(self._due(elapsed_secs))
        self._trade(elapsed_secs)
        self._print_indices()

    def withdraw_ask(self, row: int, at: datetime | None = None) -> None:
        """Take a contract's ask away for good; its bid stays as it is.

        Args:
            row: number of the contract.
            at: when it happens, between the last step and the next; None at the last step.
        """
        self._terms.quoted[row] = False
        self.book.step += 1
        self.book.ask[row] = self.book.ask_size[row] = np.nan
        self.book.quote_step[row] = self.book.step
        self.book.quoted_at_secs[row] = (at or self.now).timestamp()

    def shift_curve(self, bps: float) -> None:
        """Let the true curve jump by so many basis points at every tenor, for good.

        The truth has it at once, with the forwards that go with it. Quotes follow with the next
        steps, each with its usual delay.
        """
        self._clock.shift_curve(bps)
        self._state = self._clock.at(self.now, self._spots.levels)

    def truth(self) -> Truth:
        """Return what the market knows now."""
        return self._clock.truth(self.now, self._spots.levels)

    def fair_prices(self) -> NDArray[np.float64]:
        """Return the true price of every contract now, in index points."""
        return self._price(np.arange(len(self.listing)), self._state)[0]

    def index_volatility(self) -> dict[str, float]:
        """Return each index's 30-day volatility at the forward, annual, as a fraction."""
        month = np.array([30 / 365])
        return {
            symbol: float(np.sqrt(self._total_variance(symbol, month) / month)[0])
            for symbol in self.listing.underlyings
        }

    def _open(self) -> None:
        """Quote everything, and give every contract its past: close, volume, open interest."""
        everything = np.arange(len(self.listing))
        self._requote(everything)
        held = self._activity.open_interest
        volume = self._activity.traded_so_far(share_of_session(self.now), self._random)
        fair = self.fair_prices()
        drift = 1.0 + 0.01 * self._random.standard_normal(len(fair))
        close = np.maximum(np.round(fair * drift, 2), self._terms.tick_below)
        mid = np.round((self.book.bid[everything] + self.book.ask[everything]) / 2, 2)
        traded = np.where(volume > 0, mid, np.where(held > 0, close, np.nan))
        self.book.start_day(close, traded, volume, held)
        levels = [INDICES[symbol].level for symbol in self.listing.underlyings]
        self.book.close[len(self.listing) :] = np.round(np.array(levels) * 0.9968, 2)
        self._print_indices()

    def _start_day(self) -> None:
        """Turn the page: previous close, no volume yet, and yesterday's new positions."""
        book, count = self.book, len(self.listing)
        mid = np.round((book.bid[:count] + book.ask[:count]) / 2, 2)
        close = np.where(np.isnan(mid), book.close[:count], mid)
        opened = np.floor(_SHARE_OPENING * book.volume[:count])
        held = book.open_interest[:count] + opened
        book.start_day(close, book.last[:count], np.zeros(count), held)
        book.close[count:] = book.last[count:]

    def _due(self, elapsed_secs: float) -> NDArray[np.intp]:
        """Return the contracts that requote: fair price moved, quote too old, or by chance.

        A leg that lags sees a move only after its lag, and waits longer for its chance.
        """
        now_secs, lag_secs = self.now.timestamp(), self._lag_secs
        rate = self._requotes_per_sec / (1.0 + self._requotes_per_sec * lag_secs)
        chance = -np.expm1(-elapsed_secs * rate)
        forward = self._state.forward[self.listing.series_of]
        moved = np.abs(self._delta * (forward - self._fair_forward)) > _PATIENCE * self._width
        since_secs = np.where(moved, np.minimum(self._moved_at_secs, now_secs), np.inf)
        self._moved_at_secs = since_secs
        seen = now_secs - since_secs >= lag_secs
        age_secs = now_secs + elapsed_secs - self.book.quoted_at_secs[: len(self.listing)]
        lucky = self._random.random(len(self.listing)) < chance
        return np.flatnonzero(seen | lucky | (age_secs >= LONGEST_QUOTE_SECS + lag_secs))

    def _requote(self, rows: NDArray[np.intp]) -> None:
        """Quote some contracts anew; the few without a market are never quoted."""
        rows = rows[self._terms.quoted[rows]]
        fair, delta = self._price(rows, self._state)
        series = self.listing.series_of[rows]
        terms = self._terms[rows]
        width = half_spread(np.abs(delta), self._state.years_to_expiry[series], terms)
        error = self._error(rows, delta)
        width = holding(width, error)
        sides = quote(fair, width, terms, self._random, self._conditions, error)
        self.book.quote(rows, sides, self.now.timestamp())
        self._fair_forward[rows] = self._state.forward[series]
        self._delta[rows] = delta
        self._width[rows] = np.maximum(width, terms.tick_below)
        self._lag_secs[rows] = self._conditions.lag_secs * in_the_money(delta) ** 2
        self._moved_at_secs[rows] = np.inf

    def _error(self, rows: NDArray[np.intp], delta: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return how far the mids of some contracts are off with all of their root, in points."""
        if not self._errors.active:
            return np.zeros(len(rows))
        series = self.listing.series_of[rows]
        return self._errors.at(self._state.years).of_legs(
            series,
            self.listing.strike[rows],
            self._state.forward[series],
            delta,
            self.listing.is_call[rows],
        )

    def _price(
        self, rows: NDArray[np.intp], state: SeriesState
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return fair prices and deltas (to the forward) of some contracts."""
        series = self.listing.series_of[rows]
        strike, is_call = self.listing.strike[rows], self.listing.is_call[rows]
        forward = state.forward[series]
        variance = SMILE.total_variance(
            np.log(strike / forward), self._at_the_money_variance(state)[series]
        )
        call, delta = call_price_and_delta(forward, strike, variance)
        undiscounted = np.where(is_call, call, call - (forward - strike))
        fair = state.discount[series] * np.maximum(undiscounted, 0.0)
        return fair, np.where(is_call, delta, delta - 1.0)

    def _at_the_money_variance(self, state: SeriesState) -> NDArray[np.float64]:
        """Return total variance at the forward, one entry a series."""
        variance = np.zeros(len(self.listing.series))
        underlying = np.array([item.product.underlying for item in self.listing.series])
        for symbol in self.listing.underlyings:
            chosen = underlying == symbol
            variance[chosen] = self._total_variance(symbol, state.years_to_expiry[chosen])
        return variance

    def _total_variance(self, symbol: str, years: NDArray[np.float64]) -> NDArray[np.float64]:
        usual = INDICES[symbol].variance.total_variance(years)
        return self._conditions.volatility**2 * usual

    def _trade(self, elapsed_secs: float) -> None:
        """Print some trades, at the bid or at the ask; nothing trades where a side is missing."""
        rows, sizes = self._activity.trades(elapsed_secs, self._random)
        buys = self._random.random(len(rows)) < 0.5  # noqa: PLR2004 - a fair coin
        price = np.where(buys, self.book.ask[rows], self.book.bid[rows])
        possible = price > 0
        self.book.trade(rows[possible], price[possible], sizes[possible])

    def _print_indices(self) -> None:
        first = len(self.listing)
        levels = [self._spots.levels[symbol] for symbol in self.listing.underlyings]
        prints = np.round(np.array(levels), 2)
        self.book.print_index(np.arange(first, first + len(prints)), prints)
