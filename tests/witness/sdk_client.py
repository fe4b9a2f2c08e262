"""The vendor community's SDK (PyPI ``tastytrade``, unmodified) as a client of an exchange.

    python sdk_client.py BASE_URL CLIENT_SECRET REFRESH_TOKEN QUOTES

Prints one JSON object with everything that it was told. A program of its own, as the SDK leaves
streams unclosed, which our tests would take for errors.
"""

from __future__ import annotations

import asyncio
import json
import sys
from decimal import Decimal
from typing import Any

import tastytrade.session
from tastytrade import Account, DXLinkStreamer, Session
from tastytrade.dxfeed import Quote, Summary, Trade
from tastytrade.instruments import NestedOptionChain, Option
from tastytrade.market_data import get_market_data_by_type
from tastytrade.order import (
    InstrumentType,
    Leg,
    LimitOrder,
    OrderAction,
    OrderTimeInForce,
)

CHUNK = 500
QUIET_SECS = 1.5
BOX = (("C", 7000, "Sell"), ("C", 8000, "Buy"), ("P", 8000, "Sell"), ("P", 7000, "Buy"))


async def streamed(session: Session, symbols: list[str]) -> dict[str, Any]:
    """Subscribe and listen until nothing new has come for a while."""
    quotes: dict[str, list[str]] = {}
    async with DXLinkStreamer(session) as streamer:
        for start in range(0, len(symbols), CHUNK):
            await streamer.subscribe(Quote, symbols[start : start + CHUNK])
        try:
            while True:
                quote = await asyncio.wait_for(streamer.get_event(Quote), QUIET_SECS)
                sides = (quote.bid_price, quote.ask_price, quote.bid_size, quote.ask_size)
                quotes[quote.event_symbol] = [str(side) for side in sides]
        except TimeoutError:
            pass  # that is all
        await streamer.subscribe(Trade, ["SPX"])
        await streamer.subscribe(Summary, symbols[:1])
        trade = await streamer.get_event(Trade)
        summary = await streamer.get_event(Summary)
    return {
        "quotes": quotes,
        "spot": str(trade.price),
        "open_interest": {summary.event_symbol: summary.open_interest},
    }


async def dry_run(session: Session, expiry: str) -> dict[str, str]:
    (account,) = await Account.get(session)
    legs = [
        Leg(
            instrument_type=InstrumentType.EQUITY_OPTION,
            symbol=f"SPX   {expiry}{right}{strike:05d}000",
            action=OrderAction(f"{side} to Open"),
            quantity=1,
        )
        for right, strike, side in BOX
    ]
    order = LimitOrder(time_in_force=OrderTimeInForce.DAY, price=Decimal(950), legs=legs)
    answer = await account.place_order(session, order, dry_run=True)
    return {
        "account": account.account_number,
        "commission": str(answer.fee_calculation.commission),
        "margin": str(answer.buying_power_effect.change_in_margin_requirement),
    }


async def witness(client_secret: str, refresh_token: str, count: int) -> dict[str, Any]:
    async with Session(client_secret, refresh_token) as session:
        chains = await NestedOptionChain.get(session, "SPX")
        strikes = [
            strike
            for chain in chains
            for expiration in chain.expirations
            for strike in expiration.strikes
        ]
        symbols = [
            symbol
            for strike in strikes
            for symbol in (strike.call_streamer_symbol, strike.put_streamer_symbol)
        ]
        rest = await get_market_data_by_type(session, indices=["SPX"], options=[strikes[0].call])
        option = await Option.get(session, strikes[0].call)
        return {
            "valid": await session.validate(),
            "roots": {chain.root_symbol: len(chain.expirations) for chain in chains},
            "contracts": len(symbols),
            "rest": {item.symbol: str(item.mark) for item in rest},
            "exercise_style": option.exercise_style,
            "dry_run": await dry_run(session, "271217"),
            **await streamed(session, symbols[:: max(1, len(symbols) // count)]),
        }


if __name__ == "__main__":
    base_url, client_secret, refresh_token, count = sys.argv[1:]
    tastytrade.session.API_URL = base_url
    json.dump(asyncio.run(witness(client_secret, refresh_token, int(count))), sys.stdout)
