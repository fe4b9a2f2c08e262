"""Is what a snapshot shows true? Compares it with what the exchange quoted, row by row."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from live_box_spreads.model.contracts import parse_occ
from live_box_spreads.model.quality import LegFlag, QualityRules, leg_flags
from live_box_spreads.simulator.market.history import STILL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from live_box_spreads.model.chain import Chain
    from live_box_spreads.simulator.market.history import QuoteWindow

ON_THE_WAY = 0.02
"""Share of rows that may be behind the exchange at an instant while the book counts as true."""

_KEY = ["root", "expiry", "right", "strike"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What a comparison of one snapshot with the truth found.

    Attributes:
        contracts: rows compared.
        fresh: rows that show a price and are not flagged stale.
        stale: rows flagged stale.
        blank: rows that show no price though the exchange quoted one.
        false_fresh: fresh rows whose quote the exchange has not had for longer than allowed.
        false_times: fresh rows whose quote was gone already when they say that it stood.
        lagging: rows that do not show what the exchange quotes at that instant.
        worst_lag_secs: longest time that a fresh row's quote was gone; inf if it never was.
    """

    contracts: int
    fresh: int
    stale: int
    blank: int
    false_fresh: int
    false_times: int
    lagging: int
    worst_lag_secs: float

    @property
    def honest(self) -> bool:
        """Whether no stale price is shown as fresh."""
        return self.false_fresh == 0

    def is_true(self, allowed_lagging: float = 0.0) -> bool:
        """Whether the book is the exchange's, but for a share of rows that is still on the way."""
        return self.stale == 0 and self.lagging <= allowed_lagging * self.contracts


class Judge:
    """Compares snapshots with one exchange."""

    def __init__(
        self,
        occ_symbols: Sequence[str],
        rules: QualityRules,
        *,
        latency_secs: float,
    ) -> None:
        """Learn the exchange's contracts.

        Args:
            occ_symbols: of all listed contracts, in the order of the exchange.
            rules: say what is stale.
            latency_secs: from a quote to its row in the book, at most: aggregation, wire, and a
                busy machine. A row may say that a quote stood this much longer than it did.
        """
        self._listed = pl.DataFrame(
            [(*astuple(parse_occ(symbol)), row) for row, symbol in enumerate(occ_symbols)],
            schema=[*_KEY, "row"],
            orient="row",
        )
        self._rules = rules
        self._latency_secs = latency_secs

    def compare(self, chain: Chain, window: QuoteWindow) -> Finding:
        """Compare a snapshot with what was quoted until its instant.

        Args:
            chain: the snapshot.
            window: must reach back further than quotes may be old.
        """
        quotes, now_secs = chain.quotes, chain.snapshot_time.timestamp()
        bid, ask = _prices(quotes["bid"]), _prices(quotes["ask"])
        rows = self._rows(quotes)
        until = window.held_until_secs(rows, bid, ask, now_secs)
        shows = ~(np.isnan(bid) & np.isnan(ask))
        stale = (leg_flags(quotes, chain.snapshot_time, self._rules) & LegFlag.STALE) > 0
        fresh = shows & ~stale
        said_secs = quotes["quote_time"].dt.epoch("ms").cast(pl.Float64).fill_null(np.nan) / 1000
        claimed = np.nan_to_num(said_secs.to_numpy(), nan=now_secs) - self._latency_secs
        allowed_secs = self._rules.stale_after_secs + self._latency_secs
        lag_secs = np.maximum(now_secs - until, 0.0)  # of what still stands: none
        return Finding(
            contracts=len(quotes),
            fresh=int(fresh.sum()),
            stale=int((stale & shows).sum()),
            blank=int((~shows & (until != STILL)).sum()),
            false_fresh=int((fresh & (lag_secs > allowed_secs)).sum()),
            false_times=int((fresh & (until < claimed)).sum()),
            lagging=int((lag_secs > self._latency_secs).sum()),
            worst_lag_secs=float(lag_secs[fresh].max(initial=0.0)),
        )

    def _rows(self, quotes: pl.DataFrame) -> NDArray[np.intp]:
        schema = {name: quotes.schema[name] for name in _KEY}
        listed = self._listed.cast(schema)  # type: ignore[arg-type] # a mapping of types is one
        found = quotes.select(_KEY).join(listed, on=_KEY, how="left", maintain_order="left")
        return found["row"].to_numpy()


def _prices(column: pl.Series) -> NDArray[np.float64]:
    return column.cast(pl.Float64).fill_null(np.nan).to_numpy()
