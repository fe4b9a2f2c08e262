"""One box spread: four quotes, their cost, and the rate of the loan that they make.

A box on strikes ``kl < ks`` is long the call at kl, short the call at ks, long the put at ks and
short the put at kl. It pays ``ks - kl`` at expiry wherever the index ends, so its price is that of
a zero-coupon loan: buy the box and you lend, sell it and you borrow.

This is the plain reading, one box at a time. ``books`` computes whole tables of them, and is
tested against this one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from itertools import combinations
from math import isfinite, isnan, nan
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from live_box_spreads.model import settlement as settling
from live_box_spreads.model.errors import ModelError
from live_box_spreads.model.legs import (
    LEAST_COST,
    NET_TICK,
    BoxOrder,
    ExpiryLegs,
    LegQuote,
    LendBorrow,
    OrderLeg,
    leg_quote,
    limit_price,
    number,
)
from live_box_spreads.model.products import loan_product
from live_box_spreads.model.rates import Compounding, rate_from_discount
from live_box_spreads.model.settlement import TimeBasis

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import polars as pl

    from live_box_spreads.model.chain import Chain
    from live_box_spreads.model.contracts import Right
    from live_box_spreads.model.legs import Action
    from live_box_spreads.model.products import Settlement

__all__ = ["BoxOrder", "BoxSpread", "LegQuote", "LendBorrow", "OrderLeg", "QuoteSide"]

QuoteSide = Literal["bid", "mid", "ask"]

_Date = TypeVar("_Date", date, datetime)

LEG_NAMES = ("call_kl", "call_ks", "put_kl", "put_ks")
ROW_COLUMNS = (
    *("ticker", "expiry", "snapshot_time", "kl", "ks"),
    *(f"{leg}_{price}" for leg in LEG_NAMES for price in ("bid", "ask")),
)
"""What a wide row must have; see :meth:`BoxSpread.from_row`."""
_RANKED_COLUMNS = ("root", "expiry", "kl", "ks")


@dataclass(frozen=True, slots=True)
class BoxSpread:
    """A box on one root and expiry, with the quotes of its four legs.

    Costs, like the payoff, are in index points; NaN where a leg cannot be traded: a leg sold needs
    a bid above zero, a leg bought an ask above zero.

    Attributes:
        root: option root, European style.
        expiry: expiration date of the four options.
        kl: lower strike, index points.
        ks: upper strike, index points.
        call_kl: quote of the call at the lower strike.
        call_ks: quote of the call at the upper strike.
        put_kl: quote of the put at the lower strike.
        put_ks: quote of the put at the upper strike.
        snapshot_time: the instant of the quotes, with a time zone.
        settlement: AM or PM.

    Raises:
        ModelError: strikes that are not finite, positive and in order, or a time without a zone.
        UnknownRootError: a root that the registry does not have.
        NotALoanError: an American-style root.
    """

    root: str
    expiry: date
    kl: float
    ks: float
    call_kl: LegQuote
    call_ks: LegQuote
    put_kl: LegQuote
    put_ks: LegQuote
    snapshot_time: datetime
    settlement: Settlement

    def __post_init__(self) -> None:
        """Refuse what is no box, or no loan."""
        loan_product(self.root)
        if not (isfinite(self.ks) and 0 < self.kl < self.ks):
            raise ModelError(
                f"{self.root} {self.expiry}: strikes kl={self.kl}, ks={self.ks} make no box; "
                "both must be finite and 0 < kl < ks"
            )
        if self.snapshot_time.utcoffset() is None:
            raise ModelError(
                f"snapshot_time {self.snapshot_time.isoformat()} has no time zone; give it one"
            )

    # The payoff and what it costs, in index points.

    @property
    def width(self) -> float:
        """Distance of the strikes, index points."""
        return self.ks - self.kl

    @property
    def mid_strike(self) -> float:
        """Mean of the strikes, index points."""
        return (self.kl + self.ks) / 2

    @property
    def payoff(self) -> float:
        """What the box pays, index points: the width, wherever the index ends."""
        return self.width

    @property
    def payoff_dollars(self) -> float:
        """What one box pays, dollars."""
        return self.width * loan_product(self.root).multiplier

    @property
    def ask_cost(self) -> float:
        """Debit of buying the box (lending): ``syn_ask(kl) - syn_bid(ks)``."""
        syn_ask_kl = self.call_kl.buy_price - self.put_kl.sell_price
        syn_bid_ks = self.call_ks.sell_price - self.put_ks.buy_price
        return _cost(syn_ask_kl - syn_bid_ks)

    @property
    def bid_cost(self) -> float:
        """Credit of selling the box (borrowing): ``syn_bid(kl) - syn_ask(ks)``."""
        syn_bid_kl = self.call_kl.sell_price - self.put_kl.buy_price
        syn_ask_ks = self.call_ks.buy_price - self.put_ks.sell_price
        return _cost(syn_bid_kl - syn_ask_ks)

    @property
    def mid_cost(self) -> float:
        """Mean of the two costs; NaN unless both exist."""
        return _cost((self.bid_cost + self.ask_cost) / 2)

    @property
    def half_spread(self) -> float:
        """Half the distance between the two costs; NaN unless both exist."""
        return (self.ask_cost - self.bid_cost) / 2

    @property
    def lend_size(self) -> float:
        """Boxes that can be bought at ``ask_cost``; NaN if a leg's size is unknown."""
        bought = (self.call_kl.ask_size, self.put_ks.ask_size)
        return _smallest(*bought, self.call_ks.bid_size, self.put_kl.bid_size)

    @property
    def borrow_size(self) -> float:
        """Boxes that can be sold at ``bid_cost``; NaN if a leg's size is unknown."""
        bought = (self.call_ks.ask_size, self.put_kl.ask_size)
        return _smallest(*bought, self.call_kl.bid_size, self.put_ks.bid_size)

    # The dates.

    @property
    def premium_date(self) -> date:
        """When the premium is paid."""
        return settling.premium_date(self.snapshot_time)

    @property
    def payment_date(self) -> date:
        """When the exercise amount is paid."""
        return settling.payment_date(self.expiry)

    @property
    def days(self) -> int:
        """Days between the two payments; zero or less when no loan is left."""
        return (self.payment_date - self.premium_date).days

    def years(self, basis: TimeBasis = TimeBasis.SETTLEMENT) -> float:
        """Return the life of the loan in years of 365 days; NaN when nothing is left."""
        return settling.years_to_payment(self.snapshot_time, self.expiry, self.settlement, basis)

    # The rates.

    def rate(
        self,
        side: QuoteSide = "mid",
        compounding: Compounding = Compounding.EFFECTIVE,
        basis: TimeBasis = TimeBasis.SETTLEMENT,
    ) -> float:
        """Return the rate of the loan as a fraction.

        Args:
            side: ``ask`` is what a lender earns, ``bid`` what a borrower pays.
            compounding: convention of the rate.
            basis: how the life of the loan is measured.

        Returns:
            The rate; negative where the cost is above the width. NaN where the side has no cost,
            the cost is not positive, or nothing is left of the loan.
        """
        cost = {"bid": self.bid_cost, "mid": self.mid_cost, "ask": self.ask_cost}[side]
        return rate_from_discount(cost / self.width, self.years(basis), compounding)

    @property
    def ask_rate(self) -> float:
        """What a lender earns, effective, between settlements; the lowest of the three."""
        return self.rate("ask")

    @property
    def mid_rate(self) -> float:
        """The rate at the mid, effective, between settlements."""
        return self.rate("mid")

    @property
    def bid_rate(self) -> float:
        """What a borrower pays, effective, between settlements; the highest of the three."""
        return self.rate("bid")

    # The trade.

    @property
    def direction(self) -> LendBorrow:
        """What holding the box does at its mid: a debit lends, a credit borrows; NaN is FLAT."""
        if self.mid_cost > 0:
            return LendBorrow.LEND
        return LendBorrow.BORROW if self.mid_cost < 0 else LendBorrow.FLAT

    def legs(self, direction: LendBorrow) -> tuple[OrderLeg, OrderLeg, OrderLeg, OrderLeg]:
        """Return the four orders that open the box, each priced at the side that it takes.

        Args:
            direction: LEND buys the box, BORROW sells it.

        Returns:
            Call kl, call ks, put ks, put kl. Bought prices less sold prices make ``ask_cost`` for
            LEND and ``-bid_cost`` for BORROW.

        Raises:
            ModelError: FLAT, which trades nothing.
        """
        if direction is LendBorrow.FLAT:
            raise ModelError("a FLAT direction has no legs; ask for LEND or BORROW")
        lends = direction is LendBorrow.LEND
        return (
            self._order_leg("C", self.kl, self.call_kl, buys=lends),
            self._order_leg("C", self.ks, self.call_ks, buys=not lends),
            self._order_leg("P", self.ks, self.put_ks, buys=lends),
            self._order_leg("P", self.kl, self.put_kl, buys=not lends),
        )

    def order(
        self,
        direction: LendBorrow,
        boxes: int = 1,
        *,
        cost: float | None = None,
        tick: float = NET_TICK,
    ) -> BoxOrder:
        """Return the limit order that opens a number of these boxes.

        Args:
            direction: LEND buys the boxes, BORROW sells them.
            boxes: how many.
            cost: limit of one box, index points; by default what it costs at the quotes,
                ``ask_cost`` to lend and ``bid_cost`` to borrow. It is rounded to the tick: up when
                it is paid, down when it is received.
            tick: price step of the whole order, index points; brokers differ.

        Raises:
            ModelError: FLAT, no box, or no cost because a leg is not quoted.
        """
        legs = self.legs(direction)
        if boxes < 1:
            raise ModelError(f"an order of {boxes} boxes trades nothing; ask for one or more")
        lends = direction is LendBorrow.LEND
        if cost is None:
            cost = self.ask_cost if lends else self.bid_cost
        if isnan(cost):
            raise ModelError(
                f"{self.root} {self.expiry} {self.kl:g}/{self.ks:g} has no price to "
                f"{direction.name.lower()} at: a leg lacks a quote; give a cost"
            )
        return BoxOrder(legs, boxes, *limit_price(cost if lends else -cost, tick))

    def _order_leg(self, right: Right, strike: float, quote: LegQuote, *, buys: bool) -> OrderLeg:
        action: Action = "Buy to Open" if buys else "Sell to Open"
        price = quote.buy_price if buys else quote.sell_price
        return OrderLeg(self.root, self.expiry, strike, right, action, price)

    # Where boxes come from.

    @classmethod
    def from_chain(cls, chain: Chain, root: str, expiry: date, kl: float, ks: float) -> BoxSpread:
        """Return one box of a chain.

        Raises:
            ModelError: the chain lacks the expiry or a call or put at one of the strikes, or the
                box is refused.
        """
        legs = ExpiryLegs.from_chain(chain, root, expiry, (kl, ks))
        return cls._from_legs(legs, kl, ks, chain.snapshot_time)

    @classmethod
    def from_ranked(cls, chain: Chain, row: Mapping[str, Any]) -> BoxSpread:
        """Return the box of a row of the ranked boxes (``boxes best``) of a chain.

        Args:
            chain: the chain that was ranked.
            row: ``root``, ``expiry``, ``kl`` and ``ks``.

        Raises:
            ModelError: a column is missing or holds a value of the wrong kind, or the chain lacks
                the box.
        """
        _require_columns(row, _RANKED_COLUMNS)
        expiry = _typed(row, "expiry", date)
        return cls.from_chain(chain, row["root"], expiry, number(row, "kl"), number(row, "ks"))

    @classmethod
    def all_from_chain(cls, chain: Chain, root: str, expiry: date) -> Iterator[BoxSpread]:
        """Yield the box of every pair of strikes that have a call and a put, by kl, then ks.

        Slow on purpose: it is what the vectorised box table is checked against.

        Raises:
            ModelError: the chain lacks the expiry, or the root makes no loans.
        """
        loan_product(root)
        legs = ExpiryLegs.from_chain(chain, root, expiry)
        return (
            cls._from_legs(legs, kl, ks, chain.snapshot_time)
            for kl, ks in combinations(legs.strikes(), 2)
        )

    @classmethod
    def _from_legs(
        cls, legs: ExpiryLegs, kl: float, ks: float, snapshot_time: datetime
    ) -> BoxSpread:
        return cls(
            root=legs.root,
            expiry=legs.expiry,
            kl=kl,
            ks=ks,
            call_kl=legs.quote(kl, "C"),
            call_ks=legs.quote(ks, "C"),
            put_kl=legs.quote(kl, "P"),
            put_ks=legs.quote(ks, "P"),
            snapshot_time=snapshot_time,
            settlement=legs.settlement,
        )

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> BoxSpread:
        """Return the box of a wide row, as the box table with its leg quotes has them.

        Args:
            row: ``ROW_COLUMNS``, that is ticker (the option root), expiry, snapshot_time, kl, ks
                and ``{call|put}_{kl|ks}_{bid|ask}``; where known also ``…_bid_size``,
                ``…_ask_size``, ``…_volume``, ``…_open_interest``, and ``settlement`` (otherwise
                the product's). None is NaN.

        Raises:
            ModelError: a column is missing or holds a value of the wrong kind, or the box is
                refused.
        """
        _require_columns(row)
        root = str(row["ticker"])
        return cls(
            root=root,
            expiry=_typed(row, "expiry", date),
            kl=number(row, "kl"),
            ks=number(row, "ks"),
            **{leg: leg_quote(row, f"{leg}_") for leg in LEG_NAMES},
            snapshot_time=_typed(row, "snapshot_time", datetime),
            settlement=row.get("settlement") or loan_product(root).settlement,
        )

    @classmethod
    def from_table(cls, frame: pl.DataFrame) -> list[BoxSpread]:
        """Return the boxes of a wide table, in its order; columns as for :meth:`from_row`.

        Raises:
            ModelError: a column is missing or holds a value of the wrong kind, or a box is refused.
        """
        _require_columns(frame.columns)
        return [cls.from_row(row) for row in frame.iter_rows(named=True)]


def _cost(cost: float) -> float:
    """Return the cost, or zero where it is only what binary fractions leave of zero."""
    return 0.0 if abs(cost) < LEAST_COST else cost


def _smallest(*sizes: float) -> float:
    """Return the smallest; NaN if one is NaN (``min`` would depend on the order)."""
    return nan if any(map(isnan, sizes)) else min(sizes)


def _require_columns(columns: Iterable[str], required: Iterable[str] = ROW_COLUMNS) -> None:
    present = set(columns)
    missing = [name for name in required if name not in present]
    if missing:
        raise ModelError(f"box rows lack the columns {', '.join(missing)}")


def _typed(row: Mapping[str, Any], column: str, kind: type[_Date]) -> _Date:
    """Return a date or an instant of a row; a string is not one, and an instant is no date."""
    value = row[column]
    if type(value) is not kind:
        raise ModelError(f"column {column} holds {value!r}, which is no {kind.__name__}")
    return value
