"""The texts of the header and of the selections."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict

import dash_mantine_components as dmc
from dash import html

from live_box_spreads.dashboard.content import Tally
from live_box_spreads.dashboard.formats import UNKNOWN
from live_box_spreads.dashboard.market_view import spot_of
from live_box_spreads.dashboard.term_lines import reference_label
from live_box_spreads.model.chain import Timeliness

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from live_box_spreads.dashboard.choices import Choices
    from live_box_spreads.dashboard.market_view import MarketView
    from live_box_spreads.service.snapshots import Market, Newest

BADGE_COLOURS = {
    Timeliness.LIVE: "green",
    Timeliness.DELAYED: "yellow",
    Timeliness.SIMULATED: "grape",
    Timeliness.REPLAY: "cyan",
}
_DEFAULT_EXPIRY_DAYS = 91.25


class Version(TypedDict):
    """What a page should show.

    Attributes:
        snapshot: identity of the snapshot; empty without one.
        notice: what a person should know about the snapshots; empty if all is well.
        reference: name and day of the reference curve, or why there is none.
        published: when the page got it, seconds of the epoch.
    """

    snapshot: str
    notice: str
    reference: str
    published: float


def version(view: MarketView, newest: Newest, now_secs: float) -> Version:
    """Return what a page should show: the newest snapshot that can be read."""
    market = newest.market
    caveat = market.chain.caveat if market else ""
    notices = filter(None, (newest.notice, caveat and f"In this snapshot: {caveat}"))
    return Version(
        snapshot=market.identity if market else "",
        notice="; ".join(notices),
        reference=reference_label(view.reference(market)) if market else "",
        published=now_secs,
    )


def is_same(one: Version, other: Version) -> bool:
    """Return whether two versions ask a page to show the same."""
    return {**one, "published": 0} == {**other, "published": 0}


def notice(shown: Version) -> dmc.Alert | None:
    """Return what a person should know about the snapshots; None if all is well."""
    text = shown["notice"]
    return dmc.Alert(text, color="yellow", variant="light", p="xs") if text else None


def root_choice(view: MarketView, market: Market | None, root: str) -> tuple[list[str], str]:
    """Return the roots to choose from, and the one chosen: the same as before while it is there."""
    listed = (market and market.desk.loan_roots) or list(view.settings.tickers)
    preferred = [ticker for ticker in view.settings.tickers if ticker in listed]
    roots = [*preferred, *(other for other in listed if other not in preferred)]
    return roots, root if root in roots else roots[0]


def expiry_choice(
    market: Market | None, root: str, expiry: str | None
) -> tuple[list[dict[str, str]], str | None]:
    """Return the expiries to choose from, and the one chosen: the same while it is there.

    A new choice falls on the expiry nearest to three months.
    """
    if market is None or root not in market.chain.roots:
        return [], None
    today = market.chain.snapshot_time.date()
    expiries = market.chain.expiries(root)
    ahead = [day for day in expiries if day > today] or expiries
    options = [
        {"value": day.isoformat(), "label": f"{day:%d %b %Y} ({_in_days(day, today)})"}
        for day in expiries
    ]
    if expiry in {option["value"] for option in options}:
        return options, expiry
    nearest = min(ahead, key=lambda day: abs((day - today).days - _DEFAULT_EXPIRY_DAYS))
    return options, nearest.isoformat()


def _in_days(day: date, today: date) -> str:
    days = (day - today).days
    return "passed" if days < 0 else "today" if days == 0 else f"{days} d"


def empty_header() -> dict[str, Any]:
    """Return the header of a page without a snapshot."""
    return {
        "badge": "no data",
        "badge_colour": "gray",
        "time": None,
        **dict.fromkeys(("label", "spot", "contracts", "boxes"), UNKNOWN),
        "removed": "No snapshot yet.",
    }


def header(view: MarketView, market: Market | None, choices: Choices) -> dict[str, Any]:
    """Return the header of a snapshot and of the boxes of a root."""
    if market is None or not market.chain.roots:
        return empty_header()
    chain = market.chain
    tally = Tally.of(view.survey(market, choices))
    kept, removed = tally.kept, tally.removed
    spot = spot_of(chain, choices.root)
    return {
        "badge": " · ".join(dict.fromkeys((chain.timeliness.value, chain.feed))),
        "badge_colour": BADGE_COLOURS[chain.timeliness],
        "time": chain.snapshot_time.isoformat(),
        "label": f"{chain.snapshot_time:%d %b %Y %H:%M:%S} UTC",
        "spot": UNKNOWN if spot is None else f"{spot:,.2f}",
        "contracts": f"{len(chain.quotes):,}",
        "boxes": f"{kept:,} of {kept + sum(removed.values()):,}",
        "removed": _removed_table(choices.root, kept, removed.most_common()),
    }


def _removed_table(root: str, kept: int, removed: Sequence[tuple[str, int]]) -> html.Table:
    rows = [(f"{root} boxes kept", kept), *((f"removed: {why}", n) for why, n in removed)]
    cells = [html.Tr([html.Td(what), html.Td(f"{count:,}")]) for what, count in rows]
    return html.Table(html.Tbody(cells), className="removed")
