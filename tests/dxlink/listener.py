"""The client's frame handling without its sockets, twice: one reads fast, the other slowly.

Whatever bytes a server sends, this must hold: it lives, what it shows came out of the frame or was
there before, quotes that may have been missed are marked, and memory stays bounded.
"""

from __future__ import annotations

import json
import math
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from live_box_spreads.collector.live_book import LiveBook
from live_box_spreads.dxlink import messages as m
from live_box_spreads.dxlink.protocol import DXLinkProtocol, State
from live_box_spreads.feeds.base import CONTRACT_SCHEMA, Contracts, Update
from live_box_spreads.model.errors import ProtocolError
from live_box_spreads.vendors.tastytrade.event_reader import EventReader
from live_box_spreads.vendors.tastytrade.plan import FIELDS, StreamPlan

if TYPE_CHECKING:
    from collections.abc import Iterator

START = datetime(2026, 11, 24, 16, 0, tzinfo=UTC)
TOKEN = "secret-token"
SYMBOLS = (".680", ".690", ".700", ".710")
CONTRACTS = Contracts(
    pl.DataFrame(
        [
            ("XSP", "XSP", date(2026, 12, 18), "PM", float(name[1:]), "C", f"occ {name}", name)
            for name in SYMBOLS
        ],
        schema=CONTRACT_SCHEMA,
        orient="row",
    )
)
PLAN = StreamPlan.of(CONTRACTS, {"XSP": 691.0})
CONFIG = {
    "type": "FEED_CONFIG",
    "channel": 1,
    "dataFormat": "COMPACT",
    "eventFields": {kind: list(names) for kind, names in FIELDS.items()},
}
HANDSHAKE: tuple[dict[str, Any], ...] = (
    {"type": "SETUP", "channel": 0, "version": "1.0-test", "keepaliveTimeout": 60},
    {"type": "AUTH_STATE", "channel": 0, "state": "UNAUTHORIZED"},
    {"type": "AUTH_STATE", "channel": 0, "state": "AUTHORIZED"},
    {"type": "CHANNEL_OPENED", "channel": 1, "service": "FEED", "parameters": {}},
    CONFIG,
)
_MOST_KINDS = 64
"""Different names that a counter may hold; a hostile server must not fill our memory with them."""


class Listener:
    """One connection's protocol, reader and book, as the client puts them together."""

    def __init__(self, *, reads_slowly: bool) -> None:
        self.protocol = DXLinkProtocol(TOKEN, FIELDS)
        self.line = EventReader(PLAN, 0)
        self.book = LiveBook(CONTRACTS)
        self.now = START
        self.missed = 0
        if reads_slowly:
            self.line.decoder._plain = _reads_nothing  # type: ignore[method-assign]
        self.protocol.connect()

    def hear(self, frame: bytes) -> None:
        """Do with a frame what the client's stream does."""
        self.now += timedelta(seconds=1)
        for event in self.protocol.receive(frame):
            for update in self._updates(event):
                self.book.apply(update)
        self.protocol.data_to_send(0.0)

    def prices(self) -> np.ndarray:
        """Return bids and asks, shape (2, contracts)."""
        return self.book._state.numbers[:2].copy()

    def ages_secs(self) -> np.ndarray:
        return self.book.ages_secs(self.now)

    def _updates(self, event: m.Event) -> Iterator[Update]:
        lost = self.line.rows_of("Quote")
        if isinstance(event, m.Configured):
            self.line.configure(event.event_fields)
        elif isinstance(event, m.Data):
            update = self.line.update_of(event.data, self.now)
            if self.line.missed_something():
                self.missed += 1
                yield Update(self.now, lost=lost)
            if update is not None:
                yield update
        elif isinstance(event, m.Malformed):
            self.missed += 1
            yield Update(self.now, lost=lost)


def _reads_nothing(text: bytes) -> None:
    """Leave every frame to the slow reader."""


def opened(*, reads_slowly: bool) -> Listener:
    """Return a listener with an open channel, a layout and a quote of every contract."""
    listener = Listener(reads_slowly=reads_slowly)
    for message in HANDSHAKE:
        listener.hear(json.dumps(message).encode())
    assert listener.protocol.state is State.OPEN
    rows = [value for name in SYMBOLS for value in (name, 10.5, 11.25, 7, 8)]
    data = {"type": "FEED_DATA", "channel": 1, "data": ["Quote", rows]}
    listener.hear(json.dumps(data, separators=(",", ":")).encode())
    assert listener.prices().tolist() == [[10.5] * 4, [11.25] * 4]
    return listener


def check_frames(frames: list[bytes]) -> None:
    """Hear frames twice, fast and slowly, and check after each what must hold.

    Raises:
        AssertionError: it does not hold.
    """
    fast, slow = opened(reads_slowly=False), opened(reads_slowly=True)
    for frame in frames:
        before, missed = fast.prices(), fast.missed
        ended = []
        for listener in (fast, slow):
            try:
                listener.hear(frame)
            except ProtocolError:  # the connection is given up, and the book is marked as lost
                ended.append(listener)
        after = fast.prices()
        np.testing.assert_array_equal(after, slow.prices())
        np.testing.assert_array_equal(fast.ages_secs(), slow.ages_secs())
        assert (fast.missed, fast.protocol.state) == (slow.missed, slow.protocol.state)
        assert fast.book.spot == slow.book.spot
        assert np.all(np.isfinite(after) | np.isnan(after))
        assert len(ended) in {0, 2}
        _check_changes(frame, before, after)
        if fast.missed > missed and _unreadable(frame):
            np.testing.assert_array_equal(before, after)
            assert (fast.ages_secs() >= 1.0).all()
        _check_memory(fast)
        if ended or fast.protocol.state is State.CLOSED:
            return


def _check_changes(frame: bytes, before: np.ndarray, after: np.ndarray) -> None:
    """A price that changed was in the frame."""
    changed = after[~((after == before) | (np.isnan(after) & np.isnan(before)))]
    told = changed[~np.isnan(changed)]
    if told.size:
        numbers = set(_numbers(json.loads(frame)))
        assert set(told.tolist()) <= numbers


def _numbers(value: Any) -> Iterator[float]:
    if isinstance(value, dict):
        value = [*value.keys(), *value.values()]
    if isinstance(value, list):
        for item in value:
            yield from _numbers(item)
    elif isinstance(value, (int, float, str)):
        try:
            number = float(value)
        except (ValueError, OverflowError):
            return
        if math.isfinite(number):
            yield number


def _unreadable(frame: bytes) -> bool:
    try:
        json.loads(frame)
    except (ValueError, RecursionError):
        return True
    return False


def _check_memory(listener: Listener) -> None:
    decoder, protocol = listener.line.decoder, listener.protocol
    assert len(decoder.unconfigured) <= _MOST_KINDS
    assert len(protocol.ignored) <= _MOST_KINDS
    assert len(decoder._layout) <= len(FIELDS)
    assert len(listener.book.spot) <= 1
    assert TOKEN not in repr(protocol)
