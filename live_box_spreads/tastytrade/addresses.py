"""Which addresses secrets may be sent to."""

from __future__ import annotations

from ipaddress import ip_address

import httpx2

from live_box_spreads.model.errors import ConfigError

_SECURE = {"https", "wss"}
_PLAIN = {"http", "ws"}


def is_loopback(url: str) -> bool:
    """Return whether a URL points at this machine."""
    host = httpx2.URL(url).host
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def checked_url(url: str, name: str, why: str = "secrets go there") -> str:
    """Return a URL that a secret may be sent to: encrypted, or on this machine.

    Args:
        url: an http, https, ws or wss URL.
        name: what the URL is, for the error.
        why: why it should be encrypted, for the error.

    Raises:
        ConfigError: not such a URL, or a plain one that leaves this machine.
    """
    try:
        parsed = httpx2.URL(url)
    except httpx2.InvalidURL as error:
        raise ConfigError(f"{name} {url!r} is no URL: {error}") from error
    if parsed.userinfo:
        raise ConfigError(f"{name} on {parsed.host} holds a user name or password; remove it")
    if not parsed.host or parsed.scheme not in _SECURE | _PLAIN:
        raise ConfigError(f"{name} {url!r} is no web address; expected https://… or wss://…")
    if parsed.scheme in _PLAIN and not is_loopback(url):
        raise ConfigError(
            f"{name} {url!r} is not encrypted, and {why}; use {parsed.scheme}s://, "
            "or an address of this machine such as 127.0.0.1"
        )
    return url
