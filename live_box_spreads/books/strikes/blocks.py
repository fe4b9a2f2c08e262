"""The strikes of a chain: paired once, by expiry and in one row of arrays, which kernels take."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

import numpy as np

from live_box_spreads.books.strikes.synthetics import synthetics_by_expiry
from live_box_spreads.model.settlement import TimeBasis, years_to_payment

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date, datetime

    from numpy.typing import NDArray

    from live_box_spreads.books.strikes.synthetics import Synthetics
    from live_box_spreads.model.chain import Chain
    from live_box_spreads.model.quality import QualityRules

    Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class StrikeBlocks:
    """Strikes with both a call and a put, block after block; a block is one (root, expiry).

    Attributes:
        keys: (root, expiry) of each of the n blocks.
        starts: (n + 1,) block i is at ``starts[i]:starts[i + 1]`` of the (m,) arrays below.
        strike: index points, ascending in each block.
        syn_bid: price at which a synthetic forward is sold, index points; NaN where it cannot be,
            or a leg is excluded by the quality rules.
        syn_ask: price at which it is bought, index points; NaN likewise.
        buy_size: synthetic forwards to be bought at the top of the book; NaN unknown.
        sell_size: synthetic forwards to be sold there; NaN unknown.
        volume: contracts traded today in the less traded leg; NaN if either is unknown.
        open_interest: contracts open in the leg with fewer; NaN if either is unknown.
        call_mid: between bid and ask of the call, index points; NaN where a side is missing.
        put_mid: likewise of the put.
        call_age_secs: seconds from the call's quote to the snapshot; NaN unknown.
        put_age_secs: likewise of the put.
        flags: ``LegFlag`` bits of both legs.
    """

    keys: tuple[tuple[str, date], ...]
    starts: NDArray[np.intp]
    strike: Floats
    syn_bid: Floats
    syn_ask: Floats
    buy_size: Floats
    sell_size: Floats
    volume: Floats
    open_interest: Floats
    call_mid: Floats
    put_mid: Floats
    call_age_secs: Floats
    put_age_secs: Floats
    flags: NDArray[np.uint8]

    @classmethod
    def of(cls, blocks: Sequence[Synthetics]) -> Self:
        """Lay the strikes of these expiries end to end, in their order."""
        counts = [block.forwards.strike.size for block in blocks]

        def joined(values: Callable[[Synthetics], Floats]) -> Floats:
            return np.concatenate([np.empty(0), *map(values, blocks)])

        return cls(
            keys=tuple((block.root, block.expiry) for block in blocks),
            starts=np.cumsum([0, *counts], dtype=np.intp),
            strike=joined(lambda block: block.forwards.strike),
            syn_bid=joined(lambda block: block.forwards.syn_bid),
            syn_ask=joined(lambda block: block.forwards.syn_ask),
            buy_size=joined(lambda block: block.buy_size),
            sell_size=joined(lambda block: block.sell_size),
            volume=joined(lambda block: np.minimum(block.call.volume, block.put.volume)),
            open_interest=joined(
                lambda block: np.minimum(block.call.open_interest, block.put.open_interest)
            ),
            call_mid=joined(lambda block: 0.5 * (block.call.bid + block.call.ask)),
            put_mid=joined(lambda block: 0.5 * (block.put.bid + block.put.ask)),
            call_age_secs=joined(lambda block: block.call.age_secs),
            put_age_secs=joined(lambda block: block.put.age_secs),
            flags=np.concatenate(
                [
                    np.empty(0, dtype=np.uint8),
                    *(block.call.flags | block.put.flags for block in blocks),
                ]
            ),
        )

    @property
    def usable(self) -> NDArray[np.bool_]:
        """Whether a synthetic forward can be bought and sold at a strike, bid no higher; (m,)."""
        usable: NDArray[np.bool_] = self.syn_ask >= self.syn_bid
        return usable

    @property
    def crossed(self) -> NDArray[np.bool_]:
        """Whether it is bid above its ask, (m,)."""
        crossed: NDArray[np.bool_] = self.syn_ask < self.syn_bid
        return crossed

    @property
    def one_sided(self) -> NDArray[np.bool_]:
        """Whether it cannot be bought, or cannot be sold, (m,)."""
        return ~(self.usable | self.crossed)

    def counts(self, found: NDArray[np.bool_]) -> NDArray[np.intp]:
        """Count what was found at the strikes, (m,), in each block, (n,)."""
        counts: NDArray[np.intp] = np.diff(self.places(found))
        return counts

    def places(self, chosen: NDArray[np.bool_]) -> NDArray[np.intp]:
        """Return where each block begins among the chosen strikes, (n + 1,)."""
        places: NDArray[np.intp] = np.concatenate([[0], np.cumsum(chosen)])[self.starts]
        return places

    def without(self, strike: int) -> Self:
        """Return the same with a strike, given by its place in the arrays, closed on both sides."""
        syn_bid, syn_ask = self.syn_bid.copy(), self.syn_ask.copy()
        syn_bid[strike] = syn_ask[strike] = np.nan
        return replace(self, syn_bid=syn_bid, syn_ask=syn_ask)

    def __len__(self) -> int:
        """Return the number of blocks."""
        return len(self.keys)


@dataclass(frozen=True, slots=True)
class Strikes:
    """The strikes of some expiries at one instant, by expiry and as blocks.

    Attributes:
        snapshot_time: the instant of the quotes (UTC).
        expiries: one for each (root, expiry), in the order of ``Chain.keys()``.
        blocks: the same, laid end to end.
    """

    snapshot_time: datetime
    expiries: tuple[Synthetics, ...]
    blocks: StrikeBlocks

    @classmethod
    def of(cls, chain: Chain, rules: QualityRules, root: str | None = None) -> Self:
        """Pair the calls and puts of a chain; see ``synthetics_by_expiry``.

        Args:
            chain: quotes at one instant.
            rules: which legs to flag, and to leave out.
            root: only this option root; all of them if not given.

        Raises:
            ChainError: the chain has no such root, mixes AM and PM settlement in an expiry, or is
                not sorted.
        """
        expiries = tuple(synthetics_by_expiry(chain, rules, root))
        return cls(chain.snapshot_time, expiries, StrikeBlocks.of(expiries))

    def years(self, basis: TimeBasis = TimeBasis.SETTLEMENT) -> Floats:
        """Return the years to the payment of each expiry, (n,); NaN where nothing is left."""
        now = self.snapshot_time
        return np.array(
            [years_to_payment(now, each.expiry, each.settlement, basis) for each in self.expiries],
            dtype=np.float64,
        )
