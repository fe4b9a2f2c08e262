from __future__ import annotations

from datetime import timedelta

import pytest

from live_box_spreads.collector.sources import StreamedSource
from live_box_spreads.model.errors import FeedUnavailableError, LoginRefusedError
from tests.collector.scripted import START, ScriptedFeed, activity, contracts_of, quotes

CONTRACTS = contracts_of("SPX", "SPXW")


def ignore(_label: str, _done: int, _total: int) -> None:
    """Show nothing."""


def source_of(feed: ScriptedFeed) -> StreamedSource:
    return StreamedSource(
        feed,
        CONTRACTS,
        settle_secs=2.0,
        deadline_secs=60.0,
        clock=feed.time.clock,
        sleep=feed.time.sleep,
    )


async def settled_after_secs(feed: ScriptedFeed) -> float:
    source = source_of(feed)
    chain = await source.chain(ignore)
    await source.close()
    assert feed.streams == 0
    return (chain.snapshot_time - START).total_seconds()


async def test_settled_at_once_when_every_contract_is_quoted_and_active() -> None:
    feed = ScriptedFeed()
    feed.send_at(0.5, quoted=quotes(0, 1, 2, 3))
    feed.send_at(1.0, active=activity(0, 1, 2, 3))
    assert await settled_after_secs(feed) == pytest.approx(1.0, abs=0.06)


async def test_quiet_counts_from_the_last_news_once_all_was_asked_for() -> None:
    feed = ScriptedFeed()
    feed.send_at(0.5, quoted=quotes(0), asked=(4, 4))
    feed.send_at(2.0, quoted=quotes(1))
    feed.send_at(3.0, quoted=quotes(1))  # nothing new: it was quoted before
    assert await settled_after_secs(feed) == pytest.approx(4.0, abs=0.06)


async def test_quiet_does_not_count_while_contracts_are_still_to_be_asked_for() -> None:
    feed = ScriptedFeed()
    feed.send_at(0.5, quoted=quotes(0, 1), asked=(2, 4))
    feed.send_at(20.0, asked=(4, 4))
    assert await settled_after_secs(feed) == pytest.approx(22.0, abs=0.06)


async def test_the_deadline_takes_what_is_there() -> None:
    feed = ScriptedFeed()
    feed.send_at(0.5, quoted=quotes(0), asked=(3, 4))
    assert await settled_after_secs(feed) == pytest.approx(60.0, abs=0.06)


async def test_nothing_quoted_by_the_deadline_is_an_error() -> None:
    feed = ScriptedFeed()
    feed.send_at(0.5, asked=(4, 4), active=activity(0, 1, 2, 3))
    source = source_of(feed)
    with pytest.raises(FeedUnavailableError, match="none of 4 contracts was quoted within 60 s"):
        await source.chain(ignore)
    assert feed.time.secs() == pytest.approx(60.0, abs=0.06)
    await source.close()
    assert feed.streams == 0


async def test_the_status_says_how_far_subscribing_is_until_all_is_asked_for() -> None:
    feed = ScriptedFeed()
    source = source_of(feed)
    assert source.status() == ""  # the feed has not said that it subscribes anything
    feed.send_at(0.5, quoted=quotes(0), asked=(1, 4))
    feed.send_at(3.0, asked=(4, 4))
    await feed.time.sleep(1.0)
    assert source.status() == ("subscribed 1 of 4, 1 of 4 quotes among them, on 1 of 1 connections")
    await feed.time.sleep(3.0)
    assert source.status() == ""
    await source.close()


async def test_contracts_that_are_polled_hold_up_nobody() -> None:
    feed = ScriptedFeed()
    feed.send_at(0.5, quoted=quotes(0), asked=(2, 2))  # two of four fit no connection
    assert await settled_after_secs(feed) == pytest.approx(2.5, abs=0.06)


async def test_a_refused_stream_raises_its_refusal_and_has_ended() -> None:
    feed = ScriptedFeed()
    feed.send_at(0.5, error=LoginRefusedError("the token was refused"))
    source = source_of(feed)
    with pytest.raises(LoginRefusedError, match="the token was refused"):
        await source.chain(ignore)
    assert source.ended
    await source.close()


async def test_only_the_first_chain_waits() -> None:
    feed = ScriptedFeed()
    feed.send_at(0.0, quoted=quotes(0), asked=(4, 4))
    source = source_of(feed)
    await source.chain(ignore)
    before = feed.time.now
    assert (await source.chain(ignore)).snapshot_time == before
    assert feed.time.now == before
    await source.close()


async def test_progress_counts_the_quoted_contracts() -> None:
    feed = ScriptedFeed()
    feed.send_at(0.5, quoted=quotes(0, 2), asked=(4, 4))
    feed.send_at(1.0, quoted=quotes(1, 3))
    feed.send_at(1.5, active=activity(0, 1, 2, 3))
    told: list[tuple[str, int, int]] = []
    source = source_of(feed)
    await source.chain(lambda *step: told.append(step))
    await source.close()
    assert list(dict.fromkeys(told)) == [("quotes", 0, 4), ("quotes", 2, 4), ("quotes", 4, 4)]


async def test_a_lost_link_is_a_failure_until_a_quote_comes() -> None:
    feed = ScriptedFeed()
    feed.send_at(0.0, quoted=quotes(0, 1, 2, 3), active=activity(0, 1, 2, 3))
    source = source_of(feed)
    await source.chain(ignore)
    assert source.failures() == {}
    feed.send_at(10.0, lost=(0, 1, 2, 3))
    feed.send_at(20.0, quoted=quotes(0, bid=11.0))
    await feed.time.sleep(15.0)
    assert source.failures() == {"stream": "link down since 15:00:10 UTC; quotes are as of then"}
    await feed.time.sleep(15.0)
    assert source.failures() == {}
    chain = await source.chain(ignore)
    assert chain.quotes["bid"].to_list() == [11.0, 10.0, 10.0, 10.0]
    await source.close()
    lost_at, back_at = START, START + timedelta(seconds=20)
    assert chain.quotes["quote_time"].to_list() == [back_at, lost_at, lost_at, lost_at]
