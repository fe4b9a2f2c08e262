"""A clone of the repository, with manage.sh run in it as a newcomer would."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass, field
from subprocess import DEVNULL
from typing import TYPE_CHECKING
from urllib.request import urlopen

import pytest

if TYPE_CHECKING:
    import signal
    from collections.abc import Callable, Mapping
    from pathlib import Path

PATIENCE_SECS = 480  # pip on a busy machine


def need(command: str) -> None:
    """Skip where a command is missing; in CI it may not be."""
    if shutil.which(command) is None:
        reason = f"{command} is not installed"
        if os.environ.get("CI"):
            pytest.fail(f"{reason}, and CI may not skip this test")
        pytest.skip(reason)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(ready: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECS
    while not ready():
        assert time.monotonic() < deadline, f"{what} did not happen in {PATIENCE_SECS} s"
        time.sleep(0.2)


def page_answers(port: int) -> bool:
    """Tell whether the dashboard on this port serves its page and its layout."""
    try:
        with urlopen(f"http://127.0.0.1:{port}/_dash-layout", timeout=5) as reply:
            return bool(json.load(reply))
    except OSError:
        return False


@dataclass
class Running:
    """A started manage.sh, with its output going to a file."""

    process: subprocess.Popen[str]
    log: Path

    def output(self) -> str:
        return self.log.read_text(encoding="utf-8")

    def alive(self) -> bool:
        if self.process.poll() is not None:
            pytest.fail(f"it ended with {self.process.returncode}:\n{self.output()}")
        return True

    def stop(self, how: signal.Signals) -> int:
        """Send a signal to manage.sh alone, wait for its end, and find no process left behind."""
        self.process.send_signal(how)
        status = self.process.wait(timeout=30)
        with pytest.raises(ProcessLookupError):
            os.killpg(self.process.pid, 0)
        return status


@dataclass(frozen=True)
class Checkout:
    """A clone, and the environment that its commands see."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def snapshots(self) -> list[Path]:
        return sorted((self.folder / "live_box_spreads/data/live_snapshots").glob("snapshot_*"))

    def start(
        self,
        log: Path,
        *arguments: str,
        stdin: int = DEVNULL,
        variables: Mapping[str, str] | None = None,
    ) -> Running:
        """Start manage.sh as the leader of a process group of its own."""
        outside = {k: v for k, v in os.environ.items() if not k.startswith(("BOX_", "TT_"))}
        outside.pop("VIRTUAL_ENV", None)
        with log.open("w", encoding="utf-8") as sink:
            process = subprocess.Popen(  # noqa: S603 - our own script
                ["./manage.sh", *arguments],
                cwd=self.folder / "live_box_spreads",
                env={**outside, **self.environment, **(variables or {})},
                stdin=stdin,
                stdout=sink,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
            )
        return Running(process, log)

    def run(
        self,
        log: Path,
        *arguments: str,
        answer: str = "",
        variables: Mapping[str, str] | None = None,
    ) -> int:
        """Run manage.sh to its end, answering its question; return its exit status."""
        running = self.start(log, *arguments, stdin=subprocess.PIPE, variables=variables)
        running.process.communicate(answer, timeout=PATIENCE_SECS)
        return running.process.returncode
