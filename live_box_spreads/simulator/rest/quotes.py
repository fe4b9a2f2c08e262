"""Option chains, quotes, market times and the token for DXLink."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.routing import Route

from live_box_spreads.simulator.rest.chains import contract_item, flat_chain, nested_chain
from live_box_spreads.simulator.rest.market_data import current_session, holidays, instrument_item
from live_box_spreads.simulator.rest.responses import RefusedError, data, decimal, items

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from live_box_spreads.simulator.exchange_state import ExchangeState

MOST_SYMBOLS = 100
"""Symbols that one market-data call may name, over all types."""

_TYPES = {
    "index": "Index",
    "equity-option": "Equity Option",
    "equity": "Equity",
    "future": "Future",
    "future-option": "Future Option",
    "cryptocurrency": "Cryptocurrency",
}


class QuoteRoutes:
    """Handlers of the market's calls."""

    def __init__(self, state: ExchangeState) -> None:
        """Serve this exchange."""
        self._state = state
        listing = state.market.listing
        rows = {symbol: row for row, symbol in enumerate(listing.occ_symbols)}
        self._contract_rows = rows
        self._index_rows = {
            symbol: len(listing) + number for number, symbol in enumerate(listing.underlyings)
        }

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("/option-chains/{symbol}/nested", self._nested),
            Route("/option-chains/{symbol}", self._flat),
            Route("/instruments/equity-options/{symbol}", self._contract),
            Route("/market-data/by-type", self._by_type),
            Route("/market-metrics", self._metrics),
            Route("/market-time/equities/sessions/current", self._session),
            Route("/market-time/equities/holidays", self._holidays),
            Route("/api-quote-tokens", self._quote_token),
        ]

    async def _nested(self, request: Request) -> Response:
        symbol = request.path_params["symbol"]
        rows = nested_chain(self._state.market.listing, symbol, self._state.clock())
        return items(_listed(rows, symbol), f"/option-chains/{symbol}/nested")

    async def _flat(self, request: Request) -> Response:
        symbol = request.path_params["symbol"]
        rows = flat_chain(self._state.market.listing, symbol, self._state.clock())
        return items(_listed(rows, symbol), f"/option-chains/{symbol}")

    async def _contract(self, request: Request) -> Response:
        symbol = request.path_params["symbol"]
        row = self._contract_rows.get(symbol)
        if row is None:
            raise RefusedError(404, "record_not_found", f"No instrument {symbol}")
        listing = self._state.market.listing
        series = listing.series[listing.series_of[row]]
        body = contract_item(listing, series, row, self._state.clock())
        return data(body, f"/instruments/equity-options/{symbol}")

    async def _by_type(self, request: Request) -> Response:
        wanted = _symbols_by_type(request)
        if not wanted or len(wanted) > MOST_SYMBOLS:
            message = f"Name 1 to {MOST_SYMBOLS} symbols; {len(wanted)} were given"
            raise RefusedError(400, "validation_error", message)
        market = self._state.market
        found: list[dict[str, Any]] = []
        for kind, symbol in wanted:
            rows = self._index_rows if kind == "Index" else self._contract_rows
            if kind in {"Index", "Equity Option"} and symbol in rows:
                found.append(instrument_item(market, rows[symbol], symbol, kind))
        return items(found, "/market-data/by-type")

    async def _metrics(self, request: Request) -> Response:
        """Answer with what the simulator has: the implied volatility that it quotes from."""
        asked = request.query_params.get("symbols", "").split(",")
        volatility = self._state.market.index_volatility()
        now = self._state.clock().isoformat(timespec="milliseconds")
        rows = [
            {
                "symbol": symbol,
                "implied-volatility-index": decimal(volatility[symbol]),
                "market-cap": decimal(0.0),  # an index has none
                "updated-at": now,
            }
            for symbol in asked
            if symbol in volatility
        ]
        return items(rows, "/market-metrics")

    async def _session(self, _request: Request) -> Response:
        body = current_session(self._state.clock())
        return data(body, "/market-time/equities/sessions/current")

    async def _holidays(self, _request: Request) -> Response:
        return data(holidays(self._state.clock().year), "/market-time/equities/holidays")

    async def _quote_token(self, request: Request) -> Response:
        state = self._state
        holder = state.tokens.credential(request.headers["Authorization"], state.now_secs())
        if holder is None:  # it expired since the gate let it pass
            raise RefusedError(401, "token_invalid", "This token is invalid or has expired")
        body = {
            "token": state.tokens.grant_quote_token(holder, state.now_secs()),
            "dxlink-url": state.dxlink_url,
            "level": state.level,
        }
        return data(body, "/api-quote-tokens")


def _listed(rows: list[dict[str, Any]], symbol: str) -> list[dict[str, Any]]:
    if not rows:
        raise RefusedError(404, "record_not_found", f"No option chain for {symbol}")
    return rows


def _symbols_by_type(request: Request) -> list[tuple[str, str]]:
    """Read ``key=a,b``, ``key=a&key=b`` and ``key[]=a&key[]=b`` alike."""
    return [
        (_TYPES[key.removesuffix("[]")], symbol)
        for key, value in request.query_params.multi_items()
        if key.removesuffix("[]") in _TYPES
        for symbol in value.split(",")
        if symbol
    ]
