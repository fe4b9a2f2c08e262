"""Tastytrade as a feed: REST for the listing and for snapshots, DXLink for the stream."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self

import polars as pl
import structlog

from live_box_spreads.dxlink.connection import DXLinkConnection
from live_box_spreads.dxlink.session import ConnectionTimes
from live_box_spreads.dxlink.subscriptions import ChangeBudget, SharedBudget, Subscription
from live_box_spreads.feeds.base import CONTRACT_COLUMNS, Contracts, FeedHealth
from live_box_spreads.model.chain import KEY, Chain, Timeliness
from live_box_spreads.model.errors import ApiError, FeedError, ModelError
from live_box_spreads.model.products import loan_product
from live_box_spreads.net.addresses import is_loopback
from live_box_spreads.net.verdicts import Verdict, error_ruling
from live_box_spreads.vendors.tastytrade.client import QuoteToken, TastytradeClient
from live_box_spreads.vendors.tastytrade.listing import root_contracts
from live_box_spreads.vendors.tastytrade.login import Credentials
from live_box_spreads.vendors.tastytrade.plan import FIELDS, StreamLimits, StreamPlan
from live_box_spreads.vendors.tastytrade.rest_pass import RestPass, RestTimes
from live_box_spreads.vendors.tastytrade.spots import spots_of, streamed_spots
from live_box_spreads.vendors.tastytrade.stream import UpdateStream

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Sequence

    from live_box_spreads.dxlink.subscriptions import Pace
    from live_box_spreads.feeds.base import FeedSetup, Universe, Update
    from live_box_spreads.model.products import Product
    from live_box_spreads.vendors.tastytrade.client import QuoteToken
    from live_box_spreads.vendors.tastytrade.messages import MarketData, RootListing

log = structlog.get_logger(__name__)

_QUOTE_FIELDS = ("bid", "ask", "bid_size", "ask_size", "last")


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class FeedTimes:
    """When the feed acts by itself; all in seconds.

    Attributes:
        rest: when REST passes beside the stream begin.
        spot_wait: longest wait for a streamed price where REST gives none.
        connection: when a connection of the stream acts.
    """

    rest: RestTimes = field(default_factory=RestTimes)
    spot_wait: float = 10.0
    connection: ConnectionTimes = field(default_factory=ConnectionTimes)


class TastytradeFeed:
    """Quotes of one Tastytrade account; it opens and closes the client that it is given.

    Attributes:
        name: kept in each snapshot.
    """

    def __init__(  # noqa: PLR0913 # three seams for tests, and all but the client by keyword
        self,
        client: TastytradeClient,
        *,
        name: str = "tastytrade",
        timeliness: Timeliness | None = None,
        clock: Callable[[], datetime] = _utc_now,
        rng: random.Random | None = None,
        times: FeedTimes | None = None,
        limits: StreamLimits | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> None:
        """Prepare without connecting.

        Args:
            client: not opened yet.
            name: kept in each snapshot.
            timeliness: None to take it from the account's entitlement.
            clock: current UTC time.
            rng: spreads reconnections; None for a new one.
            times: when the feed acts by itself; None for the usual.
            limits: how much is streamed; None for what the vendor allows.
            progress: called with (contracts answered, contracts asked) during a snapshot.
        """
        self.name = name
        self._client = client
        self._timeliness = timeliness
        self._follows_token = timeliness is None
        self._clock = clock
        self._rng = rng or random.Random()  # noqa: S311  jitter, not a secret
        self._times = times or FeedTimes()
        self._limits = limits or StreamLimits()
        self._progress = progress
        self._spots: dict[str, float] = {}
        self._streams: list[UpdateStream] = []
        self._past_losses: Counter[str] = Counter()
        self._budget = SharedBudget(ChangeBudget())

    @property
    def timeliness(self) -> Timeliness:
        """Live or delayed, as in the last quote token; known from the first ``contracts`` on."""
        if self._timeliness is None:
            raise FeedError("timeliness is known after the first call of contracts()")
        return self._timeliness

    def market_time(self) -> datetime:
        """Return the current time: quotes are shown as they come."""
        return self._clock()

    async def __aenter__(self) -> Self:
        """Open the connection pool; no login yet."""
        await self._client.__aenter__()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Close every connection."""
        await self._client.__aexit__(*exc_info)

    async def contracts(self, universe: Universe) -> Contracts:
        """List the contracts of a universe: chains and spots by REST, then the selection.

        Raises:
            FeedError: nothing at all can be listed, or the account is refused.
        """
        if self._timeliness is None:
            await self._quote_token()
        failures: dict[str, str] = {}
        products = []
        for root in dict.fromkeys(universe.roots):
            try:
                products.append(loan_product(root))
            except ModelError as error:
                failures[root] = str(error)
        underlyings = tuple(dict.fromkeys(product.underlying for product in products))
        chains, _ = await asyncio.gather(self._chains(underlyings), self._learn_spots(underlyings))
        tables = []
        for product in products:
            try:
                tables.append(self._of_root(product, chains[product.underlying], universe))
            except FeedError as error:
                failures[product.root] = str(error)
        if not tables:
            reasons = "; ".join(failures.values()) or "the universe names no root"
            raise FeedError(f"nothing to quote: {reasons}")
        table = pl.concat(tables).unique(KEY, keep="first").sort(KEY)
        return Contracts(table, failures)

    async def snapshot(self, contracts: Contracts) -> Chain:
        """Ask REST once for these contracts, 100 a request.

        Raises:
            FeedError: the quotes cannot be had.
        """
        symbols = contracts.table["occ_symbol"].to_list()
        underlyings = contracts.table["underlying"].unique().sort().to_list()
        answer = await self._client.market_data(underlyings, symbols, self._progress)
        self._spots |= spots_of(answer.quotes, underlyings)
        quotes = [answer.quotes.get(symbol) for symbol in symbols]
        rejected = {
            "no answer from the API (the contract is kept without a quote)": quotes.count(None),
            "answer that could not be read": answer.malformed,
        }
        return Chain.build(
            contracts.table.select(CONTRACT_COLUMNS).with_columns(_quote_columns(quotes)),
            snapshot_time=self._clock(),
            feed=self.name,
            timeliness=self.timeliness,
            spot={name: self._spots[name] for name in underlyings if name in self._spots},
            rejected={reason: rows for reason, rows in rejected.items() if rows},
        )

    async def updates(self, contracts: Contracts) -> AsyncGenerator[Update]:
        """Stream quotes until the iterator is closed; a lost connection is replaced.

        Raises:
            FeedError: the stream cannot be had and a retry is of no use.
        """
        plan = StreamPlan.of(contracts, self._spots, self._limits)
        if plan.subscriptions.left_out:
            log.warning("subscriptions_left_out", reason=plan.subscriptions.report())
        rest = RestPass(self._client, contracts, plan, clock=self._clock, times=self._times.rest)
        connections = [
            self._connection(share, self._budget.of_rank(rank))
            for rank, share in enumerate(plan.subscriptions.shares)
        ]
        stream = UpdateStream(plan, connections, rest, self._clock)
        self._streams.append(stream)
        try:
            async with aclosing(stream.updates()) as updates:
                async for update in updates:
                    self._spots |= update.spot
                    yield update
        finally:
            self._streams.remove(stream)
            self._past_losses += stream.losses()

    def health(self) -> FeedHealth:
        """Return what was lost and how REST answered, since the feed was made."""
        losses = sum((stream.losses() for stream in [*self._streams]), Counter(self._past_losses))
        return FeedHealth(losses, dict(self._client.calls))

    async def _quote_token(self) -> QuoteToken:
        """Get a token, and from it whether quotes are delayed: an entitlement may lapse."""
        token = await self._client.quote_token()
        if self._follows_token:
            now = Timeliness.DELAYED if token.is_delayed else Timeliness.LIVE
            if self._timeliness not in {None, now}:
                log.warning("timeliness_changed", before=self._timeliness, now=now)
            self._timeliness = now
        return token

    async def _chains(
        self, underlyings: Sequence[str]
    ) -> dict[str, Sequence[RootListing] | FeedError]:
        """Return the listing of each underlying, or why there is none."""

        async def ask(underlying: str) -> Sequence[RootListing] | FeedError:
            try:
                return await self._client.option_chain(underlying)
            except FeedError as error:
                if error_ruling(error).verdict is Verdict.STOP:  # it concerns the account
                    raise
                return error

        answers = await asyncio.gather(*map(ask, underlyings))
        return dict(zip(underlyings, answers, strict=True))

    def _of_root(
        self, product: Product, chain: Sequence[RootListing] | FeedError, universe: Universe
    ) -> pl.DataFrame:
        if isinstance(chain, FeedError):
            raise chain
        spot = self._spots.get(product.underlying, float("nan"))
        return root_contracts(product, chain, universe, spot, self._clock())

    async def _learn_spots(self, underlyings: Sequence[str]) -> None:
        """Learn prices of underlyings by REST, and those it lacks or refuses from the stream."""
        if not underlyings:
            return
        try:
            answer = await self._client.market_data(index=underlyings)
            self._spots |= spots_of(answer.quotes, underlyings)
        except ApiError as error:
            log.warning("no_quotes_by_rest", reason=str(error))
        missing = [name for name in underlyings if name not in self._spots]
        if missing:
            prices = [Subscription("Trade", name) for name in missing]
            connection = self._connection(prices, self._budget.of_rank(0, urgent="Trade"))
            self._spots |= await streamed_spots(connection, missing, self._times.spot_wait)

    def _connection(self, subscriptions: Sequence[Subscription], pace: Pace) -> DXLinkConnection:
        return DXLinkConnection(
            self._quote_token,
            subscriptions,
            FIELDS,
            rng=self._rng,
            times=self._times.connection,
            budget=pace,
        )


def make_feed(setup: FeedSetup) -> TastytradeFeed:
    """Return the feed that the section ``tastytrade`` of the configuration describes.

    Raises:
        CredentialsError: the environment has no credentials.
    """
    credentials = Credentials.from_environment(setup.env)
    credentials = replace(credentials, one_time_code=setup.one_time_code)
    client = TastytradeClient(credentials, base_url=setup.options["base_url"])
    limits = StreamLimits(connections=setup.options["connections"])
    if is_loopback(client.base_url):
        # The vendor is not on this machine: it is `boxes simulate`, and must not pass for live.
        return TastytradeFeed(
            client, name="simulated", timeliness=Timeliness.SIMULATED, limits=limits
        )
    return TastytradeFeed(client, limits=limits)


def _quote_columns(quotes: Sequence[MarketData | None]) -> list[pl.Series]:
    """Return the chain's quote columns, one value a contract; unknown is null."""

    def series(name: str, dtype: pl.DataType) -> pl.Series:
        return pl.Series(name, [getattr(item, name, None) for item in quotes], dtype, strict=False)

    counts = [series(name, pl.Float64()).cast(pl.Int64) for name in ("volume", "open_interest")]
    times = series("updated_at", pl.Datetime("us", "UTC")).alias("quote_time")
    return [*(series(name, pl.Float64()) for name in _QUOTE_FIELDS), *counts, times]
