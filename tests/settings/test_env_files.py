"""The environment and .env files: who wins, and which file is refused."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from live_box_spreads.model.errors import CredentialsError
from live_box_spreads.settings.env_files import dotenv_files, environment

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "do-not-print-me"


def _dotenv(folder: Path, text: str, mode: int = 0o600) -> Path:
    folder.mkdir(exist_ok=True)
    file = folder / ".env"
    file.write_text(text, encoding="utf-8")
    file.chmod(mode)
    return file


def test_a_dotenv_fills_in_what_the_environment_lacks(tmp_path: Path) -> None:
    _dotenv(tmp_path, "TT_CLIENT_SECRET='from file'\nTT_REFRESH_TOKEN=file # a comment\n")
    found = environment({"TT_REFRESH_TOKEN": "real", "HOME": "/h"}, [tmp_path])
    assert found == {"TT_CLIENT_SECRET": "from file", "TT_REFRESH_TOKEN": "real", "HOME": "/h"}


def test_the_first_folder_wins(tmp_path: Path) -> None:
    _dotenv(tmp_path / "a", "X=first\n")
    _dotenv(tmp_path / "b", "X=second\nY=only here\n")
    assert environment({}, [tmp_path / "a", tmp_path / "b"]) == {"X": "first", "Y": "only here"}


def test_a_secret_with_a_dollar_is_taken_as_it_stands(tmp_path: Path) -> None:
    _dotenv(tmp_path, "TT_CLIENT_SECRET=a${HOME}b$c\n")
    assert environment({"HOME": "/h"}, [tmp_path])["TT_CLIENT_SECRET"] == "a${HOME}b$c"


def test_no_dotenv_is_no_error(tmp_path: Path) -> None:
    assert environment({"A": "1"}, [tmp_path]) == {"A": "1"}
    assert dotenv_files([tmp_path]) == []


@pytest.mark.skipif(os.name != "posix", reason="file modes are a POSIX matter")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660, 0o602, 0o620])
def test_a_dotenv_that_others_can_use_is_refused(tmp_path: Path, mode: int) -> None:
    file = _dotenv(tmp_path, f"TT_CLIENT_SECRET={SECRET}\n", mode)
    with pytest.raises(CredentialsError) as caught:
        environment({}, [tmp_path])
    message = str(caught.value)
    assert f"{mode:03o}" in message
    assert f"chmod 600 {file}" in message
    assert SECRET not in message


@pytest.mark.skipif(os.name != "posix", reason="file modes are a POSIX matter")
@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_private_dotenv_is_read(tmp_path: Path, mode: int) -> None:
    _dotenv(tmp_path, "A=1\n", mode)
    assert environment({}, [tmp_path]) == {"A": "1"}


def test_a_dotenv_that_is_no_text_is_refused(tmp_path: Path) -> None:
    file = _dotenv(tmp_path, "")
    file.write_bytes(b"A=\xff\xfe\n")
    with pytest.raises(CredentialsError, match=r"cannot read .*\.env"):
        environment({}, [tmp_path])


def test_the_working_folder_is_looked_at_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _dotenv(tmp_path, "BOX_TEST_ONLY=here\n")
    monkeypatch.chdir(tmp_path)
    assert environment({})["BOX_TEST_ONLY"] == "here"
    assert dotenv_files()[0] == tmp_path / ".env"
