"""Our pace and chunks against the exchange's own limits: both state machines, no socket.

Time is a number here, so that a subscription of minutes takes a moment.
"""

from __future__ import annotations

import json
from collections import deque
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from live_box_spreads.dxlink import messages as m
from live_box_spreads.dxlink.protocol import DXLinkProtocol
from live_box_spreads.dxlink.subscriptions import (
    ChangeBudget,
    SharedBudget,
    Subscription,
    SubscriptionPlan,
    chunks,
)
from live_box_spreads.simulator.credentials import (
    DEMO_CLIENT_SECRET,
    DEMO_REFRESH_TOKEN,
    TokenIssuer,
)
from live_box_spreads.simulator.dxlink.session import DxlinkSession
from live_box_spreads.simulator.faults import Faults
from live_box_spreads.simulator.market.market import Market

if TYPE_CHECKING:
    from collections.abc import Iterator

FIELDS = {"Quote": ("eventSymbol", "bidPrice", "askPrice")}
WANTED = [Subscription("Quote", f".SPXW261218C{strike}") for strike in range(30_000)]


@pytest.fixture(scope="module")
def market() -> Market:
    return Market(datetime(2026, 11, 24, 16, 0, tzinfo=UTC), roots=("NDXP",))


class MadeSession:
    """Client and server side by side, on one clock."""

    def __init__(self, market: Market, now_secs: float = 0.0) -> None:
        faults = Faults()
        tokens = TokenIssuer(faults)
        assert tokens.grant_access(DEMO_CLIENT_SECRET, DEMO_REFRESH_TOKEN, now_secs)
        rows = {symbol: row for row, symbol in enumerate(market.symbols)}
        self.now_secs = now_secs
        self.client = DXLinkProtocol(tokens.grant_quote_token("oauth", now_secs), FIELDS)
        self.server = DxlinkSession(market, rows, tokens, faults, now_secs)
        self.events: list[m.Event] = []
        self.client.connect()
        for _ in range(5):
            self.exchange(0.02)

    def exchange(self, secs: float) -> None:
        """Let time pass and carry what both have to say."""
        for frame in self.client.data_to_send(self.now_secs):
            self.server.received(frame.decode(), self.now_secs)
        self.now_secs += secs
        self.server.tick(self.now_secs)
        for text in self.server.outgoing(self.now_secs):
            self.events += self.client.receive(text)

    def subscribe(self, wanted: Iterator[list[Subscription]], budget: ChangeBudget) -> None:
        for chunk in wanted:
            while (wait_secs := budget.wait_secs(len(chunk), self.now_secs)) > 0:
                self.exchange(min(wait_secs, 10.0))
            budget.spend(len(chunk), self.now_secs)
            self.client.subscribe(chunk)
            self.exchange(0.01)

    @property
    def complaints(self) -> list[m.Event]:
        return [event for event in self.events if isinstance(event, m.Complaint)]

    @property
    def held(self) -> int:
        return sum(channel.size for channel in self.server._channels.values())


def test_a_full_session_is_subscribed_without_a_complaint(market: Market) -> None:
    talk = MadeSession(market)
    assert m.Opened() in talk.events
    talk.subscribe(chunks(SubscriptionPlan.of(WANTED).shares[0]), ChangeBudget())
    assert talk.complaints == []
    assert talk.held == 25_000
    assert talk.server.close is None


def test_a_reconnection_shares_the_minute_with_what_went_before(market: Market) -> None:
    budget = ChangeBudget()
    first = MadeSession(market)
    first.subscribe(chunks(WANTED[:6_000]), budget)
    # The server counts by session; ours counts by credential, which is on the safe side.
    second = MadeSession(market, first.now_secs)
    begun_secs = second.now_secs
    second.subscribe(chunks(WANTED[:6_000]), budget)
    assert second.complaints == []
    assert second.held == 6_000
    assert second.now_secs - begun_secs > 50.0


@pytest.mark.parametrize(
    ("plan", "budget", "complaint"),
    [
        (WANTED[:10_500], ChangeBudget(changes=1_000_000), "subscription rate is too high"),
        (WANTED[:25_500], ChangeBudget(), "subscription size is too big"),
    ],
)
def test_without_our_limits_the_exchange_complains(
    market: Market, plan: list[Subscription], budget: ChangeBudget, complaint: str
) -> None:
    talk = MadeSession(market)
    talk.subscribe(chunks(plan), budget)
    (first, *_) = talk.complaints
    assert isinstance(first, m.Complaint)
    assert first.error == "BAD_ACTION"
    assert complaint in first.message


def test_three_connections_share_the_minute_and_the_first_is_served_first(market: Market) -> None:
    wanted = [
        Subscription(kind, f".SPXW261218C{strike}")
        for kind in ("Quote", "Trade", "Summary")
        for strike in range(22_000)
    ]
    plan = SubscriptionPlan.of(wanted, connections=5)
    talks = [MadeSession(market) for _ in plan.shares]
    queues = [deque(chunks(share)) for share in plan.shares]
    shared = SharedBudget(ChangeBudget())
    paces = [shared.of_rank(rank) for rank in range(len(talks))]
    sends: list[tuple[float, int, int]] = []
    now_secs = talks[0].now_secs
    while any(queues):
        for rank, (talk, queue, pace) in enumerate(zip(talks, queues, paces, strict=True)):
            if queue and pace.wait_secs(queue[0], now_secs) <= 0:
                chunk = queue.popleft()
                pace.spend(len(chunk), now_secs)
                talk.client.subscribe(chunk)
                sends.append((now_secs, rank, len(chunk)))
            talk.exchange(0.25)
        now_secs += 0.25

    assert [talk.complaints for talk in talks] == [[], [], []]
    assert [talk.held for talk in talks] == [25_000, 25_000, 16_000]
    for end_secs, _, _ in sends:  # as one credential, whoever counts
        window = [n for at, _, n in sends if end_secs - 60.0 < at <= end_secs]
        assert sum(window) <= 10_000
    ranks = [rank for _, rank, _ in sends]
    assert ranks == sorted(ranks)
    sent = np.cumsum([n for _, _, n in sends])
    at_secs = np.array([at for at, _, _ in sends])
    # Quotes at 9,500 in 61 seconds; what comes after them at half of that.
    assert 122 <= at_secs[np.searchsorted(sent, 22_000)] < 130
    assert 9 * 61 < at_secs[-1] - 122 < 11 * 61


def test_every_frame_of_ours_is_one_the_exchange_reads(market: Market) -> None:
    talk = MadeSession(market)
    long = [Subscription("Quote", f".{'X' * 200}{at}") for at in range(2_000)]
    sizes: list[int] = []
    for chunk in chunks(long):
        talk.client.subscribe(chunk)
        (frame,) = talk.client.data_to_send(talk.now_secs)
        sizes.append(len(frame))
        body: dict[str, Any] = json.loads(frame)
        assert len(body["add"]) == len(chunk)
        talk.server.received(frame.decode(), talk.now_secs)
    talk.exchange(0.02)
    assert max(sizes) > 60_000  # the limit was felt
    assert talk.complaints == []
    assert talk.held == 2_000
