"""The REST side of the simulated exchange, as an ASGI app."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware

from live_box_spreads.simulator.rest.control import ControlRoutes
from live_box_spreads.simulator.rest.gate import Gate
from live_box_spreads.simulator.rest.login import LoginRoutes
from live_box_spreads.simulator.rest.orders import OrderRoutes
from live_box_spreads.simulator.rest.quotes import QuoteRoutes
from live_box_spreads.simulator.rest.responses import RefusedError, refused

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from live_box_spreads.simulator.exchange_state import ExchangeState


def build_app(state: ExchangeState) -> Starlette:
    """Return the ASGI app of an exchange: the vendor's paths, and its own."""
    return Starlette(
        routes=[
            *LoginRoutes(state).routes(),
            *QuoteRoutes(state).routes(),
            *OrderRoutes(state).routes(),
            *ControlRoutes(state).routes(),
        ],
        middleware=[Middleware(Gate, state=state)],
        exception_handlers={RefusedError: _refused, HTTPException: _http_error},
    )


async def _refused(_request: Request, error: Exception) -> Response:
    assert isinstance(error, RefusedError)  # noqa: S101 - registered for this type alone
    return refused(error)


async def _http_error(_request: Request, error: Exception) -> Response:
    """Answer an unknown path or method in the vendor's form."""
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this type alone
    return refused(RefusedError(error.status_code, "not_found", error.detail))
