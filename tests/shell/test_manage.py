"""manage.sh, run for real in a fresh clone: each word, and each way to an environment."""

from __future__ import annotations

import contextlib
import re
import signal
import socket
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.shell.checkout import Checkout, free_port, need, page_answers, wait_until

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.shell, pytest.mark.timeout(1200)]

# A stand-in that keeps to conda's command line: it knows `create`, and `run` in what it created.
# A new environment sees the packages that another test has installed, so that pip finds most of
# what it is told to install; what is under test is what manage.sh asks of conda and of pip.
CONDA = """#!{python}
import os, pathlib, subprocess, sys
home = pathlib.Path({home!r})
with (home / "calls").open("a") as calls:
    print(*sys.argv[1:], file=calls)
command, *rest = sys.argv[1:]
environment = home / rest[rest.index("-n") + 1]
if command == "create":
    subprocess.run([sys.executable, "-m", "venv", environment], check=True)
    (folder,) = environment.glob("lib/python3*/site-packages")
    (folder / "installed_before.pth").write_text({packages!r})
elif command == "run":
    program, *arguments = rest[rest.index("-n") + 2:]
    python = environment / "bin" / program
    if not python.exists():
        sys.exit("EnvironmentLocationNotFound: Not a conda environment")
    os.execv(python, [str(python), *arguments])
else:
    sys.exit(f"conda: invalid choice: {{command}}")
"""


@pytest.fixture(scope="session")
def uv_clone(clone: Checkout) -> Checkout:
    need("uv")
    return replace(clone, environment={"BOX_ENV": "uv"})


def test_help_names_every_word_and_installs_nothing(clone: Checkout, log: Path) -> None:
    assert clone.run(log, "--help") == 0
    for word in ("snapshot", "collect", "dashboard", "both", "demo", "test"):
        assert f"  {word} " in log.read_text()


def test_an_unknown_word_is_bad_usage(clone: Checkout, log: Path) -> None:
    assert clone.run(log, "snapshto") == 2
    assert "unknown word 'snapshto'" in log.read_text()


def test_an_unknown_environment_is_bad_usage(clone: Checkout, log: Path) -> None:
    assert clone.run(log, "snapshot", variables={"BOX_ENV": "poetry"}) == 2
    assert "BOX_ENV=poetry is unknown" in log.read_text()


def test_a_choice_out_of_range_is_bad_usage(clone: Checkout, log: Path) -> None:
    assert clone.run(log, answer="7\n") == 2
    assert "'7' is not one of 1, 2, 3, 4, 5" in log.read_text()
    assert log.read_text().count("Choose 1-5") == 2
    assert "no choice was made; give it as a word" in log.read_text()


def test_the_menu_does_not_ask_for_ever(clone: Checkout, log: Path) -> None:
    assert clone.run(log, answer="7\n" * 9) == 2
    assert log.read_text().count("'7' is not one of") == 5
    assert "no choice was made in five attempts" in log.read_text()


def test_the_menu_asks_again_and_takes_one_snapshot(uv_clone: Checkout, log: Path) -> None:
    before = len(uv_clone.snapshots)
    assert uv_clone.run(log, answer="one\n1\n") == 0, log.read_text()
    said = log.read_text()
    assert "2) continuous collector" in said
    assert "'one' is not one of" in said
    assert "snapshot: one snapshot into the configured folder" in said
    assert f"simulated into {uv_clone.snapshots[-1].parent}" in said
    assert len(uv_clone.snapshots) == before + 1


def test_the_menu_starts_the_demo(uv_clone: Checkout, log: Path) -> None:
    # 8050 is taken, so that it ends at once: what is under test is that the fifth choice is it.
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with contextlib.suppress(OSError):  # or somebody else has it
            taken.bind(("127.0.0.1", 8050))
            taken.listen()
        assert uv_clone.run(log, answer="5\n") == 1
    assert "demo: simulated exchange, collector and dashboard" in log.read_text()
    assert "cannot show the dashboard on port 8050" in log.read_text()


def test_collect_runs_until_it_is_told_to_stop(uv_clone: Checkout, log: Path) -> None:
    before = len(uv_clone.snapshots)
    fast = {"BOX_UPDATE_INTERVAL_SECONDS": "2"}
    running = uv_clone.start(log, "collect", variables=fast)
    wait_until(lambda: running.alive() and len(uv_clone.snapshots) >= before + 2, "two snapshots")
    assert running.stop(signal.SIGTERM) == 0, running.output()
    assert not list(uv_clone.snapshots[0].parent.glob("*.tmp"))


def test_dashboard_answers(uv_clone: Checkout, log: Path) -> None:
    port = free_port()
    running = uv_clone.start(log, "dashboard", "--port", str(port))
    wait_until(lambda: running.alive() and page_answers(port), "the dashboard's page")
    said = running.output()
    assert f"starting the dashboard on http://127.0.0.1:{port}/ with the snapshots of " in said
    running.stop(signal.SIGTERM)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_both_stop_together(uv_clone: Checkout, log: Path, how: signal.Signals) -> None:
    before, port = len(uv_clone.snapshots), free_port()
    quick = {"BOX_UPDATE_INTERVAL_SECONDS": "2", "BOX_DASHBOARD__PORT": str(port)}
    running = uv_clone.start(log, "both", variables=quick)
    wait_until(
        lambda: running.alive() and page_answers(port) and len(uv_clone.snapshots) > before,
        "a snapshot and the page",
    )
    running.stop(how)


def test_demo_shows_the_dashboard(uv_clone: Checkout, log: Path, tmp_path: Path) -> None:
    port, folder = free_port(), tmp_path / "snapshots"
    options = ("--no-browser", "--port", str(port), "--folder", str(folder))
    running = uv_clone.start(log, "demo", *options)
    wait_until(
        lambda: running.alive() and page_answers(port) and any(folder.glob("snapshot_*.parquet")),
        "a snapshot and the page",
    )
    assert f"http://127.0.0.1:{port}" in running.output()
    running.stop(signal.SIGINT)


def test_test_passes_its_options_on_to_pytest(uv_clone: Checkout, log: Path) -> None:
    assert uv_clone.run(log, "test", "-q", "tests/model/test_rates.py") == 0, log.read_text()
    assert " passed" in log.read_text()


@pytest.fixture(scope="session")
def pip_clone(clone: Checkout, tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """Take a first snapshot with venv and pip, which installs everything."""
    venv = replace(clone, environment={"BOX_ENV": "venv"})
    log, before = tmp_path_factory.mktemp("venv") / "output.txt", len(clone.snapshots)
    assert venv.run(log, "snapshot") == 0, log.read_text()
    assert "installing the dependencies" in log.read_text()
    assert len(clone.snapshots) == before + 1
    return venv


def test_venv_and_pip_install_once(pip_clone: Checkout, log: Path) -> None:
    before = len(pip_clone.snapshots)
    assert pip_clone.run(log, "snapshot") == 0, log.read_text()
    assert "installing" not in log.read_text()
    assert len(pip_clone.snapshots) == before + 1


def test_the_package_itself_is_installed_with_pip(pip_clone: Checkout, tmp_path: Path) -> None:
    program = "import live_box_spreads; print(live_box_spreads.__file__)"
    for command in (["python", "-c", program], ["boxes", "--version"]):
        program_file = str(pip_clone.folder / ".venv-pip/bin" / command[0])
        done = subprocess.run(  # noqa: S603 - our own environment
            [program_file, *command[1:]], cwd=tmp_path, capture_output=True, text=True, check=True
        )
        assert done.stdout.startswith((str(pip_clone.folder), "boxes "))


def test_pip_looks_again_when_something_has_changed(pip_clone: Checkout, log: Path) -> None:
    gone = ["live-box-spreads", "tzdata"]
    pip = [str(pip_clone.folder / ".venv-pip/bin/python"), "-m", "pip"]
    subprocess.run([*pip, "uninstall", "--quiet", "--yes", *gone], check=True)  # noqa: S603 - our own environment
    requirements = pip_clone.folder / "requirements.txt"
    true = requirements.read_text()
    before, line, after = true.partition("tzdata==")
    theirs, following = after.split("\nurllib3==")
    forged = re.sub("sha256:[0-9a-f]+", f"sha256:{'0' * 64}", theirs)
    try:
        requirements.write_text(f"{before}{line}{forged}\nurllib3=={following}")
        assert pip_clone.run(log, "snapshot", "--help") == 1
    finally:
        requirements.write_text(true)
    assert "HASHES" in log.read_text()
    assert "manage.sh: pip could not install" in log.read_text()

    assert pip_clone.run(log, "snapshot", "--help") == 0, log.read_text()
    assert "installing the dependencies" in log.read_text()
    subprocess.run([*pip, "show", "--quiet", *gone], check=True)  # noqa: S603 - our own environment


def test_conda_on_request(pip_clone: Checkout, log: Path, tmp_path: Path) -> None:
    clone = replace(pip_clone, environment={})
    (packages,) = clone.folder.glob(".venv-pip/lib/python3*/site-packages")
    binaries = tmp_path / "bin"
    binaries.mkdir()
    stand_in = binaries / "conda"
    stand_in.write_text(
        CONDA.format(python=sys.executable, home=str(tmp_path), packages=str(packages))
    )
    stand_in.chmod(0o755)
    before = len(clone.snapshots)
    path = f"{binaries}:/usr/local/bin:/usr/bin:/bin"
    assert clone.run(log, "snapshot", variables={"BOX_ENV": "conda", "PATH": path}) == 0, (
        log.read_text()
    )
    assert len(clone.snapshots) == before + 1
    calls = (tmp_path / "calls").read_text().splitlines()
    assert any(call.startswith("create") and "-n box_live python=3.11" in call for call in calls)
    assert (tmp_path / "box_live" / ".installed-requirements.txt").exists()


def test_conda_asked_for_but_absent(clone: Checkout, log: Path) -> None:
    assert clone.run(log, "snapshot", variables={"BOX_ENV": "conda", "PATH": "/usr/bin:/bin"}) == 1
    assert "there is no conda command here" in log.read_text()
