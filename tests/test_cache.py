from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event

import pytest

from live_box_spreads.cache import Cache


def test_many_threads_that_ask_at_once_compute_once() -> None:
    cache: Cache[int] = Cache(100, lambda _: 1)
    at_once, computing, calls = Barrier(4), Event(), []

    def compute() -> int:
        calls.append(1)
        computing.wait(5)
        return 7

    def ask() -> int:
        at_once.wait(5)
        return cache.get("key", compute)

    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(ask) for _ in range(4)]
        computing.set()
        assert [answer.result(5) for answer in asked] == [7, 7, 7, 7]
    assert calls == [1]


def test_the_least_recently_used_value_goes_first() -> None:
    cache: Cache[str] = Cache(6, len)
    for key in ("aa", "bb", "cc"):
        cache.get(key, lambda key=key: key)  # type: ignore[misc] # bound now
    cache.get("aa", lambda: "never computed")
    cache.get("dd", lambda: "dd")
    kept = {key: cache.get(key, lambda: "computed again") for key in ("aa", "cc", "dd")}
    assert kept == {"aa": "aa", "cc": "cc", "dd": "dd"}
    assert cache.get("bb", lambda: "computed again") == "computed again"


def test_a_value_larger_than_the_bound_is_still_held() -> None:
    cache: Cache[str] = Cache(3, len)
    cache.get("large", lambda: "larger than three")
    assert cache.get("large", lambda: "computed again") == "larger than three"


def test_an_error_reaches_who_asked_and_is_not_kept() -> None:
    cache: Cache[int] = Cache(10, lambda _: 1)

    def fail() -> int:
        raise ValueError("no such thing")

    with pytest.raises(ValueError, match="no such thing"):
        cache.get("key", fail)
    assert cache.get("key", lambda: 3) == 3
