"""What a newcomer installs: the requirements, and the wheel outside any checkout."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import pytest

from live_box_spreads.stores.snapshots import SnapshotStore
from tests.dashboard.market import chain_at
from tests.shell.checkout import (
    Checkout,
    Running,
    free_port,
    need,
    page_answers,
    wait_until,
)

ROOT = Path(__file__).resolve().parents[2]

pytestmark = [pytest.mark.shell, pytest.mark.timeout(1200)]


def run(*command: str, cwd: Path) -> str:
    done = subprocess.run(command, cwd=cwd, check=False, capture_output=True, text=True)  # noqa: S603 - literal
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("file", "extras"),
    [("requirements.txt", ("dashboard", "fast", "simulator")), ("requirements-dev.txt", ("dev",))],
)
def test_requirements_say_what_the_lock_says(file: str, extras: tuple[str, ...]) -> None:
    need("uv")
    options = ("--frozen", "--no-emit-project", "--no-annotate", "--no-header")
    chosen = [word for extra in extras for word in ("--extra", extra)]
    wanted = run("uv", "export", "--quiet", *options, *chosen, cwd=ROOT)
    pinned = [line for line in (ROOT / file).read_text().splitlines() if not line.startswith("#")]
    assert pinned == wanted.splitlines()
    assert wanted.count("==") <= wanted.count("--hash=sha256:")


def test_the_wheel_runs_the_demo_outside_the_checkout(
    clone: Checkout, tmp_path: Path, log: Path
) -> None:
    need("uv")
    run("uv", "build", "--quiet", "--wheel", "--out-dir", str(tmp_path), cwd=clone.folder)
    (wheel,) = tmp_path.glob("live_box_spreads-*.whl")
    environment = tmp_path / "environment"
    run("uv", "venv", "--quiet", str(environment), cwd=tmp_path)
    python = environment / "bin/python"
    requirements = str(clone.folder / "requirements.txt")
    install = ("uv", "pip", "install", "--quiet", "--python", str(python))
    run(*install, "-r", requirements, str(wheel), cwd=tmp_path)
    port, folder = free_port(), tmp_path / "snapshots"
    boxes = str(environment / "bin/boxes")
    with log.open("w", encoding="utf-8") as sink:
        process = subprocess.Popen(  # noqa: S603 - our own command
            [boxes, "demo", "--no-browser", "--port", str(port), "--folder", str(folder)],
            cwd=tmp_path,
            env={
                k: v for k, v in os.environ.items() if not k.startswith(("BOX_", "TT_", "PYTHON"))
            },
            stdout=sink,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
    running = Running(process, log)
    wait_until(
        lambda: running.alive() and page_answers(port) and any(folder.glob("snapshot_*.parquet")),
        "a snapshot and the page",
    )
    running.stop(signal.SIGTERM)


def test_a_base_install_reads_files_and_says_what_else_needs(tmp_path: Path) -> None:
    need("uv")
    run("uv", "build", "--quiet", "--wheel", "--out-dir", str(tmp_path), cwd=ROOT)
    (wheel,) = tmp_path.glob("live_box_spreads-*.whl")
    run("uv", "venv", "--quiet", str(tmp_path / "environment"), cwd=tmp_path)
    python = str(tmp_path / "environment/bin/python")
    run("uv", "pip", "install", "--quiet", "--python", python, str(wheel), cwd=tmp_path)
    boxes = str(tmp_path / "environment/bin/boxes")
    snapshot = SnapshotStore(tmp_path / "kept").write(chain_at())
    table = run(boxes, "curve", str(snapshot), "--format", "csv", cwd=tmp_path)
    assert "SPXW" in table
    assert "lend" in run(boxes, "best", str(snapshot), "--format", "csv", cwd=tmp_path)
    for command, extra in (
        ("dashboard", "dashboard"),
        ("demo", "dashboard"),
        ("simulate", "simulator"),
    ):
        done = subprocess.run([boxes, command], cwd=tmp_path, capture_output=True, text=True)  # noqa: S603, PLW1510
        assert done.returncode == 1
        (line,) = done.stderr.splitlines()
        assert line.startswith(f"boxes {command}: ")
        assert f"pip install 'live-box-spreads[{extra}]'" in line
