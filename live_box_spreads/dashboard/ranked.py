"""The rows of the table of the best boxes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import polars as pl

from live_box_spreads.dashboard.axes import DAYS_PER_YEAR
from live_box_spreads.dashboard.content import no_quotes, nothing_left
from live_box_spreads.dashboard.ranking_grid import COLUMNS

if TYPE_CHECKING:
    from live_box_spreads.books.boxes.opportunities import Opportunities
    from live_box_spreads.dashboard.choices import Choices
    from live_box_spreads.dashboard.market_view import MarketView
    from live_box_spreads.service.snapshots import Market

_DECIMALS = {"rate": 7, "price": 4, "bps": 2, "errors": 1, "dollars": 2, "secs": 0}


@dataclass(frozen=True, slots=True)
class RankedRows:
    """What the table shows.

    Attributes:
        rows: one mapping a box, by field of ``ranking_grid.COLUMNS``, with an ``id``.
        message: shown instead of the table; empty if there are rows.
        caption: the line under the title.
    """

    rows: list[dict[str, Any]] = field(default_factory=list)
    message: str = ""
    caption: str = ""


def ranked_rows(view: MarketView, market: Market | None, choices: Choices) -> RankedRows:
    """Return the best boxes of a root over all its expiries."""
    missing = no_quotes(view, market, choices.root)
    if market is None or missing:
        return RankedRows(message=missing)
    found = view.best_boxes(market, choices)
    if found.frame.is_empty():
        return RankedRows(message=_why_empty(found))
    return RankedRows(
        _rows(found.frame),
        caption=f"{choices.root}, best boxes to {choices.side} with over all expiries, after fees",
    )


def _why_empty(found: Opportunities) -> str:
    """Say what keeps every box out: most of them, or else every expiry."""
    reasons = set(found.unranked.values()) - set(found.removed)
    if found.removed or not reasons:
        return nothing_left(found.removed)
    return f"No box can be ranked: {'; '.join(sorted(reasons))}."


def _rows(best: pl.DataFrame) -> list[dict[str, Any]]:
    fields = [str(column["field"]) for column in COLUMNS]
    frame = best.with_columns(
        days=(pl.col("tte_years") * DAYS_PER_YEAR).round(0),
        expiry=pl.col("expiry").dt.to_string("%Y-%m-%d"),
    )
    rounded = [
        pl.col(name).round(_DECIMALS[name.rsplit("_", 1)[-1]])
        for name in fields
        if name.rsplit("_", 1)[-1] in _DECIMALS
    ]
    key = pl.format("{} {} {} {}", "root", "expiry", "kl", "ks").alias("id")
    known = pl.selectors.float().fill_nan(None)
    return frame.with_columns(rounded).with_columns(known).select(key, *fields).to_dicts()
