from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from live_box_spreads.dxlink.protocol import MAX_FRAME_BYTES
from live_box_spreads.dxlink.subscriptions import (
    ChangeBudget,
    SharedBudget,
    Subscription,
    SubscriptionPlan,
    chunks,
)

NAMES = st.text(min_size=1, max_size=300)


@given(st.lists(NAMES, max_size=900))
def test_chunks_keep_order_and_both_limits(names: list[str]) -> None:
    wanted = [Subscription("Quote", name) for name in names]
    made = list(chunks(wanted))
    assert [item for chunk in made for item in chunk] == wanted
    for chunk in made:
        items = [{"type": item.event_type, "symbol": item.symbol} for item in chunk]
        frame = {"type": "FEED_SUBSCRIPTION", "channel": 1, "reset": True, "add": items}
        encoded = json.dumps(frame, separators=(",", ":"), ensure_ascii=False).encode()
        assert len(chunk) <= 500
        assert len(encoded) < MAX_FRAME_BYTES


def test_long_symbols_are_cut_by_bytes() -> None:
    made = list(chunks([Subscription("Quote", f"{at:0300}") for at in range(500)]))
    assert len(made) > 1


@given(st.lists(st.tuples(st.integers(1, 500), st.floats(0, 20)), max_size=200))
def test_no_rolling_minute_exceeds_the_limit(steps: list[tuple[int, float]]) -> None:
    budget = ChangeBudget(changes=1_000, window_secs=60.0)
    now_secs = 0.0
    sends: list[tuple[float, int]] = []
    for changes, pause_secs in steps:
        now_secs += pause_secs
        now_secs += budget.wait_secs(changes, now_secs)
        assert budget.wait_secs(changes, now_secs) <= 1e-9
        budget.spend(changes, now_secs)
        sends.append((now_secs, changes))
    for end_secs, _ in sends:
        window = [n for at, n in sends if end_secs - 59.999 < at <= end_secs]
        assert sum(window) <= 1_000


def test_twenty_two_thousand_symbols_take_a_bit_over_two_minutes() -> None:
    budget = ChangeBudget()
    now_secs = 0.0
    for _ in range(44):
        now_secs += budget.wait_secs(500, now_secs)
        budget.spend(500, now_secs)
    assert 120 < now_secs < 130


def chunk_of(size: int, event_type: str = "Quote") -> list[Subscription]:
    return [Subscription(event_type, str(at)) for at in range(size)]


def test_the_most_wanted_connection_goes_first_and_one_that_is_down_holds_nobody_up() -> None:
    shared = SharedBudget(ChangeBudget(changes=1_000, window_secs=60.0))
    first, second = shared.of_rank(0), shared.of_rank(1)
    assert second.wait_secs(chunk_of(500), 0.0) == 0.0
    second.spend(500, 0.0)
    assert first.wait_secs(chunk_of(500), 1.0) == 0.0  # it comes later and is served first
    assert second.wait_secs(chunk_of(400), 1.0) == 0.25
    first.spend(500, 1.0)
    assert first.wait_secs(chunk_of(500), 2.0) == 58.0
    assert second.wait_secs(chunk_of(400), 60.0) == 0.0  # the first has not asked for long
    second.spend(400, 60.0)
    second.exhaust(61.0)
    assert first.wait_secs(chunk_of(1), 61.0) == 60.0


def test_what_is_not_urgent_leaves_half_of_the_budget_to_quotes_and_goes_after_them() -> None:
    shared = SharedBudget(ChangeBudget(changes=1_000, window_secs=60.0))
    first, second = shared.of_rank(0), shared.of_rank(1)
    assert first.wait_secs(chunk_of(500, "Trade"), 0.0) == 0.0
    first.spend(500, 0.0)
    assert first.wait_secs(chunk_of(1, "Trade"), 1.0) == 59.0
    assert second.wait_secs(chunk_of(500), 1.0) == 0.0  # quotes, though of a later connection
    second.spend(250, 1.0)
    assert first.wait_secs(chunk_of(1, "Trade"), 60.5) == 0.0
    assert second.wait_secs(chunk_of(500), 60.5) == 0.0
    assert first.wait_secs(chunk_of(1, "Trade"), 60.6) == 0.25
    mixed = [*chunk_of(1, "Trade"), *chunk_of(1)]
    assert first.wait_secs(mixed, 60.7) == 0.0


def test_a_price_of_an_underlying_may_be_what_is_urgent() -> None:
    shared = SharedBudget(ChangeBudget(changes=1_000, window_secs=60.0))
    shared.of_rank(0).spend(900, 0.0)
    assert shared.of_rank(0, urgent="Trade").wait_secs(chunk_of(5, "Trade"), 1.0) == 0.0
    assert shared.of_rank(0).wait_secs(chunk_of(5, "Trade"), 1.0) == 59.0


@given(
    st.lists(
        st.tuples(
            st.integers(0, 4),
            st.sampled_from(["Quote", "Trade"]),
            st.integers(1, 400),
            st.floats(0, 9),
        ),
        max_size=150,
    )
)
def test_connections_share_the_rolling_minute(
    steps: list[tuple[int, str, int, float]],
) -> None:
    shared = SharedBudget(ChangeBudget(changes=1_000, window_secs=60.0))
    now_secs = 0.0
    sends: list[tuple[float, int]] = []
    for rank, event_type, changes, pause_secs in steps:
        now_secs += pause_secs
        pace = shared.of_rank(rank)
        chunk = chunk_of(changes, event_type)
        while (wait_secs := pace.wait_secs(chunk, now_secs)) > 1e-9:
            now_secs += wait_secs
        pace.spend(changes, now_secs)
        sends.append((now_secs, changes))
    for end_secs, _ in sends:
        window = [n for at, n in sends if end_secs - 59.999 < at <= end_secs]
        assert sum(window) <= 1_000


def test_plan_takes_the_most_wanted_and_names_the_rest() -> None:
    wanted = [Subscription("Quote", str(at)) for at in range(25_010)]
    plan = SubscriptionPlan.of([*wanted, wanted[0]])
    assert ([len(share) for share in plan.shares], len(plan.left_out)) == ([25_000], 10)
    assert plan.shares[0][0] == wanted[0]
    assert "10 of 25,010" in plan.report()
    assert "Quote of 25000" in plan.report()
    assert SubscriptionPlan.of(wanted[:5]).report() == ""


@given(st.integers(0, 70), st.integers(-1, 9), st.integers(-1, 12))
def test_a_plan_fills_one_connection_after_another(
    wanted: int, connections: int, subscriptions_each: int
) -> None:
    items = [Subscription("Quote", str(at)) for at in range(wanted)]
    plan = SubscriptionPlan.of(items, connections, subscriptions_each)
    taken = [item for share in plan.shares for item in share]
    assert [*taken, *plan.left_out] == items
    sizes = [len(share) for share in plan.shares]
    assert len(sizes) <= min(max(connections, 1), 5)
    assert all(size == max(subscriptions_each, 1) for size in sizes[:-1])
    assert all(1 <= size <= max(subscriptions_each, 1) for size in sizes)
    if plan.left_out:
        assert len(taken) == max(subscriptions_each, 1) * min(max(connections, 1), 5)
