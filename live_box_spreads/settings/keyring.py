"""Credentials in the system's keyring, for who keeps no secret in a file.

``keyring set live-box-spreads TT_CLIENT_SECRET`` (the command of the ``keyring`` package) stores
one; the extra ``live-box-spreads[keyring]`` installs the package. The keyring is asked only for
credentials that the environment and ``.env`` lack.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

from live_box_spreads.model.errors import CredentialsError

if TYPE_CHECKING:
    from collections.abc import Mapping

SERVICE: Final = "live-box-spreads"
NAMES: Final = ("TT_CLIENT_SECRET", "TT_REFRESH_TOKEN", "TT_USERNAME", "TT_PASSWORD")
_PAIRS: Final = (NAMES[:2], NAMES[2:])


def with_keyring(env: Mapping[str, str]) -> dict[str, str]:
    """Return the environment, completed by the keyring if it lacks credentials.

    Args:
        env: environment variables, as ``environment()`` gives them; what is there wins.

    Raises:
        CredentialsError: there is a keyring and it cannot be read, because it stays locked, say.
    """
    found = dict(env)
    if any(all(env.get(name, "").strip() for name in pair) for pair in _PAIRS):
        return found
    for name in NAMES:
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
        return keyring.get_password(SERVICE, name) or ""
    except errors.NoKeyringError:
        return ""
    except errors.KeyringError as error:
        raise CredentialsError(
            f"the system keyring does not give {name}: {type(error).__name__}; unlock it, or set "
            f"{name} in the environment"
        ) from None
