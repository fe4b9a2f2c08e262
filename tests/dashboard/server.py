"""The dashboard as a person starts it: ``python app.py`` in its folder, in a process of its own."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from queue import Queue
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = Path(__file__).resolve().parents[2] / "live_box_spreads" / "dashboard"
START_SECS = 180.0  # a busy machine


@dataclass(frozen=True, slots=True)
class Running:
    """A dashboard that listens."""

    url: str
    process: subprocess.Popen[str]


def start(snapshots: Path, port: int = 0, **variables: str) -> subprocess.Popen[str]:
    """Start a dashboard on a snapshot folder; port 0 is not one that a configuration takes."""
    env = {
        **os.environ,
        "BOX_SNAPSHOT_STORAGE__FOLDER": str(snapshots),
        "BOX_DASHBOARD__PORT": str(port),
        **variables,
    }
    env.pop("PYTHONPATH", None)
    return subprocess.Popen(  # our own script
        [sys.executable, "app.py"],
        cwd=FOLDER,
        env=env,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


@contextlib.contextmanager
def running(snapshots: Path, port: int, **variables: str) -> Iterator[Running]:
    """Give a dashboard that listens, and end it as Ctrl-C does."""
    process = start(snapshots, port, **variables)
    try:
        yield Running(_url(process), process)
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


def _url(process: subprocess.Popen[str]) -> str:
    lines: Queue[str] = Queue()
    stdout = process.stdout
    assert stdout is not None
    threading.Thread(target=_read_line, args=(stdout, lines), daemon=True).start()
    line = lines.get(timeout=START_SECS)
    if not line:
        raise AssertionError(f"the dashboard did not start: {process.communicate()[1]}")
    return next(word for word in line.split() if word.startswith("http://"))


def _read_line(stdout: IO[str], lines: Queue[str]) -> None:
    lines.put(stdout.readline())
