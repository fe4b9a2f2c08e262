"""The rows of the table of the best boxes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import polars as pl

from live_box_spreads.books.ranking import ranking
from live_box_spreads.dashboard.axes import DAYS_PER_YEAR
from live_box_spreads.dashboard.content import no_quotes, nothing_passes
from live_box_spreads.dashboard.ranking_grid import COLUMNS
from live_box_spreads.model.quality import describe_flags

if TYPE_CHECKING:
    from live_box_spreads.dashboard.choices import Choices
    from live_box_spreads.dashboard.market_view import MarketView

LIMIT = 200
_DECIMALS = {"rate": 7, "cost": 4, "bps": 2}


@dataclass(frozen=True, slots=True)
class RankedRows:
    """What the table shows.

    Attributes:
        rows: one mapping a box, by field of ``ranking_grid.COLUMNS``, with an ``id``.
        message: said instead of the table; empty if there are rows.
        caption: the line under the title.
    """

    rows: list[dict[str, Any]] = field(default_factory=list)
    message: str = ""
    caption: str = ""


def ranked_rows(view: MarketView, choices: Choices) -> RankedRows:
    """Return the best boxes of a root over all its expiries."""
    market = view.newest().market
    missing = no_quotes(view, market, choices.root)
    if market is None or missing:
        return RankedRows(message=missing)
    tables = view.tables(market, choices)
    best = ranking(tables, side=choices.side, limit=LIMIT)
    if best.is_empty():
        return RankedRows(message=nothing_passes(tables))
    what = "highest rates to lend at" if choices.side == "lend" else "lowest rates to borrow at"
    return RankedRows(_rows(best), caption=f"{choices.root}, {len(best)} {what}, all expiries")


def _rows(best: pl.DataFrame) -> list[dict[str, Any]]:
    fields = [str(column["field"]) for column in COLUMNS]
    frame = best.with_columns(
        days=(pl.col("tte_years") * DAYS_PER_YEAR).round(0),
        expiry=pl.col("expiry").dt.to_string("%Y-%m-%d"),
        quality=pl.col("quality").map_elements(describe_flags, return_dtype=pl.String),
    )
    rounded = [
        pl.col(name).round(_DECIMALS[name.rsplit("_", 1)[-1]]).fill_nan(None)
        for name in fields
        if name.rsplit("_", 1)[-1] in _DECIMALS
    ]
    key = pl.format("{} {} {} {}", "ticker", "expiry", "kl", "ks").alias("id")
    return frame.with_columns(rounded).select(key, *fields).to_dicts()
