"""Coverage-guided fuzzing of what the client does with frames: protocol, both readers, live book.

    uv run --frozen --extra dev --with atheris python -m benchmarks.fuzz_dxlink \
        -max_total_time=600 corpus/

An input is a few frames, one a line; ``tests/dxlink/listener.py`` says what must hold after
each. Arguments are libFuzzer's. What it finds is written to ``crash-…`` and belongs into
``tests/dxlink/test_hostile_frames.py``. atheris is in no requirements: nothing else needs it.

The compiled reader runs as plain Python here, so that its branches count as coverage too.
"""

from __future__ import annotations

import json
import logging
import os
import random
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

os.environ["NUMBA_DISABLE_JIT"] = "1"

import atheris
import structlog

with atheris.instrument_imports(
    include=[
        "live_box_spreads.dxlink.protocol",
        "live_box_spreads.dxlink.messages",
        "live_box_spreads.dxlink.decoder",
        "live_box_spreads.dxlink.compact",
        "live_box_spreads.dxlink.compact_kernel",
        "live_box_spreads.vendors.tastytrade.event_reader",
        "live_box_spreads.collector.live_book",
    ]
):
    from live_box_spreads.dxlink import compact
    from live_box_spreads.simulator.dxlink.messages import GARBLED, NOISE
    from tests.dxlink.listener import CONFIG, HANDSHAKE, SYMBOLS, check_frames

    compact.READER.load()

_MOST_FRAMES = 6
_SHARE_OF_BYTES, _SHARE_OF_SPACES, _SHARE_OF_COPIES, _SHARE_OF_WHOLES = 0.4, 0.2, 0.1, 0.1
_QUOTE = ["Quote", [".690", 1.5, "NaN", 3, 4, ".710", 0, 0.05, "Infinity", 1e3]]
_SEEDS: tuple[object, ...] = (
    *HANDSHAKE,
    {"type": "FEED_DATA", "channel": 1, "data": _QUOTE},
    {"type": "FEED_DATA", "channel": 1, "data": [*_QUOTE, "Trade", ["XSP", 691.5, 12]]},
    {"type": "FEED_DATA", "channel": 1, "data": ["Summary", [".700", 120]]},
    {
        "type": "FEED_DATA",
        "channel": 1,
        "data": [{"eventType": "Quote", "eventSymbol": ".690", "bidPrice": 1.5, "askPrice": "NaN"}],
    },
    {**CONFIG, "eventFields": {"Quote": ["askPrice", "eventSymbol", "bidPrice"]}},
    {"type": "ERROR", "channel": 0, "error": "BAD_ACTION", "message": "secret-token"},
    {"type": "KEEPALIVE", "channel": 0},
)
_WORDS = (
    *SYMBOLS,
    *("type", "channel", "data", "FEED_DATA", "FEED_CONFIG", "eventFields", "dataFormat"),
    *("Quote", "Trade", "Summary", "eventSymbol", "eventType", "bidPrice", "askPrice", "bidSize"),
    *("NaN", "Infinity", "-Infinity", "COMPACT", "FULL", "AUTH_STATE", "CHANNEL_CLOSED", "XSP"),
)


_VALUES: tuple[object, ...] = (
    *_WORDS, *(0, -1, 0.05, 1e22, 2**53, 123456789.123456789, 10**30, "1.5", "1e999", None, True),
    *([], {}, ["Quote", []], [".690"]),
)  # fmt: skip


def mutate(text: bytes, most_bytes: int, seed: int) -> bytes:
    """Change a value inside one frame, or leave it to libFuzzer, which knows no JSON."""
    rng = random.Random(seed)  # noqa: S311 - not a secret
    frames = text.split(b"\n")
    at = rng.randrange(len(frames))
    try:
        value = json.loads(frames[at])
    except (ValueError, RecursionError):
        value = None
    if value is None or rng.random() < _SHARE_OF_BYTES:
        return bytes(atheris.Mutate(text, most_bytes))
    separators = (", ", ": ") if rng.random() < _SHARE_OF_SPACES else (",", ":")
    frames[at] = json.dumps(_mutated(value, rng), separators=separators).encode()
    if rng.random() < _SHARE_OF_COPIES:
        frames.insert(rng.randrange(len(frames)), frames[at])
    return b"\n".join(frames)[:most_bytes]


def _mutated(value: Any, rng: random.Random) -> Any:
    """Return a JSON value with one of its parts replaced, left out or repeated."""
    if not isinstance(value, (dict, list)) or not value or rng.random() < _SHARE_OF_WHOLES:
        return rng.choice(_VALUES)
    changed = value.copy()
    if isinstance(changed, dict):
        key = rng.choice([*changed])
        part = changed.pop(key)
        if rng.random() > _SHARE_OF_WHOLES:
            changed[key] = _mutated(part, rng)
        return changed
    at = rng.randrange(len(changed))
    changed[at : at + 1] = rng.choice(([], [changed[at]] * 2, [_mutated(changed[at], rng)] * 1))
    return changed


def one_input(text: bytes) -> None:
    """Hear the frames of one input."""
    check_frames(text.split(b"\n")[:_MOST_FRAMES])


def main() -> None:
    """Fuzz until libFuzzer has had enough."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    warnings.simplefilter("ignore", RuntimeWarning)  # hashes overflow on purpose
    with tempfile.TemporaryDirectory() as folder:
        seeds = Path(folder) / "seeds"
        seeds.mkdir()
        texts = [json.dumps(seed, separators=(",", ":")) for seed in _SEEDS]
        for number, text in enumerate([*texts, *GARBLED, *NOISE, "\n".join(texts[5:9])]):
            (seeds / str(number)).write_text(text, encoding="utf-8")
        dictionary = Path(folder) / "words"
        dictionary.write_text("".join(f'"\\"{word}\\""\n' for word in _WORDS), encoding="utf-8")
        options = [f"-dict={dictionary}", "-max_len=2000", *sys.argv[1:], str(seeds)]
        atheris.Setup([sys.argv[0], *options], one_input, custom_mutator=mutate)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
