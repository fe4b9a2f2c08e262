"""Writers that are killed at any moment: what was reported is whole, and nothing half is seen."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

from live_box_spreads.stores.snapshots import SnapshotStore, read_snapshot

ROOT = Path(__file__).resolve().parents[2]
KILLS = 4
CONTRACTS = 20_000
WRITE_FOR_EVER = f"""
import sys
from pathlib import Path
from live_box_spreads.stores.snapshots import SnapshotStore
from tests.stores.chains import many_contracts
store, chain = SnapshotStore(Path(sys.argv[1])), many_contracts({CONTRACTS})
while True:
    print(store.write(chain), flush=True)
"""


def reported_before_kill(folder: Path, after_secs: float) -> list[Path]:
    """Start a writer, kill it so long after its first snapshot, return what it reported."""
    with subprocess.Popen(  # noqa: S603 # our own interpreter and code
        [sys.executable, "-c", WRITE_FOR_EVER, str(folder)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    ) as writer:
        assert writer.stdout is not None
        first = writer.stdout.readline()
        deadline = time.monotonic() + after_secs
        while time.monotonic() < deadline:
            seen = SnapshotStore(folder).latest()
            assert seen is not None
            assert len(read_snapshot(seen).quotes) == CONTRACTS  # a reader beside the writer
        writer.kill()
        lines = [first, *writer.stdout.read().splitlines(keepends=True)]
    return [Path(line.rstrip("\n")) for line in lines if line.endswith("\n")]


def test_killed_writers_lose_nothing_reported_and_leave_nothing_half(tmp_path: Path) -> None:
    chance = random.Random(20261124)  # noqa: S311 # moments to kill at, no secret
    reported: list[Path] = []
    for _ in range(KILLS):
        reported += reported_before_kill(tmp_path, chance.uniform(0.0, 0.15))
    assert len(reported) >= KILLS
    assert len(set(reported)) == len(reported)
    listed = SnapshotStore(tmp_path).paths()
    assert set(reported) <= set(listed)
    for path in listed:
        assert len(read_snapshot(path).quotes) == CONTRACTS
