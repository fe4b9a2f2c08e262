"""``boxes collect`` as a user runs it, for half an hour on a full listing, with random troubles."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.campaign.judge import ON_THE_WAY, Finding, Judge
from live_box_spreads.model.quality import QualityRules
from live_box_spreads.simulator.credentials import DEMO_CLIENT_SECRET, DEMO_REFRESH_TOKEN
from live_box_spreads.simulator.exchange import SimulatedExchange, SimulatorOptions
from live_box_spreads.stores.snapshots import SnapshotStore, read_snapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

STALE_AFTER_SECS = 300.0
LATENCY_SECS = 5.0
"""From a quote to a snapshot, at most, on a machine that others use too."""

_SLEEP_EVERY_SECS = 600.0
_SLEEP_SECS = 25.0
_EARLY, _LATE = 1 / 3, 2 / 3

_CONFIG = """\
tickers: [SPX, SPXW, XSP, NDX, NDXP]
expiries_per_ticker: 0
strike_moneyness: [0.0, 100.0]
update_interval_seconds: {interval}
max_snapshots_retained: 20
"""


@dataclass(frozen=True, slots=True)
class Written:
    """A snapshot and what the judge found."""

    time: datetime
    finding: Finding


@dataclass
class Soak:
    """What was seen; times are UTC.

    Attributes:
        snapshots: every snapshot that could be compared, oldest first.
        troubles: when each began, and its name.
        memory: resident set of the collector over time, in MiB.
        lines: what the collector printed, one a round.
        exit_status: of the collector.
    """

    snapshots: list[Written] = field(default_factory=list)
    troubles: list[tuple[datetime, str]] = field(default_factory=list)
    memory: list[tuple[datetime, float]] = field(default_factory=list)
    lines: list[tuple[datetime, str]] = field(default_factory=list)
    exit_status: int | None = None

    def unreported_holes(self, interval_secs: float) -> list[str]:
        """Return gaps between snapshots in which the collector printed no reason."""
        holes = []
        for before, after in zip(self.snapshots, self.snapshots[1:], strict=False):
            gap_secs = (after.time - before.time).total_seconds()
            reasons = [
                line
                for at, line in self.lines
                if before.time <= at <= max(after.time, at) and ("failed" in line or "over" in line)
                if (at - after.time).total_seconds() < interval_secs
            ]
            if gap_secs > 1.5 * interval_secs and not reasons:
                holes.append(f"{gap_secs:.0f} s before {after.time:%H:%M:%S}")
        return holes

    def recoveries_secs(self) -> list[float | None]:
        """Return how long after each trouble began a snapshot was true again.

        None where the next trouble, or the end, came before that.
        """
        true = [each.time for each in self.snapshots if each.finding.is_true(ON_THE_WAY)]
        begins = [at for at, _ in self.troubles]
        ends = [*begins[1:], datetime.max.replace(tzinfo=UTC)]
        found: list[float | None] = []
        for begun, ended in zip(begins, ends, strict=True):
            again = [at for at in true if begun < at < ended]
            found.append((again[0] - begun).total_seconds() if again else None)
        return found

    def trend_mib_an_hour(self, skip_secs: float) -> float:
        """Return the slope of a line through the memory, leaving the start out."""
        if not self.memory:
            return 0.0
        began = self.memory[0][0]
        points = [
            ((at - began).total_seconds(), mib)
            for at, mib in self.memory
            if (at - began).total_seconds() >= skip_secs
        ]
        if len(points) < 2:  # noqa: PLR2004 - a line needs two
            return 0.0
        mean_x = sum(x for x, _ in points) / len(points)
        mean_y = sum(y for _, y in points) / len(points)
        spread = sum((x - mean_x) ** 2 for x, _ in points)
        return 3600 * sum((x - mean_x) * (y - mean_y) for x, y in points) / spread


def soak(
    folder: Path,
    *,
    minutes: float,
    seed: int,
    interval_secs: float,
    longest_rest_secs: float,
    tell: Callable[[Soak, float], None],
) -> Soak:
    """Run it.

    Args:
        folder: for snapshots and the collector's log.
        minutes: how long.
        seed: of the market and the troubles.
        interval_secs: between snapshots.
        longest_rest_secs: most seconds of health between two troubles.
        tell: told the state and the share of the time gone, every few seconds.
    """
    seen = Soak()
    options = SimulatorOptions(
        seed=seed,
        history_secs=STALE_AFTER_SECS + 60.0,
        trouble_seed=seed,
        longest_rest_secs=longest_rest_secs,
        on_trouble=lambda name: seen.troubles.append((datetime.now(UTC), name)),
    )
    with SimulatedExchange(options) as exchange:
        rules = QualityRules(stale_after_secs=STALE_AFTER_SECS)
        judge = Judge(exchange.occ_symbols, rules, latency_secs=LATENCY_SECS)
        with _collector(exchange, folder, interval_secs, seen) as process:
            _watch(exchange, judge, process, folder / "snapshots", seen, minutes * 60.0, tell)
    return seen


@contextmanager
def _collector(
    exchange: SimulatedExchange, folder: Path, interval_secs: float, seen: Soak
) -> Iterator[subprocess.Popen[str]]:
    """Run ``boxes collect`` against an exchange."""
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "config.yaml"
    config.write_text(_CONFIG.format(interval=interval_secs), encoding="utf-8")
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("BOX_", "TT_"))}
    environment = kept | {
        "BOX_FEED": "tastytrade",
        "BOX_TASTYTRADE__BASE_URL": exchange.base_url,
        "BOX_SNAPSHOT_STORAGE__FOLDER": str(folder / "snapshots"),
        "TT_CLIENT_SECRET": DEMO_CLIENT_SECRET,
        "TT_REFRESH_TOKEN": DEMO_REFRESH_TOKEN,
    }
    boxes = str(Path(sys.executable).with_name("boxes"))
    with (folder / "collector.log").open("w", encoding="utf-8") as log:
        process = subprocess.Popen(  # noqa: S603 - our own command
            [boxes, "collect", "--config", str(config)],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        reader = threading.Thread(target=_read_lines, args=(process, seen), daemon=True)
        reader.start()
        try:
            yield process
        finally:
            process.send_signal(signal.SIGCONT)
            process.send_signal(signal.SIGTERM)
            seen.exit_status = process.wait(60)
            reader.join(10)


def _read_lines(process: subprocess.Popen[str], seen: Soak) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        seen.lines.append((datetime.now(UTC), line.rstrip()))


def _watch(
    exchange: SimulatedExchange,
    judge: Judge,
    process: subprocess.Popen[str],
    snapshots: Path,
    seen: Soak,
    length_secs: float,
    tell: Callable[[Soak, float], None],
) -> None:
    """Compare each new snapshot as it appears, and let the collector sleep now and then."""
    store, known = SnapshotStore(snapshots), set[Path]()
    began = time.monotonic()
    rng = random.Random(0)  # noqa: S311 - not a secret
    next_sleep = _SLEEP_EVERY_SECS * rng.uniform(_EARLY, _LATE)
    while (elapsed := time.monotonic() - began) < length_secs and process.poll() is None:
        for path in store.paths() if snapshots.exists() else []:
            if path not in known:
                known.add(path)
                chain = read_snapshot(path)
                finding = judge.compare(chain, exchange.quotes_so_far())
                seen.snapshots.append(Written(chain.snapshot_time, finding))
        seen.memory.append((datetime.now(UTC), resident_mib(process.pid)))
        if elapsed > next_sleep:
            seen.troubles.append((datetime.now(UTC), "collector_stopped"))
            process.send_signal(signal.SIGSTOP)
            time.sleep(_SLEEP_SECS)
            process.send_signal(signal.SIGCONT)
            next_sleep = elapsed + _SLEEP_EVERY_SECS * rng.uniform(_EARLY, 1 + _LATE)
        tell(seen, elapsed / length_secs)
        time.sleep(2.0)


def resident_mib(pid: int) -> float:
    """Return the resident set of a process in MiB (Linux)."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024
