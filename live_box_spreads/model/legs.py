"""The legs of a box: their quotes, where those come from, and the orders that trade them."""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import IntEnum
from math import ceil, isfinite, nan
from typing import TYPE_CHECKING, Any, Literal

import polars as pl

from live_box_spreads.model.contracts import Contract, Right, occ_symbol
from live_box_spreads.model.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import date

    from live_box_spreads.model.chain import Chain
    from live_box_spreads.model.products import Settlement

Action = Literal["Buy to Open", "Sell to Open"]
PriceEffect = Literal["Debit", "Credit"]
NET_TICK = 0.05
"""Index points. The price step of an order of four legs at most brokers; it does not depend on the
ticks of the legs."""

LEAST_COST = 1e-9
"""Index points. A cost is a sum of cents; a smaller one is the rounding of binary fractions, and
none: 3.3 - 1.1 - 2.2 is 4e-16 in floating point, and would have a rate of thousands of per cent."""

_PART_OF_TICK = 1e-6
"""A price nearer to a tick than this part of one is on it: 958.40 / 0.05 is not a whole number in
floating point."""


class LendBorrow(IntEnum):
    """What a box does to its holder's cash."""

    BORROW = -1
    FLAT = 0
    LEND = 1


@dataclass(frozen=True, slots=True)
class LegQuote:
    """The quote of one option. NaN is a side without a quote, or an unknown number.

    Attributes:
        bid: index points.
        ask: index points.
        bid_size: contracts at the bid.
        ask_size: contracts at the ask.
        volume: contracts traded today.
        open_interest: contracts open at the start of the day.
    """

    bid: float
    ask: float
    bid_size: float = nan
    ask_size: float = nan
    volume: float = nan
    open_interest: float = nan

    @property
    def buy_price(self) -> float:
        """What a buyer pays, in index points: an ask above zero, else NaN."""
        return self.ask if self.ask > 0 else nan

    @property
    def sell_price(self) -> float:
        """What a seller gets, in index points: a bid above zero, else NaN."""
        return self.bid if self.bid > 0 else nan


@dataclass(frozen=True, slots=True)
class OrderLeg:
    """One leg of an order for one box.

    Attributes:
        root: option root.
        expiry: expiration date.
        strike: index points.
        right: ``C`` or ``P``.
        action: buy or sell, to open.
        price: index points at the side used (ask bought, bid sold); NaN if that side is missing.
    """

    root: str
    expiry: date
    strike: float
    right: Right
    action: Action
    price: float

    @property
    def occ_symbol(self) -> str:
        """The contract's OCC symbol, as an order names it."""
        return occ_symbol(Contract(self.root, self.expiry, self.right, self.strike))


@dataclass(frozen=True, slots=True)
class BoxOrder:
    """One limit order for a number of equal boxes, in the terms that brokers share.

    Attributes:
        legs: the four legs, one contract each a box.
        boxes: number of boxes.
        limit_price: net price of one box, index points, not negative, a multiple of the net tick.
        price_effect: ``Debit`` is paid, ``Credit`` is received.
    """

    legs: tuple[OrderLeg, OrderLeg, OrderLeg, OrderLeg]
    boxes: int
    limit_price: float
    price_effect: PriceEffect

    def as_dict(self) -> dict[str, Any]:
        """Return the order as strings, numbers, lists and dictionaries, ready for JSON."""
        return {
            "order_type": "Limit",
            "limit_price": self.limit_price,
            "price_effect": self.price_effect,
            "legs": [
                {"action": leg.action, "quantity": self.boxes, "occ_symbol": leg.occ_symbol}
                for leg in self.legs
            ],
        }


def limit_price(debit: float, tick: float = NET_TICK) -> tuple[float, PriceEffect]:
    """Return the limit price of an order, on the tick, and whether it is paid or received.

    A debit is rounded up and a credit down, so that an order at the quoted price can still fill.

    Args:
        debit: what the order costs, index points; a credit is negative.
        tick: price step of the whole order, index points.

    Raises:
        ModelError: the debit is not finite, or the tick is not positive.
    """
    if not (isfinite(debit) and isfinite(tick) and tick > 0):
        raise ModelError(
            f"a debit of {debit} and a tick of {tick} make no limit price; "
            "both must be finite numbers, and the tick above zero"
        )
    steps = ceil(debit / tick - _PART_OF_TICK)
    return abs(round(steps * tick, 9)), "Debit" if steps > 0 else "Credit"


@dataclass(frozen=True, slots=True)
class ExpiryLegs:
    """The quotes of one root and expiry, by strike and right.

    Attributes:
        root: option root.
        expiry: expiration date.
        settlement: AM or PM.
        quotes: the quote by (strike, right).
    """

    root: str
    expiry: date
    settlement: Settlement
    quotes: Mapping[tuple[float, Right], LegQuote]

    @classmethod
    def from_chain(
        cls, chain: Chain, root: str, expiry: date, strikes: Collection[float] | None = None
    ) -> ExpiryLegs:
        """Take the quotes of one root and expiry out of a chain.

        Args:
            chain: quotes at one instant.
            root: option root.
            expiry: expiration date.
            strikes: those wanted, index points; all of them if None.

        Raises:
            ModelError: the chain has none.
        """
        rows = chain.quotes.filter((pl.col("root") == root) & (pl.col("expiry") == expiry))
        if rows.is_empty():
            raise ModelError(f"the chain has no {root} {expiry}; it has {_listed(chain, root)}")
        settlement: Settlement = rows["settlement"][0]
        if strikes is not None:
            rows = rows.filter(pl.col("strike").is_in([float(strike) for strike in strikes]))
        quotes = {
            (row["strike"], row["right"]): leg_quote(row) for row in rows.iter_rows(named=True)
        }
        return cls(root, expiry, settlement, quotes)

    def strikes(self) -> list[float]:
        """Return the strikes that have both a call and a put, ascending."""
        calls = {strike for strike, right in self.quotes if right == "C"}
        return sorted(calls & {strike for strike, right in self.quotes if right == "P"})

    def quote(self, strike: float, right: Right) -> LegQuote:
        """Return the quote of one contract.

        Raises:
            ModelError: it is not listed.
        """
        try:
            return self.quotes[strike, right]
        except KeyError:
            name = {"C": "call", "P": "put"}[right]
            raise ModelError(
                f"the chain has no {self.root} {self.expiry} {name} at strike {strike:g}"
            ) from None


def leg_quote(row: Mapping[str, Any], prefix: str = "") -> LegQuote:
    """Return the leg quote in the columns of a row; an absent or null number is NaN.

    Args:
        row: a mapping with ``bid`` and ``ask`` and, where known, ``bid_size``, ``ask_size``,
            ``volume`` and ``open_interest``.
        prefix: what the column names start with, such as ``call_kl_``.

    Raises:
        ModelError: a value is no number.
    """
    return LegQuote(*(number(row, prefix + item.name) for item in fields(LegQuote)))


def number(row: Mapping[str, Any], column: str) -> float:
    """Return one number of a row; NaN where it is absent or null.

    Raises:
        ModelError: the value is no number.
    """
    value = row.get(column)
    try:
        return nan if value is None else float(value)
    except (TypeError, ValueError):
        raise ModelError(f"column {column} holds {value!r}, which is no number") from None


def _listed(chain: Chain, root: str) -> str:
    expiries = chain.expiries(root)
    if not expiries:
        return f"roots {', '.join(chain.roots) or '(none)'}"
    return f"{len(expiries)} {root} expiries from {expiries[0]} to {expiries[-1]}"
