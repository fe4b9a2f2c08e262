from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.shell.checkout import Checkout, need

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """Clone the committed state, as CI and a newcomer get it."""
    need("git")
    if not (ROOT / ".git").exists():
        pytest.skip("these tests clone the repository, and this is no git checkout")
    folder = tmp_path_factory.mktemp("newcomer") / "live-box-spreads"
    command = ["git", "clone", "--quiet", "--no-hardlinks", str(ROOT), str(folder)]
    subprocess.run(command, check=True)  # noqa: S603 - our own repository
    return Checkout(folder)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "output.txt"
