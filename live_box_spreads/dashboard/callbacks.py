"""From controls to what the page shows. The work is in ``parts``; here it is wired."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dash import ClientsideFunction, Dash, Input, Output, State, no_update

from live_box_spreads.dashboard import ids, status
from live_box_spreads.dashboard.choices import Choices
from live_box_spreads.dashboard.failures import DRAWING_ERRORS, Failures
from live_box_spreads.dashboard.parts import PARTS, Part

if TYPE_CHECKING:
    from collections.abc import Callable

    from live_box_spreads.dashboard.market_view import MarketView
    from live_box_spreads.dashboard.status import Version

_CONTROLS = {
    "root": Input(ids.ROOT, "value"),
    "expiry": Input(ids.EXPIRY, "value"),
    "compounding": Input(ids.COMPOUNDING, "value"),
    "min_leg_volume": Input(ids.MIN_VOLUME, "value"),
    "time": Input(ids.TIME_AXIS, "value"),
    "history": Input(ids.HISTORY, "value"),
    "centre": Input(ids.CENTRE, "value"),
    "half_width": Input(ids.HALF_WIDTH, "value"),
    "price": Input(ids.PRICE, "value"),
    "side": Input(ids.SIDE, "value"),
    "scheme": Input(ids.SCHEME, "data"),
    "painted": Input(ids.PAINTED, "data"),
}
_DRAWN_AT_ONCE = 2
"""Parts drawn at once, for all browsers: each holds the boxes of an expiry meanwhile."""
_AFTER_FIRST_PAGE_SECS = 5.0
"""The browser of the first page gets both cores for so long before anything else begins."""
_DRAWN_WITHIN_SECS = 30.0
"""A page that has not shown a version by then has lost it, and is sent the newest one."""


def register(
    app: Dash, view: MarketView, failures: Failures, on_first_page: Callable[[], None]
) -> None:
    """Wire all controls of the page to a view of the snapshot folder.

    Work is done in threads, so that a long answer to one browser holds up no other.

    Args:
        app: the Dash application.
        view: what the panels ask for.
        failures: where parts that cannot be drawn are noted.
        on_first_page: called once, some seconds after the first page was drawn.
    """
    _register_browser_side(app)
    _register_poll(app, view)
    _register_selections(app, view)
    _register_page(app, view, failures, on_first_page)


def _register_browser_side(app: Dash) -> None:
    add: Any = app.clientside_callback  # Dash does not annotate it
    add(
        ClientsideFunction("boxes", "age"),
        Output(ids.AGE, "children"),
        Output(ids.AGE, "className"),
        Input(ids.CLOCK, "n_intervals"),
        Input(ids.SNAPSHOT_TIME, "data"),
        State(ids.POLL, "interval"),
    )
    add(
        ClientsideFunction("boxes", "server"),
        Output(ids.SERVER, "children"),
        Input(ids.CLOCK, "n_intervals"),
    )
    add(
        ClientsideFunction("boxes", "scheme"),
        Output(ids.SCHEME, "data"),
        Input(ids.SCHEME_SWITCH, "id"),
    )
    add(
        ClientsideFunction("boxes", "painted"),
        Output(ids.PAINT_WATCH, "data"),
        Input(ids.TERM_STRUCTURE, "figure"),
        Input(ids.message(ids.TERM_STRUCTURE), "children"),
    )
    add(
        ClientsideFunction("boxes", "band"),
        Output(ids.BAND, "value"),
        Output(ids.CENTRE, "value"),
        Output(ids.HALF_WIDTH, "value"),
        Input(ids.BAND, "value"),
        Input(ids.CENTRE, "value"),
        Input(ids.HALF_WIDTH, "value"),
        State(ids.BANDS, "data"),
        prevent_initial_call=True,
    )


def _register_poll(app: Dash, view: MarketView) -> None:
    @app.callback(
        Output(ids.VERSION, "data"),
        Input(ids.POLL, "n_intervals"),
        State(ids.VERSION, "data"),
        State(ids.SHOWN, "data"),
        prevent_initial_call=True,
    )
    async def poll(_ticks: int, wanted: Version, shown: dict[str, Any] | None) -> Any:
        """Publish a newer version once the page shows the last one.

        A newer request makes the browser drop the answer to an older one, so a page that needs
        longer than a poll would otherwise never be redrawn.
        """
        now = time.time()
        is_drawn = shown is not None and shown["published"] == wanted["published"]
        if not is_drawn and 0 <= now - wanted["published"] < _DRAWN_WITHIN_SECS:
            return no_update
        newest = await asyncio.to_thread(view.snapshots.newest)
        found = await asyncio.to_thread(status.version, view, newest, now)
        return no_update if is_drawn and status.is_same(found, wanted) else found


def _register_selections(app: Dash, view: MarketView) -> None:
    @app.callback(
        Output(ids.ROOT, "data"),
        Output(ids.ROOT, "value"),
        Input(ids.VERSION, "data"),
        State(ids.ROOT, "value"),
        prevent_initial_call=True,
    )
    async def roots(version: Version, root: str) -> Any:
        market = await asyncio.to_thread(view.snapshots.market, version["snapshot"])
        return status.root_choice(view, market, root)

    @app.callback(
        Output(ids.EXPIRY, "data"),
        Output(ids.EXPIRY, "value"),
        Input(ids.VERSION, "data"),
        Input(ids.ROOT, "value"),
        State(ids.EXPIRY, "value"),
        prevent_initial_call=True,
    )
    async def expiries(version: Version, root: str, expiry: str | None) -> Any:
        market = await asyncio.to_thread(view.snapshots.market, version["snapshot"])
        return status.expiry_choice(market, root, expiry)


def _register_page(
    app: Dash, view: MarketView, failures: Failures, on_first_page: Callable[[], None]
) -> None:
    pool = ThreadPoolExecutor(_DRAWN_AT_ONCE, "draw")
    awaiting_first_page = [on_first_page]

    @app.callback(
        output={
            "parts": {part.name: dict(part.outputs) for part in PARTS},
            "notice": Output(ids.NOTICE, "children"),
            "shown": Output(ids.SHOWN, "data"),
        },
        inputs={
            "version": Input(ids.VERSION, "data"),
            "shown": State(ids.SHOWN, "data"),
            "controls": _CONTROLS,
        },
    )
    async def page(
        version: Version, shown: dict[str, Any] | None, controls: dict[str, Any]
    ) -> dict[str, Any]:
        """Draw, from one snapshot, every part that shows something else than it should."""
        drawn_from = dict((shown or {}).get("parts", {}))
        wanted = {p.name: p.drawn_from(version, controls) for p in PARTS if p.is_ready(controls)}
        due = [p for p in PARTS if p.name in wanted and drawn_from.get(p.name) != wanted[p.name]]
        draw = _Draw(view, version, controls, failures)
        loop = asyncio.get_running_loop()
        values = await asyncio.gather(*(loop.run_in_executor(pool, draw, part) for part in due))
        updates = {part.name: part.unchanged() for part in PARTS}
        for part, found in zip(due, values, strict=True):
            updates[part.name] = found.outputs
            # What failed is not kept as drawn: the next refresh tries again.
            drawn_from[part.name] = "" if found.failed else wanted[part.name]
        while awaiting_first_page:
            loop.call_later(_AFTER_FIRST_PAGE_SECS, awaiting_first_page.pop())
        return {
            "parts": updates,
            "notice": status.notice(version),
            "shown": {"published": version["published"], "parts": drawn_from},
        }


@dataclass(frozen=True, slots=True)
class _Drawn:
    """The values of a part's outputs, and whether they only say why it could not be drawn."""

    outputs: dict[str, Any]
    failed: bool = False


@dataclass(frozen=True, slots=True)
class _Draw:
    """Draws any part of the page from one snapshot and one set of choices."""

    view: MarketView
    version: Version
    controls: dict[str, Any]
    failures: Failures

    def __call__(self, part: Part) -> _Drawn:
        try:
            market = self.view.snapshots.market(self.version["snapshot"])
            choices = Choices.read(self.controls)
            self.view.note_shown(choices)
            return _Drawn(part.draw(self.view, market, choices))
        except DRAWING_ERRORS as error:
            return _Drawn(part.failed(self.failures.line(part.name, error)), failed=True)
