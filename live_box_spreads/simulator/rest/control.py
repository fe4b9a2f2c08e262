"""The exchange's own paths, beside the vendor's: its truth, and what it does wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from starlette.routing import Route

from live_box_spreads.model.errors import ConfigError
from live_box_spreads.simulator import fault_settings
from live_box_spreads.simulator.rest.responses import RefusedError, encoded

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from live_box_spreads.simulator.exchange_state import ExchangeState


class ControlRoutes:
    """Handlers of ``/simulator/…``; like all of the exchange they answer on loopback only."""

    def __init__(self, state: ExchangeState) -> None:
        """Serve this exchange."""
        self._state = state

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("/simulator/truth", self._truth),
            Route("/simulator/faults", self._faults),
            Route("/simulator/faults", self._change, methods=["PATCH"]),
            Route("/simulator/faults", self._heal, methods=["DELETE"]),
        ]

    async def _truth(self, _request: Request) -> Response:
        return encoded(self._state.market.truth().as_json())

    async def _faults(self, _request: Request) -> Response:
        return encoded(fault_settings.plain(self._state.faults))

    async def _change(self, request: Request) -> Response:
        try:
            changes = msgspec.json.decode(await request.body(), type=dict[str, object])
            fault_settings.change(self._state.faults, changes)
        except (msgspec.MsgspecError, ConfigError) as error:
            raise RefusedError(400, "validation_error", str(error)) from None
        return await self._faults(request)

    async def _heal(self, request: Request) -> Response:
        fault_settings.heal(self._state.faults)
        return await self._faults(request)
