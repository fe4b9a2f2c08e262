"""The steps of the books, each asked of a desk in one call: what the tests compare."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from live_box_spreads.books.boxes import opportunities as ranking
from live_box_spreads.books.conventions import Conventions
from live_box_spreads.books.desk import Desk
from live_box_spreads.books.strikes.blocks import Strikes
from live_box_spreads.books.views import surfaces
from live_box_spreads.books.views import term_structure as terms
from live_box_spreads.model.quality import QualityRules

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    from live_box_spreads.books.boxes.opportunities import Opportunities
    from live_box_spreads.books.boxes.search import FairValue, Search
    from live_box_spreads.books.boxes.table import BoxTable
    from live_box_spreads.books.strikes.synthetics import Synthetics
    from live_box_spreads.books.views.surfaces import RowLabel, Surface
    from live_box_spreads.boxspread import QuoteSide
    from live_box_spreads.model.chain import Chain


def curve(chain: Chain, *, root: str | None = None, **conventions: Any) -> pl.DataFrame:
    return Desk(chain, Conventions(**conventions)).curve(root)


def band_table(
    chain: Chain, *, root: str | None = None, min_size: float = 0.0, **conventions: Any
) -> pl.DataFrame:
    return Desk(chain, Conventions(**conventions)).band(root, min_size=min_size)


def box_table(
    chain: Chain,
    root: str,
    expiry: date,
    *,
    columns: Sequence[str] | None = None,
    allow_american: bool = False,
    **conventions: Any,
) -> BoxTable:
    desk = Desk(chain, Conventions(**conventions))
    some = {} if columns is None else {"columns": columns}
    return desk.boxes(root, expiry, allow_american=allow_american, **some)


def synthetics(chain: Chain, root: str, expiry: date, rules: QualityRules) -> Synthetics:
    return Desk(chain, Conventions(rules=rules)).expiry_strikes(root, expiry)


def opportunities(
    chain: Chain,
    fair: Mapping[tuple[str, date], FairValue],
    search: Search,
    *,
    root: str | None = None,
    rules: QualityRules | None = None,
    **conventions: Any,
) -> Opportunities:
    strikes = Strikes.of(chain, rules or QualityRules(), root)
    return ranking.opportunities(strikes, fair, search, **conventions)


def rate_surfaces(
    tables: Iterable[BoxTable],
    edges: NDArray[np.float64],
    sides: Sequence[QuoteSide],
    *,
    label: RowLabel = "expiry",
    clear_within: float = float("inf"),
) -> dict[QuoteSide, Surface]:
    found = [surfaces.survey_boxes(table, edges, clear_within) for table in tables]
    return {side: surfaces.rate_surface(found, edges, side, label=label) for side in sides}


def rate_surface(
    tables: Iterable[BoxTable], edges: NDArray[np.float64], side: QuoteSide, **more: Any
) -> Surface:
    return rate_surfaces(tables, edges, (side,), **more)[side]


def term_structure(
    tables: Iterable[BoxTable], *, centre: float, band: float, price: QuoteSide = "mid"
) -> pl.DataFrame:
    rows = (terms.term_row(table, centre=centre, band=band, price=price) for table in tables)
    return terms.term_structure(rows)
