"""Environment variables, and what fills in those that are missing: ``.env`` files, the keyring.

``keyring set live-box-spreads TT_CLIENT_SECRET`` (the command of the ``keyring`` package) stores a
credential in the system's keyring; the extra ``live-box-spreads[keyring]`` installs the package.
"""

from __future__ import annotations

import io
import os
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Final

from dotenv import dotenv_values

from live_box_spreads.bounded_files import read_bounded
from live_box_spreads.model.errors import CredentialsError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

PACKAGE = Path(__file__).resolve().parents[1]
CHECKOUT = PACKAGE.parent if (PACKAGE.parent / "pyproject.toml").is_file() else None
"""Root of the source tree that the package runs from; None when it is an installed wheel."""

KEYRING_SERVICE: Final = "live-box-spreads"
MOST_BYTES = 100_000
_OTHERS_CAN_READ_OR_WRITE = 0o077


def environment(
    env: Mapping[str, str] | None = None, folders: Iterable[Path] | None = None
) -> dict[str, str]:
    """Return the environment, completed by the ``.env`` files.

    Args:
        env: the real environment, which wins; None for ``os.environ``.
        folders: where ``.env`` may be, the first one wins; None for ``dotenv_folders()``.

    Raises:
        CredentialsError: a ``.env`` can be read by others than its owner, or not at all.
    """
    merged: dict[str, str] = {}
    for file in dotenv_files(folders):
        for name, value in _read(file).items():
            merged.setdefault(name, value)
    merged.update(os.environ if env is None else env)
    return merged


def dotenv_folders() -> list[Path]:
    """Return where a ``.env`` is looked for: the working folder, the package, the checkout."""
    folders = [Path.cwd(), PACKAGE]
    return folders if CHECKOUT is None else [*folders, CHECKOUT]


def dotenv_files(folders: Iterable[Path] | None = None) -> list[Path]:
    """Return the ``.env`` files that are there, without repetition, the strongest first."""
    wanted = dotenv_folders() if folders is None else folders
    files = [folder.resolve() / ".env" for folder in wanted]
    # A folder of this name is a virtual environment.
    return [file for file in dict.fromkeys(files) if file.exists() and not file.is_dir()]


def others_can_read(file: Path) -> bool:
    """Return whether a file's mode lets its group or others in; never so on Windows."""
    return os.name == "posix" and bool(file.stat().st_mode & _OTHERS_CAN_READ_OR_WRITE)


def _read(file: Path) -> dict[str, str]:
    if others_can_read(file):
        mode = file.stat().st_mode & 0o777
        raise CredentialsError(
            f"{file} has mode {mode:03o}, so others on this machine can read it; "
            f"run: chmod 600 {file}"
        )
    try:
        text = read_bounded(file, MOST_BYTES).decode()
    except OSError as error:
        raise CredentialsError(f"cannot read {file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise CredentialsError(f"cannot read {file}: save it as UTF-8 text") from error
    if "\0" in text:
        raise CredentialsError(f"{file} holds a NUL character, which no variable can; remove it")
    values = dotenv_values(stream=io.StringIO(text), interpolate=False)
    return {name: value for name, value in values.items() if value is not None}


def with_keyring(env: Mapping[str, str], credentials: Sequence[Sequence[str]]) -> dict[str, str]:
    """Return the environment, completed by the keyring if it lacks credentials.

    Args:
        env: environment variables, as ``environment()`` gives them; what is there wins.
        credentials: sets of variables, each of which is enough to log in; the keyring is asked
            only if none is complete.

    Raises:
        CredentialsError: there is a keyring and it cannot be read, as when it is locked.
    """
    found = dict(env)
    if any(all(env.get(name, "").strip() for name in names) for names in credentials):
        return found
    for name in (name for names in credentials for name in names):
        if not found.get(name, "").strip() and (value := _stored(name)):
            found[name] = value
    return found


def _stored(name: str) -> str:
    """Return what the keyring holds under a name; empty if nothing, or if there is no keyring."""
    try:
        keyring = import_module("keyring")
        errors = import_module("keyring.errors")
    except ImportError:
        return ""
    try:
        return keyring.get_password(KEYRING_SERVICE, name) or ""
    except errors.NoKeyringError:
        return ""
    except errors.KeyringError as error:
        raise CredentialsError(
            f"the system keyring does not give {name}: {type(error).__name__}; unlock it, or set "
            f"{name} in the environment"
        ) from None
