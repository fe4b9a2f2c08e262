"""Bodies within a limit: whatever the packing and wherever the parts are cut."""

from __future__ import annotations

import gzip
import tracemalloc
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from live_box_spreads.model.errors import AnswerTooLargeError, FeedError, FeedUnavailableError
from live_box_spreads.net.bodies import BoundedBody
from live_box_spreads.simulator.rest.responses import gzip_bomb

if TYPE_CHECKING:
    from collections.abc import Iterable

LIMIT_BYTES = 400_000


def whole(parts: Iterable[bytes], encoding: str, limit_bytes: int = LIMIT_BYTES) -> bytes:
    body = BoundedBody(limit_bytes, "GET it")
    body.unpack_as(encoding)
    for part in parts:
        body.take(part)
    return body.whole()


def cut(data: bytes, at: list[int]) -> list[bytes]:
    places = [0, *sorted(place % (len(data) + 1) for place in at), len(data)]
    return [data[start:end] for start, end in pairwise(places)]


CUTS = st.lists(st.integers(0, 10**6), max_size=6)
MEMBERS = st.lists(st.binary(max_size=200) | st.integers(0, 150_000).map(bytes), max_size=2)


@given(MEMBERS, CUTS)
def test_gzip_of_several_members_is_unpacked_wherever_it_is_cut(
    members: list[bytes], at: list[int]
) -> None:
    packed = b"".join(map(gzip.compress, members))
    assert whole(cut(packed, at), "gzip") == b"".join(members)


@given(st.binary(max_size=500), CUTS, st.sampled_from(["", "identity", " Identity "]))
def test_a_plain_body_is_what_came(data: bytes, at: list[int], encoding: str) -> None:
    assert whole(cut(data, at), encoding) == data


@given(st.binary(min_size=1, max_size=300), st.data())
def test_gzip_that_breaks_off_is_never_taken_for_whole(data: bytes, draw: st.DataObject) -> None:
    packed = gzip.compress(data)
    end = draw.draw(st.integers(1, len(packed) - 1))
    with pytest.raises(FeedUnavailableError, match="damaged or breaks off"):
        whole([packed[:end]], "x-gzip")


@given(st.binary(max_size=300), st.integers(1, 300))
def test_the_limit_holds_to_the_byte(data: bytes, limit_bytes: int) -> None:
    if len(data) <= limit_bytes:
        assert whole([data], "", limit_bytes) == data
    else:
        with pytest.raises(AnswerTooLargeError, match=f"more than {limit_bytes} bytes, given up"):
            whole([data], "", limit_bytes)


@given(st.binary(max_size=100), CUTS)
def test_anything_at_all_is_unpacked_or_refused(data: bytes, at: list[int]) -> None:
    try:
        unpacked = whole(cut(data, at), "gzip")
    except FeedUnavailableError:
        unpacked = b""
    assert len(unpacked) <= LIMIT_BYTES


@pytest.mark.parametrize("encoding", ["br", "deflate", "gzip, gzip", "zstd", "x" * 99])
def test_other_packings_are_refused(encoding: str) -> None:
    with pytest.raises(FeedError, match="not as asked for"):
        whole([], encoding)


def test_a_bomb_is_unpacked_no_further_than_the_limit() -> None:
    packed = gzip_bomb(200)
    tracemalloc.start()
    with pytest.raises(AnswerTooLargeError, match="once unpacked"):
        whole([packed], "gzip")  # in one part, the worst case
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak_bytes < 4 * LIMIT_BYTES
