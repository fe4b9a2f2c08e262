"""The desk: a chain under stated conventions, and everything that is computed from it, once.

Commands, dashboard, archive and Python programs ask a desk; nobody else puts the steps together:

    chain ─► strikes ─┬─► band ─► curve ─► smooth curve ─► headline
                      ├─► boxes ─► views
                      └─► best boxes (with the curve)

Each result is computed when it is first asked for and kept. Desks of one chain under other
conventions share what does not depend on them.
"""

from __future__ import annotations

from dataclasses import replace
from math import inf
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar, cast

import polars as pl

from live_box_spreads.books.boxes.filters import BoxFilters
from live_box_spreads.books.boxes.opportunities import Opportunities, fair_values, opportunities
from live_box_spreads.books.boxes.table import BOX_COLUMNS, BoxTable, box_table
from live_box_spreads.books.conventions import Conventions, CurveFit
from live_box_spreads.books.curves.band_table import band_table
from live_box_spreads.books.curves.curve import curve_table
from live_box_spreads.books.curves.filtered_rates import with_filtered
from live_box_spreads.books.curves.joint_curve import JointCurve, joint_curves, root_lines
from live_box_spreads.books.curves.parity_fit import joined_fits, parity_fits
from live_box_spreads.books.curves.reference_spread import with_reference
from live_box_spreads.books.curves.smooth_curve import SmoothCurve, smooth_curves
from live_box_spreads.books.prints import FairCurve, PrintedBoxes, printed_boxes
from live_box_spreads.books.strikes.blocks import Strikes
from live_box_spreads.books.strikes.synthetics import no_such_expiry
from live_box_spreads.books.views.headline import headline
from live_box_spreads.books.views.quality import (
    EXPIRY_QUALITY_SCHEMA,
    QUALITY_SCHEMA,
    expiry_quality,
    quality,
)
from live_box_spreads.books.views.skew import SKEW_COLUMNS, skew
from live_box_spreads.books.views.surfaces import VIEW_COLUMNS, Survey, survey_boxes
from live_box_spreads.books.views.tenors import TENOR_SCHEMA, tenors
from live_box_spreads.books.views.term_structure import TermRow, term_row, term_structure
from live_box_spreads.boxspread import BoxSpread
from live_box_spreads.cache import Cache, size_of_frame
from live_box_spreads.model.products import is_loan, loan_product
from live_box_spreads.model.settlement import trade_date

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence
    from datetime import date

    import numpy as np
    from numpy.typing import NDArray

    from live_box_spreads.books.boxes.search import Search
    from live_box_spreads.books.curves.joint_curve import RootLines
    from live_box_spreads.books.curves.parity_fit import ParityFits
    from live_box_spreads.books.strikes.synthetics import Synthetics
    from live_box_spreads.boxspread import QuoteSide
    from live_box_spreads.model.chain import Chain

    Floats = NDArray[np.float64]

_Value = TypeVar("_Value")
_RESULTS_BYTES = 400_000_000
_BYTES_A_STRIKE = 260
"""Of paired strikes: some thirty arrays of numbers."""
_SMALL_BYTES = 6_000
"""Of any other result, such as a row of a view, with its key."""


class Results(Cache[Any]):
    """What desks have computed, of one chain or many, within a bound of bytes."""

    def __init__(self, max_bytes: float = _RESULTS_BYTES) -> None:
        """Hold results of at most ``max_bytes`` together; those not used for longest go first."""
        super().__init__(max_bytes, _size_of)
        self.pricing = Lock()
        """Held while boxes are priced: a million of them take several times the memory of their
        table meanwhile, and all panels of a page ask at once."""


def _size_of(result: Any) -> int:
    if isinstance(result, Strikes):
        return _SMALL_BYTES + _BYTES_A_STRIKE * result.blocks.strike.size
    if isinstance(result, dict):  # of the joint curves of one fit, or of small things
        fits = [each.fit for each in result.values() if isinstance(each, JointCurve) and each.fit]
        return _SMALL_BYTES + max((fit.size_bytes for fit in fits), default=0)
    frame = getattr(result, "frame", result)
    return size_of_frame(frame) if isinstance(frame, pl.DataFrame) else _SMALL_BYTES


class Desk:
    """One chain under stated conventions. Safe to use from many threads.

    Attributes:
        chain: quotes at one instant.
        conventions: how they are read.

    Every method with a ``root`` raises ``ChainError`` where the chain has no such root or expiry,
    where an expiry mixes AM and PM settlement, or where the chain is not sorted.
    """

    def __init__(
        self,
        chain: Chain,
        conventions: Conventions | None = None,
        *,
        results: Results | None = None,
        identity: Hashable = None,
    ) -> None:
        """Take a chain; nothing is computed yet.

        Args:
            chain: quotes at one instant.
            conventions: how to read them; None for those of a fresh ``Conventions``.
            results: where results are kept; desks of many chains may share one. None keeps up to
                400 MB of them.
            identity: tells the chain from all others of which ``results`` has something; None
                where this desk and those made by ``under`` are to share nothing with others.
        """
        self.chain = chain
        self.conventions = conventions or Conventions()
        self._results = Results() if results is None else results
        self._identity = object() if identity is None else identity

    def under(self, **changes: Any) -> Desk:
        """Return a desk of the same chain with some fields of its conventions changed."""
        conventions = replace(self.conventions, **changes)
        return Desk(self.chain, conventions, results=self._results, identity=self._identity)

    @property
    def loan_roots(self) -> list[str]:
        """The roots on which a box is a loan, sorted: known and European."""
        return [root for root in self.chain.roots if is_loan(root)]

    def strikes(self, root: str | None = None) -> Strikes:
        """Return the paired strikes of a root, or of all; see ``Strikes``."""
        rules = self.conventions.rules
        return self._once(("strikes", root, rules), lambda: Strikes.of(self.chain, rules, root))

    def expiry_strikes(self, root: str, expiry: date) -> Synthetics:
        """Return the paired strikes of one expiry."""
        for part in self.strikes(root).expiries:
            if part.expiry == expiry:
                return part
        raise no_such_expiry(self.chain, root, expiry)

    def band(self, root: str | None = None, *, min_size: float = 0.0) -> pl.DataFrame:
        """Return the best executable box to lend and to borrow with, an expiry a row.

        Args:
            root: only this option root; all of them if not given.
            min_size: least boxes at the top of the book.

        Returns:
            ``BAND_SCHEMA``; see ``band_table``.
        """
        how = self.conventions
        return self._once(
            ("band", root, *self._read_as(root), min_size),
            lambda: band_table(
                self.strikes(root),
                basis=how.basis,
                compounding=how.compounding,
                filters=how.filters,
                min_size=min_size,
            ),
        )

    def curve(self, root: str | None = None) -> pl.DataFrame:
        """Return the fair rate, its standard error and the executable band, an expiry a row.

        Args:
            root: only this option root; all of them if not given.

        Returns:
            ``CURVE_SCHEMA``, and the columns of ``with_filtered`` and ``with_reference`` where the
            conventions have filtered curves and a reference.
        """
        reference = self.conventions.reference
        found = self._beside_filtered(self._curve(root))
        if reference is None:
            return found
        return with_reference(found, reference, self.conventions.compounding)

    def _beside_filtered(self, frame: pl.DataFrame, root: str | None = None) -> pl.DataFrame:
        how = self.conventions
        if how.filtered is None:
            return frame
        return with_filtered(frame, how.filtered, how.compounding, root=root)

    def _curve(self, root: str | None) -> pl.DataFrame:
        how = self.conventions
        return self._once(
            ("curve", root, *self._read_as(root), how.fit),
            lambda: curve_table(
                self.strikes(root),
                self._fits(root),
                self.band(root),
                basis=how.basis,
                compounding=how.compounding,
            ),
        )

    def _fits(self, root: str | None) -> ParityFits:
        # Of all conventions, the fits depend on the rules and the kind of fit alone.
        rules, fit = self.conventions.rules, self.conventions.fit
        if fit is CurveFit.PER_EXPIRY:
            return self._once(("fits", root, rules), lambda: parity_fits(self.strikes(root).blocks))
        roots = self.chain.roots if root is None else [root]
        return joined_fits([self.joint(each).fits() for each in roots])

    def joint(self, root: str) -> JointCurve:
        """Return the joint curve of a root, with what each expiry and the fit tell of the quotes.

        With ``CurveFit.ONE_CURVE`` it rests on all roots of the index on which a box is a loan.
        """
        roots = self._sharing(root)
        key = ("joint", tuple(roots), self.conventions.rules)
        return self._once(key, lambda: joint_curves([self.lines(each) for each in roots]))[root]

    def lines(self, root: str) -> RootLines:
        """Return what each expiry of a root tells by itself; see ``root_lines``."""
        key = ("lines", root, self.conventions.rules)
        return self._once(key, lambda: root_lines(self.strikes(root)))

    def _sharing(self, root: str) -> list[str]:
        """Return the roots that share a discount curve with one, itself among them."""
        self.strikes(root)  # an unknown root has an error of its own
        if self.conventions.fit is not CurveFit.ONE_CURVE or not is_loan(root):
            return [root]
        underlying = loan_product(root).underlying
        return [each for each in self.loan_roots if loan_product(each).underlying == underlying]

    def smooth(self, root: str) -> SmoothCurve | None:
        """Return the curve of a root at any date; None where too few expiries have a fair rate."""
        # It rests on the fits, and so on the rules alone.
        if self.conventions.fit is not CurveFit.PER_EXPIRY:
            return self.joint(root).smooth()
        return self._once(
            ("smooth", root, self.conventions.rules),
            lambda: smooth_curves(self._curve(root)).get(root),
        )

    def headline(self, root: str) -> pl.DataFrame:
        """Return the rates of a root at the usual tenors; see ``headline``."""
        how = self.conventions
        found = headline(
            self._curve(root),
            self.smooth(root),
            compounding=how.compounding,
            reference=how.reference,
        )
        return self._beside_filtered(found, root)

    def tenors(self, payment_dates: Sequence[date], root: str | None = None) -> pl.DataFrame:
        """Return the rates of loans to some dates, and of forward loans between them.

        Args:
            payment_dates: when the loans are paid back, in any order.
            root: only this option root; all those on which a box is a loan if not given.

        Returns:
            ``TENOR_SCHEMA``, a row for each root and date, and the columns of ``with_filtered`` and
            ``with_reference`` where the conventions have one; see ``tenors``.
        """
        how = self.conventions
        found = [
            tenors(
                self._curve(each),
                self.smooth(each),
                payment_dates,
                compounding=how.compounding,
                reference=how.reference,
            )
            for each in (self.loan_roots if root is None else [root])
        ]
        frame = pl.concat(found) if found else TENOR_SCHEMA.to_frame()
        beside = self._beside_filtered(frame)
        return beside.select(pl.exclude("note"), "note")

    def quality(self, root: str | None = None) -> pl.DataFrame:
        """Return what the quotes of a root err by together, and which are doubted, a root a row.

        It is what the joint fit finds, whichever fit gives the rates.

        Args:
            root: only this option root; all those on which a box is a loan if not given.

        Returns:
            ``QUALITY_SCHEMA``; see ``quality``.
        """
        roots = self.loan_roots if root is None else [root]
        found = [quality(self._expiry_quality(each)) for each in roots]
        return pl.concat(found) if found else QUALITY_SCHEMA.to_frame()

    def expiry_quality(self, root: str | None = None) -> pl.DataFrame:
        """Return the same an expiry a row: ``EXPIRY_QUALITY_SCHEMA``; see ``expiry_quality``."""
        roots = self.loan_roots if root is None else [root]
        found = [self._expiry_quality(each) for each in roots]
        return pl.concat(found) if found else EXPIRY_QUALITY_SCHEMA.to_frame()

    def _expiry_quality(self, root: str) -> pl.DataFrame:
        key = ("quality", root, tuple(self._sharing(root)), self.conventions.rules)
        return self._once(key, lambda: expiry_quality(self.joint(root)))

    def boxes(
        self,
        root: str,
        expiry: date,
        *,
        columns: Sequence[str] = BOX_COLUMNS,
        allow_american: bool = False,
    ) -> BoxTable:
        """Return every box of one expiry that passes the filters.

        Args:
            root: option root.
            expiry: expiration date.
            columns: what the table is to have, in that order; see ``box_table``.
            allow_american: price a root on which a box is no loan, or whose style is unknown.

        Raises:
            UnknownRootError: the root's style is unknown and was not allowed.
            NotALoanError: the root is American style and was not allowed.
        """
        part = self.expiry_strikes(root, expiry)
        if not allow_american:
            loan_product(root)
        how = self.conventions

        def priced() -> BoxTable:
            with self._results.pricing:
                return box_table(
                    part,
                    self.chain.snapshot_time,
                    basis=how.basis,
                    compounding=how.compounding,
                    filters=how.filters_of(root),
                    columns=columns,
                )

        return self._once(("boxes", root, expiry, *self._read_as(root), tuple(columns)), priced)

    def box(self, root: str, expiry: date, kl: float, ks: float) -> BoxSpread:
        """Return one box with the quotes of its four legs.

        Raises:
            ModelError: the chain lacks a leg, or the box is refused; see ``BoxSpread``.
        """
        return BoxSpread.from_chain(self.chain, root, expiry, kl, ks)

    def best(self, search: Search, root: str | None = None) -> Opportunities:
        """Return the best boxes on one side, over all expiries: net of fees, against fair values.

        Args:
            search: side, size and how many.
            root: only this option root; all of them if not given.
        """
        how = self.conventions
        return self._once(
            ("best", root, *self._read_as(root), how.fit, search),
            lambda: opportunities(
                self.strikes(root),
                fair_values(self._curve(root)),
                search,
                basis=how.basis,
                compounding=how.compounding,
                filters=how.filters,
            ),
        )

    def prints(self, prints: pl.DataFrame) -> PrintedBoxes:
        """Return the boxes among some trade prints of the chain's day, beside its fair rates.

        Args:
            prints: ``PRINT_SCHEMA``.
        """
        now = self.chain.snapshot_time
        rates = self._curve(None).select("root", "expiry", "fair_rate")
        fair = FairCurve(
            {(root, expiry): rate for root, expiry, rate in rates.iter_rows()},
            trade_date(now),
            f"curve of {now:%Y-%m-%d %H:%M} UTC",
        )
        return printed_boxes(prints, compounding=self.conventions.compounding, curve=fair)

    def survey(self, root: str, expiry: date, edges: Floats, clear_within: float = inf) -> Survey:
        """Return what surfaces and headers need of the boxes of an expiry, in one pass over them.

        Args:
            root: option root.
            expiry: expiration date.
            edges: (m + 1,) ascending edges of the strike cells, index points.
            clear_within: see ``survey_boxes``.
        """
        return self._once(
            ("survey", root, expiry, *self._read_as(root), edges.tobytes(), clear_within),
            lambda: survey_boxes(self.view_boxes(root, expiry), edges, clear_within),
        )

    def term_structure(
        self, root: str, *, centre: float, band: float, price: QuoteSide = "mid"
    ) -> pl.DataFrame:
        """Return a rate for each expiry of a root, from its boxes near a moneyness.

        Args:
            root: option root.
            centre: moneyness (middle strike / spot) in the middle of the band.
            band: half its width.
            price: whose rates; see ``term_row``.
        """
        near = {"centre": centre, "band": band}

        def row(expiry: date) -> TermRow:
            return self._once(
                ("term", root, expiry, *self._read_as(root), centre, band, price),
                lambda: term_row(self.view_boxes(root, expiry), **near, price=price),
            )

        expiries = [part.expiry for part in self.strikes(root).expiries]
        return term_structure(map(row, expiries))

    def skew(self, root: str, expiry: date, limit: int) -> pl.DataFrame:
        """Return the tightest boxes of an expiry over their middle strikes; see ``skew``."""
        return self._once(
            ("skew", root, expiry, *self._read_as(root), limit),
            lambda: skew(self.boxes(root, expiry, columns=SKEW_COLUMNS), limit=limit),
        )

    def view_boxes(self, root: str, expiry: date) -> BoxTable:
        """Return ``boxes`` with the few columns that surfaces and term structure need."""
        return self.boxes(root, expiry, columns=VIEW_COLUMNS)

    def _read_as(self, root: str | None) -> tuple[Hashable, ...]:
        """Return the conventions on which the executable boxes of a root depend, as a key."""
        how = self.conventions
        filters = self._filters_key() if root is None else how.filters_of(root)
        return how.basis, how.compounding, how.rules, filters

    def _filters_key(self) -> Hashable:
        filters = self.conventions.filters
        if isinstance(filters, BoxFilters):
            return filters
        return tuple(filters(root) for root in self.chain.roots)

    def _once(self, key: tuple[Hashable, ...], compute: Callable[[], _Value]) -> _Value:
        found = self._results.get((self._identity, *key), compute)
        # A frame can be changed in place; what is kept must not be. A clone copies no values.
        return cast("_Value", found.clone() if isinstance(found, pl.DataFrame) else found)
