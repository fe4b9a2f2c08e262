"""A collector whose output goes nowhere: a full disk, a reader that has left or does not read."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

CHECKOUT = Path(__file__).resolve().parents[2]
PATIENCE_SECS = 180.0
CONFIG = """
feed: simulated
tickers: [XSP]
expiries_per_ticker: 1
update_interval_seconds: 0.2
"""


@contextmanager
def _nowhere(kind: str) -> Iterator[int]:
    """Give a descriptor that takes nothing."""
    if kind == "full":
        yield os.open("/dev/full", os.O_WRONLY)
        return
    reading, writing = os.pipe()
    if kind == "reader left":
        os.close(reading)
        yield writing
        return
    os.set_blocking(writing, False)
    with suppress(BlockingIOError):
        while True:
            os.write(writing, b"x" * 4096)
    os.set_blocking(writing, True)
    yield writing
    os.close(reading)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
@pytest.mark.parametrize("kind", ["full", "reader left", "reader does not read"])
def test_snapshots_go_on_where_no_line_can_be_written(tmp_path: Path, kind: str) -> None:
    (tmp_path / "my.yaml").write_text(CONFIG)
    arguments = ("collect", "--config", "my.yaml", "--verbose", "--metrics-port", "0")
    with (
        _nowhere(kind) as output,
        subprocess.Popen(  # noqa: S603 # our own command
            [sys.executable, "-m", "live_box_spreads", *arguments],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        ) as process,
    ):
        os.close(output)
        try:
            deadline = time.monotonic() + PATIENCE_SECS
            while len(list(tmp_path.glob("data/live_snapshots/snapshot_*"))) < 4:
                assert process.poll() is None, f"the collector ended with {process.returncode}"
                assert time.monotonic() < deadline, "no four snapshots"
                time.sleep(0.1)
            process.send_signal(signal.SIGTERM)
            assert process.wait(PATIENCE_SECS) == 0
        finally:
            process.kill()
