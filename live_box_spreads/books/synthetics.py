"""Synthetic forwards of one root and expiry, strike by strike, with the legs behind them."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from live_box_spreads.model.chain import KEY
from live_box_spreads.model.errors import ChainError, did_you_mean
from live_box_spreads.model.quality import LegFlag, describe_flags, leg_flags

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from numpy.typing import NDArray

    from live_box_spreads.model.chain import Chain
    from live_box_spreads.model.products import Settlement
    from live_box_spreads.model.quality import QualityRules

    Floats = NDArray[np.float64]
    Flags = NDArray[np.uint8]
    Indices = NDArray[np.intp]

_NEAREST_SHOWN = 4


@dataclass(frozen=True, slots=True)
class Legs:
    """The calls, or the puts, of the strikes of one expiry; (m,) arrays.

    Attributes:
        bid: index points; NaN where nobody bids.
        ask: index points; NaN where nobody offers.
        bid_size: contracts; NaN unknown.
        ask_size: contracts; NaN unknown.
        volume: contracts traded today; NaN unknown.
        open_interest: contracts; NaN unknown.
        flags: ``LegFlag`` bits.
    """

    bid: Floats
    ask: Floats
    bid_size: Floats
    ask_size: Floats
    volume: Floats
    open_interest: Floats
    flags: Flags


@dataclass(frozen=True, slots=True)
class SyntheticForwards:
    """Long call, short put at each strike: what a synthetic forward costs; (m,) arrays.

    Attributes:
        strike: index points, ascending, no duplicates.
        syn_bid: ``call_bid - put_ask``, index points; NaN where it cannot be sold.
        syn_ask: ``call_ask - put_bid``, index points; NaN where it cannot be bought.
    """

    strike: Floats
    syn_bid: Floats
    syn_ask: Floats

    def take(self, index: NDArray[np.intp]) -> SyntheticForwards:
        """Return the strikes of these indices."""
        return SyntheticForwards(self.strike[index], self.syn_bid[index], self.syn_ask[index])


@dataclass(frozen=True, slots=True)
class Synthetics:
    """The strikes of one root and expiry that have both a call and a put.

    Attributes:
        root: option root.
        expiry: expiration date.
        settlement: ``AM`` or ``PM``.
        spot: last price of the underlying, index points; NaN unknown.
        forwards: strikes and synthetic forwards; NaN on both sides where a leg is excluded.
        call: the calls, one a strike.
        put: the puts, one a strike.
        excluded_by: (m,) the flag for which a leg of the strike is excluded, the lowest bit if
            there are several; 0 where none is.
        one_sided: strikes that are listed with only a call or only a put; they are not here.
    """

    root: str
    expiry: date
    settlement: Settlement
    spot: float
    forwards: SyntheticForwards
    call: Legs
    put: Legs
    excluded_by: Flags
    one_sided: int

    @property
    def listed_strikes(self) -> int:
        """Number of strikes that are listed, with one right or both."""
        return self.forwards.strike.size + self.one_sided

    @property
    def excluded(self) -> Mapping[str, int]:
        """Strikes that no box can use, by reason."""
        flagged = {
            f"leg is {describe_flags(flag)}": int(np.sum(self.excluded_by == flag))
            for flag in LegFlag
        }
        counts = {"only a call or only a put": self.one_sided, **flagged}
        return {reason: strikes for reason, strikes in counts.items() if strikes}


def synthetics(chain: Chain, root: str, expiry: date, rules: QualityRules) -> Synthetics:
    """Pair calls and puts of one root and expiry into synthetic forwards.

    A leg that is sold needs a bid above zero, a leg that is bought an ask above zero. A strike
    with a leg whose flags hit ``rules.exclude`` has no synthetic forward.

    Raises:
        ChainError: the chain has no such root or expiry, mixes AM and PM settlement in it, or is
            not sorted.
    """
    quotes = _quotes_of(chain, root, expiry)
    flags = leg_flags(quotes, chain.snapshot_time, rules)
    calls = _rows_of_calls(quotes)
    call, put = _legs(quotes, flags, calls), _legs(quotes, flags, calls + 1)
    excluded_by = _lowest_bit((call.flags | put.flags) & np.uint8(rules.exclude))
    usable = excluded_by == 0
    return Synthetics(
        root=root,
        expiry=expiry,
        settlement=_settlement(quotes, root, expiry),
        spot=chain.spot.get(quotes["underlying"][0], float("nan")),
        forwards=SyntheticForwards(
            quotes["strike"].to_numpy()[calls],
            _difference(call.bid, put.ask, usable),
            _difference(call.ask, put.bid, usable),
        ),
        call=call,
        put=put,
        excluded_by=excluded_by,
        one_sided=len(quotes) - 2 * calls.size,
    )


def _quotes_of(chain: Chain, root: str, expiry: date) -> pl.DataFrame:
    quotes = chain.quotes.filter(pl.col("root") == root, pl.col("expiry") == expiry)
    if len(quotes):
        return quotes
    roots = chain.roots
    if root not in roots:
        known = ", ".join(roots) or "no root at all"
        raise ChainError(
            f"the chain has no root {root!r}; it has {known}.{did_you_mean(root, roots)}"
        )
    nearest = sorted(chain.expiries(root), key=lambda day: abs(day - expiry))[:_NEAREST_SHOWN]
    shown = ", ".join(day.isoformat() for day in sorted(nearest))
    raise ChainError(f"{root} has no expiry {expiry.isoformat()}; the nearest are {shown}")


def _settlement(quotes: pl.DataFrame, root: str, expiry: date) -> Settlement:
    settlement: Settlement | None = quotes["settlement"][0]
    if settlement is None or quotes["settlement"].n_unique() != 1:
        found = quotes["settlement"].unique().to_list()
        raise ChainError(
            f"{root} {expiry.isoformat()} has settlement {found}; an expiry has one, AM or PM"
        )
    return settlement


def _rows_of_calls(quotes: pl.DataFrame) -> Indices:
    """Return the row of each call that has a put; the put is in the next row, as chains are sorted.

    Raises:
        ChainError: the rows are not sorted.
    """
    strike, right = quotes["strike"].to_numpy(), quotes["right"].to_physical().to_numpy()
    same = strike[:-1] == strike[1:]
    if np.any(strike[:-1] > strike[1:]) or np.any(right[:-1][same] >= right[1:][same]):
        raise ChainError(f"chain rows are not sorted by {', '.join(KEY)}; use Chain.build")
    return np.flatnonzero(same)


def _legs(quotes: pl.DataFrame, flags: Flags, rows: Indices) -> Legs:
    names = [item.name for item in fields(Legs) if item.name != "flags"]
    # An integer column with nulls becomes floats with NaN.
    values = {name: quotes[name].to_numpy().astype(np.float64)[rows] for name in names}
    return Legs(**values, flags=flags[rows])


def _difference(call: Floats, put: Floats, usable: NDArray[np.bool_]) -> Floats:
    """Return call - put where both are quoted above zero on a usable strike, else NaN."""
    return np.where(usable & (call > 0.0) & (put > 0.0), call - put, np.nan)


def _lowest_bit(flags: Flags) -> Flags:
    return flags & (~flags + np.uint8(1))
