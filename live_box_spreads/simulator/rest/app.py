"""The REST side of the simulated exchange, as an ASGI app; with paths of its own for faults."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import Route

from live_box_spreads.model.errors import ConfigError
from live_box_spreads.simulator.rest.gate import Gate
from live_box_spreads.simulator.rest.login import LoginRoutes
from live_box_spreads.simulator.rest.orders import OrderRoutes
from live_box_spreads.simulator.rest.quotes import QuoteRoutes
from live_box_spreads.simulator.rest.responses import RefusedError, encoded, refused

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from live_box_spreads.simulator.exchange_state import ExchangeState


class CurveShift(msgspec.Struct, forbid_unknown_fields=True):
    """A jump of the true curve, in basis points, at most ten per cent at a time."""

    shift_bps: Annotated[float, msgspec.Meta(ge=-1_000.0, le=1_000.0)]


class ControlRoutes:
    """Handlers of ``/simulator/…``; like all of the exchange they answer on loopback only."""

    def __init__(self, state: ExchangeState) -> None:
        """Serve this exchange."""
        self._state = state

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("/simulator/truth", self._truth),
            Route("/simulator/curve", self._shift_curve, methods=["PATCH"]),
            Route("/simulator/faults", self._faults),
            Route("/simulator/faults", self._change, methods=["PATCH"]),
            Route("/simulator/faults", self._heal, methods=["DELETE"]),
        ]

    async def _truth(self, _request: Request) -> Response:
        return encoded(self._state.market.truth().as_json())

    async def _shift_curve(self, request: Request) -> Response:
        try:
            shift = msgspec.json.decode(await request.body(), type=CurveShift)
        except msgspec.MsgspecError as error:
            raise RefusedError(400, "validation_error", str(error)) from None
        self._state.market.shift_curve(shift.shift_bps)
        return await self._truth(request)

    async def _faults(self, _request: Request) -> Response:
        return encoded(self._state.faults.as_json())

    async def _change(self, request: Request) -> Response:
        try:
            changes = msgspec.json.decode(await request.body(), type=dict[str, object])
            self._state.faults.change(changes)
        except (msgspec.MsgspecError, ConfigError) as error:
            raise RefusedError(400, "validation_error", str(error)) from None
        return await self._faults(request)

    async def _heal(self, request: Request) -> Response:
        self._state.faults.heal()
        return await self._faults(request)


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
