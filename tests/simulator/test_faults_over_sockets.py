"""Faults of the REST side, and the address at which all faults are changed, over real sockets."""

from __future__ import annotations

import queue
import zlib
from typing import TYPE_CHECKING

import httpx2
import pytest

from live_box_spreads.simulator.exchange import SimulatedExchange, SimulatorOptions
from live_box_spreads.simulator.scenarios import SCENARIOS

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def rest(exchange: SimulatedExchange) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=exchange.base_url, headers={"User-Agent": "test/1.0"}) as client:
        yield client


@pytest.mark.parametrize(
    ("fault", "status", "kind"),
    [
        ("html_401_responses", 401, "text/html"),
        ("html_502_responses", 502, "text/html"),
        ("not_acceptable_responses", 406, "application/json"),
        ("throttled_responses", 429, "application/json"),
        ("truncated_responses", 200, "application/json"),
    ],
)
def test_the_next_answers_fail_as_told_and_then_no_more(
    exchange: SimulatedExchange, rest: httpx2.Client, fault: str, status: int, kind: str
) -> None:
    setattr(exchange.faults, fault, 2)
    for _ in range(2):
        answer = rest.get("/api-quote-tokens")
        assert answer.status_code == status
        assert answer.headers["Content-Type"].startswith(kind)
        if status == 200:
            with pytest.raises(ValueError, match="Unterminated"):
                answer.json()
    assert rest.get("/api-quote-tokens").json()["error"]["code"] == "unauthorized"


def test_a_throttled_answer_says_when_to_come_again(
    exchange: SimulatedExchange, rest: httpx2.Client
) -> None:
    exchange.faults.throttled_responses = 1
    assert rest.get("/api-quote-tokens").headers["Retry-After"] == "1"


def test_a_trickled_answer_never_ends(exchange: SimulatedExchange, rest: httpx2.Client) -> None:
    exchange.faults.trickled_responses = 1
    with rest.stream("GET", "/api-quote-tokens") as answer:
        parts = answer.iter_raw()
        assert [next(parts) for _ in range(3)] == [b" "] * 3
    assert rest.get("/api-quote-tokens").json()["error"]["code"] == "unauthorized"


def test_a_bomb_is_a_megabyte_that_unpacks_to_a_gigabyte(
    exchange: SimulatedExchange, rest: httpx2.Client
) -> None:
    exchange.faults.bomb_responses = 1
    with rest.stream("GET", "/api-quote-tokens") as answer:
        assert answer.headers["Content-Encoding"] == "gzip"
        body = b"".join(answer.iter_raw())
    unpacker = zlib.decompressobj(zlib.MAX_WBITS | 16)
    unpacked_bytes = 0
    while piece := unpacker.decompress(body, 2**24):
        unpacked_bytes += len(piece)
        body = unpacker.unconsumed_tail
    assert unpacked_bytes == 1_000 * 2**20


def test_a_slow_exchange_answers_after_its_pause(
    exchange: SimulatedExchange, rest: httpx2.Client
) -> None:
    exchange.faults.rest_delay_secs = 30.0
    with pytest.raises(httpx2.ReadTimeout):
        rest.get("/api-quote-tokens", timeout=0.2)
    assert rest.get("/simulator/faults", timeout=5.0).json()["rest_delay_secs"] == 30.0


def test_faults_are_read_changed_and_healed_at_the_control_address(
    exchange: SimulatedExchange, rest: httpx2.Client
) -> None:
    path = "/simulator/faults"
    assert rest.get(path).json() == exchange.faults.as_json()
    told = rest.patch(path, json={"frozen": True, "resets": "+1", "silent_roots": ["SPX"]}).json()
    assert (told["frozen"], told["resets"], told["silent_roots"]) == (True, 1, ["SPX"])
    assert exchange.faults.frozen
    mistaken = rest.patch(path, json={"frozn": True})
    assert mistaken.status_code == 400
    assert "did you mean frozen?" in mistaken.json()["error"]["message"]
    assert rest.patch(path, content=b"[").status_code == 400
    assert rest.delete(path).json()["frozen"] is False
    assert not exchange.faults.frozen


def test_random_trouble_comes_by_itself_and_in_the_same_order() -> None:
    def first_of(seed: int) -> str:
        told: queue.SimpleQueue[str] = queue.SimpleQueue()
        options = SimulatorOptions(
            roots=("NDX",), trouble_seed=seed, longest_rest_secs=0.01, on_trouble=told.put
        )
        with SimulatedExchange(options):
            return told.get(timeout=20)

    assert first_of(3) == first_of(3)
    assert first_of(3) in SCENARIOS
