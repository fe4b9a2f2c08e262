from __future__ import annotations

import sys
from types import ModuleType

import pytest

from live_box_spreads.model.errors import CredentialsError
from live_box_spreads.settings.env_files import with_keyring
from live_box_spreads.vendors.tastytrade.vendor import TASTYTRADE

CREDENTIALS = TASTYTRADE.credentials


class _KeyringError(Exception):
    pass


class _NoKeyringError(_KeyringError):
    pass


class FakeKeyring(ModuleType):
    """What `import keyring` gives: a store in memory, or the error that it is told to raise."""

    def __init__(self, stored: dict[str, str], error: Exception | None = None) -> None:
        super().__init__("keyring")
        self.stored, self.error = stored, error
        self.asked: list[str] = []

    def get_password(self, service: str, name: str) -> str | None:
        assert service == "live-box-spreads"
        self.asked.append(name)
        if self.error is not None:
            raise self.error
        return self.stored.get(name)


def install(monkeypatch: pytest.MonkeyPatch, keyring: FakeKeyring) -> FakeKeyring:
    errors = ModuleType("keyring.errors")
    errors.__dict__.update(KeyringError=_KeyringError, NoKeyringError=_NoKeyringError)
    monkeypatch.setitem(sys.modules, "keyring", keyring)
    monkeypatch.setitem(sys.modules, "keyring.errors", errors)
    return keyring


def test_what_the_environment_lacks_comes_from_the_keyring(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    install(monkeypatch, FakeKeyring({"TT_CLIENT_SECRET": "kept", "TT_REFRESH_TOKEN": "token"}))
    found = with_keyring({"TT_REFRESH_TOKEN": "from the environment", "HOME": "/home"}, CREDENTIALS)
    assert found == {
        "TT_CLIENT_SECRET": "kept",
        "TT_REFRESH_TOKEN": "from the environment",
        "HOME": "/home",
    }


@pytest.mark.parametrize(
    "env",
    [
        {"TT_CLIENT_SECRET": "a", "TT_REFRESH_TOKEN": "b"},
        {"TT_USERNAME": "a", "TT_PASSWORD": "b"},
    ],
)
def test_a_complete_environment_asks_no_keyring(
    monkeypatch: pytest.MonkeyPatch, env: dict[str, str]
) -> None:
    keyring = install(monkeypatch, FakeKeyring({}))
    assert with_keyring(env, CREDENTIALS) == env
    assert keyring.asked == []


def test_without_the_package_there_is_nothing_to_add(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)  # `import keyring` fails
    assert with_keyring({}, CREDENTIALS) == {}


def test_a_machine_without_a_keyring_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, FakeKeyring({}, _NoKeyringError("no backend")))
    assert with_keyring({}, CREDENTIALS) == {}


def test_a_locked_keyring_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, FakeKeyring({}, _KeyringError("locked, and s3cret besides")))
    with pytest.raises(CredentialsError, match="unlock it") as caught:
        with_keyring({}, CREDENTIALS)
    assert "s3cret" not in str(caught.value)
