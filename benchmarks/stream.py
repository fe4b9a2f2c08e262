"""How fast streamed quotes reach the live book, beside the official SDK's decoding.

Run by ``uv run --group witness python benchmarks/stream.py``; without that group the SDK's row is
missing. The rows are explained in ``benchmarks/README.md``.
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
import subprocess
import sys
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from random import Random
from statistics import median
from time import monotonic, process_time
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import polars as pl

sys.path.insert(0, str(Path(__file__).parents[1]))  # for the blaster, when run by path

from benchmarks.dxlink_blaster import FIELDS as QUOTE_FIELDS
from benchmarks.dxlink_blaster import Load, batches, feed_data, symbols
from benchmarks.timing import json_file, write_json
from live_box_spreads.collector.live_book import LiveBook
from live_box_spreads.dxlink import messages as m
from live_box_spreads.dxlink.compact import READER
from live_box_spreads.dxlink.connection import DXLinkConnection
from live_box_spreads.dxlink.protocol import DXLinkProtocol
from live_box_spreads.dxlink.subscriptions import ChangeBudget, SharedBudget
from live_box_spreads.feeds.base import CONTRACT_SCHEMA, Contracts
from live_box_spreads.model.chain import Timeliness
from live_box_spreads.tastytrade_client import QuoteToken
from live_box_spreads.vendors.tastytrade.event_reader import EventReader
from live_box_spreads.vendors.tastytrade.plan import FIELDS, StreamLimits, StreamPlan
from live_box_spreads.vendors.tastytrade.stream import UpdateStream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from live_box_spreads.vendors.tastytrade.rest_pass import RestPass

CONTRACTS = 24_000
QUOTES_A_FRAME = 500
ROUNDS = 15
SDK_FRAMES = 8
BLAST_SECS, LATENCY_SECS = 6.0, 10.0
RATE = 100_000
HANDSHAKE: list[dict[str, Any]] = [
    {"type": "SETUP", "channel": 0, "version": "1.0", "keepaliveTimeout": 60},
    {"type": "AUTH_STATE", "channel": 0, "state": "AUTHORIZED"},
    {"type": "CHANNEL_OPENED", "channel": 1},
]
CONFIG = {"type": "FEED_CONFIG", "channel": 1, "eventFields": {"Quote": QUOTE_FIELDS}}


def contracts() -> Contracts:
    """Return as many contracts as a full SPX listing has."""
    names = symbols(CONTRACTS)
    table = pl.DataFrame(
        {
            "root": "SPXW",
            "underlying": "SPX",
            "expiry": date(2027, 1, 15),
            "settlement": "PM",
            "strike": np.arange(CONTRACTS) / 4 + 1000,
            "right": "C",
            "occ_symbol": names,
            "streamer_symbol": names,
        },
        schema=CONTRACT_SCHEMA,
    )
    return Contracts(table)


class Client:
    """What stands between socket and book, without the socket."""

    def __init__(self) -> None:
        """Open the session."""
        self.book = LiveBook(contracts())
        plan = StreamPlan.of(self.book.contracts, {"SPX": 6800.0})
        self._reader = EventReader(plan, 0)
        self._protocol = DXLinkProtocol("token", FIELDS)
        self._protocol.connect()
        for frame in (*HANDSHAKE, CONFIG):
            self.take(json.dumps(frame))

    def take(self, frame: str) -> None:
        """Take one frame to the book."""
        for event in self._protocol.receive(frame):
            if isinstance(event, m.Data):
                update = self._reader.update_of(event.data, datetime.now(UTC))
                if update is not None:
                    self.book.apply(update)
            elif isinstance(event, m.Configured):
                self._reader.configure(event.event_fields)


def measured(take: Callable[[str], object], frames: list[str], rounds: int) -> list[float]:
    """Return CPU seconds of each round; those of other processes do not count."""
    seconds = []
    for _ in range(rounds):
        began = process_time()
        for frame in frames:
            take(frame)
        seconds.append(process_time() - began)
    return seconds


def sdk_frames() -> tuple[Callable[[str], object], list[str]] | None:
    """Return the SDK's decoding and the same quotes in the fields that it asks for."""
    if importlib.util.find_spec("tastytrade") is None:
        return None
    from tastytrade.dxfeed import Quote  # noqa: PLC0415

    names = [item.alias for item in Quote.model_fields.values()]

    def row(quote: tuple[Any, ...]) -> list[Any]:
        known = dict(zip(QUOTE_FIELDS, quote, strict=True))
        return [known.get(name or "", "" if "Code" in (name or "") else 0) for name in names]

    frames = [
        feed_data([row(quote) for quote in rows]) for rows in batches(CONTRACTS, QUOTES_A_FRAME)
    ]

    def decode(frame: str) -> object:
        found = Quote.from_stream(json.loads(frame)["data"][1])
        assert len(found) == QUOTES_A_FRAME
        return found

    return decode, frames[:SDK_FRAMES]


def decode_and_apply() -> dict[str, list[float]]:
    """Compare the ways from a frame's text to the book, and the SDK's to its objects.

    Returns:
        CPU seconds of each round by way.
    """
    by_size = {size: [feed_data(rows) for rows in batches(CONTRACTS, size)] for size in (500, 50)}
    slow, fast = Client(), Client()
    ways: dict[str, tuple[list[float], int]] = {}
    frames = by_size[QUOTES_A_FRAME]
    ways["decoder alone, 500 a frame"] = measured(slow.take, frames, ROUNDS), CONTRACTS
    began = monotonic()
    READER.load()
    print(f"loading the compiled reader: {monotonic() - began:.1f} s")
    for size, some in by_size.items():
        taken = measured(fast.take, some, ROUNDS)
        ways[f"compiled reader, {size} a frame"] = taken, CONTRACTS
    assert_same(slow.book, fast.book)
    if (sdk := sdk_frames()) is not None:
        decode, some = sdk
        ways["SDK, decoding only"] = measured(decode, some, 5), SDK_FRAMES * QUOTES_A_FRAME
    print(f"\n{'frame to book':<30}{'quotes/CPU s, median':>22}{'best':>14}{'x SDK':>8}")
    base = ways.get("SDK, decoding only")
    for name, (taken, count) in ways.items():
        speed = count / median(taken)
        ratio = f"{speed * median(base[0]) / base[1]:.1f}" if base else "-"
        print(f"{name:<30}{speed:>22,.0f}{count / min(taken):>14,.0f}{ratio:>8}")
    verdict(CONTRACTS / median(ways["compiled reader, 500 a frame"][0]), 2e6, "quotes/s per core")
    return {name: taken for name, (taken, _) in ways.items()}


def assert_same(one: LiveBook, other: LiveBook) -> None:
    """Check that two books hold the same quotes, all of them."""
    tables = [
        book.snapshot(datetime.now(UTC), "benchmark", Timeliness.SIMULATED).quotes
        for book in (one, other)
    ]
    drop = ["quote_time"]
    assert tables[0].drop(drop).equals(tables[1].drop(drop))
    assert one.quoted == len(one)


@contextmanager
def blaster(load: Load) -> Iterator[int]:
    """Run a blaster beside us; give its port."""
    script = str(Path(__file__).with_name("dxlink_blaster.py"))
    arguments = map(str, (load.contracts, load.quotes_a_frame, load.quotes_a_second))
    pipe = subprocess.PIPE
    command = [sys.executable, script, *arguments]
    process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)  # noqa: S603
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield int(process.stdout.readline())
    finally:
        process.stdin.close()
        process.wait(10)


class NoRest:
    """Stands in for the REST passes: everything comes by the stream here."""

    async def run(self, _give: object) -> None:
        """Do nothing, for ever."""
        await asyncio.Event().wait()

    async def check_for_ever(self, _give: object) -> None:
        """Do nothing, for ever."""
        await asyncio.Event().wait()

    def stream_brings(self, _update: object) -> None:
        """Do nothing."""

    def stream_lost(self, _rows: object) -> None:
        """Do nothing."""

    def stream_back(self) -> None:
        """Do nothing."""


@dataclass
class Seen:
    """What a client saw of a blast.

    Attributes:
        quotes: applied in the time measured.
        wall_secs: that time.
        cpu_secs: of this process in that time.
        delays_ms: for each update, from the blaster's write until the book could be read.
    """

    quotes: int = 0
    wall_secs: float = 0.0
    cpu_secs: float = 0.0
    delays_ms: list[float] = field(default_factory=list)


async def receive(port: int, secs: float, connections: int) -> tuple[Seen, LiveBook]:
    """Stream from a blaster with the real client for some seconds."""
    book = LiveBook(contracts())
    plan = StreamPlan.of(book.contracts, {"SPX": 6800.0}, StreamLimits(connections))

    async def token() -> QuoteToken:
        return QuoteToken("token", f"ws://127.0.0.1:{port}/", "api")

    streamed = [
        DXLinkConnection(
            token,
            share,
            FIELDS,
            rng=Random(1),  # noqa: S311  jitter
            budget=SharedBudget(ChangeBudget(changes=10**9)).of_rank(0),
        )
        for share in plan.subscriptions.shares
    ]
    stream = UpdateStream(plan, streamed, cast("RestPass", NoRest()), lambda: datetime.now(UTC))
    seen = Seen()
    begun: tuple[float, float] | None = None
    async with aclosing(stream.updates()) as updates:
        async for update in updates:
            book.apply(update)
            if begun is None:
                if book.progress is not None and book.progress.is_complete and book.quoted:
                    begun = monotonic(), process_time()
                continue
            if update.quotes is not None:
                seen.quotes += len(update.quotes.rows)
                stamp_us = float(update.quotes.ask_size[-1])
                seen.delays_ms.append(monotonic() * 1e3 - stamp_us / 1e3)
            if monotonic() - begun[0] >= secs:
                break
    assert begun is not None
    seen.wall_secs, seen.cpu_secs = monotonic() - begun[0], process_time() - begun[1]
    return seen, book


def session(port: int, secs: float, connections: int, *, compiled: bool) -> None:
    """Be a client of a blaster, in a process of its own, and print what was seen."""
    if compiled:
        READER.load()
    seen, book = asyncio.run(receive(port, secs, connections))
    chain = book.snapshot(datetime.now(UTC), "benchmark", Timeliness.SIMULATED)
    print(
        json.dumps(
            {
                "quotes": seen.quotes,
                "wall_secs": seen.wall_secs,
                "cpu_secs": seen.cpu_secs,
                "p50_ms": float(np.quantile(seen.delays_ms, 0.5)),
                "p99_ms": float(np.quantile(seen.delays_ms, 0.99)),
                "most_ms": max(seen.delays_ms),
                "contracts": len(chain.quotes),
                "peak_mib": peak_mib(),
            }
        )
    )


def peak_mib() -> float:
    """Return the most memory that this process ever held; getrusage tells its parent's too."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    kib = next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))
    return int(kib) / 1024


def in_a_process(load: Load, secs: float, connections: int, *, compiled: bool) -> dict[str, float]:
    """Run ``session`` in a fresh process, whose memory is its own, beside a blaster."""
    with blaster(load) as port:
        arguments = map(str, (port, secs, connections, int(compiled)))
        command = [sys.executable, __file__, "session", *arguments]
        answer = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)  # noqa: S603
    found: dict[str, float] = json.loads(answer.stdout.splitlines()[-1])
    found["speed"] = found["quotes"] / found["wall_secs"]
    return found


def over_a_socket() -> dict[str, Any]:
    """Measure the whole client over loopback: speed, delay, memory; return what was seen."""
    rows: dict[str, Any] = {}
    rows["as fast as it goes"] = seen = in_a_process(
        Load(CONTRACTS, 500, 0), BLAST_SECS, 1, compiled=True
    )
    print(
        f"\nover loopback, as fast as it goes: {seen['speed']:,.0f} quotes/s; the client had "
        f"{seen['cpu_secs'] / seen['wall_secs']:.0%} of a core, "
        f"{seen['quotes'] / seen['cpu_secs']:,.0f} quotes/CPU s"
    )
    verdict(seen["speed"], 0.8e6, "quotes/s over loopback")
    for compiled in (True, False):
        reader = "compiled reader" if compiled else "reader compiled on the way"
        seen = in_a_process(Load(CONTRACTS, 50, RATE), LATENCY_SECS, 4, compiled=compiled)
        rows[f"{RATE:,} quotes/s, {reader}"] = seen
        print(
            f"\n{seen['speed']:,.0f} quotes/s, three connections, {reader}: from written to "
            f"readable {seen['p50_ms']:.1f} ms median, {seen['p99_ms']:.1f} ms p99, "
            f"{seen['most_ms']:.0f} ms at most; peak memory {seen['peak_mib']:.0f} MiB"
        )
        if compiled:
            verdict(-seen["p99_ms"], -50, "ms p99")
    seen = in_a_process(Load(CONTRACTS, 50, RATE // 10), LATENCY_SECS, 4, compiled=False)
    rows[f"{RATE // 10:,} quotes/s"] = seen
    print(f"\n{seen['speed']:,.0f} quotes/s, {CONTRACTS:,} contracts, three connections")
    verdict(-seen["peak_mib"], -250, "MiB peak memory of the process")
    return rows


def verdict(found: float, target: float, unit: str) -> None:
    """Say whether a target is reached; negative numbers are upper bounds."""
    reached = "reached" if found >= target else "missed"
    print(f"target {abs(target):,.0f} {unit}: {reached} ({abs(found):,.1f})")


def main() -> None:
    """Run everything, or what a subprocess is asked for."""
    if sys.argv[1:2] == ["session"]:
        port, secs, connections, compiled = sys.argv[2:6]
        session(int(port), float(secs), int(connections), compiled=compiled == "1")
        return
    file = json_file()
    write_json(file, "stream", {**decode_and_apply(), **over_a_socket()})


if __name__ == "__main__":
    main()
