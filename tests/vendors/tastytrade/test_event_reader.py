"""What one connection's events mean, and what several of them make together: no sockets."""

from __future__ import annotations

import asyncio
import json
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import polars as pl
import pytest

from live_box_spreads.dxlink import messages as m
from live_box_spreads.dxlink.connection import ConnectionLost
from live_box_spreads.dxlink.session import ConnectionCounts, Subscribed
from live_box_spreads.feeds.base import CONTRACT_SCHEMA, Contracts, StreamProgress, Update
from live_box_spreads.vendors.tastytrade.event_reader import EventReader
from live_box_spreads.vendors.tastytrade.plan import FIELDS, StreamLimits, StreamPlan
from live_box_spreads.vendors.tastytrade.stream import UpdateStream

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from live_box_spreads.dxlink.connection import ConnectionEvent, DXLinkConnection
    from live_box_spreads.vendors.tastytrade.rest_pass import RestPass

NOW = datetime(2026, 11, 24, 16, 0, tzinfo=UTC)
NAN = float("nan")
STRIKES = (680.0, 690.0, 700.0, 710.0)
CONTRACTS = Contracts(
    pl.DataFrame(
        [
            ("XSP", "XSP", date(2026, 12, 18), "PM", strike, "C", f"occ {strike}", f".{strike:g}")
            for strike in STRIKES
        ],
        schema=CONTRACT_SCHEMA,
        orient="row",
    )
)
CONFIG = {kind: list(names) for kind, names in FIELDS.items()}


def plan_of(connections: int, subscriptions_each: int) -> StreamPlan:
    return StreamPlan.of(CONTRACTS, {"XSP": 691.0}, StreamLimits(connections, subscriptions_each))


def told(reader: EventReader, *data: Any) -> Update | None:
    return reader.update_of(json.dumps(data, separators=(",", ":")).encode(), NOW)


def test_underlyings_come_first_then_quotes_by_nearness_then_volume_then_open_interest() -> None:
    (share,) = plan_of(4, 100).subscriptions.shares
    by_nearness = [".690", ".700", ".680", ".710"]
    assert share == (
        ("Trade", "XSP"),
        *(("Quote", name) for name in by_nearness),
        *(("Trade", name) for name in by_nearness),
        *(("Summary", name) for name in by_nearness),
    )


def test_one_frame_with_three_types() -> None:
    plan = plan_of(4, 100)
    reader = EventReader(plan, 0)
    reader.configure(CONFIG)
    update = told(
        reader,
        "Quote",
        [".690", 1.5, "Infinity", 7, 8, ".710", "NaN", 2.5, "NaN", 9],
        "Trade",
        ["XSP", 691.5, "NaN", ".700", 3.25, 40, "XSP", 692.5, 0],
        "Summary",
        [".700", 120, ".680", 0],
    )
    assert update is not None
    assert update.quotes is not None
    assert update.quotes.rows.tolist() == [1, 3]
    np.testing.assert_array_equal(update.quotes.bid, [1.5, NAN])
    np.testing.assert_array_equal(update.quotes.ask, [NAN, 2.5])
    assert update.quotes.times is None
    assert update.spot == {"XSP": 692.5}
    assert update.activity is not None
    assert update.activity.rows.tolist() == [2, 2, 0]
    np.testing.assert_array_equal(update.activity.last, [3.25, NAN, NAN])
    np.testing.assert_array_equal(update.activity.volume, [40, NAN, NAN])
    np.testing.assert_array_equal(update.activity.open_interest, [NAN, 120, 0])


@pytest.mark.parametrize("price", ["NaN", "Infinity", 0, -1])
def test_a_price_that_is_none_is_no_spot(price: float | str) -> None:
    plan = plan_of(4, 100)
    reader = EventReader(plan, 0)
    reader.configure(CONFIG)
    update = told(reader, "Trade", ["XSP", price, 0])
    assert update is not None
    assert (update.spot, update.quotes, update.activity) == ({}, None, None)


def test_a_layout_without_both_prices_says_nothing_of_quotes() -> None:
    plan = plan_of(4, 100)
    reader = EventReader(plan, 0)
    reader.configure({**CONFIG, "Quote": ["eventSymbol", "bidPrice"]})
    assert told(reader, "Quote", [".690", 1.5]) is None
    reader.configure(CONFIG)
    assert told(reader, "Quote", [".690", 1.5, 2.5, 3, 4]) is not None


def test_each_connection_knows_its_share_only() -> None:
    plan = plan_of(3, 5)
    first, second, third = (EventReader(plan, connection) for connection in range(3))
    assert sorted(first.rows_of("Quote")) == [0, 1, 2, 3]
    assert first.rows_of("Trade").tolist() == []  # the underlying is no contract
    assert sorted(second.rows_of("Trade")) == [0, 1, 2, 3]
    assert third.rows_of("Summary").tolist() == [2, 0, 3]
    second.configure(CONFIG)
    assert told(second, "Quote", [".690", 1.5, 2.5, 3, 4]) is None
    assert second.decoder.unconfigured == {"Quote": 1}


@dataclass
class ScriptedConnection:
    """Gives the events that a test sends."""

    counts: ConnectionCounts = field(default_factory=ConnectionCounts)
    sent: asyncio.Queue[Any] = field(default_factory=asyncio.Queue)

    async def events(self) -> AsyncGenerator[ConnectionEvent]:
        while True:
            yield await self.sent.get()


class NoRest:
    """Stands in for the REST passes, and notes what it is told."""

    def __init__(self) -> None:
        self.calls: list[Any] = []

    async def run(self, _give: object) -> None:
        await asyncio.Event().wait()

    async def check_for_ever(self, _give: object) -> None:
        await asyncio.Event().wait()

    def stream_brings(self, update: Update) -> None:
        assert update.quotes is not None
        self.calls.append(("brings", update.quotes.rows.tolist()))

    def stream_lost(self, rows: dict[str, np.ndarray]) -> None:
        self.calls.append(("lost", {kind: sorted(lost) for kind, lost in rows.items()}))

    def stream_missed(self, rows: dict[str, np.ndarray]) -> None:
        self.calls.append(("missed", {kind: sorted(missed) for kind, missed in rows.items()}))

    def stream_back(self) -> None:
        self.calls.append("back")


async def test_the_loss_of_one_connection_is_the_loss_of_its_share() -> None:
    plan = plan_of(2, 3)  # the underlying and two quotes; two quotes and one volume
    connections, rest = [ScriptedConnection(), ScriptedConnection()], NoRest()
    stream = UpdateStream(
        plan, cast("list[DXLinkConnection]", connections), cast("RestPass", rest), lambda: NOW
    )
    async with aclosing(stream.updates()) as updates:

        async def answer(connection: int, event: ConnectionEvent) -> Update:
            connections[connection].sent.put_nowait(event)
            return await anext(updates)

        progress = (await answer(0, Subscribed(2, 1))).progress
        assert progress == StreamProgress(1, 4, 2, 6, 7, 1, 2)
        assert progress.report() == (
            "subscribed 2 of 6, 1 of 4 quotes among them, on 1 of 2 connections"
        )
        assert (await answer(0, Subscribed(3, 0))).progress == StreamProgress(2, 4, 3, 6, 7, 1, 2)
        progress = (await answer(1, Subscribed(3, 0))).progress
        assert progress == StreamProgress(4, 4, 6, 6, 7, 2, 2)
        assert (progress.is_complete, progress.report()) == (True, "")
        assert rest.calls == ["back"]

        connections[1].sent.put_nowait(m.Configured(CONFIG))
        update = await answer(1, m.Data(b'["Quote",[".710",1,2,3,4]]'))
        assert update.quotes is not None
        assert (update.quotes.rows.tolist(), update.connection) == ([3], 1)

        lost = await answer(1, ConnectionLost("gone"))
        assert lost.lost is not None
        assert sorted(lost.lost) == [0, 3]
        assert lost.progress == StreamProgress(2, 4, 3, 6, 7, 1, 2)
        assert rest.calls[1:] == [
            ("brings", [3]),
            ("lost", {"Quote": [0, 3], "Trade": [1], "Summary": []}),
        ]
        # Another connection brings its own layout; the other goes on with the one it has.
        missed = await answer(1, m.Data(b'["Quote",[".710",1,2,3,4]]'))
        assert missed.lost is not None
        assert sorted(missed.lost) == [0, 3]
        assert (missed.quotes, missed.progress) == (None, None)
        assert rest.calls[-1] == ("missed", {"Quote": [0, 3], "Trade": [1], "Summary": []})
        connections[0].sent.put_nowait(m.Configured(CONFIG))
        update = await answer(0, m.Data(b'["Quote",[".690",1,2,3,4]]'))
        assert update.quotes is not None
        assert update.quotes.rows.tolist() == [1]

        # The server takes but one subscription of the second share; the rest is left to REST.
        cut = (await answer(1, Subscribed(1, 0))).progress
        assert cut == StreamProgress(3, 3, 4, 4, 9, 2, 2)
        assert cut.is_complete
        assert rest.calls[-1] == "back"


async def test_a_late_reader_slows_the_link_down_and_fills_no_memory() -> None:
    plan = plan_of(1, 100)
    connection = ScriptedConnection()
    for _ in range(1_000):
        connection.sent.put_nowait(Subscribed(1, 12))
    stream = UpdateStream(
        plan, cast("list[DXLinkConnection]", [connection]), cast("RestPass", NoRest()), lambda: NOW
    )
    async with aclosing(stream.updates()) as updates:
        await anext(updates)
        for _ in range(50):
            await asyncio.sleep(0)
        waiting = connection.sent.qsize()
        assert waiting > 900  # they stay with the connection, whose socket stops the server
        for _ in range(200):
            await anext(updates)
        assert connection.sent.qsize() < waiting
