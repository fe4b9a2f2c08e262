"""Synthetic forwards of one root and expiry, strike by strike, with the legs behind them."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from itertools import pairwise
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import polars as pl

from live_box_spreads.model.chain import KEY
from live_box_spreads.model.errors import ChainError, did_you_mean
from live_box_spreads.model.quality import LegFlag, describe_flags, leg_flags, quote_age_secs

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
_NO_SETTLEMENT = 255
_UNSORTED = f"chain rows are not sorted by {', '.join(KEY)}; use Chain.build"


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
        age_secs: seconds from the quote to the snapshot; NaN unknown.
        flags: ``LegFlag`` bits.
    """

    bid: Floats
    ask: Floats
    bid_size: Floats
    ask_size: Floats
    volume: Floats
    open_interest: Floats
    age_secs: Floats
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
        return _part(self, index)


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

    def take(self, index: Indices) -> Synthetics:
        """Return the same with the strikes of these indices alone."""
        return replace(
            self,
            forwards=self.forwards.take(index),
            call=_part(self.call, index),
            put=_part(self.put, index),
            excluded_by=self.excluded_by[index],
        )

    @property
    def buy_size(self) -> Floats:
        """Synthetic forwards to be bought at the top of the book, (m,); NaN unknown."""
        return np.minimum(self.call.ask_size, self.put.bid_size)

    @property
    def sell_size(self) -> Floats:
        """Synthetic forwards to be sold at the top of the book, (m,); NaN unknown."""
        return np.minimum(self.call.bid_size, self.put.ask_size)

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


_Arrays = TypeVar("_Arrays", Legs, SyntheticForwards)


def synthetics_by_expiry(
    chain: Chain, rules: QualityRules, root: str | None = None
) -> list[Synthetics]:
    """Pair calls and puts of every root and expiry into synthetic forwards, in one pass.

    A leg that is sold needs a bid above zero, a leg that is bought an ask above zero. A strike
    with a leg whose flags hit ``rules.exclude`` has no synthetic forward.

    Args:
        chain: quotes at one instant.
        rules: which legs to flag, and to leave out.
        root: only this option root; all of them if not given.

    Returns:
        One for each (root, expiry), in the order of ``chain.keys()``; none for an empty chain.

    Raises:
        ChainError: the chain has no such root, mixes AM and PM settlement in an expiry, or is not
            sorted.
    """
    quotes = chain.quotes
    if root is not None:
        quotes = quotes.filter(pl.col("root") == root)
        if quotes.is_empty():
            raise ChainError(_no_such_root(chain, root))
    return _paired(quotes, chain, rules)


def no_such_expiry(chain: Chain, root: str, expiry: date) -> ChainError:
    """Return the error for an expiry that a root of the chain does not have."""
    nearest = sorted(chain.expiries(root), key=lambda day: abs(day - expiry))[:_NEAREST_SHOWN]
    shown = ", ".join(day.isoformat() for day in sorted(nearest))
    return ChainError(f"{root} has no expiry {expiry.isoformat()}; the nearest are {shown}")


def _no_such_root(chain: Chain, root: str) -> str:
    known = ", ".join(chain.roots) or "no root at all"
    return f"the chain has no root {root!r}; it has {known}.{did_you_mean(root, chain.roots)}"


def _paired(quotes: pl.DataFrame, chain: Chain, rules: QualityRules) -> list[Synthetics]:
    """Return the synthetic forwards of each (root, expiry) of these rows of the chain."""
    if quotes.is_empty():
        return []
    starts = _starts_of_expiries(quotes)
    heads = quotes[starts[:-1]].select("root", "underlying", "expiry", "settlement").rows()
    _check_settlements(quotes, starts)
    calls = _rows_of_calls(quotes, starts)
    flags = leg_flags(quotes, chain.snapshot_time, rules)
    age_secs = quote_age_secs(quotes, chain.snapshot_time)
    call, put = (_legs(quotes, age_secs, flags, rows) for rows in (calls, calls + 1))
    excluded_by = _lowest_bit((call.flags | put.flags) & np.uint8(rules.exclude))
    usable = excluded_by == 0
    forwards = SyntheticForwards(
        quotes["strike"].to_numpy()[calls],
        _difference(call.bid, put.ask, usable),
        _difference(call.ask, put.bid, usable),
    )
    bounds = np.searchsorted(calls, starts)
    found = []
    for (root, underlying, expiry, settlement), rows, a, b in zip(
        heads, np.diff(starts), bounds, bounds[1:], strict=False
    ):
        part = slice(int(a), int(b))
        found.append(
            Synthetics(
                root=root,
                expiry=expiry,
                settlement=settlement,
                spot=chain.spot.get(underlying, float("nan")),
                forwards=_part(forwards, part),
                call=_part(call, part),
                put=_part(put, part),
                excluded_by=excluded_by[part],
                one_sided=int(rows - 2 * (b - a)),
            )
        )
    return found


def _starts_of_expiries(quotes: pl.DataFrame) -> Indices:
    """Return the first row of each (root, expiry), and the number of rows at the end.

    Raises:
        ChainError: they are not in order, or one is in two places.
    """
    changed = pl.any_horizontal(pl.col(name) != pl.col(name).shift() for name in KEY[:2])
    starts = np.flatnonzero(quotes.select(changed.fill_null(value=True)).to_series().to_numpy())
    keys = quotes[starts].select(KEY[:2]).rows()
    if any(above >= below for above, below in pairwise(keys)):
        raise ChainError(_UNSORTED)
    return np.append(starts, len(quotes))


def _check_settlements(quotes: pl.DataFrame, starts: Indices) -> None:
    """Refuse an expiry that mixes settlements, or has a row without one."""
    settlement = quotes["settlement"].to_physical().fill_null(_NO_SETTLEMENT).to_numpy()
    lowest = np.minimum.reduceat(settlement, starts[:-1])
    highest = np.maximum.reduceat(settlement, starts[:-1])
    for bad in np.flatnonzero((lowest != highest) | (highest == _NO_SETTLEMENT)):
        rows = quotes[int(starts[bad]) : int(starts[bad + 1])]
        found = rows["settlement"].unique().sort().to_list()
        raise ChainError(
            f"{rows['root'][0]} {rows['expiry'][0].isoformat()} has settlement {found}; an expiry "
            "has one, AM or PM"
        )


def _rows_of_calls(quotes: pl.DataFrame, starts: Indices) -> Indices:
    """Return the row of each call that has a put; the put is in the next row, as chains are sorted.

    Raises:
        ChainError: the rows of an expiry are not sorted.
    """
    strike, right = quotes["strike"].to_numpy(), quotes["right"].to_physical().to_numpy()
    within = np.ones(strike.size - 1, dtype=np.bool_)
    within[starts[1:-1] - 1] = False
    same = within & (strike[:-1] == strike[1:])
    if np.any(strike[:-1][within] > strike[1:][within]) or np.any(
        right[:-1][same] >= right[1:][same]
    ):
        raise ChainError(_UNSORTED)
    return np.flatnonzero(same)


def _legs(quotes: pl.DataFrame, age_secs: Floats, flags: Flags, rows: Indices) -> Legs:
    names = [item.name for item in fields(Legs) if item.name not in {"age_secs", "flags"}]
    # An integer column with nulls becomes floats with NaN.
    values = {name: quotes[name].to_numpy().astype(np.float64)[rows] for name in names}
    return Legs(**values, age_secs=age_secs[rows], flags=flags[rows])


def _part(arrays: _Arrays, part: slice | Indices) -> _Arrays:
    """Return the same with a part of each of its arrays."""
    return type(arrays)(*(getattr(arrays, item.name)[part] for item in fields(arrays)))


def _difference(call: Floats, put: Floats, usable: NDArray[np.bool_]) -> Floats:
    """Return call - put where both are quoted above zero on a usable strike, else NaN."""
    return np.where(usable & (call > 0.0) & (put > 0.0), call - put, np.nan)


def _lowest_bit(flags: Flags) -> Flags:
    return flags & (~flags + np.uint8(1))
