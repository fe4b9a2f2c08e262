"""The update stream of the Tastytrade feed: DXLink over several connections, completed by REST.

``event_reader`` turns the events of one connection into updates, ``rest_pass`` asks for what the
stream does not bring.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import aclosing
from typing import TYPE_CHECKING, Final

import structlog

from live_box_spreads.dxlink import messages as m
from live_box_spreads.dxlink.compact import READER
from live_box_spreads.dxlink.connection import ConnectionLost
from live_box_spreads.dxlink.session import Subscribed
from live_box_spreads.feeds.base import StreamProgress, Update
from live_box_spreads.machine_code import load_in_background
from live_box_spreads.vendors.tastytrade.event_reader import EventReader
from live_box_spreads.vendors.tastytrade.plan import NUMBERS

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator, Sequence
    from datetime import datetime

    from live_box_spreads.dxlink.connection import ConnectionEvent, DXLinkConnection
    from live_box_spreads.vendors.tastytrade.plan import StreamPlan
    from live_box_spreads.vendors.tastytrade.rest_pass import RestPass

log = structlog.get_logger(__name__)

_QUEUED_UPDATES: Final = 64
"""More wait in their sockets: a reader that is late slows the stream down and fills no memory."""

_BUSY_EVENTS_A_SECOND: Final = 50_000
_BUSY_FOR_SECS: Final = 5.0
"""Above this rate for this long, the compiled reader is worth its 130 MiB and seconds to load;
below, the decoder takes less than a tenth of one core."""


class UpdateStream:
    """Merges the connections and the REST passes into one sequence of updates."""

    def __init__(
        self,
        plan: StreamPlan,
        connections: Sequence[DXLinkConnection],
        rest: RestPass,
        clock: Callable[[], datetime],
    ) -> None:
        """Prepare without connecting.

        Args:
            plan: what is streamed.
            connections: one for each share of the plan.
            rest: what stands in for the connections and completes them.
            clock: current UTC time.
        """
        self._left_out = len(plan.subscriptions.left_out)
        self._shares = [len(share) for share in plan.subscriptions.shares]
        self._readers = [EventReader(plan, number) for number in range(len(self._shares))]
        self._connections = connections
        self._rest = rest
        self._clock = clock
        self._queue: asyncio.Queue[Update | Exception] = asyncio.Queue(_QUEUED_UPDATES)
        self._is_loading = False
        self._watched_since: tuple[float, int] = (0.0, 0)

    async def updates(self) -> AsyncGenerator[Update]:
        """Run until closed.

        Raises:
            FeedError: a final refusal.
        """
        followed = zip(self._connections, self._readers, strict=True)
        sources = [
            self._rest.run(self._queue.put),
            self._rest.check_for_ever(self._queue.put),
            *(self._follow(connection, reader) for connection, reader in followed),
        ]
        tasks = [asyncio.create_task(self._guarded(source)) for source in sources]
        try:
            while True:
                item = await self._queue.get()
                if isinstance(item, Exception):
                    raise item
                yield item
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._report_losses()

    async def _guarded(self, source: Coroutine[None, None, None]) -> None:
        """Pass the error that ends a source to the reader of the updates."""
        try:
            await source
        except Exception as error:  # noqa: BLE001  raised again in the reader's task
            await self._queue.put(error)

    async def _follow(self, connection: DXLinkConnection, reader: EventReader) -> None:
        async with aclosing(connection.events()) as events:
            async for event in events:
                for update in self._of_event(event, reader):
                    await self._queue.put(update)

    def _of_event(self, event: ConnectionEvent, reader: EventReader) -> Iterator[Update]:
        now = self._clock()
        match event:
            case m.Data():
                self._compile_if_it_pays()
                update = reader.update_of(event.data, now)
                if reader.missed_something():
                    yield self._missed(reader, now)
                if update is not None:
                    self._rest.stream_brings(update)
                    yield update
            case m.Malformed():  # it may have been data
                yield self._missed(reader, now)
            case m.Configured():
                reader.configure(event.event_fields)
            case Subscribed():
                reader.note_subscribed(event)
                if all(each.is_complete for each in self._readers):
                    self._rest.stream_back()
                yield Update(now, progress=self._progress())
            case ConnectionLost():
                reader.note_down()
                self._rest.stream_lost({kind: reader.rows_of(kind) for kind in NUMBERS})
                lost = reader.rows_of("Quote")
                yield Update(now, lost=lost, reason=event.reason, progress=self._progress())

    def _missed(self, reader: EventReader, now: datetime) -> Update:
        """Count the quotes of a connection as lost, as any of them may have changed.

        The next one of each makes it fresh again; REST brings those that stand unchanged.
        """
        self._rest.stream_missed({kind: reader.rows_of(kind) for kind in NUMBERS})
        return Update(now, lost=reader.rows_of("Quote"), reason="a frame could not be read")

    def _progress(self) -> StreamProgress:
        wanted = sum(reader.wanted for reader in self._readers)
        return StreamProgress(
            quotes=sum(reader.quotes for reader in self._readers),
            quotes_wanted=sum(reader.quotes_wanted for reader in self._readers),
            subscriptions=sum(reader.subscribed for reader in self._readers),
            subscriptions_wanted=wanted,
            left_out=self._left_out + sum(self._shares) - wanted,
            connections=sum(reader.stands for reader in self._readers),
            connections_wanted=len(self._readers),
        )

    def _compile_if_it_pays(self) -> None:
        """Load the compiled reader once the decoder had much to do for some seconds."""
        if self._is_loading:
            return
        now_secs = asyncio.get_running_loop().time()
        since_secs, before = self._watched_since
        if now_secs - since_secs < _BUSY_FOR_SECS:
            return
        events = sum(reader.decoder.read_slowly for reader in self._readers)
        if since_secs and events - before >= _BUSY_EVENTS_A_SECOND * (now_secs - since_secs):
            self._is_loading = True
            load_in_background([READER], _note_slow_reading)
        self._watched_since = now_secs, events

    def losses(self) -> Counter[str]:
        """Return what was lost, refused or could not be used so far, by kind."""
        losses: Counter[str] = Counter()
        for reader in self._readers:
            losses["unreadable_data"] += reader.decoder.unreadable
            losses["malformed_rows"] += reader.decoder.malformed
            losses["unknown_symbols"] += reader.decoder.unknown
            losses["arrays_without_config"] += _total(reader.decoder.unconfigured)
        for connection in self._connections:
            losses["malformed_frames"] += connection.counts.malformed_frames
            losses["ignored_frames"] += _total(connection.counts.ignored)
            losses["error_frames"] += _total(connection.counts.complaints)
            losses["connections_lost"] += connection.counts.losses
            losses["subscriptions_refused"] += connection.counts.refused
            losses["subscriptions_resent"] += connection.counts.resent
        return losses

    def _report_losses(self) -> None:
        """Say it once, at the end."""
        losses = self.losses()
        if losses.total():
            log.warning("stream_losses", **{name: n for name, n in losses.items() if n})


def _note_slow_reading(reason: str) -> None:
    log.warning("reading_frames_slowly", reason=reason)


def _total(counter: Counter[str]) -> int:
    """Sum a counter that another thread may be reading while it grows."""
    return sum(dict(counter).values())
