"""The update stream of the Tastytrade feed: DXLink over several connections, completed by REST.

``stream_line`` says what the events of one connection mean, ``rest_pass`` stands in for what the
stream lacks.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import aclosing
from typing import TYPE_CHECKING, Final

import structlog

from live_box_spreads.dxlink import messages as m
from live_box_spreads.dxlink.compact import compile_reader
from live_box_spreads.dxlink.connection import LinkDown
from live_box_spreads.dxlink.session import Subscribed
from live_box_spreads.feeds.base import StreamProgress, Update
from live_box_spreads.vendors.tastytrade.event_reader import StreamLine
from live_box_spreads.vendors.tastytrade.plan import NUMBERS

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator, Sequence
    from datetime import datetime

    from live_box_spreads.dxlink.connection import DXLinkLink, LinkEvent
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
    """Merges the links and the REST passes into one sequence of updates."""

    def __init__(
        self,
        plan: StreamPlan,
        links: Sequence[DXLinkLink],
        rest: RestPass,
        clock: Callable[[], datetime],
    ) -> None:
        """Prepare without connecting.

        Args:
            plan: what is streamed.
            links: for each session of the plan, a link that subscribes it.
            rest: what stands in for the links and completes them.
            clock: current UTC time.
        """
        self._left_out = len(plan.subscriptions.left_out)
        self._shares = [len(session) for session in plan.subscriptions.sessions]
        self._lines = [StreamLine(plan, connection) for connection in range(len(self._shares))]
        self._links = links
        self._rest = rest
        self._clock = clock
        self._queue: asyncio.Queue[Update | Exception] = asyncio.Queue(_QUEUED_UPDATES)
        self._compiling: asyncio.Task[None] | None = None
        self._watched_since: tuple[float, int] = (0.0, 0)

    async def updates(self) -> AsyncGenerator[Update]:
        """Run until closed.

        Raises:
            FeedError: a final refusal.
        """
        followed = zip(self._links, self._lines, strict=True)
        sources = [
            self._rest.run(self._queue.put),
            self._rest.check_for_ever(self._queue.put),
            *(self._follow(link, line) for link, line in followed),
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
        """Hand whatever ends a source to whoever reads the updates."""
        try:
            await source
        except Exception as error:  # noqa: BLE001  raised again in the reader's task
            await self._queue.put(error)

    async def _follow(self, link: DXLinkLink, line: StreamLine) -> None:
        async with aclosing(link.events()) as events:
            async for event in events:
                for update in self._of_event(event, line):
                    await self._queue.put(update)

    def _of_event(self, event: LinkEvent, line: StreamLine) -> Iterator[Update]:
        now = self._clock()
        match event:
            case m.Data():
                self._compile_if_it_pays()
                update = line.update_of(event.data, now)
                if line.missed_something():
                    yield self._missed(line, now)
                if update is not None:
                    self._rest.stream_brings(update)
                    yield update
            case m.Malformed():  # it may have been data
                yield self._missed(line, now)
            case m.Configured():
                line.configure(event.event_fields)
            case Subscribed():
                line.note_subscribed(event)
                if all(each.is_complete for each in self._lines):
                    self._rest.stream_back()
                yield Update(now, progress=self._progress())
            case LinkDown():
                line.note_down()
                self._rest.stream_lost({kind: line.rows_of(kind) for kind in NUMBERS})
                lost = line.rows_of("Quote")
                yield Update(now, lost=lost, reason=event.reason, progress=self._progress())

    def _missed(self, line: StreamLine, now: datetime) -> Update:
        """Let the quotes of a connection grow old, as each may have changed and nobody knows.

        The next one of each makes it fresh again; REST brings those that stand unchanged.
        """
        self._rest.stream_missed({kind: line.rows_of(kind) for kind in NUMBERS})
        return Update(now, lost=line.rows_of("Quote"), reason="a frame could not be read")

    def _progress(self) -> StreamProgress:
        wanted = sum(line.wanted for line in self._lines)
        return StreamProgress(
            quotes=sum(line.quotes for line in self._lines),
            quotes_wanted=sum(line.quotes_wanted for line in self._lines),
            subscriptions=sum(line.subscribed for line in self._lines),
            subscriptions_wanted=wanted,
            left_out=self._left_out + sum(self._shares) - wanted,
            connections=sum(line.stands for line in self._lines),
            connections_wanted=len(self._lines),
        )

    def _compile_if_it_pays(self) -> None:
        """Load the compiled reader once the decoder had much to do for some seconds."""
        if self._compiling is not None:
            return
        now_secs = asyncio.get_running_loop().time()
        since_secs, before = self._watched_since
        if now_secs - since_secs < _BUSY_FOR_SECS:
            return
        events = sum(line.decoder.read_slowly for line in self._lines)
        if since_secs and events - before >= _BUSY_EVENTS_A_SECOND * (now_secs - since_secs):
            self._compiling = asyncio.create_task(_compile_in_a_thread())
        self._watched_since = now_secs, events

    def losses(self) -> Counter[str]:
        """Return what was lost, refused or could not be used so far, by kind."""
        losses: Counter[str] = Counter()
        for line in self._lines:
            losses["unreadable_data"] += line.decoder.unreadable
            losses["malformed_rows"] += line.decoder.malformed
            losses["unknown_symbols"] += line.decoder.unknown
            losses["arrays_without_config"] += _total(line.decoder.unconfigured)
        for link in self._links:
            losses["malformed_frames"] += link.counts.malformed_frames
            losses["ignored_frames"] += _total(link.counts.ignored)
            losses["error_frames"] += _total(link.counts.complaints)
            losses["links_lost"] += link.counts.losses
            losses["subscriptions_refused"] += link.counts.refused
            losses["subscriptions_resent"] += link.counts.resent
        return losses

    def _report_losses(self) -> None:
        """Say it once, at the end."""
        losses = self.losses()
        if losses.total():
            log.warning("stream_losses", **{name: n for name, n in losses.items() if n})


async def _compile_in_a_thread() -> None:
    try:
        await asyncio.to_thread(compile_reader)
    except Exception as error:  # noqa: BLE001  a broken compiler costs speed, not quotes
        log.warning("reading_frames_slowly", reason=f"{type(error).__name__}: {error}")


def _total(counter: Counter[str]) -> int:
    """Sum a counter that another thread may be reading while it grows."""
    return sum(dict(counter).values())
