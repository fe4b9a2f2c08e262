"""Which addresses may be asked: encrypted ones, and plain ones of this machine."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Final

import httpx2

from live_box_spreads.model.errors import ConfigError

_SECURE: Final = frozenset({"https", "wss"})
_PLAIN: Final = frozenset({"http", "ws"})
_LONGEST_SHOWN: Final = 200

SECRETS_GO_THERE: Final = "secrets go there"
"""Why an address that is logged in to should be encrypted."""
QUOTES_COME_FROM_THERE: Final = "prices could be changed on the way"
"""Why an address that only gives numbers should be encrypted."""
NAMES_A_USER: Final = "a user name or password stands in it; remove it"
"""What is wrong with ``https://user:password@host``; whoever says so shows no such address."""


def is_loopback_host(host: str) -> bool:
    """Return whether a host name or address, without a port, means this machine."""
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def is_loopback(url: str) -> bool:
    """Return whether a URL points at this machine.

    Raises:
        httpx2.InvalidURL: not a URL.
    """
    return is_loopback_host(host_of(url))


def host_of(url: str) -> str:
    """Return the host of a URL.

    Raises:
        httpx2.InvalidURL: not a URL.
    """
    return httpx2.URL(url).host


def is_loopback_authority(authority: str) -> bool:
    """Return whether a Host header, such as ``127.0.0.1:9464`` or ``[::1]``, names this machine.

    A page of another site can have its name point at this machine (DNS rebinding); its browser
    then sends that name as the host.
    """
    parsed = _parsed(f"http://{authority}")
    if isinstance(parsed, str) or parsed.userinfo or parsed.raw_path != b"/" or parsed.fragment:
        return False
    return is_loopback_host(parsed.host)


def address_fault(url: str, why: str = SECRETS_GO_THERE) -> str:
    """Return what is wrong with an address; an empty text if nothing is.

    Args:
        url: an http, https, ws or wss URL.
        why: why it should be encrypted.
    """
    parsed = _parsed(url)
    if isinstance(parsed, str):
        return f"no URL: {parsed}"
    if parsed.userinfo:
        return NAMES_A_USER
    if not parsed.host or parsed.scheme not in _SECURE | _PLAIN:
        return "no web address; it should be https://… (wss://… for a stream)"
    if parsed.port is not None and not 0 < parsed.port < 2**16:
        return f"port {str(parsed.port)[:20]} is out of range; choose one from 1 to 65535"
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
    parsed = httpx2.URL(url)
    if parsed.scheme not in {"http", "https"}:
        return "no address of an HTTP service; it should be https://…"
    if parsed.fragment or "?" in url or "#" in url:
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
        raise ConfigError(f"{name} on {host_of(url)}: {fault}")
    if fault:
        raise ConfigError(f"{name} {url[:_LONGEST_SHOWN]!r}: {fault}")
    return url


def _parsed(url: str) -> httpx2.URL | str:
    """Return the URL, or why it is none."""
    try:
        return httpx2.URL(url)
    except (httpx2.InvalidURL, ValueError) as error:  # ValueError: text that has no encoding
        return str(error)[:_LONGEST_SHOWN]
