"""What the figures are made of: the newest snapshot, its boxes, and a little history.

Everything is computed on the server, once for all browsers, and kept within a bound.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

from live_box_spreads.books.boxes.opportunities import (
    Opportunities,
    Wish,
    fair_values,
    opportunities,
)
from live_box_spreads.books.boxes.table import BoxTable, box_table
from live_box_spreads.books.curves.curve import curve
from live_box_spreads.books.curves.reference_spread import with_reference
from live_box_spreads.books.curves.smooth_curve import smooth_curves
from live_box_spreads.books.views.skew import SKEW_COLUMNS
from live_box_spreads.books.views.surfaces import strike_grid
from live_box_spreads.dashboard.cache import Cache, size_of_frame
from live_box_spreads.dashboard.choices import BoxOptions, Choices
from live_box_spreads.dashboard.snapshots import Market, Snapshots
from live_box_spreads.model.products import PRODUCTS, is_loan
from live_box_spreads.model.settlement import trade_date
from live_box_spreads.reference.history import Reference
from live_box_spreads.settings import make_reference

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import date

    import polars as pl
    from numpy.typing import NDArray

    from live_box_spreads.books.boxes.filters import BoxFilters
    from live_box_spreads.books.curves.smooth_curve import SmoothCurve
    from live_box_spreads.model.chain import Chain
    from live_box_spreads.settings import Settings

PANEL_COLUMNS = SKEW_COLUMNS
"""What the panels need of a box: a quarter of its columns, and of the memory."""
STRIKE_CELLS = 48
_FEWEST_CELLS = 2
BEST_BOXES = 200
_TABLES_BYTES = 400_000_000
_CURVES_BYTES = 10_000_000
_REFERENCE_WAIT_SECS = 1.0
_BEST_BYTES = 10_000_000
_NO_STRIKE = 1.0
"""Where a grid of strikes lies that nothing is on."""
_GRID_STEP = 1.02
"""The strike grid moves in steps of 2 % of the spot, so that a tick does not redraw history."""


@dataclass(frozen=True, slots=True)
class _Fair:
    """The fair curve of a root: a row an expiry, and the smooth curve through them if there is."""

    table: pl.DataFrame
    smooth: SmoothCurve | None


class MarketView:
    """The snapshot folder as the dashboard sees it. Safe to use from many threads."""

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        collector_started: bool = False,
    ) -> None:
        """Look at the configured folder; nothing is read yet.

        Args:
            settings: the configuration.
            clock: gives the current instant, with a time zone.
            collector_started: whether whoever opens the dashboard has started a collector too.
        """
        self.settings = settings
        self.snapshots = Snapshots(
            settings.store(), clock=clock, collector_started=collector_started
        )
        self._references = make_reference(settings)
        self._curves: Cache[_Fair] = Cache(_CURVES_BYTES, lambda it: size_of_frame(it.table))
        self._best: Cache[Opportunities] = Cache(_BEST_BYTES, lambda it: size_of_frame(it.frame))
        self._pricing = Lock()
        self._tables: Cache[BoxTable] = Cache(_TABLES_BYTES, lambda it: size_of_frame(it.frame))

    def table(self, market: Market, root: str, expiry: date, options: BoxOptions) -> BoxTable:
        """Return the boxes of one expiry that pass the filters, with ``PANEL_COLUMNS`` alone."""
        return self._tables.get(
            (market.identity, root, expiry, options),
            lambda: self._priced(market, root, expiry, options),
        )

    def _priced(self, market: Market, root: str, expiry: date, options: BoxOptions) -> BoxTable:
        # One at a time: pricing a million boxes takes several times the memory of their table, and
        # all panels of a page ask at once.
        with self._pricing:
            return box_table(
                market.chain,
                root,
                expiry,
                basis=self.settings.time_basis,
                compounding=options.compounding,
                filters=self._filters(root, options),
                rules=self.settings.quality_rules(),
                columns=PANEL_COLUMNS,
            )

    def tables(self, market: Market, choices: Choices) -> Iterator[BoxTable]:
        """Yield the boxes of each expiry of the chosen root, soonest first; some may be empty.

        One at a time: those of a large chain do not fit into memory together.
        """
        for expiry in market.chain.expiries(choices.root):
            yield self.table(market, choices.root, expiry, choices.options)

    def curve(self, market: Market, root: str, options: BoxOptions) -> pl.DataFrame:
        """Return the fair curve of a root, soonest expiry first, beside the reference if any."""
        found = self._fair(market, root, options).table
        reference = self.reference(market).curve
        return with_reference(found, reference, options.compounding) if reference else found

    def smooth_curve(self, market: Market, root: str, options: BoxOptions) -> SmoothCurve | None:
        """Return the smooth curve of a root; None where too few expiries have a fair rate."""
        return self._fair(market, root, options).smooth

    def _fair(self, market: Market, root: str, options: BoxOptions) -> _Fair:
        return self._curves.get(
            (market.identity, root, options), lambda: self._fit(market, root, options)
        )

    def _fit(self, market: Market, root: str, options: BoxOptions) -> _Fair:
        table = curve(
            market.chain,
            root=root,
            basis=self.settings.time_basis,
            compounding=options.compounding,
            filters=self._filters(root, options),
            rules=self.settings.quality_rules(),
        )
        return _Fair(table, smooth_curves(table).get(root))

    def best_boxes(self, market: Market, choices: Choices) -> Opportunities:
        """Return the best boxes of the chosen root and side, over all its expiries."""
        root, options = choices.root, choices.options
        return self._best.get(
            (market.identity, root, options, choices.side),
            lambda: opportunities(
                market.chain,
                fair_values(self._fair(market, root, options).table),
                Wish(choices.side, limit=BEST_BOXES),
                root=root,
                basis=self.settings.time_basis,
                compounding=options.compounding,
                filters=self._filters(root, options),
                rules=self.settings.quality_rules(),
            ),
        )

    def _filters(self, root: str, options: BoxOptions) -> BoxFilters:
        configured = self.settings.box_filters(root)
        return replace(configured, min_volume=max(configured.min_volume, options.min_leg_volume))

    def reference(self, market: Market) -> Reference:
        """Return what the rates of a snapshot are compared with, or why there is nothing.

        A source that takes long is not waited for: the next poll finds what it has brought.
        """
        if self._references is None:
            return Reference(None)
        day = trade_date(market.chain.snapshot_time)
        return self._references.on(day, wait_secs=_REFERENCE_WAIT_SECS)

    def warm_up(self) -> None:
        """Compute what a page asks for first."""
        market = self.snapshots.newest().market
        roots = loan_roots(market.chain) if market else []
        if market is None or not roots:
            return
        options = BoxOptions(self.settings.compounding)
        root = next((root for root in self.settings.tickers if root in roots), roots[0])
        choices = Choices(root, options=options)
        self.curve(market, root, options)
        for _ in self.tables(market, choices):
            continue
        self.best_boxes(market, choices)

    def strike_edges(self, market: Market, root: str) -> NDArray[np.float64]:
        """Return the (m+1,) edges of the strike cells of the surfaces of a root.

        There are no more cells than strikes: most would be empty, and a surface full of holes.
        """
        low, high = self.settings.strike_moneyness
        centre = _GRID_STEP ** round(math.log(reference_price(market.chain, root), _GRID_STEP))
        strikes = np.unique(_strikes(market.chain, root))
        within = np.count_nonzero((strikes >= low * centre) & (strikes <= high * centre))
        return strike_grid(centre, low, high, max(_FEWEST_CELLS, min(int(within), STRIKE_CELLS)))


def reference_price(chain: Chain, root: str) -> float:
    """Return the spot of a root's underlying, or the middle of its strikes where it is unknown."""
    spot = spot_of(chain, root)
    if spot is not None:
        return spot
    strikes = _strikes(chain, root)
    return float(np.median(strikes)) if strikes.size else _NO_STRIKE


def _strikes(chain: Chain, root: str) -> NDArray[np.float64]:
    """Return the strike of each contract of a root, index points."""
    return chain.quotes["strike"].filter(chain.quotes["root"] == root).to_numpy()


def loan_roots(chain: Chain) -> list[str]:
    """Return the roots of a chain on which a box is a loan, sorted: known and European."""
    return [root for root in chain.roots if is_loan(root)]


def spot_of(chain: Chain, root: str) -> float | None:
    """Return the last price of a root's underlying, in index points; None if unknown.

    A price that is not positive is none, and the underlying of an unknown root has none.
    """
    known = PRODUCTS.get(root)
    price = chain.spot.get(known.underlying, 0.0) if known else 0.0
    return price if 0.0 < price < math.inf else None
