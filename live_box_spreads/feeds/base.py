"""What a feed is: contracts for a universe, then a snapshot of them or a stream of updates."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol, Self, runtime_checkable

import polars as pl

from live_box_spreads.model.chain import CHAIN_SCHEMA, Chain, Timeliness

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from datetime import datetime

    import numpy as np
    from numpy.typing import NDArray

MOST_CONNECTIONS: Final = 8
"""A feed may stream over this many connections; see ``Update.connection``."""

CONTRACT_COLUMNS = ["root", "underlying", "expiry", "settlement", "strike", "right"]
CONTRACT_SCHEMA = pl.Schema(
    {
        **{name: CHAIN_SCHEMA[name] for name in CONTRACT_COLUMNS},
        "occ_symbol": pl.String(),
        "streamer_symbol": pl.String(),
    }
)

ExpirySelection = Literal["spread", "nearest"]


@dataclass(frozen=True, slots=True)
class Universe:
    """What to quote.

    Attributes:
        roots: option roots, most wanted first.
        expiries_per_root: at most this many expiries of each root; 0 takes all.
        expiry_selection: ``nearest`` takes the soonest; ``spread`` covers the whole term,
            geometrically spaced, so that a loan of a year is there beside one of a week.
        moneyness: lowest and highest strike as a fraction of the spot.
    """

    roots: tuple[str, ...]
    expiries_per_root: int = 0
    expiry_selection: ExpirySelection = "spread"
    moneyness: tuple[float, float] = (0.0, float("inf"))


@dataclass(frozen=True, slots=True)
class Contracts:
    """The listed contracts of a universe; a row number here is how updates name a contract.

    Attributes:
        table: columns of ``CONTRACT_SCHEMA``, sorted by root, expiry, strike, right.
        failures: one line a root that could not be listed; the other roots stand.
    """

    table: pl.DataFrame
    failures: Mapping[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        """Return the number of contracts."""
        return len(self.table)


@dataclass(frozen=True, slots=True)
class Quotes:
    """New quotes of some contracts; all arrays have one length.

    Attributes:
        rows: row numbers in ``Contracts.table``; may repeat, the last one wins.
        bid: index points; NaN clears the side.
        ask: index points; NaN clears the side.
        bid_size: contracts; NaN unknown.
        ask_size: contracts; NaN unknown.
        times: each quote's own time (``datetime64[ms]``, UTC; NaT unknown), for quotes that were
            polled or recorded; None for streamed ones, which stand from their receipt until the
            next.
        stop_gap: whether they were asked for beside a stream that does not bring them. They never
            replace a newer quote, and each snapshot tells how many there are.
    """

    rows: NDArray[np.int32]
    bid: NDArray[np.float64]
    ask: NDArray[np.float64]
    bid_size: NDArray[np.float64]
    ask_size: NDArray[np.float64]
    times: NDArray[np.datetime64] | None = None
    stop_gap: bool = False


@dataclass(frozen=True, slots=True)
class Activity:
    """New slow fields of some contracts; NaN leaves the value that is already known.

    Attributes:
        rows: row numbers in ``Contracts.table``.
        last: price of the last trade, index points.
        volume: contracts traded today.
        open_interest: contracts open at the start of the day.
    """

    rows: NDArray[np.int32]
    last: NDArray[np.float64]
    volume: NDArray[np.float64]
    open_interest: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class StreamProgress:
    """How far a stream has come with asking for what it is to bring.

    A subscription is one event type of one symbol; servers allow so many, and so many a minute.

    Attributes:
        quotes: contracts whose quotes are asked for by now.
        quotes_wanted: contracts whose quotes are to be streamed.
        subscriptions: all that is asked for by now: quotes, slow fields, underlyings.
        subscriptions_wanted: all that is to be asked for.
        left_out: subscriptions beyond what the server allows; polled instead.
        connections: connections that stand.
        connections_wanted: connections over which the stream is spread.
    """

    quotes: int
    quotes_wanted: int
    subscriptions: int
    subscriptions_wanted: int
    left_out: int = 0
    connections: int = 1
    connections_wanted: int = 1

    @property
    def is_complete(self) -> bool:
        """Whether all is asked for and every connection stands."""
        asked = self.subscriptions >= self.subscriptions_wanted
        return asked and self.connections >= self.connections_wanted

    def report(self) -> str:
        """Return one line on how far it is; empty once it is complete."""
        if self.is_complete:
            return ""
        return (
            f"subscribed {self.subscriptions:,} of {self.subscriptions_wanted:,}, "
            f"{self.quotes:,} of {self.quotes_wanted:,} quotes among them, "
            f"on {self.connections} of {self.connections_wanted} connections"
        )


@dataclass(frozen=True, slots=True)
class Update:
    """What changed, as one received message tells it.

    Attributes:
        received_at: local receive time (UTC); the wire carries none.
        quotes: new quotes, or None.
        connection: which of the stream's connections brought them, from 0 to below
            ``MOST_CONNECTIONS``: one of them that is heard tells nothing of what is on another.
        activity: new slow fields, or None.
        spot: new prices of underlyings, in index points.
        lost: row numbers of contracts whose stream was lost; what is held of them is stale until
            new quotes arrive. None if none was lost.
        reason: why it was lost; empty if nothing was.
        doubted: row numbers of contracts about which the stream has fallen silent by itself: they
            stood when they were last quoted, whatever came of their root since.
        progress: how far the stream is with subscribing, or None if unchanged.
    """

    received_at: datetime
    quotes: Quotes | None = None
    connection: int = 0
    activity: Activity | None = None
    spot: Mapping[str, float] = field(default_factory=dict)
    lost: NDArray[np.int32] | None = None
    reason: str = ""
    doubted: NDArray[np.int32] | None = None
    progress: StreamProgress | None = None


@dataclass(frozen=True, slots=True)
class FeedSetup:
    """What the configuration gives to the function that makes a feed.

    Attributes:
        options: the feed's own section of the configuration, by key.
        env: environment variables, those of ``.env`` included; credentials are here.
        one_time_code: asks the person for the code that a login from a new device needs; None
            if there is nobody to ask.
    """

    options: Mapping[str, Any] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    one_time_code: Callable[[], str] | None = None


class Feed(Protocol):
    """A source of option quotes. An async context manager, so that it closes what it opened.

    Attributes:
        name: short name, such as ``tastytrade``; kept in each snapshot.
    """

    name: str

    @property
    def timeliness(self) -> Timeliness:
        """Live, delayed, simulated or replay; known after the first ``contracts`` call."""
        ...

    def market_time(self) -> datetime:
        """Return the instant (UTC) of the newest quotes of this feed.

        Now for a live feed, some minutes ago for a delayed one, the recorded instant for a
        replay. Settlement and expiry count from it; it is known once quotes were asked for.
        """
        ...

    async def __aenter__(self) -> Self:
        """Acquire what the feed needs; no login yet."""
        ...

    async def __aexit__(self, *exc_info: object) -> None:
        """Close every connection."""
        ...

    async def contracts(self, universe: Universe) -> Contracts:
        """List the contracts of a universe.

        Raises:
            FeedError: nothing at all can be listed. A single failing root is a failure line.
        """
        ...

    async def snapshot(self, contracts: Contracts) -> Chain:
        """Ask once for the quotes of these contracts.

        Raises:
            FeedEndedError: there are no more quotes, as at the end of a recording.
            FeedError: the quotes cannot be had.
        """
        ...

    def updates(self, contracts: Contracts) -> AsyncIterator[Update]:
        """Stream updates of these contracts until the iterator is closed.

        The first round brings every contract's current quote. A lost connection is reported by an
        update with ``lost`` and replaced by the feed itself; only a final refusal raises.

        Raises:
            FeedEndedError: there are no more quotes, as at the end of a recording.
            FeedError: the stream cannot be had and a retry is of no use.
        """
        ...


class FeedFactory(Protocol):
    """What an entry point of the group ``live_box_spreads.feeds`` names."""

    def __call__(self, setup: FeedSetup) -> Feed:
        """Return a feed that is not connected yet.

        Raises:
            ConfigError: an option cannot be used.
            CredentialsError: credentials that the feed needs are missing.
        """
        ...


@dataclass(frozen=True, slots=True)
class FeedHealth:
    """Counts since the feed was made; none ever goes down.

    Attributes:
        losses: what was lost on the way, by kind: ``connections_lost``, ``malformed_frames``, ….
        rest_calls: REST requests by outcome: an HTTP status, ``timeout`` or ``unreachable``.
    """

    losses: Mapping[str, int]
    rest_calls: Mapping[str, int]


@runtime_checkable
class TellsHealth(Protocol):
    """A feed that counts; any feed may, none has to."""

    def health(self) -> FeedHealth:
        """Return the counts as of now; from any thread."""
        ...
