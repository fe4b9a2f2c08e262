"""Which addresses may be asked: encrypted ones, and plain ones of this machine."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import Final, NamedTuple

from live_box_spreads.model.errors import ConfigError

_SECURE: Final = frozenset({"https", "wss"})
_PLAIN: Final = frozenset({"http", "ws"})
_LONGEST_SHOWN: Final = 200

# Stricter than the RFC, so that no two readers of an address can disagree about its host: plain
# ASCII without spaces and backslashes, a host of letters and digits. It needs no HTTP library,
# which takes a while to load and which settings do not need.
_CHARACTERS: Final = re.compile(r"[!-\[\]-~]*")
_PARTS: Final = re.compile(r"([a-z]+)://([^/?#]*)([^?#]*)(\?[^#]*)?(#.*)?", re.IGNORECASE)
_AUTHORITY: Final = re.compile(r"([a-z0-9_.-]+|\[[0-9a-f:.]+\])(?::([0-9]+))?", re.IGNORECASE)

SECRETS_GO_THERE: Final = "secrets go there"
"""Why an address that is logged in to should be encrypted."""
QUOTES_COME_FROM_THERE: Final = "prices could be changed on the way"
"""Why an address that only gives numbers should be encrypted."""
NAMES_A_USER: Final = "a user name or password stands in it; remove it"
"""What is wrong with ``https://user:password@host``; an error must not show such an address."""


def is_loopback_host(host: str) -> bool:
    """Return whether a host name or address, without a port, means this machine."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def host_of(url: str) -> str:
    """Return the host of a URL, an IPv6 address without brackets; empty if it is no such URL."""
    address = _parsed(url)
    return address.host if address else ""


def is_loopback(url: str) -> bool:
    """Return whether a URL points at this machine."""
    return is_loopback_host(host_of(url))


def is_loopback_authority(authority: str) -> bool:
    """Return whether a Host header, such as ``127.0.0.1:9464`` or ``[::1]``, names this machine.

    A page of another site can have its name point at this machine (DNS rebinding); its browser
    then sends that name as the host.
    """
    found = _AUTHORITY.fullmatch(authority)
    return found is not None and is_loopback_host(_host(found))


def address_fault(url: str, why: str = SECRETS_GO_THERE) -> str:
    """Return what is wrong with an address; an empty text if nothing is.

    Args:
        url: an http, https, ws or wss URL.
        why: why it should be encrypted.
    """
    if "@" in re.split("[/?#]", url.partition("://")[2] or url)[0]:
        return NAMES_A_USER
    parsed = _parsed(url)
    if parsed is None or parsed.scheme not in _SECURE | _PLAIN:
        return "no web address; it should be https://… (wss://… for a stream)"
    if parsed.port and (len(parsed.port) > len("65535") or not 0 < int(parsed.port) < 2**16):
        return f"port {parsed.port[:20]} is out of range; choose one from 1 to 65535"
    if parsed.scheme in _PLAIN and not is_loopback_host(parsed.host):
        return (
            f"not encrypted, and {why}; it should be {parsed.scheme}s://…, "
            f"plain {parsed.scheme}:// is for addresses of this machine, such as 127.0.0.1"
        )
    return ""


def base_url_fault(url: str, why: str = SECRETS_GO_THERE) -> str:
    """Return what is wrong with an address that paths are put behind; empty if nothing is."""
    if fault := address_fault(url, why):
        return fault
    if not url.lower().startswith("http"):
        return "no address of an HTTP service; it should be https://…"
    if "?" in url or "#" in url:
        return "a query or fragment stands in it, but paths are put behind it; end it before ? or #"
    return ""


def checked_url(url: str, name: str, why: str = SECRETS_GO_THERE) -> str:
    """Return an address that may be asked: encrypted, or on this machine.

    Args:
        url: an http, https, ws or wss URL.
        name: what the address is, for the error.
        why: why it should be encrypted, for the error.

    Raises:
        ConfigError: not such a URL, or a plain one that leaves this machine.
    """
    return _without_fault(url, name, address_fault(url, why))


def checked_base_url(url: str, name: str, why: str = SECRETS_GO_THERE) -> str:
    """Return the same for an address that paths are put behind, without a slash at its end.

    Raises:
        ConfigError: not such a URL, or one with a query or a fragment.
    """
    return _without_fault(url, name, base_url_fault(url, why)).rstrip("/")


def _without_fault(url: str, name: str, fault: str) -> str:
    if fault == NAMES_A_USER:
        raise ConfigError(f"{name}: {fault}")
    if fault:
        raise ConfigError(f"{name} {url[:_LONGEST_SHOWN]!r}: {fault}")
    return url


class _Address(NamedTuple):
    scheme: str
    host: str
    port: str


def _parsed(url: str) -> _Address | None:
    parts = _PARTS.fullmatch(url) if _CHARACTERS.fullmatch(url) else None
    authority = _AUTHORITY.fullmatch(parts[2]) if parts else None
    if parts is None or authority is None:
        return None
    return _Address(parts[1].lower(), _host(authority), authority[2] or "")


def _host(authority: re.Match[str]) -> str:
    return authority[1].strip("[]").lower()
