"""The snapshot folder as the dashboard sees it: desks, and the reference to compare with."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from live_box_spreads.books.boxes.search import Search
from live_box_spreads.books.views.surfaces import strike_grid
from live_box_spreads.dashboard.choices import BoxOptions, Choices
from live_box_spreads.model.products import PRODUCTS
from live_box_spreads.model.settlement import trade_date
from live_box_spreads.reference.history import Reference
from live_box_spreads.service.folder_watch import SnapshotFile
from live_box_spreads.service.snapshots import Market, Snapshots
from live_box_spreads.settings import make_reference

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from live_box_spreads.books.boxes.filters import BoxFilters
    from live_box_spreads.books.boxes.opportunities import Opportunities
    from live_box_spreads.books.boxes.search import Side
    from live_box_spreads.books.desk import Desk
    from live_box_spreads.books.views.surfaces import Survey
    from live_box_spreads.collector.events import Event
    from live_box_spreads.model.chain import Chain
    from live_box_spreads.settings import Settings

STRIKE_CELLS = 48
_FEWEST_CELLS = 2
BEST_BOXES = 200
_REFERENCE_WAIT_SECS = 1.0
_CLEAR_WITHIN = 3.0
"""A cell is drawn if its rate is at most this many times worse known than the best of its row."""
_SHOWN_FOR_SECS = 300.0
"""A page that has asked for nothing for so long is taken for closed."""
_MOST_PREPARED = 4
"""Choices of pages for which a new snapshot is computed ahead, the latest ones."""
_NO_STRIKE = 1.0
"""Where a grid of strikes lies if the chain has no strike."""
_GRID_STEP = 1.02
"""The strike grid moves in steps of 2 % of the spot, so that a tick does not redraw history."""


class MarketView:
    """What the panels ask for. Safe to use from many threads.

    It subscribes to new snapshots, and computes what open pages show of one before they ask.
    """

    name = "dashboard"
    wants = frozenset({SnapshotFile})

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
            settings.store(),
            settings.conventions(),
            clock=clock,
            collector_started=collector_started,
        )
        self.clock = clock
        self._references = make_reference(settings)
        self._shown: dict[tuple[str, BoxOptions, Side], float] = {}

    def desk(self, market: Market, options: BoxOptions) -> Desk:
        """Return the desk of a snapshot under the chosen options."""

        def filters(root: str) -> BoxFilters:
            configured = self.settings.box_filters(root)
            least = max(configured.min_volume, options.min_leg_volume)
            return replace(configured, min_volume=least)

        return market.desk.under(compounding=options.compounding, filters=filters)

    def compared_desk(self, market: Market, options: BoxOptions, root: str | None = None) -> Desk:
        """Return the same with the reference, for what is compared with it: it may have to wait.

        For one root, its filtered curve is there too, where a collector follows the folder.
        """
        filtered = None if root is None else self.snapshots.filtered(market, root)
        return self.desk(market, options).under(
            reference=self.reference(market).curve, filtered=filtered
        )

    def survey(self, market: Market, choices: Choices) -> Iterator[Survey]:
        """Yield what surfaces and header need of each expiry of the chosen root, soonest first."""
        desk, edges = self.desk(market, choices.options), self.strike_edges(market, choices.root)
        for expiry in market.chain.expiries(choices.root):
            yield desk.survey(choices.root, expiry, edges, _CLEAR_WITHIN)

    def survey_history(self, market: Market, choices: Choices) -> Iterator[Survey]:
        """Yield the same of the chosen expiry, a snapshot of the chosen window after the other."""
        root, expiry = choices.root, choices.expiry
        edges = self.strike_edges(market, root)
        if expiry is None:
            return
        for at in self.snapshots.history(market, choices.history_minutes):
            if expiry in at.chain.expiries(root):
                desk = self.desk(at, choices.options)
                yield desk.survey(root, expiry, edges, _CLEAR_WITHIN)

    def best_boxes(self, market: Market, choices: Choices) -> Opportunities:
        """Return the best boxes of the chosen root and side, over all its expiries."""
        desk = self.desk(market, choices.options)
        return desk.best(Search(choices.side, limit=BEST_BOXES), choices.root)

    def reference(self, market: Market) -> Reference:
        """Return what the rates of a snapshot are compared with, or why there is nothing.

        A source that takes long is not waited for: the next poll finds what it has brought.
        """
        if self._references is None:
            return Reference(None)
        day = trade_date(market.chain.snapshot_time)
        return self._references.on(day, wait_secs=_REFERENCE_WAIT_SECS)

    def note_shown(self, choices: Choices) -> None:
        """Remember what a page shows, so that it is computed ahead for the next snapshot."""
        self._shown[choices.root, choices.options, choices.side] = time.monotonic()

    def receive(self, event: Event) -> None:
        """Compute for a new snapshot what open pages show."""
        if not isinstance(event, SnapshotFile):
            return
        market = self.snapshots.newest().market
        since_secs = time.monotonic() - _SHOWN_FOR_SECS
        # A copy: pages add to it meanwhile.
        shown = {key: at for key, at in dict(self._shown).items() if at > since_secs}
        self._shown = shown
        latest = sorted(shown, key=shown.__getitem__, reverse=True)[:_MOST_PREPARED]
        for root, options, side in latest:
            if market is not None and root in market.desk.loan_roots:
                self._prepare(market, Choices(root, options=options, side=side))

    def warm_up(self) -> None:
        """Compute what a page asks for first."""
        market = self.snapshots.newest().market
        roots = market.desk.loan_roots if market else []
        if market is None or not roots:
            return
        options = BoxOptions(self.settings.compounding)
        root = next((root for root in self.settings.tickers if root in roots), roots[0])
        self._prepare(market, Choices(root, options=options))

    def _prepare(self, market: Market, choices: Choices) -> None:
        """Compute what takes longest of a page, and keep it."""
        self.compared_desk(market, choices.options, choices.root).headline(choices.root)
        for _ in self.survey(market, choices):
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


def spot_of(chain: Chain, root: str) -> float | None:
    """Return the last price of a root's underlying, in index points; None if unknown.

    A price that is not positive is none, and the underlying of an unknown root has none.
    """
    known = PRODUCTS.get(root)
    price = chain.spot.get(known.underlying, 0.0) if known else 0.0
    return price if 0.0 < price < math.inf else None
