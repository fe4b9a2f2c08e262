"""The entry files, run by a Python that lacks the packages or is too old: one line, status 1."""

from __future__ import annotations

import glob
import re
import subprocess
import sys
import tomllib
import venv
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from live_box_spreads.prerequisites import EXTRAS, MODULES, OLDEST_PYTHON

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
PACKAGE = ROOT / "live_box_spreads"
ENTRIES = {
    "ingest.py": (PACKAGE, ("ingest.py",)),
    "app.py": (PACKAGE / "dashboard", ("app.py",)),
    "boxes": (ROOT, ("-m", "live_box_spreads")),
    "archive_snapshot_pipeline": (ROOT, ("-m", "archive_snapshot_pipeline", "chain.csv")),
}
OLD_PYTHONS = sorted(
    python
    for python in glob.glob(str(Path.home() / ".pyenv/versions/3.*/bin/python"))  # noqa: PTH207 - of any depth
    if re.search(r"/3\.([7-9]|10)\.", python)
)

entries = pytest.mark.parametrize("name", ENTRIES)


def _run(python: str, name: str) -> subprocess.CompletedProcess[str]:
    folder, arguments = ENTRIES[name]
    return subprocess.run(  # noqa: S603 - our own files
        [python, *arguments], cwd=folder, env={}, capture_output=True, text=True, check=False
    )


def test_each_dependency_is_looked_for() -> None:
    named = {re.split(r"[\[><=]", dependency)[0].lower() for dependency in PROJECT["dependencies"]}
    providers = packages_distributions()
    looked_for = {providers[module][0].lower().replace("_", "-") for module in MODULES}
    assert looked_for == named


def test_each_dependency_of_an_extra_is_looked_for() -> None:
    providers = packages_distributions()
    for extra, modules in EXTRAS.items():
        named = {
            re.split(r"[\[><=]", dependency)[0].lower()
            for dependency in PROJECT["optional-dependencies"][extra]
        }
        looked_for = {providers[module][0].lower().replace("_", "-") for module in modules}
        assert looked_for - {"fastapi"} == named  # which comes with dash[fastapi]


def test_the_oldest_python_is_the_one_of_the_project() -> None:
    assert PROJECT["requires-python"] == f">={OLDEST_PYTHON[0]}.{OLDEST_PYTHON[1]}"


@pytest.fixture(scope="module")
def bare_python(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("bare")
    venv.create(folder, with_pip=False)
    return str(folder / "bin/python")


@entries
def test_without_the_packages_one_line_says_how_to_get_them(name: str, bare_python: str) -> None:
    done = _run(bare_python, name)
    assert done.returncode == 1
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith(
        f"{name}: dotenv and {len(MODULES) - 1} more packages not installed for "
    )
    assert "manage.sh" in line
    assert re.search(r"pip install -r /\S+/requirements\.txt", line)


def test_one_missing_package_is_named(tmp_path: Path) -> None:
    code = (
        "import sys; from live_box_spreads import prerequisites as p;"
        "p.MODULES = ('typer', 'no_such_module'); p.exit_unless_met('boxes')"
    )
    done = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith(f"boxes: no_such_module not installed for {sys.executable}; ")


@entries
@pytest.mark.skipif(not OLD_PYTHONS, reason="no Python 3.7 to 3.10 under pyenv")
def test_an_old_python_is_told_in_one_line(name: str) -> None:
    for python in OLD_PYTHONS:
        done = _run(python, name)
        assert done.returncode == 1
        (line,) = done.stderr.splitlines()
        assert line.startswith(f"{name}: Python 3.11 or newer is needed, and ")
        assert "manage.sh" in line


@entries
def test_a_python_with_the_packages_says_nothing_of_them(name: str) -> None:
    folder, arguments = ENTRIES[name]
    done = subprocess.run(  # noqa: S603 - our own files
        [sys.executable, *arguments, "--help"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "not installed" not in done.stderr
