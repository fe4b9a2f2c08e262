"""Accounts, and the dry run of an order: what it would cost and tie up."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.routing import Route

from live_box_spreads.model.contracts import parse_occ
from live_box_spreads.model.errors import ModelError
from live_box_spreads.model.products import product
from live_box_spreads.simulator.credentials import DEMO_ACCOUNT
from live_box_spreads.simulator.rest.responses import RefusedError, data, items

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from live_box_spreads.simulator.exchange_state import ExchangeState

_COMMISSION_TO_OPEN = Decimal("1.00")
_CLEARING = Decimal("0.10")
_OPTIONS_REGULATORY = Decimal("0.02")
_TRADING_ACTIVITY = Decimal("0.00329")
_BUYING_POWER = Decimal("1000000.0")
_ACTIONS = {"Buy to Open": 1, "Buy to Close": 1, "Sell to Open": -1, "Sell to Close": -1}

_OPENED_AT = "2020-01-01T00:00:00.000+00:00"


class _Leg(msgspec.Struct, rename="kebab"):
    instrument_type: str
    symbol: str
    quantity: int
    action: str


class _Order(msgspec.Struct, rename="kebab"):
    time_in_force: str
    order_type: str
    legs: list[_Leg]
    price: Decimal = Decimal(0)
    price_effect: str = "Debit"


class OrderRoutes:
    """Handlers of the account's calls."""

    def __init__(self, state: ExchangeState) -> None:
        """Serve this exchange."""
        listing = state.market.listing
        self._state = state
        self._rows = {symbol: row for row, symbol in enumerate(listing.occ_symbols)}

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("/customers/me/accounts", self._accounts),
            Route("/accounts/{number}/orders/dry-run", self._dry_run, methods=["POST"]),
        ]

    async def _accounts(self, _request: Request) -> Response:
        account = {
            "account-number": DEMO_ACCOUNT,
            "account-type-name": "Individual",
            "nickname": "Simulated",
            "opened-at": _OPENED_AT,
            "created-at": _OPENED_AT,
            "is-closed": False,
            "is-firm-error": False,
            "is-firm-proprietary": False,
            "is-foreign": False,
            "is-futures-approved": False,
            "day-trader-status": False,
            "margin-or-cash": "Margin",
            "suitable-options-level": "No Restrictions",
        }
        return items([{"account": account, "authority-level": "owner"}], "/customers/me/accounts")

    async def _dry_run(self, request: Request) -> Response:
        number = request.path_params["number"]
        if number != DEMO_ACCOUNT:
            raise RefusedError(403, "not_permitted", "User not permitted access")
        try:
            order = msgspec.json.decode(await request.body(), type=_Order, strict=False)
        except msgspec.MsgspecError as error:
            raise RefusedError(400, "validation_error", f"Request body: {error}") from None
        self._check(order)
        fees = _fees(order)
        body = {
            "order": _order_item(order),
            "warnings": [],
            "buying-power-effect": _buying_power(order, fees),
            "fee-calculation": _fee_item(fees),
        }
        return data(body, f"/accounts/{number}/orders/dry-run", 201)

    def _check(self, order: _Order) -> None:
        problems = [
            {"code": "instrument_not_found", "message": f"No instrument {leg.symbol}"}
            for leg in order.legs
            if leg.symbol not in self._rows
        ]
        problems += [
            {"code": "invalid_leg", "message": f"{leg.action} {leg.quantity} {leg.symbol}"}
            for leg in order.legs
            if leg.action not in _ACTIONS or leg.quantity <= 0
        ]
        if not order.legs:
            problems.append({"code": "no_legs", "message": "The order has no legs"})
        if problems:
            message = "One or more preflight checks failed"
            raise RefusedError(422, "preflight_check_failure", message, problems)


class _Fees(msgspec.Struct):
    """Dollars of one order."""

    commission: Decimal
    clearing: Decimal
    regulatory: Decimal
    index: Decimal

    @property
    def total(self) -> Decimal:
        """All fees together."""
        return self.commission + self.clearing + self.regulatory + self.index


def _fees(order: _Order) -> _Fees:
    """Return the fees by the broker's schedule dated 2026-07-30.

    The SEC's fee on sales is not in it: options on broad indexes are exempt (15 U.S.C. 78ee).
    """
    fees = _Fees(Decimal(0), Decimal(0), Decimal(0), Decimal(0))
    for leg in order.legs:
        item = product(_root(leg))
        fees.clearing += _CLEARING * leg.quantity
        fees.regulatory += _OPTIONS_REGULATORY * leg.quantity
        fees.index += Decimal(str(item.index_fee.per_contract(leg.quantity))) * leg.quantity
        if leg.action.endswith("Open"):
            fees.commission += _COMMISSION_TO_OPEN * leg.quantity
        if leg.action.startswith("Sell"):
            fees.regulatory += _TRADING_ACTIVITY * leg.quantity
    return fees


def _root(leg: _Leg) -> str:
    try:
        return parse_occ(leg.symbol).root
    except ModelError as error:
        raise RefusedError(422, "preflight_check_failure", str(error)) from None


def _order_item(order: _Order) -> dict[str, Any]:
    legs = [
        {
            "instrument-type": leg.instrument_type,
            "symbol": leg.symbol,
            "quantity": leg.quantity,
            "remaining-quantity": leg.quantity,
            "action": leg.action,
            "fills": [],
        }
        for leg in order.legs
    ]
    return {
        "account-number": DEMO_ACCOUNT,
        "time-in-force": order.time_in_force,
        "order-type": order.order_type,
        "size": min(leg.quantity for leg in order.legs),
        "underlying-symbol": product(_root(order.legs[0])).underlying,
        "underlying-instrument-type": "Index",
        "price": str(order.price),
        "price-effect": order.price_effect,
        "status": "Received",
        "cancellable": True,
        "editable": True,
        "edited": False,
        "updated-at": 0,
        "legs": legs,
    }


def _buying_power(order: _Order, fees: _Fees) -> dict[str, Any]:
    """Return what the order ties up: its price and fees, and the width of a box that is sold."""
    multiplier = product(_root(order.legs[0])).multiplier
    size = min(leg.quantity for leg in order.legs)
    strikes = [parse_occ(leg.symbol).strike for leg in order.legs]
    width = Decimal(str(max(strikes) - min(strikes))) * multiplier * size
    premium = order.price * multiplier * size
    is_credit = order.price_effect == "Credit"
    margin = width if is_credit else Decimal(0)
    change = fees.total + (margin - premium if is_credit else premium)
    return {
        "change-in-margin-requirement": str(margin),
        "change-in-margin-requirement-effect": "Debit" if margin else "None",
        "change-in-buying-power": str(abs(change)),
        "change-in-buying-power-effect": "Debit" if change > 0 else "Credit",
        "current-buying-power": str(_BUYING_POWER),
        "current-buying-power-effect": "Credit",
        "new-buying-power": str(_BUYING_POWER - change),
        "new-buying-power-effect": "Credit",
        "isolated-order-margin-requirement": str(margin),
        "isolated-order-margin-requirement-effect": "Debit" if margin else "None",
        "is-spread": len(order.legs) > 1,
        "impact": str(abs(change)),
        "effect": "Debit" if change > 0 else "Credit",
    }


def _fee_item(fees: _Fees) -> dict[str, str]:
    amounts = {
        "regulatory-fees": fees.regulatory,
        "clearing-fees": fees.clearing,
        "commission": fees.commission,
        "proprietary-index-option-fees": fees.index,
        "total-fees": fees.total,
    }
    body: dict[str, str] = {}
    for name, amount in amounts.items():
        body |= {name: str(amount), f"{name}-effect": "Debit" if amount else "None"}
    return body
