"""The content of a panel: a figure, or the reason why there is none."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from live_box_spreads.model.products import is_loan

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import plotly.graph_objects as go

    from live_box_spreads.books.views.surfaces import Survey
    from live_box_spreads.dashboard.market_view import MarketView
    from live_box_spreads.service.snapshots import Market


@dataclass(frozen=True, slots=True)
class Content:
    """What a panel shows.

    Attributes:
        figure: the chart; None where there is nothing to draw.
        message: shown instead of the chart; empty if there is one.
        caption: the line under the title.
        note: a second line under it, where the panel has one.
    """

    figure: go.Figure | None = None
    message: str = ""
    caption: str = ""
    note: str = ""


@dataclass(slots=True)
class Tally:
    """What became of the boxes of some expiries.

    Attributes:
        kept: boxes that passed the filters.
        removed: boxes that did not, by reason.
    """

    kept: int = 0
    removed: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, surveys: Iterable[Survey]) -> Self:
        """Add up the surveys of some expiries."""
        tally = cls()
        for survey in surveys:
            tally.kept += survey.kept
            tally.removed.update(survey.removed)
        return tally


def no_quotes(view: MarketView, market: Market | None, root: str) -> str:
    """Return why there are no quotes of a root, and how to get some; empty if there are."""
    if market is None:
        return view.snapshots.why_empty()
    if root not in market.chain.roots:
        return f"{market.path.name} has no quotes of {root}."
    if not is_loan(root):
        return f"A box of {root} is no loan: its options are not known to be European."
    return ""


def left_out(cells: Mapping[str, int]) -> str:
    """Say how many cells a figure does not show, by reason; empty if it shows all."""
    reasons = ", ".join(f"{count} {why}" for why, count in cells.items() if count)
    return f" · not drawn: {reasons}" if reasons else ""


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
