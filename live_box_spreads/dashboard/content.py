"""What a panel shows, and the plain word on why it has nothing to show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from live_box_spreads.dashboard.market_view import removed_by_reason

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import plotly.graph_objects as go

    from live_box_spreads.books.box_table import BoxTable
    from live_box_spreads.dashboard.market_view import Market, MarketView


@dataclass(frozen=True, slots=True)
class Content:
    """What a panel shows.

    Attributes:
        figure: the chart; None where there is nothing to draw.
        message: said instead of the chart; empty if there is one.
        caption: the line under the title.
    """

    figure: go.Figure | None = None
    message: str = ""
    caption: str = ""


def no_quotes(view: MarketView, market: Market | None, root: str) -> str:
    """Return why there are no quotes of a root, and how to get some; empty if there are."""
    if market is None:
        return (
            f"No snapshot yet in {view.settings.snapshot_folder}.\n"
            "Start the collector (python ingest.py --loop), or try boxes demo."
        )
    if root not in market.chain.roots:
        return f"{market.path.name} has no quotes of {root}."
    return ""


def nothing_passes(tables: Sequence[BoxTable]) -> str:
    """Return why there is no box, naming the filter that removed most."""
    return nothing_left(removed_by_reason(tables))


def nothing_left(removed: Mapping[str, int]) -> str:
    """Return why no box is left, of how many each reason removed."""
    if not removed:
        return "No box can be made: fewer than two strikes have both a call and a put."
    reason, count = max(removed.items(), key=lambda item: item[1])
    return (
        f"No box passes the filters: {sum(removed.values()):,} were removed, "
        f"{count:,} of them because: {reason}.\n"
        "Lower the minimum leg volume, or widen the limits in the configuration."
    )
