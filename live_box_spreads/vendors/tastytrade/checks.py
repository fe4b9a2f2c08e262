"""The checks of ``boxes doctor`` for Tastytrade, from credentials to the first quote."""

from __future__ import annotations

import asyncio
import random
import time
from contextlib import aclosing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from live_box_spreads.dxlink.connection import ConnectionLost, DXLinkConnection
from live_box_spreads.dxlink.session import Subscribed
from live_box_spreads.dxlink.subscriptions import Subscription
from live_box_spreads.feeds.vendor import Check, Outcome
from live_box_spreads.model.errors import BoxSpreadsError
from live_box_spreads.model.products import loan_product
from live_box_spreads.vendors.tastytrade.client import TastytradeClient
from live_box_spreads.vendors.tastytrade.login import Credentials
from live_box_spreads.vendors.tastytrade.plan import FIELDS
from live_box_spreads.vendors.tastytrade.spots import spots_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from live_box_spreads.feeds.base import FeedSetup, Universe

NAMES: Final = (
    "credentials",
    "address",
    "clock",
    "login",
    "entitlement",
    "market",
    "REST quotes",
    "stream",
)
"""Every check of this file, in its order."""

MAX_CLOCK_SKEW_SECS: Final = 10.0
_STREAM_SECS: Final = 30.0


async def check_feed(setup: FeedSetup, universe: Universe) -> AsyncIterator[Check]:
    """Check all that the feed needs; stop where the next check could not succeed.

    Args:
        setup: address and credentials.
        universe: the first option root is the one to ask quotes for.
    """
    found, credentials = check_credentials(setup.env)
    yield found
    async with TastytradeClient(credentials, base_url=setup.options["base_url"]) as client:
        address = await check_address(client)
        yield address
        if client.server_time is not None:
            yield check_clock(client.server_time, datetime.now(UTC))
        if Outcome.FAILED in {found.outcome, address.outcome}:
            return
        login = await check_login(client)
        yield login
        if login.outcome is Outcome.FAILED:
            return
        underlying = loan_product(universe.roots[0]).underlying
        yield await check_entitlement(client)
        yield await check_market(client)
        yield await check_rest_quotes(client, underlying)
        yield await check_stream(client, underlying)


def check_credentials(env: Mapping[str, str]) -> tuple[Check, Credentials]:
    """Check that there are credentials; return them too, empty ones if there are none."""
    try:
        credentials = Credentials.from_environment(env)
    except BoxSpreadsError as error:
        return Check("credentials", Outcome.FAILED, str(error)), Credentials()
    kind = "OAuth2" if credentials.is_oauth else "password session"
    return Check("credentials", Outcome.OK, f"{kind}, present and not shown"), credentials


async def check_address(client: TastytradeClient) -> Check:
    """Check that the API can be reached and proves who it is, without logging in."""
    begun_secs = time.monotonic()
    try:
        status = await client.reach()
    except BoxSpreadsError as error:
        return Check("address", Outcome.FAILED, str(error))
    took_ms = (time.monotonic() - begun_secs) * 1e3
    detail = f"{client.base_url} answers ({status}) in {took_ms:.0f} ms"
    return Check("address", Outcome.OK, detail)


def check_clock(server_time: datetime, now: datetime) -> Check:
    """Check this machine's clock against the server's, which tells whole seconds."""
    skew_secs = (now - server_time).total_seconds()
    if abs(skew_secs) > MAX_CLOCK_SKEW_SECS:
        side = "ahead of" if skew_secs > 0 else "behind"
        return Check(
            "clock",
            Outcome.FAILED,
            f"{abs(skew_secs):.0f} s {side} the server's; quote ages and trade dates would be "
            "wrong, so set the clock (NTP)",
        )
    return Check("clock", Outcome.OK, f"within {MAX_CLOCK_SKEW_SECS:.0f} s of the server's")


async def check_login(client: TastytradeClient) -> Check:
    """Check that the credentials are accepted; a refused login is not sent again."""
    try:
        await client.log_in()
    except BoxSpreadsError as error:
        return Check("login", Outcome.FAILED, str(error))
    return Check("login", Outcome.OK, f"{client.base_url} accepts the credentials")


async def check_entitlement(client: TastytradeClient) -> Check:
    """Check what quotes the account may stream."""
    try:
        token = await client.quote_token()
    except BoxSpreadsError as error:
        return Check("entitlement", Outcome.FAILED, str(error))
    timeliness = "delayed quotes" if token.is_delayed else "live quotes"
    return Check("entitlement", Outcome.OK, f"{timeliness}, level {token.level!r}")


async def check_market(client: TastytradeClient) -> Check:
    """Report whether the market is open: outside its hours quotes are wide, old or absent."""
    try:
        session = await client.session_state()
    except BoxSpreadsError as error:
        return Check("market", Outcome.FAILED, str(error))
    return Check("market", Outcome.OK, session.state)


async def check_rest_quotes(client: TastytradeClient, underlying: str) -> Check:
    """Check that the account may ask for quotes by REST."""
    try:
        answer = await client.market_data(index=[underlying])
    except BoxSpreadsError as error:
        advice = "the stream goes on without them, but nothing stands in for it when it is down"
        return Check("REST quotes", Outcome.FAILED, f"{error}; {advice}")
    prices = spots_of(answer.quotes, [underlying])
    if not prices:
        return Check("REST quotes", Outcome.FAILED, f"no price of {underlying}; ask the vendor")
    return Check("REST quotes", Outcome.OK, f"{underlying} at {prices[underlying]:,.2f}")


async def check_stream(client: TastytradeClient, underlying: str) -> Check:
    """Check that DXLink opens a channel and takes a subscription."""
    connection = DXLinkConnection(
        client.quote_token,
        [Subscription("Trade", underlying)],
        FIELDS,
        rng=random.Random(),  # noqa: S311 # jitter, not a secret
    )
    begun_secs = time.monotonic()
    try:
        async with asyncio.timeout(_STREAM_SECS), aclosing(connection.events()) as events:
            async for event in events:
                if isinstance(event, ConnectionLost):
                    return Check("stream", Outcome.FAILED, f"{event.reason}; try again later")
                if isinstance(event, Subscribed):
                    break
    except TimeoutError:
        return Check("stream", Outcome.FAILED, f"no channel within {_STREAM_SECS:.0f} s")
    except BoxSpreadsError as error:
        return Check("stream", Outcome.FAILED, str(error))
    took_secs = time.monotonic() - begun_secs
    return Check("stream", Outcome.OK, f"DXLink took a subscription after {took_secs:.1f} s")
