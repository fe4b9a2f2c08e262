"""Commands that run until told to stop, as real processes: how they end, what they leave."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import IO, TYPE_CHECKING

import pytest

from live_box_spreads.model.errors import StoreBusyError
from live_box_spreads.stores.snapshots import SnapshotStore, read_snapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PATIENCE_SECS = 90.0
CHECKOUT = Path(__file__).resolve().parents[2]


@contextlib.contextmanager
def _boxes(folder: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run `boxes` in a process of its own; kill it if the test leaves it behind."""
    env = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
    with subprocess.Popen(  # noqa: S603 # our own command
        [sys.executable, "-m", "live_box_spreads", *arguments],
        cwd=folder,
        env=env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def _wait_for(stream: IO[str] | None, pattern: str) -> str:
    """Read lines until one matches; return the first group."""
    assert stream is not None
    seen = []
    for line in stream:
        seen.append(line)
        if found := re.search(pattern, line):
            return found[1]
    pytest.fail(f"{pattern!r} never came; there was {seen}")


def _is_listening(url: str) -> bool:
    host, _, port = url.removeprefix("http://").rstrip("/").partition(":")
    with contextlib.closing(socket.socket()) as probe:
        return probe.connect_ex((host, int(port))) == 0


def _is_locked(store: SnapshotStore) -> bool:
    try:
        with store.lock():
            return False
    except StoreBusyError:
        return True


def _until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECS
    while not condition():
        assert time.monotonic() < deadline, f"{what} never came"
        time.sleep(0.1)


def test_simulate_ends_cleanly_on_ctrl_c(tmp_path: Path) -> None:
    with _boxes(tmp_path, "simulate") as process:
        url = _wait_for(process.stdout, r"^(http://127\.0\.0\.1:\d+)$")
        _until(lambda: _is_listening(url), "the exchange")
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=PATIENCE_SECS)
    assert process.returncode == 0
    assert err == ""
    assert not _is_listening(url)


def test_simulate_ends_when_its_standard_input_does(tmp_path: Path) -> None:
    with _boxes(tmp_path, "simulate", "--stop-on-stdin-close") as process:
        url = _wait_for(process.stdout, r"^(http://127\.0\.0\.1:\d+)$")
        process.communicate(timeout=PATIENCE_SECS)  # closes its standard input
    assert process.returncode == 0
    assert not _is_listening(url)


@pytest.mark.parametrize("command", ["simulate", "dashboard", "demo"])
def test_a_port_in_use_is_one_clear_line(tmp_path: Path, command: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with _boxes(tmp_path, command, "--port", str(port)) as process:
            out, err = process.communicate(timeout=PATIENCE_SECS)
    assert process.returncode == 1
    assert out == ""
    errors = [line for line in err.splitlines() if line.startswith("boxes: ")]
    assert len(errors) == 1
    assert str(port) in errors[0]
    assert "Traceback" not in err


def test_demo_shows_a_market_and_ends_with_all_that_it_started(tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    arguments = ("--port", str(port), "--no-browser", "--folder", str(folder), "--interval", "1")
    with _boxes(tmp_path, "demo", *arguments) as process:
        exchange = _wait_for(process.stderr, r"simulated exchange: (\S+)")
        dashboard = _wait_for(process.stdout, r"dashboard: (\S+)")
        assert dashboard == f"http://127.0.0.1:{port}/"
        with urllib.request.urlopen(dashboard, timeout=PATIENCE_SECS) as page:  # noqa: S310 # http
            assert page.status == 200
        _until(lambda: len(SnapshotStore(folder).paths()) >= 2, "the second snapshot")
        process.send_signal(signal.SIGINT)
        process.wait(PATIENCE_SECS)
    assert process.returncode == 0
    assert not _is_listening(exchange)
    assert not _is_listening(dashboard)
    with SnapshotStore(folder).lock():  # the collector has let go
        chain = read_snapshot(SnapshotStore(folder).paths()[-1])
    assert set(chain.roots) == {"SPX", "SPXW", "XSP", "NDX", "NDXP"}
    assert 2_000 < len(chain.quotes) < 9_000


def test_a_killed_demo_leaves_nothing_running(tmp_path: Path) -> None:
    with _boxes(tmp_path, "demo", "--port", "0", "--no-browser", "--folder", "kept") as process:
        exchange = _wait_for(process.stderr, r"simulated exchange: (\S+)")
        _wait_for(process.stderr, r"(first snapshot)")
        store = SnapshotStore(tmp_path / "kept")
        assert _is_locked(store)
        process.kill()
        _until(lambda: not _is_listening(exchange), "the end of the exchange")
        _until(lambda: not _is_locked(store), "the end of the collector")
