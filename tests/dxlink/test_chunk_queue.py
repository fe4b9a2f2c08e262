from __future__ import annotations

from live_box_spreads.dxlink.chunk_queue import ChunkQueue
from live_box_spreads.dxlink.subscriptions import ChangeBudget, Subscription, chunks

WANTED = [Subscription("Quote", f".{at}") for at in range(50)]
CHUNKS = list(chunks(WANTED, max_symbols=10))


def sent_from(queue: ChunkQueue, now_secs: float = 0.0) -> list[Subscription]:
    """Take all that is left."""
    taken: list[Subscription] = []
    while queue.next_chunk:
        taken += queue.take(now_secs)
    return taken


def test_chunks_go_out_in_order() -> None:
    queue = ChunkQueue(CHUNKS, 10.0)
    assert sent_from(queue) == WANTED
    assert (queue.sent, queue.next_chunk) == (50, ())


def test_what_may_have_been_dropped_is_sent_again_first_and_in_order() -> None:
    queue = ChunkQueue(CHUNKS, 10.0)
    for now_secs in (0.0, 20.0, 25.0):
        queue.take(now_secs)
    assert queue.send_again(30.0) == 20
    assert queue.sent == 10
    assert sent_from(queue, 30.0) == WANTED[10:]
    assert queue.sent == 50


def test_a_second_complaint_about_the_same_burst_sends_nothing_twice() -> None:
    queue = ChunkQueue(CHUNKS, 10.0)
    queue.take(0.0)
    assert queue.send_again(1.0) == 10
    assert queue.send_again(1.0) == 0
    assert sent_from(queue, 1.0) == WANTED


def test_a_full_session_keeps_what_went_before_the_last_chunk() -> None:
    queue = ChunkQueue(CHUNKS, 10.0)
    for _ in range(3):
        queue.take(0.0)
    assert queue.cut_short() == 30  # the last chunk sent, and two that waited
    assert (queue.sent, queue.next_chunk) == (20, ())
    assert queue.cut_short() == 10  # another complaint was on its way: one more chunk
    assert queue.sent == 10


def test_a_session_that_holds_less_than_a_chunk_is_asked_for_halves() -> None:
    queue = ChunkQueue(CHUNKS, 10.0)
    queue.take(0.0)
    assert queue.cut_short() == 45  # all but half of the only chunk sent
    assert queue.take(1.0) == WANTED[:5]
    assert queue.cut_short() == 3
    assert queue.take(2.0) == WANTED[:2]
    assert queue.cut_short() == 1
    assert queue.take(3.0) == WANTED[:1]
    assert queue.cut_short() == 1
    assert (queue.sent, queue.left) == (0, 0)


def test_an_exhausted_budget_allows_nothing_for_a_whole_window() -> None:
    budget = ChangeBudget(changes=100, window_secs=60.0)
    budget.spend(90, 0.0)
    budget.exhaust(50.0)
    assert budget.wait_secs(1, 60.5) == 49.5
    assert budget.wait_secs(100, 110.0) == 0.0
